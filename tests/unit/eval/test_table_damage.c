/* test_table_damage.c: tables that are refused, and what is said of them; limits; every byte cut
 * off or flipped; failing memory. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "eval/table.h"
#include "tests/unit/eval/eval_test.h"

static void test_csv_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"path,mos\na,1\nb,2,3\n", "line 3: 3 fields, but the header has 2"},
        {"path,mos\na,1\n\nb\n", "line 4: 1 field, but the header has 2"},
        {"path,mos\na,nan\n", "line 2: the opinion \"mos\" is NaN"},
        {"path,mos\na,1\nb,-inf\n", "line 3: the opinion \"mos\" is infinite"},
        {"path,mos\na,1e999\n", "line 2: the opinion \"mos\" is infinite"},
        {"path,mos\na,\"3,5\"\n", "line 2: mos is \"3,5\", not a number"},
        {"path;mos\na;3,5\n", "mos is \"3,5\", not a number"},
        {"path,mos\na,4 stars\n", "mos is \"4 stars\", not a number"},
        {"path,mos,MOS\na,1,2\n", "two columns of opinions: \"mos\" and \"MOS\""},
        {"path,logit_a,mos,logit_a\na,1,2,3\n", "two columns \"logit_a\""},
        {"path,rating\na,1\n",
         "no column of opinions, scores or logits is known; there are: path, rating"},
        {"photo,mos\na,1\n",
         "no column of names of pictures or videos is known; there are: photo, mos"},
        {"a.jpg,1\nb.jpg,2\n", "there are: a.jpg, 1"},
        {"path,mos\n", "has no row"},
        {"path,mos\n,1\n", "line 2: the name of the picture is empty"},
        {"path,mos\n\"a,1\nb,2\n", "quote"},
        {"path,mos\na\"b,1\n", "line 2: a quote"},
        {"path,mos\n\"a\"b,1\n", "line 2: a quote"},
        {"", "is empty"},
        {" \r\n\t", "is empty"},
        {"\xef\xbb\xbf", "is empty"},
        {"\xff\xfep", "UTF-16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(cases[i].text, QB_ERR_FORMAT, cases[i].said);
    QbTable *table;
    assert_int_equal(open_bytes(&table, "path,mos\na\0b,1\n", 15, NULL), QB_ERR_FORMAT);
    assert_non_null(strstr(qb_last_error(), "a table: is not a text: it holds a zero byte"));
}

static void test_json_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"{\"path\":\"a\",\"mos\":1}\n{\"path\":\"b\",\"mos\":NaN}", "record 2, line 2"},
        {"{\"path\":\"a\",\"mos\":1}\n\n{\"path\":\"b\",\n\"mos\":2,}", "record 2, line 4"},
        {"{\"path\":\"a\",\"mos\":\"inf\"}", "record 1, line 1: the opinion \"mos\" is infinite"},
        {"{\"path\":\"a\",\"mos\":1e999}", "record 1"},
        {"{\"path\":\"a\",\"mos\":true}", "\"mos\" is neither a number nor a text"},
        {"{\"path\":\"a\",\"mos\":[1]}", "\"mos\" is neither a number nor a text"},
        {"{\"path\":1,\"mos\":1}", "\"path\" is a number, expected a text"},
        {"{\"path\":\"a\",\"mos\":1,\"mos\":2}", "duplicate"},
        {"{\"path\":\"a\",\"mos\":1,\"MOS\":2}", "two columns of opinions"},
        {"{\"path\":\"a\",\"mos\":1}{\"image\":\"b\",\"mos\":2}",
         "record 2, line 1: \"path\" is missing"},
        {"{\"photo\":\"a\",\"mos\":1}", "there are: photo, mos"},
        {"{\"path\":\"a\",\"mine\":1}",
         "opinions, scores or logits is known; there are: path, mine"},
        {"{\"path\":\"\",\"mos\":1}", "empty"},
        {"{\"path\":\"a\\u0000\",\"mos\":1}", "record 1"},
        {"{\"path\":\"\xff\",\"mos\":1}", "record 1"},
        {"{\"path\":\"a\",\"logits\":[1]}", "\"logits\" is not an object of words"},
        {"{\"path\":\"a\",\"logits\":{\"good\":\"high\"}}", "good is \"high\", not a number"},
        {"{\"path\":\"a\",\"mos\":1", "record 1"},
        {"[{\"path\":\"a\",\"mos\":1}", "the array has no end"},
        {"[{\"path\":\"a\",\"mos\":1}]]", "']' where an object is expected"},
        {"[{\"path\":\"a\",\"mos\":1}]{\"path\":\"a\",\"mos\":1}",
         "'{' where an object is expected"},
        {"{\"path\":\"a\",\"mos\":1};", "';' where an object is expected"},
        {"[[{\"path\":\"a\",\"mos\":1}]]", "'[' where an object is expected"},
        {"[1, 2]", "'1' where an object is expected"},
        {"[]", "has no row"},
        {"{}", "no column of names"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(cases[i].text, QB_ERR_FORMAT, cases[i].said);
}

static void test_what_is_asked_for(void **state)
{
    (void)state;
    static const char *const texts[] = {"path,rating,score\na,1,2\n",
                                        "{\"path\":\"a\",\"rating\":1,\"score\":2}"};
    for (int i = 0; i < 2; i++) {
        QbTable *table;
        QbTableOptions options;
        qb_table_options_init(&options);
        options.opinion_column = "votes";
        assert_int_equal(open_bytes(&table, texts[i], strlen(texts[i]), &options), QB_ERR_FORMAT);
        assert_non_null(strstr(qb_last_error(),
                               "no column \"votes\" of opinions; there are: path, rating, score"));
        options.opinion_column = NULL;
        options.need_opinions = true;
        assert_int_equal(open_bytes(&table, texts[i], strlen(texts[i]), &options), QB_ERR_FORMAT);
        assert_non_null(strstr(qb_last_error(), "no column of opinions is known"));
        options.opinion_column = "rating";
        options.need_scores = true;
        assert_int_equal(open_bytes(&table, texts[i], strlen(texts[i]), &options), QB_OK);
        qb_table_free(&table);
        options.score_column = "rating"; /* taken as the opinion */
        assert_int_equal(open_bytes(&table, texts[i], strlen(texts[i]), &options), QB_ERR_FORMAT);
        options.size = 0;
        assert_int_equal(open_bytes(&table, texts[i], strlen(texts[i]), &options), QB_ERR_ARG);
    }
    QbTable *table;
    assert_int_equal(qb_table_open(&table, "tests/no such file", NULL), QB_ERR_IO);
    assert_int_equal(qb_table_open(&table, "tests", NULL), QB_ERR_IO);
    assert_int_equal(qb_table_open(NULL, "tests", NULL), QB_ERR_ARG);
    assert_int_equal(qb_table_open(&table, NULL, NULL), QB_ERR_ARG);
    assert_int_equal(qb_table_open_memory(&table, NULL, 1, "a", NULL), QB_ERR_ARG);
    assert_int_equal(qb_table_open_memory(&table, "a", 1, NULL, NULL), QB_ERR_ARG);
}

