/* test_table.c: every shape of labels, logits and scores that is read, which column is taken, and
 * what a table says of its rows. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/eval/eval_test.h"

#include <jansson.h>
#include <locale.h>

static const char EXPECTED[] = "tests/golden/eval/tables.json";

enum { ROWS = 60 };

static json_t *load_expected(void)
{
    json_error_t error;
    json_t *root = json_load_file(EXPECTED, 0, &error);
    if (!root)
        fail_msg("%s:%d: %s", EXPECTED, error.line, error.text);
    assert_int_equal(json_array_size(json_object_get(root, "rows")), ROWS);
    return root;
}

static QbTable *open_golden(const char *name)
{
    char path[256];
    QbTable *table;
    snprintf(path, sizeof path, "tests/golden/eval/tables/%s", name);
    if (qb_table_open(&table, path, NULL))
        fail_msg("%s", qb_last_error());
    assert_int_equal(qb_table_count(table), ROWS);
    return table;
}

/* Column of a row of tables.json: name, opinion, good, poor, score by levels. */
static double expected_number(const json_t *root, size_t row, size_t column)
{
    return json_number_value(
        json_array_get(json_array_get(json_object_get(root, "rows"), row), column));
}

static const char *expected_name(const json_t *root, size_t row)
{
    return json_string_value(json_array_get(json_array_get(json_object_get(root, "rows"), row), 0));
}

static void check_correlations(const json_t *root, const QbTable *opinions, const QbTable *table,
                               const char *method)
{
    static const char *const keys[] = {"srcc", "plcc", "krcc"};
    double score[ROWS], opinion[ROWS];
    const json_t *expected = json_object_get(root, method ? method : "levels");
    QbTableScoring scoring;
    QbEvalOptions options;
    QbEvalResult result;
    qb_table_scoring_init(&scoring);
    scoring.method = method;
    if (qb_table_scores(score, table, &scoring))
        fail_msg("%s", qb_last_error());
    for (size_t i = 0; i < ROWS; i++)
        opinion[i] = row_of(opinions, i).opinion;
    qb_eval_options_init(&options);
    options.resamples = 0;
    assert_int_equal(qb_evaluate(&result, score, opinion, ROWS, &options), QB_OK);
    const QbEvalValue *value[] = {&result.srcc, &result.plcc, &result.krcc};
    for (int k = 0; k < 3; k++) {
        double want = json_number_value(json_array_get(json_object_get(expected, keys[k]), 0));
        if (!(fabs(value[k]->value - want) <= 1e-9))
            fail_msg("%s %s is %.15f, SciPy says %.15f", method, keys[k], value[k]->value, want);
    }
}

static void test_opinions_and_logits(void **state)
{
    (void)state;
    static const char *const files[] = {
        "qbench_concatenated.json", "qbench_array.json",  "qbench_texts.json",
        "qbench_lines.jsonl",       "qbench_commas.json", "qalign_results.json",
        "both_quoted.csv",          "both_tabs.tsv",      "both_semicolons.csv"};
    json_t *root = load_expected();
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        QbTable *table = open_golden(files[f]);
        for (size_t i = 0; i < ROWS; i++) {
            QbTableRow row = row_of(table, i);
            assert_string_equal(row.name, expected_name(root, i));
            assert_string_equal(row.dataset, "");
            assert_null(row.error);
            assert_true(row.opinion == expected_number(root, i, 1));
            assert_true(logit_of(table, i, "good") == expected_number(root, i, 2));
            assert_true(logit_of(table, i, "poor") == expected_number(root, i, 3));
            if (strncmp(files[f], "qalign", 6))
                assert_true(isnan(row.score));
            else
                assert_true(row.score == expected_number(root, i, 4));
        }
        check_correlations(root, table, table, "binary");
        if (!strncmp(files[f], "qalign", 6)) {
            assert_int_equal(qb_table_word_count(table), 5);
            check_correlations(root, table, table, "levels");
            check_correlations(root, table, table, NULL);
        }
        qb_table_free(&table);
    }
    json_decref(root);
}

