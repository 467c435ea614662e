/* test_table_scores.c: scores out of logits by method, by words of one's own, and by Q-Bench's
 * formula. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/eval/eval_test.h"

/* The example of Q-Boost's figure (q_boost.png): logits of good, average, poor. */
static const char figure[] = "path,logit_good,logit_average,logit_poor,logit_high,score\n"
                             "a,11.14,8.68,7.96,1,7\nb,10.02,10.71,9.07,2,\n"
                             "c,8.92,10.75,9.59,,-2\nd,6.46,8.62,10.70,4,3\n";

static QbTableScoring scoring_of(const char *method, const char *tones)
{
    QbTableScoring scoring;
    qb_table_scoring_init(&scoring);
    scoring.method = method;
    scoring.tones = tones;
    return scoring;
}

static void expect(const QbTableScoring *scoring, const double expected[4])
{
    QbTable *table = table_of(figure);
    double got[4];
    if (qb_table_scores(got, table, scoring))
        fail_msg("%s", qb_last_error());
    for (int i = 0; i < 4; i++)
        if (isnan(expected[i]) ? !isnan(got[i]) : !(fabs(got[i] - expected[i]) <= 5e-6))
            fail_msg("row %d: %.9f, expected %.9f", i, got[i], expected[i]);
    qb_table_free(&table);
}

static void test_methods(void **state)
{
    (void)state;
    QbTableScoring scoring = scoring_of("tti", NULL);
    expect(&scoring, (double[]){0.92520, 0.59071, 0.44807, 0.06747});
    scoring = scoring_of("binary", NULL);
    expect(&scoring, (double[]){0.50795, 0.50237, 0.49833, 0.48940});
    scoring.qbench_compat = true;
    expect(&scoring, (double[]){0.50795, 0.50237, 0.49833, 0.48940});
    scoring.temperature = 1;
    expect(&scoring, (double[]){0.96007, 0.72112, 0.33850, 0.01420});
    scoring = scoring_of(NULL, NULL);
    scoring.qbench_compat = true; /* is a method by itself */
    expect(&scoring, (double[]){0.50795, 0.50237, 0.49833, 0.48940});
    scoring = scoring_of(NULL, NULL);
    expect(&scoring, (double[]){7, NAN, -2, 3});
}

static void test_own_words(void **state)
{
    (void)state;
    QbTableScoring scoring = scoring_of(NULL, "good / poor");
    expect(&scoring, (double[]){0.96007, 0.72112, 0.33850, 0.01420}); /* T = 1 */
    scoring.method = "binary";                                        /* and T = 100 */
    expect(&scoring, (double[]){0.50795, 0.50237, 0.49833, 0.48940});
    scoring.weights = "0.5 0.5";
    expect(&scoring, (double[]){0.5, 0.5, 0.5, 0.5});
    scoring = scoring_of("tti", "good / poor / average");
    scoring.weights = "1, 0, 0.5";
    expect(&scoring, (double[]){0.92520, 0.59071, 0.44807, 0.06747});
    /* a row without one of the logits has no score; e^-10.14 and so on */
    scoring = scoring_of(NULL, "high / good");
    expect(&scoring,
           (double[]){1 / (1 + exp(10.14)), 1 / (1 + exp(8.02)), NAN, 1 / (1 + exp(2.46))});
}

/* Equal differences of logits are equal scores; written as Q-Bench writes it, not always. */
static void test_ties(void **state)
{
    (void)state;
    char text[8192];
    size_t length = (size_t)sprintf(text, "path,logit_good,logit_poor\n");
    enum { N = 100 };
    double exact[N], compat[N];
    int differ = 0;
    for (int i = 0; i < N; i++)
        length += (size_t)sprintf(text + length, "%d,%.4f,%.4f\n", i, 10 + i / 16.0, 9 + i / 16.0);
    QbTable *table = table_of(text);
    QbTableScoring scoring = scoring_of("binary", NULL);
    assert_int_equal(qb_table_scores(exact, table, &scoring), QB_OK);
    scoring.qbench_compat = true;
    assert_int_equal(qb_table_scores(compat, table, &scoring), QB_OK);
    for (int i = 0; i < N; i++) {
        double good = exp((10 + i / 16.0) / 100), poor = exp((9 + i / 16.0) / 100);
        assert_true(exact[i] == exact[0]);
        assert_true(compat[i] == good / (good + poor));
        differ += compat[i] != compat[0];
    }
    assert_true(differ > 0);
    qb_table_free(&table);
}

static void test_refusals(void **state)
{
    (void)state;
    QbTable *table = table_of(figure);
    double got[4];
    QbTableScoring scoring = scoring_of("mpe", NULL);
    assert_int_equal(qb_table_scores(got, table, &scoring), QB_ERR_UNSUPPORTED);
    assert_non_null(strstr(qb_last_error(), "no logits of the word \"fine\""));
    const struct {
        QbTableScoring scoring;
        const char *said;
    } wrong[] = {
        {{.method = "best"}, "unknown method \"best\" (tti, mpe, binary, levels)"},
        {{.tones = "good"}, "one tone"},
        {{.method = "tti", .weights = "1 0"}, "2 weights for 3 tones"},
        {{.weights = "1 0"}, "need a method"},
        {{.temperature = 2}, "need a method"},
        {{.method = "tti", .temperature = -1}, "temperature -1"},
        {{.method = "tti", .temperature = NAN}, "temperature"},
        {{.method = "tti", .qbench_compat = true}, "two tones of one word"},
        {{.tones = "good high / poor", .qbench_compat = true}, "two tones of one word"},
        {{.weights = "1 0", .qbench_compat = true}, "no weights"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        scoring = wrong[i].scoring;
        scoring.size = sizeof scoring;
        assert_int_equal(qb_table_scores(got, table, &scoring), QB_ERR_ARG);
        assert_non_null(strstr(qb_last_error(), wrong[i].said));
    }
    scoring = scoring_of("tti", NULL);
    scoring.size = 3;
    assert_int_equal(qb_table_scores(got, table, &scoring), QB_ERR_ARG);
    assert_int_equal(qb_table_scores(got, table, NULL), QB_ERR_ARG);
    qb_table_free(&table);
    table = table_of("path,score\na,1\n");
    scoring = scoring_of("binary", NULL);
    assert_int_equal(qb_table_scores(got, table, &scoring), QB_ERR_UNSUPPORTED);
    qb_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_own_words),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
