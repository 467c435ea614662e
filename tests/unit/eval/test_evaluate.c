/* test_evaluate.c: whole evaluations against SciPy, with parts and intervals; what is undefined;
 * the same bits for any number of threads; refusals and failing memory. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/eval.h>

#include "tests/unit/stats/stats_golden.h"

static const char GOLDEN[] = "tests/golden/eval/evaluations.json";

/* ends: of the interval's ends. */
static void compare(const GoldenPairs *pairs, const char *key, QbEvalValue got, double tolerance,
                    double ends)
{
    const json_t *expected = json_object_get(pairs->set, key);
    if (!expected && strstr(key, "logistic"))
        return; /* not every list has one best fit */
    assert_int_equal(json_array_size(expected), 3);
    golden_compare(pairs->name, key, got.value, json_number_value(json_array_get(expected, 0)),
                   tolerance);
    golden_compare(pairs->name, key, got.low, json_number_value(json_array_get(expected, 1)), ends);
    golden_compare(pairs->name, key, got.high, json_number_value(json_array_get(expected, 2)),
                   ends);
}

static void test_golden(void **state)
{
    (void)state;
    json_t *cases = golden_load(GOLDEN);
    int n_fits = 0;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        GoldenPairs pairs = golden_pairs(cases, i);
        QbEvalOptions options;
        QbEvalResult got;
        qb_eval_options_init(&options);
        options.resamples = (int)golden_number(pairs.set, "resamples");
        options.part_size = (int64_t)golden_number(pairs.set, "part_size");
        options.seed = (uint64_t)golden_number(pairs.set, "bootstrap_seed");
        if (qb_evaluate(&got, pairs.x, pairs.y, pairs.n, &options))
            fail_msg("%s: %s", pairs.name, qb_last_error());
        assert_true((double)got.n == golden_number(pairs.set, "used"));
        assert_true(got.n_parts == (int)golden_number(pairs.set, "parts"));
        compare(&pairs, "srcc", got.srcc, 1e-9, 1e-9);
        compare(&pairs, "plcc", got.plcc, 1e-9, 1e-9);
        compare(&pairs, "krcc", got.krcc, 1e-9, 1e-9);
        /* A fit ends where its error is flat; resamples are not at their own optimum, so there the
         * same last steps show more. */
        compare(&pairs, "plcc_logistic4", got.plcc_logistic4, 1e-6, 1e-6);
        compare(&pairs, "plcc_logistic5", got.plcc_logistic5, 1e-6, 1e-6);
        compare(&pairs, "rmse_logistic4", got.rmse, 1e-6, 1e-5);
        compare(&pairs, "rmse_logistic5", got.rmse_logistic5, 1e-6, 1e-5);
        assert_true(got.converged4 && got.converged5);
        n_fits += json_object_get(pairs.set, "plcc_logistic4") != NULL;
        assert_true(got.logistic4.n_params == 4 && got.logistic5.n_params == 5);
        golden_pairs_deinit(&pairs);
    }
    assert_int_equal(n_fits, 6);
    json_decref(cases);
}

static void fill(double *x, double *y, size_t n, uint64_t seed)
{
    QbRandom random;
    qb_random_seed(&random, seed);
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)qb_random_below(&random, 40) / 40;
        y[i] = 1 + 3 * x[i] + qb_random_unit(&random);
    }
}

static void test_threads(void **state)
{
    (void)state;
    double x[700], y[700];
    QbEvalResult one, many;
    QbEvalOptions options;
    fill(x, y, 700, 3);
    qb_eval_options_init(&options);
    assert_int_equal(options.resamples, 1000);
    options.resamples = 100;
    options.part_size = 300;
    for (int threads = 1; threads < 8; threads++) {
        options.threads = threads;
        memset(&many, 0, sizeof many);
        assert_int_equal(qb_evaluate(&many, x, y, 700, &options), QB_OK);
        if (threads == 1)
            memcpy(&one, &many, sizeof one);
        assert_memory_equal(&one.srcc, &many.srcc, 7 * sizeof one.srcc);
        assert_memory_equal(one.logistic5.b, many.logistic5.b, sizeof one.logistic5.b);
        assert_memory_equal(one.logistic4.b, many.logistic4.b, sizeof one.logistic4.b);
    }
}

static void test_without_bootstrap(void **state)
{
    (void)state;
    double x[50], y[50];
    QbEvalResult with, without;
    QbEvalOptions options;
    fill(x, y, 50, 4);
    qb_eval_options_init(&options);
    options.resamples = 100;
    assert_int_equal(qb_evaluate(&with, x, y, 50, &options), QB_OK);
    options.resamples = 0;
    assert_int_equal(qb_evaluate(&without, x, y, 50, &options), QB_OK);
    const QbEvalValue *a = &with.srcc, *b = &without.srcc;
    for (int i = 0; i < 7; i++) {
        assert_true(a[i].value == b[i].value);
        assert_true(a[i].low <= a[i].value && a[i].value <= a[i].high && a[i].low < a[i].high);
        assert_true(isnan(b[i].low) && isnan(b[i].high));
    }
}