/* Opinions and scores from different files, with different folders in front of the names. */
static void test_joined(void **state)
{
    (void)state;
    json_t *root = load_expected();
    QbTable *bare = open_golden("qalign_labels.json"), *path = open_golden("labels.csv");
    QbTable *lines = open_golden("qboost.jsonl"), *csv = open_golden("qboost.csv");
    QbTable *joined;
    QbTableJoin info;
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(row_of(bare, i).opinion == expected_number(root, i, 1));
        assert_true(row_of(path, i).opinion == expected_number(root, i, 1));
        assert_string_equal(row_of(path, i).dataset, "one, two");
    }
    check_correlations(root, bare, lines, "levels");
    assert_int_equal(qb_table_join(&joined, &info, bare, lines), QB_OK);
    assert_true(info.n_unscored == 0 && info.n_unused == 0);
    check_correlations(root, joined, joined, "levels");
    check_correlations(root, joined, joined, "binary");
    qb_table_free(&joined);
    assert_int_equal(qb_table_join(&joined, &info, bare, csv), QB_OK);
    check_correlations(root, joined, joined, NULL);
    qb_table_free(&joined);
    /* "root/set/pic" is neither the end of "photos/set/pic" nor the other way round */
    assert_int_equal(qb_table_join(&joined, &info, path, csv), QB_OK);
    assert_true(info.n_unscored == ROWS && info.n_unused == ROWS);
    qb_table_free(&joined);
    qb_table_free(&bare);
    qb_table_free(&path);
    qb_table_free(&lines);
    qb_table_free(&csv);
    json_decref(root);
}

static void test_which_column(void **state)
{
    (void)state;
    QbTable *table = table_of("name,mos_0_1,SET,MOS_raw,Image Path,quality\n"
                              "a,0.5,first,3,dir/a.jpg,0.25\r\n"
                              "\n"
                              "b,0.6,first,,b.jpg,\n"
                              "c,0.7,second, 4.5 ,c.jpg,1e-3");
    assert_int_equal(qb_table_count(table), 3);
    QbTableRow row = row_of(table, 0);
    assert_string_equal(row.name, "dir/a.jpg");
    assert_true(row.opinion == 3 && row.score == 0.25 && row.logit == NULL);
    assert_string_equal(row.dataset, "first");
    assert_true(isnan(row_of(table, 1).opinion) && isnan(row_of(table, 1).score));
    assert_true(row_of(table, 2).opinion == 4.5 && row_of(table, 2).score == 1e-3);
    assert_string_equal(row_of(table, 2).dataset, "second");
    assert_null(qb_table_word(table, 0));
    qb_table_free(&table);

    QbTableOptions options;
    qb_table_options_init(&options);
    static const char text[] = "file;who;MOS;mine;mos2\nx.jpg;y.jpg;1;2;3\n";
    options.name_column = "who";
    options.opinion_column = "mine";
    options.score_column = "mos2";
    options.dataset_column = "file";
    assert_int_equal(open_bytes(&table, text, strlen(text), &options), QB_OK);
    row = row_of(table, 0);
    assert_string_equal(row.name, "y.jpg");
    assert_string_equal(row.dataset, "x.jpg");
    assert_true(row.opinion == 2 && row.score == 3);
    qb_table_free(&table);
}

/* Once a key is chosen it stays: no two scales in one table. */
static void test_same_key_throughout(void **state)
{
    (void)state;
    QbTable *table = table_of("{\"image\":\"a\",\"mos_0_1\":0.5}{\"image\":\"b\",\"mos\":3}"
                              "{\"mos\":4,\"image\":\"c\",\"mos_0_1\":0.75, \"path\":\"d\"}");
    assert_true(row_of(table, 0).opinion == 0.5);
    assert_true(isnan(row_of(table, 1).opinion));
    assert_true(row_of(table, 2).opinion == 0.75);
    assert_string_equal(row_of(table, 2).name, "c");
    qb_table_free(&table);
}

static void test_json_values(void **state)
{
    (void)state;
    QbTable *table = table_of("\xef\xbb\xbf [ {\"video\":\"a.mp4\",\"gt_score\":\" 2.82 "
                              "\",\"set\":3,\"logit_good\":\"1e1\"}, "
                              "{\"video\":\"b\",\"gt_score\":null,\"score\":null,\"error\":\"cut "
                              "\\u00e9\",\"extra\":[{}]}\n,"
                              "{\"video\":\"c\",\"gt_score\":12345678901234567890,\"logits\":{"
                              "\"good\":2,\"so so\":-3.5}}] \n");
    QbTableRow row = row_of(table, 0);
    assert_true(row.opinion == 2.82 && row.logit[0] == 10 && isnan(row.logit[1]));
    assert_string_equal(row.dataset, "3");
    row = row_of(table, 1);
    assert_true(isnan(row.opinion) && isnan(row.score) && isnan(row.logit[0]));
    assert_string_equal(row.error, "cut \xc3\xa9");
    assert_string_equal(row.dataset, "");
    row = row_of(table, 2);
    assert_true(row.opinion == 12345678901234567890.0 && row.logit[0] == 2);
    assert_true(logit_of(table, 2, "so so") == -3.5);
    assert_int_equal(qb_table_word_count(table), 2);
    assert_string_equal(qb_table_word(table, 1), "so so");
    assert_null(qb_table_word(table, 2));
    assert_null(qb_table_word(table, -1));
    qb_table_free(&table);
}

