/* test_correlations.c: SRCC, PLCC, tau-b and RMSE against SciPy, against the definition of tau-b,
 * and at the edges: ties, constant lists, values that are not finite, extremes, no memory. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "stats/stats.h"
#include "tests/unit/stats/stats_golden.h"

#include <float.h>

static const char GOLDEN[] = "tests/golden/stats/correlations.json";
static const double TOLERANCE = 1e-9;

typedef QbStatus (*Statistic)(double *out, const double *x, const double *y, size_t n);

static const struct {
    const char *name;
    Statistic run;
} statistics[] = {{"srcc", qb_stats_srcc},
                  {"plcc", qb_stats_plcc},
                  {"krcc", qb_stats_krcc},
                  {"rmse", qb_stats_rmse}};
enum { STATISTICS = 4, CORRELATIONS = 3 };

static void test_golden(void **state)
{
    (void)state;
    double worst[STATISTICS] = {0};
    json_t *cases = golden_load(GOLDEN);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        GoldenPairs pairs = golden_pairs(cases, i);
        for (int s = 0; s < STATISTICS; s++) {
            double got = NAN, expected = golden_number(pairs.set, statistics[s].name);
            assert_int_equal(statistics[s].run(&got, pairs.x, pairs.y, pairs.n), QB_OK);
            golden_compare(pairs.name, statistics[s].name, got, expected,
                           TOLERANCE * fmax(1, expected));
            worst[s] = fmax(worst[s], fabs(got - expected) / fmax(1, expected));
        }
        golden_pairs_deinit(&pairs);
    }
    for (int s = 0; s < STATISTICS; s++)
        print_message("%s: at most %.1e from SciPy\n", statistics[s].name, worst[s]);
    json_decref(cases);
}

/* Tau-b by its definition: every pair of pairs is looked at. */
static double tau_by_definition(const double *x, const double *y, size_t n)
{
    int64_t difference = 0, untied_x = 0, untied_y = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            int dx = (x[i] > x[j]) - (x[i] < x[j]), dy = (y[i] > y[j]) - (y[i] < y[j]);
            difference += dx * dy;
            untied_x += dx != 0;
            untied_y += dy != 0;
        }
    return (double)difference / sqrt((double)untied_x * (double)untied_y);
}

static double levelled(QbRandom *random, uint32_t levels)
{
    return levels ? (double)qb_random_below(random, levels) - levels / 2
                  : qb_random_unit(random) - 0.5;
}

static void test_tau_by_definition(void **state)
{
    (void)state;
    static const uint32_t levels[] = {0, 2, 3, 10, 100};
    double x[300], y[300];
    QbRandom random;
    int compared = 0;
    qb_random_seed(&random, 5);
    for (int round = 0; round < 500; round++) {
        size_t n = 2 + qb_random_below(&random, round < 400 ? 20 : 299);
        for (size_t i = 0; i < n; i++) {
            x[i] = levelled(&random, levels[round % 5]);
            y[i] = levelled(&random, levels[round / 5 % 5]);
        }
        double tau = 7;
        if (qb_stats_krcc(&tau, x, y, n)) {
            assert_non_null(strstr(qb_last_error(), "constant")); /* small n, two levels */
            continue;
        }
        golden_compare("krcc", "tau-b", tau, tau_by_definition(x, y, n), 1e-15);
        compared++;
    }
    assert_true(compared > 400);
}

/* More pairs of pairs than 32 bits hold: x rises in steps of two, y is x with its halves exchanged,
 * so all m^2 pairs of pairs across the halves are discordant, n / 2 tied in both, the rest in
 * order. */
static void test_many_pairs(void **state)
{
    (void)state;
    enum { HALF = 150000, MANY = 2 * HALF };
    double *x = qb_calloc(MANY, sizeof *x), *y = qb_calloc(MANY, sizeof *y), tau;
    assert_true(x && y);
    for (int i = 0; i < MANY; i++) {
        x[i] = i / 2;
        y[i] = (i + HALF) % MANY / 2;
    }
    double all = (double)MANY * (MANY - 1) / 2, tied = HALF, across = (double)HALF * HALF;
    assert_int_equal(qb_stats_krcc(&tau, x, y, MANY), QB_OK);
    assert_true(tau == (all - tied - 2 * across) / (all - tied));
    qb_free(x);
    qb_free(y);
}

