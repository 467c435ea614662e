/* test_bootstrap.c: the generator against published vectors, intervals against a bootstrap in
 * Python with SciPy's correlations, their coverage where the truth is known, and failures. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "stats/bootstrap.h"
#include "stats/random.h"
#include "stats/stats.h"
#include "tests/unit/stats/stats_golden.h"

static const char GOLDEN[] = "tests/golden/stats/intervals.json";

static QbStatus srcc(double *out, const double *x, const double *y, size_t n, void *user)
{
    (void)user;
    return qb_stats_srcc(out, x, y, n);
}

static QbStatus plcc(double *out, const double *x, const double *y, size_t n, void *user)
{
    (void)user;
    return qb_stats_plcc(out, x, y, n);
}

static QbStatus krcc(double *out, const double *x, const double *y, size_t n, void *user)
{
    (void)user;
    return qb_stats_krcc(out, x, y, n);
}

static void test_generator(void **state)
{
    (void)state;
    uint64_t seed = 1234567; /* first outputs: the reference program of splitmix64 */
    assert_true(qb_splitmix64(&seed) == UINT64_C(6457827717110365317));
    assert_true(qb_splitmix64(&seed) == UINT64_C(3203168211198807973));
    QbRandom random = {{1, 2, 3, 4}}; /* and that of xoshiro256** */
    assert_true(qb_random_next(&random) == 11520);
    assert_true(qb_random_next(&random) == 0);
    assert_true(qb_random_next(&random) == 1509978240);
    assert_true(qb_random_next(&random) == UINT64_C(1215971899390074240));
    uint32_t counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint32_t value = qb_random_below(&random, 7);
        assert_true(value < 7);
        counts[value]++;
        double unit = qb_random_unit(&random);
        assert_true(unit >= 0 && unit < 1);
        assert_int_equal(qb_random_below(&random, 1), 0);
    }
    for (int i = 0; i < 7; i++) /* 10,000 +- 5 standard deviations of 93 */
        assert_in_range(counts[i], 9537, 10463);
    /* Plain scaling of 32 bits to 3 * 2^30 would give the multiples of 3 twice their share. */
    int multiples = 0;
    for (int i = 0; i < 30000; i++)
        multiples += qb_random_below(&random, UINT32_C(3) << 30) % 3 == 0;
    assert_in_range(multiples, 9591, 10409); /* 5 standard deviations of 82 */
}

static void test_golden(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        QbStatistic run;
    } statistics[] = {{"srcc", srcc}, {"plcc", plcc}, {"krcc", krcc}};
    json_t *cases = golden_load(GOLDEN);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        GoldenPairs pairs = golden_pairs(cases, i);
        uint64_t seed = (uint64_t)json_integer_value(json_object_get(pairs.set, "bootstrap_seed"));
        for (int s = 0; s < 3; s++) {
            QbInterval got;
            double value;
            const json_t *expected = json_object_get(pairs.set, statistics[s].name);
            assert_int_equal(
                qb_bootstrap_interval(&got, statistics[s].run, NULL, pairs.x, pairs.y, pairs.n,
                                      (int)golden_number(pairs.set, "resamples"), seed),
                QB_OK);
            golden_compare(pairs.name, "low", got.low,
                           json_number_value(json_array_get(expected, 0)), 1e-9);
            golden_compare(pairs.name, "high", got.high,
                           json_number_value(json_array_get(expected, 1)), 1e-9);
            assert_int_equal(statistics[s].run(&value, pairs.x, pairs.y, pairs.n, NULL), QB_OK);
            assert_true(got.value == value && got.n_undefined == 0);
        }
        golden_pairs_deinit(&pairs);
    }
    json_decref(cases);
}

/* y = 0.6 x + 0.8 e with x and e uniform, independent and of the same variance: Pearson's
 * correlation is 0.6 in the population. Of 400 intervals of 95 % the number that hold it is
 * binomial, 380 with a standard deviation of 4.4; percentile intervals at n = 150 cover a little
 * less than they say, so 365 to 395 is asked for. */