/* text: before, then a letter n times, then after. */
static void refuse_long(const char *before, char letter, size_t n, const char *after,
                        const char *said)
{
    size_t start = strlen(before), end = strlen(after);
    char *text = malloc(start + n + end + 1);
    assert_non_null(text);
    memcpy(text, before, start);
    memset(text + start, letter, n);
    memcpy(text + start + n, after, end + 1);
    refuse(text, QB_ERR_LIMIT, said);
    free(text);
}

static void test_limits(void **state)
{
    (void)state;
    refuse_long("path,mos\n", 'a', QB_TABLE_MAX_NAME + 1, ",1\n", "a name of 4097 bytes");
    refuse_long("path,mos\n", 'a', QB_TABLE_MAX_RECORD, ",1\n", "a row of more than");
    refuse_long("path,mos\n\"", '\n', QB_TABLE_MAX_RECORD, "\",1\n", "a row of more than");
    refuse_long("path", ',', QB_TABLE_MAX_COLUMNS, "\n", "more than 1024 columns");
    refuse_long("{\"path\":\"", 'a', QB_TABLE_MAX_NAME + 1, "\",\"mos\":1}",
                "a name of 4097 bytes");
    refuse_long("{\"path\":\"", 'a', QB_TABLE_MAX_RECORD, "\",\"mos\":1}",
                "an object of more than");
    /* nested deeper than the parser goes */
    char *text = malloc(200000);
    assert_non_null(text);
    memset(text, '[', 100000);
    memcpy(text, "{\"path\":", 8);
    text[100000] = 0;
    refuse(text, QB_ERR_FORMAT, "record 1");
    /* more keys than there may be columns, in one object and in all */
    size_t length = 0;
    for (int i = 0; i < 1025; i++)
        length += (size_t)snprintf(text + length, 200000 - length, "%s\"k%d\":1", i ? "," : "{", i);
    snprintf(text + length, 200000 - length, "}");
    refuse(text, QB_ERR_LIMIT, "more than 1024 keys");
    length = 0;
    for (int i = 0; i < 1025; i++)
        length += (size_t)snprintf(text + length, 200000 - length,
                                   "{\"path\":\"a\",\"mos\":1,\"k%d\":1}", i);
    refuse(text, QB_ERR_LIMIT, "record 1023, line 1: more than 1024 columns");
    free(text);
}