static void test_ranks(void **state)
{
    (void)state;
    double values[] = {3, -1, 3, 1e300, -0.0, 0.0, -1e-320, 3, -1e300};
    static const double expected[] = {7, 2, 7, 9, 4.5, 4.5, 3, 7, 1};
    assert_int_equal(qb_stats_ranks(values, values, 9), QB_OK); /* in place */
    for (int i = 0; i < 9; i++)
        assert_true(values[i] == expected[i]);
    double one = 42;
    assert_int_equal(qb_stats_ranks(&one, &one, 1), QB_OK);
    assert_true(one == 1);
    assert_int_equal(qb_stats_ranks(&one, &one, 0), QB_ERR_ARG);
    one = NAN;
    assert_int_equal(qb_stats_ranks(&one, &one, 1), QB_ERR_ARG);
}

/* Order, and so every bit of SRCC and tau-b, is left alone by a rising function of either list;
 * perfect agreement is 1 and not a last bit less. */
static void test_exact(void **state)
{
    (void)state;
    double x[1000], y[1000], moved[1000], turned[1000], a, b;
    QbRandom random;
    qb_random_seed(&random, 6);
    for (int i = 0; i < 1000; i++) {
        x[i] = levelled(&random, 50);
        y[i] = x[i] + levelled(&random, 40);
        moved[i] = x[i] * x[i] * x[i] / 7 - 1000;
        turned[i] = -x[i];
    }
    for (int s = 0; s < CORRELATIONS; s++) {
        assert_int_equal(statistics[s].run(&a, x, x, 1000), QB_OK);
        assert_true(a == 1);
        assert_int_equal(statistics[s].run(&a, x, turned, 1000), QB_OK);
        assert_true(a == -1);
        assert_int_equal(statistics[s].run(&a, x, y, 1000), QB_OK);
        assert_int_equal(statistics[s].run(&b, y, x, 1000), QB_OK);
        assert_true(a == b && a < 1);
        assert_int_equal(statistics[s].run(&b, moved, y, 1000), QB_OK);
        assert_true((a == b) == (statistics[s].run != qb_stats_plcc));
    }
    assert_int_equal(qb_stats_rmse(&a, x, x, 1000), QB_OK);
    assert_true(a == 0);
}

/* PLCC of x and y is that of a scaled and moved x: far from 0, huge, denormal. */
static void test_extreme_values(void **state)
{
    (void)state;
    static const double scales[] = {1, 1e-300, 0x1p-1060, 1e300, 0x1p1012};
    double x[100], y[100], scaled[100], expected, got;
    QbRandom random;
    qb_random_seed(&random, 8);
    for (int i = 0; i < 100; i++) {
        x[i] = (double)qb_random_below(&random, 1024);
        y[i] = x[i] + (double)qb_random_below(&random, 1000);
    }
    assert_int_equal(qb_stats_plcc(&expected, x, y, 100), QB_OK);
    assert_true(expected > 0.5 && expected < 0.9);
    for (int s = 0; s < 5; s++) {
        for (int i = 0; i < 100; i++)
            scaled[i] = (x[i] - 512) * scales[s];
        assert_int_equal(qb_stats_plcc(&got, scaled, y, 100), QB_OK);
        golden_compare("plcc", "scaled", got, expected, 1e-14);
        assert_int_equal(qb_stats_plcc(&got, y, scaled, 100), QB_OK);
        golden_compare("plcc", "scaled", got, expected, 1e-14);
    }
    for (int i = 0; i < 100; i++)
        scaled[i] = x[i] + 0x1p52; /* the last digit is 1 */
    assert_int_equal(qb_stats_plcc(&got, scaled, y, 100), QB_OK);
    golden_compare("plcc", "far from 0", got, expected, 1e-14);
    double wide[] = {1e308, -1e308, 1e308}, near[] = {1, 2, 3};
    assert_int_equal(qb_stats_plcc(&got, wide, near, 3), QB_OK);
    golden_compare("plcc", "of opposite extremes", got, 0, 1e-15);
}