static void test_coverage(void **state)
{
    (void)state;
    int held = 0;
    double width = 0;
    QbRandom random;
    qb_random_seed(&random, 77);
    for (int set = 0; set < 400; set++) {
        double x[150], y[150];
        QbInterval interval;
        for (int i = 0; i < 150; i++) {
            x[i] = qb_random_unit(&random);
            y[i] = 0.6 * x[i] + 0.8 * qb_random_unit(&random);
        }
        assert_int_equal(
            qb_bootstrap_interval(&interval, plcc, NULL, x, y, 150, 400, (uint64_t)set), QB_OK);
        assert_true(interval.low < interval.value && interval.value < interval.high);
        held += interval.low <= 0.6 && 0.6 <= interval.high;
        width += (interval.high - interval.low) / 400;
    }
    print_message("%d of 400 intervals hold the truth; mean width %.4f\n", held, width);
    assert_in_range(held, 365, 395);
}

static void test_same_seed(void **state)
{
    (void)state;
    double x[60], y[60];
    QbInterval first, again, other;
    QbRandom random;
    qb_random_seed(&random, 9);
    for (int i = 0; i < 60; i++) {
        x[i] = qb_random_unit(&random);
        y[i] = x[i] + qb_random_unit(&random);
    }
    assert_int_equal(qb_bootstrap_interval(&first, srcc, NULL, x, y, 60, 200, 5), QB_OK);
    assert_int_equal(qb_bootstrap_interval(&again, srcc, NULL, x, y, 60, 200, 5), QB_OK);
    assert_int_equal(qb_bootstrap_interval(&other, srcc, NULL, x, y, 60, 200, 6), QB_OK);
    assert_true(first.low == again.low && first.high == again.high);
    assert_true(first.low != other.low && first.high != other.high);
}

/* Succeeds on the first call (the pairs themselves), then on every every-th. */
typedef struct {
    QbStatus status;
    int calls, every;
} Failing;

static QbStatus failing(double *out, const double *x, const double *y, size_t n, void *user)
{
    Failing *plan = user;
    (void)y;
    *out = x[n - 1];
    return plan->calls++ > 0 && plan->calls % plan->every ? plan->status : QB_OK;
}

static void test_failures(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 3, 5}, y[] = {1, 3, 2, 7}, nan[] = {1, NAN, 2, 3};
    static const double flat[] = {1, 1, 1, 1};
    QbInterval out = {.value = 7};
    Failing plan = {QB_ERR_ARG, 0, 2}, mostly = {QB_ERR_ARG, 0, 3}, broken = {QB_ERR_IO, 0, 2};
    assert_int_equal(qb_bootstrap_interval(&out, plcc, NULL, x, y, 4, 99, 1), QB_ERR_ARG);
    assert_int_equal(qb_bootstrap_interval(&out, plcc, NULL, x, y, 4, 1000001, 1), QB_ERR_ARG);
    assert_int_equal(qb_bootstrap_interval(&out, plcc, NULL, x, y, 1, 100, 1), QB_ERR_ARG);
    assert_int_equal(qb_bootstrap_interval(&out, plcc, NULL, nan, y, 4, 100, 1), QB_ERR_ARG);
    assert_int_equal(qb_bootstrap_interval(&out, plcc, NULL, x, flat, 4, 100, 1), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "constant"));
    assert_int_equal(qb_bootstrap_interval(&out, failing, &mostly, x, y, 4, 100, 1), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "undefined for 67 of 100 resamples"));
    assert_int_equal(qb_bootstrap_interval(&out, failing, &broken, x, y, 4, 100, 1), QB_ERR_IO);
    assert_true(out.value == 7);
    assert_int_equal(qb_bootstrap_interval(&out, failing, &plan, x, y, 4, 100, 1), QB_OK);
    assert_int_equal(out.n_undefined, 50);
    /* Of four pairs drawn from four, 4 in 256 are all the same. */
    assert_int_equal(qb_bootstrap_interval(&out, plcc, NULL, x, y, 4, 10000, 1), QB_OK);
    assert_in_range(out.n_undefined, 100, 220);
}

static void test_no_memory(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 3, 5}, y[] = {1, 3, 2, 7};
    QbInterval out = {.value = 7};
    for (uint64_t i = 1; i <= 8; i++) {
        qb_mem_fail_after(i);
        assert_int_equal(qb_bootstrap_interval(&out, srcc, NULL, x, y, 4, 100, 1), QB_ERR_NOMEM);
    }
    qb_mem_fail_after(0);
    assert_true(out.value == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generator), cmocka_unit_test(test_golden),
        cmocka_unit_test(test_coverage),  cmocka_unit_test(test_same_seed),
        cmocka_unit_test(test_failures),  cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
