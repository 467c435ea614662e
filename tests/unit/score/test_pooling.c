/* test_pooling.c: every way of pooling against worked-out values, and what all of them must keep.
 */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <math.h>
#include <qboost/video.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static double pooled(const char *pool, const double *scores, int64_t n)
{
    double out = -1;
    if (qb_pool_scores(&out, pool, scores, n))
        fail_msg("%s: %s", pool, qb_last_error());
    return out;
}

static void check(const char *pool, const double *scores, int64_t n, double want)
{
    double got = pooled(pool, scores, n);
    if (!(fabs(got - want) < 1e-12))
        fail_msg("%s: %.15g, expected %.15g", pool, got, want);
}

static void test_values(void **state)
{
    (void)state;
    static const double s[] = {0.8, 0.2, 0.6, 0.4, 1.0}; /* sorted: .2 .4 .6 .8 1 */
    check("mean", s, 5, 0.6);
    check("min", s, 5, 0.2);
    check("median", s, 5, 0.6);
    check("median", s, 4, 0.5);
    /* positions 0.04, 0.2 and 0.4 between 0.2 and 0.4 */
    check("p1", s, 5, 0.208);
    check("p5", s, 5, 0.24);
    check("p10", s, 5, 0.28);
    check("harmonic", s, 5,
          (5 / (1 / 81.0 + 1 / 21.0 + 1 / 61.0 + 1 / 41.0 + 1 / 101.0) - 1) / 100);
    check("weighted", s, 5,
          (0.2 * 0.8 + 0.8 * 0.2 + 0.4 * 0.6 + 0.6 * 0.4 + 0) / (0.2 + 0.8 + 0.4 + 0.6));
}

/* One frame, equal frames, the ends of the range: the score itself. */
static void test_what_is_the_same_for_all(void **state)
{
    (void)state;
    static const double levels[] = {0, 1e-9, 0.37, 0.999999, 1};
    for (int i = 1; qb_pool_name(i); i++)
        for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
            double same[7];
            for (int k = 0; k < 7; k++)
                same[k] = levels[l];
            check(qb_pool_name(i), same, 1, levels[l]);
            check(qb_pool_name(i), same, 7, levels[l]);
        }
}

/* Whatever the frames: within their range, the same in any order, no better for a worse frame. */
static void test_order_and_range(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 500; round++) {
        double s[40], back[40], low = 1, high = 0;
        int n = 1 + round % 40;
        for (int i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            s[i] = (seed >> 8) * 0x1p-24;
            back[n - 1 - i] = s[i];
            low = fmin(low, s[i]);
            high = fmax(high, s[i]);
        }
        for (int i = 1; qb_pool_name(i); i++) {
            double p = pooled(qb_pool_name(i), s, n);
            assert_true(p >= low - 1e-12 && p <= high + 1e-12);
            assert_true(p == pooled(qb_pool_name(i), back, n));
        }
        assert_true(pooled("harmonic", s, n) <= pooled("mean", s, n) + 1e-12);
        assert_true(pooled("weighted", s, n) <= pooled("mean", s, n) + 1e-12);
        assert_true(pooled("p1", s, n) <= pooled("p5", s, n));
        assert_true(pooled("p5", s, n) <= pooled("p10", s, n));
    }
}

static void test_mistakes(void **state)
{
    (void)state;
    static const double good[] = {0.5, 0.25}, bad[][2] = {{0.5, NAN}, {-0.1, 0}, {1.0001, 0}};
    double out = -5;
    assert_int_equal(qb_pool_scores(&out, "average", good, 2), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "\"average\" (logits, mean, min, median, harmonic, p1, "
                                            "p5, p10, weighted)"));
    assert_int_equal(qb_pool_scores(&out, "logits", good, 2), QB_ERR_ARG);
    assert_int_equal(qb_pool_scores(&out, NULL, good, 2), QB_ERR_ARG);
    assert_int_equal(qb_pool_scores(&out, "mean", good, 0), QB_ERR_ARG);
    for (int i = 0; i < 3; i++)
        assert_int_equal(qb_pool_scores(&out, "mean", bad[i], 2), QB_ERR_ARG);
    qb_mem_fail_after(1);
    assert_int_equal(qb_pool_scores(&out, "mean", good, 2), QB_ERR_NOMEM);
    qb_mem_fail_after(0);
    assert_true(out == -5); /* untouched */
    assert_null(qb_pool_name(-1));
    for (int i = 0; qb_pool_name(i); i++)
        assert_non_null(qb_pool_help(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_what_is_the_same_for_all),
        cmocka_unit_test(test_order_and_range),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
