/* test_tones.c: from logits to a score by every method, against published and worked-out values;
 * how words and weights are read. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "score/method.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static QbScore score_of(const char *tones_text, const char *weights, const double *logit,
                        double temperature)
{
    QbTones tones;
    QbScore score = {0};
    if (qb_tones_parse(&tones, tones_text, weights))
        fail_msg("%s", qb_last_error());
    qb_tones_score(&score, &tones, logit, temperature);
    double sum = 0;
    for (int t = 0; t < tones.n_tones; t++)
        sum += score.probability[t];
    if (isfinite(score.score))
        assert_true(fabs(sum - 1) < 1e-12);
    qb_tones_deinit(&tones);
    return score;
}

static QbScore by_method(const char *name, const double *logit, double temperature)
{
    const QbScoreMethod *m = qb_score_method_find(name);
    assert_non_null(m);
    return score_of(m->tones, m->weights, logit, temperature > 0 ? temperature : m->temperature);
}

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.9g, expected %.9g", got, want);
}

/* The example figure of Q-Boost (github.com/Q-Future/Q-Instruct, boost_qa/q_boost.png): logits of
 * good, average, poor for four pictures, and what the formulas of the paper make of them. */
static const double figure[4][3] = {
    {11.14, 8.68, 7.96}, {10.02, 10.71, 9.07}, {8.92, 10.75, 9.59}, {6.46, 8.62, 10.70}};

static void test_tti(void **state)
{
    (void)state;
    static const double want[4] = {0.92520, 0.59071, 0.44807, 0.06747};
    for (int i = 0; i < 4; i++)
        assert_near(by_method("tti", figure[i], 0).score, want[i], 1e-5);
}

static void test_binary(void **state)
{
    (void)state;
    static const double want[4] = {0.50795, 0.50237, 0.49833, 0.48940};
    static const double want_1[4] = {0.96007, 0.72112, 0.33850, 0.01420};
    for (int i = 0; i < 4; i++) {
        const double logit[2] = {figure[i][0], figure[i][2]};
        assert_near(by_method("binary", logit, 0).score, want[i], 1e-5);
        assert_near(by_method("binary", logit, 1).score, want_1[i], 1e-5);
    }
}

/* The logits of a tone are averaged first, then comes one softmax. */
static void test_mpe(void **state)
{
    (void)state;
    const double logit[9] = {10.5, 8, 6.25, 9, 7.5, 3, 8.5, 9.25, 7};
    const double mean[3] = {(10.5 + 8 + 6.25) / 3, (9 + 7.5 + 3) / 3, (8.5 + 9.25 + 7) / 3};
    assert_near(by_method("mpe", logit, 0).score, by_method("tti", mean, 0).score, 1e-6);
    double e[9], all = 0, good = 0, average = 0; /* the other order would be something else */
    for (int i = 0; i < 9; i++)
        all += e[i] = exp(logit[i]);
    good = (e[0] + e[1] + e[2]) / all;
    average = (e[3] + e[4] + e[5]) / all;
    assert_true(fabs(by_method("mpe", logit, 0).score - (good + average / 2)) > 0.05);
    /* Three equal triads are one triad. */
    for (int i = 0; i < 4; i++) {
        const double *f = figure[i];
        const double same[9] = {f[0], f[0], f[0], f[1], f[1], f[1], f[2], f[2], f[2]};
        assert_near(by_method("mpe", same, 0).score, by_method("tti", f, 0).score, 1e-12);
    }
    assert_string_equal(qb_score_method_find("mpe")->tones,
                        "good high fine / average medium acceptable / poor low bad");
}

static void test_levels(void **state)
{
    (void)state;
    const double logit[5] = {1, 2, 3, 0.5, -1};
    double sum = 0, weighted = 0;
    for (int i = 0; i < 5; i++) {
        sum += exp(logit[i]);
        weighted += exp(logit[i]) * (1 - 0.25 * i);
    }
    assert_near(by_method("levels", logit, 0).score, weighted / sum, 1e-12);
    for (int i = 0; i < 5; i++) { /* each level alone */
        double one[5] = {0};
        one[i] = 200;
        assert_near(by_method("levels", one, 0).score, 1 - 0.25 * i, 1e-12);
    }
}

static void test_method_list(void **state)
{
    (void)state;
    static const char *const names[] = {"tti", "mpe", "binary", "levels"};
    for (int i = 0; i < 4; i++) {
        assert_string_equal(qb_score_method_at(i)->name, names[i]);
        assert_ptr_equal(qb_score_method_find(names[i]), qb_score_method_at(i));
    }
    assert_null(qb_score_method_at(4));
    assert_null(qb_score_method_at(-1));
    assert_null(qb_score_method_find("TTI"));
    assert_null(qb_score_method_find(""));
}

static void test_weights_and_temperature(void **state)
{
    (void)state;
    const double logit[3] = {2, 1, 0};
    double e = exp(1.0), sum = e * e + e + 1;
    assert_near(score_of("a / b / c", "0 1 0.25", logit, 1).score, (e + 0.25) / sum, 1e-12);
    assert_near(score_of("a/b/c", "1,0,0", logit, 1).score, e * e / sum, 1e-12);
    /* temperature t of logits t * x is temperature 1 of x */
    const double hot[3] = {200, 100, 0};
    assert_near(score_of("a / b / c", NULL, hot, 100).score,
                score_of("a / b / c", NULL, logit, 1).score, 1e-12);
    /* Colder and colder: the best tone alone. */
    static const double cold[] = {1e-3, 1e-30, 1e-300, 5e-324};
    for (size_t i = 0; i < sizeof cold / sizeof *cold; i++)
        assert_near(score_of("a / b / c", NULL, logit, cold[i]).score, 1, 1e-12);
    assert_near(score_of("a / b / c", NULL, logit, 1e300).score, 0.5, 1e-12);
}