static const char *const seeds[] = {
    "path,mos,logit_good,set,error\r\n\"a \"\"b\"\"\",1.5,2,x,\r\nc,,3,\"y,z\",bad\r\n",
    "[{\"path\":\"a\",\"mos\":\"1.5 "
    "\",\"logits\":{\"good\":1,\"poor\":2}},{\"path\":\"b\",\"path_b64\":"
    "\"/y5qcGc=\",\"score\":0.5,\"error\":null}]\n",
    "{\"img_path\":\"a\",\"gt_score\":3,\"logit_good\":1}{\"img_path\":\"b\",\"gt_score\":3}",
};

/* Whatever comes, the answer is a table or a sentence. */
static void open_anything(const char *text, size_t size)
{
    QbTable *table = (QbTable *)1;
    QbStatus status = open_bytes(&table, text, size, NULL);
    if (status) {
        assert_null(table);
        assert_non_null(strstr(qb_last_error(), "a table: "));
        return;
    }
    assert_true(qb_table_count(table) > 0);
    for (size_t i = 0; i < qb_table_count(table); i++) {
        QbTableRow row = row_of(table, i);
        assert_true(*row.name && row.dataset && !isinf(row.opinion) && !isinf(row.score));
    }
    qb_table_free(&table);
}

static void test_every_byte(void **state)
{
    (void)state;
    char text[512];
    for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++) {
        size_t size = strlen(seeds[s]);
        for (size_t i = 0; i < size; i++) {
            open_anything(seeds[s], i);
            for (int bit = 0; bit < 8; bit++) {
                memcpy(text, seeds[s], size);
                text[i] = (char)(text[i] ^ 1 << bit);
                open_anything(text, size);
            }
        }
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++) {
        uint64_t before = qb_mem_allocation_count(), failed = 0;
        QbTable *table = table_of(seeds[s]);
        uint64_t all = qb_mem_allocation_count() - before;
        qb_table_free(&table);
        for (uint64_t i = 1; i <= all; i++) {
            qb_mem_fail_after(i);
            QbStatus status = open_bytes(&table, seeds[s], strlen(seeds[s]), NULL);
            /* libcsv tries again with a smaller buffer */
            assert_true(status == QB_ERR_NOMEM || status == QB_OK);
            failed += status == QB_ERR_NOMEM;
            qb_table_free(&table);
        }
        qb_mem_fail_after(0);
        assert_true(failed >= 4 && failed + 2 >= all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_refusals),      cmocka_unit_test(test_json_refusals),
        cmocka_unit_test(test_what_is_asked_for), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_byte),        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