static void test_rmse(void **state)
{
    (void)state;
    double zero[4] = {0}, got, x[] = {3, -4, 0, 0};
    assert_int_equal(qb_stats_rmse(&got, x, zero, 4), QB_OK);
    assert_true(got == 2.5);
    assert_int_equal(qb_stats_rmse(&got, x, zero, 1), QB_OK);
    assert_true(got == 3);
    double huge[] = {3e200, -4e200, 0, 0}, tiny[] = {3e-200, -4e-200, 0, 0};
    assert_int_equal(qb_stats_rmse(&got, huge, zero, 4), QB_OK);
    golden_compare("rmse", "of the huge", got, 2.5e200, 1e186);
    assert_int_equal(qb_stats_rmse(&got, zero, tiny, 4), QB_OK);
    golden_compare("rmse", "of the tiny", got, 2.5e-200, 1e-214);
    double top[] = {DBL_MAX}, bottom[] = {-DBL_MAX};
    got = 7;
    assert_int_equal(qb_stats_rmse(&got, top, bottom, 1), QB_ERR_LIMIT);
    assert_true(got == 7);
}

static void expect_refusal(Statistic run, const double *x, const double *y, size_t n,
                           QbStatus status, const char *text)
{
    double out = 7;
    assert_int_equal(run(&out, x, y, n), status);
    if (!strstr(qb_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", qb_last_error(), text);
    assert_true(out == 7);
}

static void test_refusals(void **state)
{
    (void)state;
    static const double good[] = {1, 2, 4}, flat[] = {2.5, 2.5, 2.5};
    static const double nan[] = {1, 2, NAN}, infinite[] = {1, -INFINITY, 3};
    static const double one_bit[] = {1, 1, 1 + DBL_EPSILON};
    for (int s = 0; s < STATISTICS; s++) {
        Statistic run = statistics[s].run;
        expect_refusal(run, nan, good, 3, QB_ERR_ARG, "value 3 of the first list is NaN");
        expect_refusal(run, good, nan, 3, QB_ERR_ARG, "value 3 of the second list is NaN");
        expect_refusal(run, good, infinite, 3, QB_ERR_ARG, "value 2 of the second list is inf");
        expect_refusal(run, good, good, 0, QB_ERR_ARG, "0 pairs");
        expect_refusal(run, good, good, QB_STATS_MAX_PAIRS + 1, QB_ERR_LIMIT, "more than");
    }
    for (int s = 0; s < CORRELATIONS; s++) {
        double out;
        Statistic run = statistics[s].run;
        expect_refusal(run, good, good, 1, QB_ERR_ARG, "1 pair of");
        expect_refusal(run, flat, good, 3, QB_ERR_ARG, "all 3 values of the first list are 2.5");
        expect_refusal(run, good, flat, 3, QB_ERR_ARG, "second list");
        assert_int_equal(run(&out, one_bit, good, 3), QB_OK); /* not constant */
        assert_true(out > 0 && out < 1);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 3, 5}, y[] = {1, 3, 2, 7};
    for (int s = 0; s < STATISTICS; s++) {
        double out = 7;
        uint64_t before = qb_mem_allocation_count();
        assert_int_equal(statistics[s].run(&out, x, y, 4), QB_OK);
        uint64_t allocations = qb_mem_allocation_count() - before;
        for (uint64_t i = 1; i <= allocations; i++) {
            out = 7;
            qb_mem_fail_after(i);
            assert_int_equal(statistics[s].run(&out, x, y, 4), QB_ERR_NOMEM);
            assert_true(out == 7);
        }
        qb_mem_fail_after(0);
        assert_true((allocations > 0) == (s == 0 || s == 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),     cmocka_unit_test(test_tau_by_definition),
        cmocka_unit_test(test_many_pairs), cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_exact),      cmocka_unit_test(test_extreme_values),
        cmocka_unit_test(test_rmse),       cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
