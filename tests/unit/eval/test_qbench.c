/* test_qbench.c: the published correlations of Q-Bench out of the published logits, every cell, and
 * lists of real opinions (QB_SHARED/data; skipped when it is absent). */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/eval.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, CELLS = 15, CGI_PART = 3000 };

/* One line of published.csv. */
typedef struct {
    char model[64], dataset[64];
    long n;
    double srcc_exact, plcc_exact; /* of the difference of the logits: ties are ties */
    double srcc, plcc;             /* as published */
} Cell;

static const char *shared_folder(void)
{
    const char *shared = getenv("QB_SHARED");
    return shared ? shared : "../shared";
}

static double round_to(double value, int digits)
{
    double scale = pow(10, digits);
    return round(value * scale) / scale;
}

static void score(double *out, const QbTable *table, bool compat)
{
    QbTableScoring scoring;
    qb_table_scoring_init(&scoring);
    scoring.method = "binary";
    scoring.qbench_compat = compat;
    if (qb_table_scores(out, table, &scoring))
        fail_msg("%s", qb_last_error());
}

static QbEvalResult evaluate(const QbTable *table, const Cell *cell, bool compat)
{
    size_t n = qb_table_count(table);
    double *scores = malloc(n * sizeof *scores), *opinions = malloc(n * sizeof *opinions);
    QbEvalOptions options;
    QbEvalResult result;
    assert_true(scores && opinions);
    score(scores, table, compat);
    for (size_t i = 0; i < n; i++) {
        QbTableRow row;
        qb_table_row(&row, table, i);
        opinions[i] = row.opinion;
    }
    qb_eval_options_init(&options);
    options.resamples = 0;
    options.part_size = strcmp(cell->dataset, "cgi") ? 0 : CGI_PART;
    if (qb_evaluate(&result, scores, opinions, n, &options))
        fail_msg("%s", qb_last_error());
    free(scores);
    free(opinions);
    return result;
}

static void check_cell(const Cell *cell)
{
    char path[PATH_BYTES];
    QbTable *table;
    snprintf(path, sizeof path, "%s/data/qbench/logits/%s/%s.json", shared_folder(), cell->model,
             cell->dataset);
    if (qb_table_open(&table, path, NULL))
        fail_msg("%s", qb_last_error());
    assert_int_equal(qb_table_count(table), cell->n);
    QbEvalResult exact = evaluate(table, cell, false), compat = evaluate(table, cell, true);
    qb_table_free(&table);
    print_message("%-20s %-6s srcc %.4f plcc %.4f, as published %.3f %.3f (%.3f %.3f)\n",
                  cell->model, cell->dataset, exact.srcc.value, exact.plcc.value, compat.srcc.value,
                  compat.plcc.value, cell->srcc, cell->plcc);
    bool is_cgi = !strcmp(cell->dataset, "cgi");
    assert_int_equal(exact.n_parts, is_cgi ? 2 : 1);
    assert_int_equal(exact.n, is_cgi ? 2 * CGI_PART : cell->n);
    assert_true(fabs(exact.srcc.value - cell->srcc) <= 0.003);
    assert_true(fabs(exact.plcc.value - cell->plcc) <= 0.001);
    assert_true(round_to(exact.srcc.value, 4) == cell->srcc_exact);
    assert_true(round_to(exact.plcc.value, 4) == cell->plcc_exact);
    assert_true(round_to(compat.srcc.value, 3) == cell->srcc);
    assert_true(round_to(compat.plcc.value, 3) == cell->plcc);
}

static void test_published(void **state)
{
    (void)state;
    char path[PATH_BYTES], line[512];
    Cell cell;
    int cells = 0;
    snprintf(path, sizeof path, "%s/data/qbench/published.csv", shared_folder());
    FILE *file = fopen(path, "r");
    if (!file) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    assert_non_null(fgets(line, sizeof line, file)); /* the header */
    while (fgets(line, sizeof line, file)) {
        assert_int_equal(sscanf(line, "%63[^,],%63[^,],%ld,%lf,%lf,%lf,%lf", cell.model,
                                cell.dataset, &cell.n, &cell.srcc_exact, &cell.plcc_exact,
                                &cell.srcc, &cell.plcc),
                         7);
        check_cell(&cell);
        cells++;
    }
    fclose(file);
    assert_int_equal(cells, CELLS);
}

/* Two scales of opinions, and videos of which some have none. */
static void test_labels(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        double first;
        size_t n_at_least, n_without;
    } lists[] = {{"human-scores", 4.16, 200, 0}, {"video", 3.46, 9, 5}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char path[PATH_BYTES];
        QbTable *table;
        QbTableRow row;
        size_t without = 0;
        snprintf(path, sizeof path, "%s/data/%s/labels.csv", shared_folder(), lists[i].file);
        if (access(path, R_OK)) {
            print_message("skipped: %s is not there\n", path);
            skip();
        }
        if (qb_table_open(&table, path, NULL))
            fail_msg("%s", qb_last_error());
        assert_true(qb_table_count(table) >= lists[i].n_at_least);
        qb_table_row(&row, table, 0);
        assert_true(row.opinion == lists[i].first && *row.dataset);
        for (size_t k = 0; k < qb_table_count(table); k++) {
            qb_table_row(&row, table, k);
            without += isnan(row.opinion);
        }
        assert_int_equal(without, lists[i].n_without);
        qb_table_free(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_published),
                                       cmocka_unit_test(test_labels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