static void test_undefined(void **state)
{
    (void)state;
    static const double flat[] = {2, 2, 2, 2, 2, 2}, up[] = {1, 2, 3, 4, 5, 7};
    QbEvalResult r;
    assert_int_equal(qb_evaluate(&r, flat, up, 6, NULL), QB_OK);
    assert_true(isnan(r.srcc.value) && isnan(r.plcc.value) && isnan(r.krcc.value));
    assert_true(isnan(r.rmse.value) && isnan(r.plcc_logistic5.low) && isnan(r.srcc.low));
    assert_true(r.n == 6 && r.logistic4.n_params == 0 && !r.converged4);
    assert_int_equal(qb_evaluate(&r, up, flat, 6, NULL), QB_OK);
    assert_true(isnan(r.srcc.value) && isnan(r.rmse_logistic5.value));
    /* too few for the fits; of two pairs half of the resamples are constant */
    assert_int_equal(qb_evaluate(&r, up, up, 3, NULL), QB_OK);
    assert_true(r.srcc.value == 1 && r.krcc.value == 1 && isnan(r.plcc_logistic4.value));
    assert_int_equal(qb_evaluate(&r, up, up, 4, NULL), QB_OK);
    assert_true(r.logistic4.n_params == 4 && r.logistic5.n_params == 0);
    /* one part is constant: so is no mean; the fit to all pairs is there */
    static const double half[] = {1, 2, 3, 4, 5, 7, 2, 2, 2, 2, 2, 2},
                        steps[] = {1, 2, 3, 5, 4, 7, 1, 2, 3, 4, 5, 7};
    QbEvalOptions options;
    qb_eval_options_init(&options);
    options.part_size = 6;
    assert_int_equal(qb_evaluate(&r, half, steps, 12, &options), QB_OK);
    assert_true(r.n_parts == 2 && isnan(r.srcc.value) && isnan(r.plcc_logistic4.value));
    assert_true(r.logistic4.n_params == 4 && !r.converged4);
}

static void test_refusals(void **state)
{
    (void)state;
    static const double good[] = {1, 2, 3, 5, 4}, bad[] = {1, NAN, 3, 4, 5},
                        wide[] = {1, 2, INFINITY};
    QbEvalResult r = {.n = 77};
    QbEvalOptions options;
    assert_int_equal(qb_evaluate(NULL, good, good, 5, NULL), QB_ERR_ARG);
    assert_int_equal(qb_evaluate(&r, NULL, good, 5, NULL), QB_ERR_ARG);
    assert_int_equal(qb_evaluate(&r, good, NULL, 5, NULL), QB_ERR_ARG);
    assert_int_equal(qb_evaluate(&r, good, good, 1, NULL), QB_ERR_ARG);
    assert_int_equal(qb_evaluate(&r, bad, good, 5, NULL), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "value 2"));
    assert_int_equal(qb_evaluate(&r, good, wide, 3, NULL), QB_ERR_ARG);
    static const struct {
        int resamples, threads;
        int64_t part_size;
    } wrong[] = {{99, 0, 0}, {-1, 0, 0}, {1000001, 0, 0}, {0, -1, 0}, {0, 0, -1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        qb_eval_options_init(&options);
        options.resamples = wrong[i].resamples;
        options.threads = wrong[i].threads;
        options.part_size = wrong[i].part_size;
        assert_int_equal(qb_evaluate(&r, good, good, 5, &options), QB_ERR_ARG);
    }
    qb_eval_options_init(&options);
    options.size--;
    assert_int_equal(qb_evaluate(&r, good, good, 5, &options), QB_ERR_ARG);
    assert_int_equal(r.n, 77);
}

static void test_no_memory(void **state)
{
    (void)state;
    double x[40], y[40];
    QbEvalResult r = {.n = 77};
    QbEvalOptions options;
    fill(x, y, 40, 5);
    qb_eval_options_init(&options);
    options.resamples = 100;
    for (int threads = 1; threads <= 2; threads++) {
        options.threads = threads;
        uint64_t before = qb_mem_allocation_count();
        assert_int_equal(qb_evaluate(&r, x, y, 40, &options), QB_OK);
        uint64_t all = qb_mem_allocation_count() - before;
        r.n = 77;
        for (uint64_t i = 1; i <= all; i++) {
            qb_mem_fail_after(i);
            assert_int_equal(qb_evaluate(&r, x, y, 40, &options), QB_ERR_NOMEM);
            assert_non_null(strstr(qb_last_error(), "out of memory"));
        }
        qb_mem_fail_after(0);
        assert_int_equal(r.n, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_without_bootstrap),
        cmocka_unit_test(test_undefined),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