/* A name that is not UTF-8 comes in base64 beside its readable form. */
static void test_base64_name(void **state)
{
    (void)state;
    QbTable *table = table_of("{\"path\":\"\\ufffd.jpg\",\"path_b64\":\"/y5qcGc=\",\"score\":1}");
    assert_string_equal(row_of(table, 0).name, "\xff.jpg");
    qb_table_free(&table);
    refuse("{\"path\":\"a\",\"path_b64\":\"/y*qcGc=\",\"score\":1}", QB_ERR_FORMAT, "base64");
    refuse("{\"path\":\"a\",\"path_b64\":\"\",\"score\":1}", QB_ERR_FORMAT, "empty");
}

static void test_csv_quotes(void **state)
{
    (void)state;
    QbTable *table = table_of("\"path\",\"score\",\"error\"\r\n"
                              "\"a, \"\"b\"\"\n.jpg\",\"0.5\",\r\n"
                              " c d.jpg , 1 ,\"broken\r\nfile\"\r\n"
                              "e,nan,\r\n");
    assert_string_equal(row_of(table, 0).name, "a, \"b\"\n.jpg");
    assert_null(row_of(table, 0).error);
    assert_string_equal(row_of(table, 1).name, "c d.jpg");
    assert_string_equal(row_of(table, 1).error, "broken\r\nfile");
    /* a score that is no number is a failure to score */
    assert_true(isnan(row_of(table, 2).score));
    assert_string_equal(row_of(table, 2).error, "score is NaN");
    qb_table_free(&table);
    table = table_of("path\tscore\ra\t1\rb\t2"); /* CR alone */
    assert_int_equal(qb_table_count(table), 2);
    qb_table_free(&table);
}

/* The words of a table grow while it is read; all rows have all of them. */
static void test_many_words(void **state)
{
    (void)state;
    char text[65536];
    size_t length = 0;
    for (int i = 0; i < 600; i++)
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "{\"path\":\"%d.jpg\",\"logits\":{\"w%d\":%d}}\n", i, i % 64, i);
    QbTable *table = table_of(text);
    assert_int_equal(qb_table_word_count(table), 64);
    for (size_t i = 0; i < 600; i++) {
        QbTableRow row = row_of(table, i);
        for (int word = 0; word < 64; word++)
            assert_true((size_t)word == i % 64 ? row.logit[word] == (double)i
                                               : isnan(row.logit[word]));
    }
    qb_table_free(&table);
    snprintf(text + length, sizeof text - length, "{\"path\":\"x\",\"logits\":{\"one more\":1}}");
    refuse(text, QB_ERR_LIMIT, "record 601, line 601");
}

/* A program may have set a locale whose decimal point is a comma. */
static void test_locale(void **state)
{
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR"};
    bool found = false;
    for (size_t i = 0; i < sizeof locales / sizeof *locales && !found; i++)
        found = setlocale(LC_NUMERIC, locales[i]) != NULL;
    if (!found) {
        print_message("no locale with a decimal comma: skipping\n");
        skip();
    }
    QbTable *table = table_of("path,score\na,0.5\n");
    assert_true(row_of(table, 0).score == 0.5);
    qb_table_free(&table);
    table = table_of("{\"path\":\"a\",\"score\":0.5,\"mos\":\"2.5\"}");
    assert_true(row_of(table, 0).score == 0.5 && row_of(table, 0).opinion == 2.5);
    qb_table_free(&table);
    setlocale(LC_NUMERIC, "C");
}

static void test_null_table(void **state)
{
    (void)state;
    QbTable *table = NULL;
    QbTableRow row = {.name = NULL};
    assert_int_equal(qb_table_count(NULL), 0);
    assert_int_equal(qb_table_word_count(NULL), 0);
    qb_table_row(&row, NULL, 0);
    assert_string_equal(row.name, "");
    qb_table_free(&table);
    qb_table_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opinions_and_logits),
        cmocka_unit_test(test_joined),
        cmocka_unit_test(test_which_column),
        cmocka_unit_test(test_same_key_throughout),
        cmocka_unit_test(test_json_values),
        cmocka_unit_test(test_base64_name),
        cmocka_unit_test(test_csv_quotes),
        cmocka_unit_test(test_many_words),
        cmocka_unit_test(test_locale),
        cmocka_unit_test(test_null_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