static void test_entropy(void **state)
{
    (void)state;
    const double equal[8] = {3, 3, 3, 3, 3, 3, 3, 3}, sure[3] = {500, 0, 0}, half[3] = {7, 7, -500};
    static const char *const tones[] = {
        "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e", "a/b/c/d/e/f", "a/b/c/d/e/f/g", "a/b/c/d/e/f/g/h"};
    for (int i = 0; i < 7; i++)
        assert_near(score_of(tones[i], NULL, equal, 1).entropy, 1, 1e-12);
    assert_near(score_of(tones[1], NULL, sure, 1).entropy, 0, 1e-12);
    assert_near(score_of(tones[1], NULL, half, 1).entropy, log(2) / log(3), 1e-12);
}

/* Score and entropy keep to 0..1 to the bit, whatever the rounding; the scorer refuses what does
 * not. */
static void test_ranges(void **state)
{
    (void)state;
    static const char *const weights[] = {NULL, "1 1 1 1 1 1 1 1", "0 0 0 0 0 0 0 0",
                                          "1 1 1 1 1 1 1 0"};
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        double logit[8];
        for (int i = 0; i < 8; i++) {
            seed = seed * 1664525u + 1013904223u;
            logit[i] =
                (double)(int32_t)seed * 0x1p-31 * (double)(1 + round % 7) * (round % 5 ? 1 : 1e-6);
        }
        QbScore s = score_of("a/b/c/d/e/f/g/h", weights[round % 4], logit, 1);
        if (!(s.score >= 0 && s.score <= 1 && s.entropy >= 0 && s.entropy <= 1))
            fail_msg("score %.17g, entropy %.17g", s.score, s.entropy);
    }
}

static void test_infinite_logits(void **state)
{
    (void)state;
    const double none[3] = {-INFINITY, 1, 1}, nan[3] = {1, NAN, 1},
                 all[3] = {-INFINITY, -INFINITY, -INFINITY};
    const double big[3] = {INFINITY, 1, 1};
    assert_near(score_of("a/b/c", NULL, none, 1).score, 0.25, 1e-12);
    assert_false(score_of("a/b/c", NULL, nan, 1).score >=
                 0); /* the scorer's test for finite logits */
    assert_false(score_of("a/b/c", NULL, all, 1).score >= 0);
    assert_false(score_of("a/b/c", NULL, big, 1).score >= 0);
}

static void test_parse(void **state)
{
    (void)state;
    QbTones t;
    assert_int_equal(qb_tones_parse(&t, "  good,high\tfine/ poor  /x ", NULL), QB_OK);
    assert_int_equal(t.n_tones, 3);
    assert_int_equal(t.n_words, 5);
    static const char *const words[] = {"good", "high", "fine", "poor", "x"};
    static const int tone[] = {0, 0, 0, 1, 2};
    for (int i = 0; i < 5; i++) {
        assert_string_equal(t.word[i], words[i]);
        assert_int_equal(t.tone_of[i], tone[i]);
    }
    assert_true(t.weight[0] == 1 && t.weight[1] == 0.5 && t.weight[2] == 0);
    qb_tones_deinit(&t);
    qb_tones_deinit(&t);
}

static void refuse(const char *tones, const char *weights, QbStatus want, const char *tell)
{
    QbTones t;
    QbStatus got = qb_tones_parse(&t, tones, weights);
    if (got != want || !strstr(qb_last_error(), tell))
        fail_msg("\"%s\", \"%s\": status %d, \"%s\" should tell of \"%s\"", tones,
                 weights ? weights : "", got, qb_last_error(), tell);
}

static void test_parse_errors(void **state)
{
    (void)state;
    char many[400] = "w0 / x";
    for (int i = 1; i < QB_SCORE_MAX_WORDS; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), " w%d", i);
    refuse(many, NULL, QB_ERR_ARG, "32 words");
    refuse("a/b/c/d/e/f/g/h/i", NULL, QB_ERR_ARG, "8 tones");
    refuse("", NULL, QB_ERR_ARG, "no word");
    refuse("good", NULL, QB_ERR_ARG, "one tone");
    refuse("good / / poor", NULL, QB_ERR_ARG, "tone 2");
    refuse("good / ", NULL, QB_ERR_ARG, "tone 2");
    refuse("/ good", NULL, QB_ERR_ARG, "tone 1");
    refuse("good / bad good", NULL, QB_ERR_ARG, "twice");
    refuse("good good / bad", NULL, QB_ERR_ARG, "twice");
    refuse("a / b", "1", QB_ERR_ARG, "1 weights for 2 tones");
    refuse("a / b", "1 0.5 0", QB_ERR_ARG, "3 weights for 2 tones");
    refuse("a / b", "1 1 1 1 1 1 1 1 1 1 1 1", QB_ERR_ARG, "12 weights");
    refuse("a / b", "", QB_ERR_ARG, "0 weights");
    static const char *const bad[] = {"1 x",    "1.5 0", "-1 0", "nan 0", "inf 0", "1 0.5x",
                                      "1e99 0", "0.5.5", "1-0",  "1 / 0", "1;0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse("a / b", bad[i], QB_ERR_ARG, bad[i]);
}

static void test_no_memory(void **state)
{
    (void)state;
    QbTones t;
    for (uint64_t n = 1; n <= 3; n++) {
        qb_mem_fail_after(n);
        assert_int_equal(qb_tones_parse(&t, "a / b c", NULL), QB_ERR_NOMEM);
        qb_mem_fail_after(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tti),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_mpe),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_method_list),
        cmocka_unit_test(test_weights_and_temperature),
        cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_infinite_logits),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_errors),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
