/* test_logistic_fit.c: the fits against scipy.optimize.curve_fit from the same start, known curves
 * found again, data without a finite optimum, and refusals. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "stats/logistic_fit.h"
#include "stats/stats.h"
#include "tests/unit/stats/stats_golden.h"

static const char GOLDEN[] = "tests/golden/stats/fits.json";
static const double TOLERANCE = 1e-6;

enum { N = 200 };

static void map_all(double *out, const QbLogistic *mapping, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = qb_logistic_map(mapping, x[i]);
}

static void check_start(const GoldenPairs *pairs, const json_t *expected, int n_params)
{
    QbLogistic start;
    const json_t *values = json_object_get(expected, "start");
    assert_int_equal(qb_logistic_start(&start, n_params, pairs->x, pairs->y, pairs->n), QB_OK);
    assert_int_equal(json_array_size(values), n_params);
    for (int i = 0; i < n_params; i++) {
        double value = json_number_value(json_array_get(values, (size_t)i));
        golden_compare(pairs->name, "start", start.b[i], value, 1e-9 * fmax(1, fabs(value)));
    }
}

static void check_fit(const GoldenPairs *pairs, int n_params)
{
    QbLogisticFit fit;
    const json_t *expected = json_object_get(pairs->set, n_params == 4 ? "fit4" : "fit5");
    double *mapped = qb_calloc(pairs->n, sizeof *mapped), plcc, rmse;
    assert_non_null(mapped);
    check_start(pairs, expected, n_params);
    assert_int_equal(qb_logistic_fit(&fit, n_params, pairs->x, pairs->y, pairs->n), QB_OK);
    assert_true(fit.converged);
    map_all(mapped, &fit.mapping, pairs->x, pairs->n);
    assert_int_equal(qb_stats_plcc(&plcc, mapped, pairs->y, pairs->n), QB_OK);
    assert_int_equal(qb_stats_rmse(&rmse, mapped, pairs->y, pairs->n), QB_OK);
    double plcc_off = plcc - golden_number(expected, "plcc");
    double rmse_off = rmse - golden_number(expected, "rmse");
    print_message("%s, %d: %d iterations, plcc %+.1e, rmse %+.1e from SciPy\n", pairs->name,
                  n_params, fit.n_iterations, plcc_off, rmse_off);
    golden_compare(pairs->name, "plcc", plcc_off, 0, TOLERANCE);
    golden_compare(pairs->name, "rmse", rmse_off, 0, TOLERANCE);
    golden_compare(pairs->name, "rmse told", fit.rmse, rmse, 1e-9 * rmse);
    qb_free(mapped);
}

static void test_golden(void **state)
{
    (void)state;
    json_t *cases = golden_load(GOLDEN);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        GoldenPairs pairs = golden_pairs(cases, i);
        check_fit(&pairs, 4);
        check_fit(&pairs, 5);
        golden_pairs_deinit(&pairs);
    }
    json_decref(cases);
}

/* Points on a curve give back its parameters. */
static void test_known_curves(void **state)
{
    (void)state;
    static const QbLogistic curves[] = {{4, {90, 10, 0.6, 0.05}},
                                        {4, {-3, 5, 0.3, 0.2}},
                                        {4, {1e-3, 2e-3, 0.5, 0.1}},
                                        {5, {60, 12, 0.4, 5, 40}},
                                        {5, {2, -20, 0.5, -0.5, 3}}};
    for (size_t c = 0; c < sizeof curves / sizeof *curves; c++) {
        double x[N], y[N];
        QbLogisticFit fit;
        for (int i = 0; i < N; i++)
            x[i] = (double)i / N;
        map_all(y, &curves[c], x, N);
        assert_int_equal(qb_logistic_fit(&fit, curves[c].n_params, x, y, N), QB_OK);
        assert_true(fit.converged);
        for (int i = 0; i < N; i++)
            golden_compare("curve", "value", qb_logistic_map(&fit.mapping, x[i]), y[i],
                           1e-9 * fabs(y[i]));
        if (curves[c].n_params == 4)
            for (int i = 0; i < 4; i++)
                golden_compare("curve", "parameter", fit.mapping.b[i], curves[c].b[i],
                               1e-7 * fabs(curves[c].b[i]));
    }
}

/* Units do not matter: the same fit of scaled and moved lists; the same bits on a second run. */
static void test_units(void **state)
{
    (void)state;
    double x[N], y[N], x2[N], y2[N];
    QbRandom random;
    qb_random_seed(&random, 3);
    for (int i = 0; i < N; i++) {
        x[i] = qb_random_unit(&random);
        y[i] = 1 / (1 + exp(-9 * (x[i] - 0.4))) + 0.3 * qb_random_unit(&random);
        x2[i] = 1e80 * x[i];
        y2[i] = 1e-80 * y[i];
    }
    for (int n_params = 4; n_params <= 5; n_params++) {
        QbLogisticFit fit = {0}, other = {0};
        assert_int_equal(qb_logistic_fit(&fit, n_params, x, y, N), QB_OK);
        assert_int_equal(qb_logistic_fit(&other, n_params, x, y, N), QB_OK);
        assert_memory_equal(fit.mapping.b, other.mapping.b, sizeof fit.mapping.b);
        assert_int_equal(qb_logistic_fit(&other, n_params, x2, y2, N), QB_OK);
        golden_compare("units", "rmse", other.rmse * 1e80, fit.rmse, 1e-9);
        for (int i = 0; i < N; i++)
            golden_compare("units", "value", 1e80 * qb_logistic_map(&other.mapping, x2[i]),
                           qb_logistic_map(&fit.mapping, x[i]), 1e-5);
    }
}

/* Lines, steps, as few pairs as parameters, unrelated lists, an outlier: an answer in finite
 * numbers, no worse than the mean of y, or than the line where the curve holds one. */
static void test_hard_data(void **state)
{
    (void)state;
    enum { LINE, STEP, BACK_STEP, FEW, UNRELATED, OUTLIER, KINDS };
    QbRandom random;
    qb_random_seed(&random, 4);
    for (int kind = 0; kind < KINDS; kind++)
        for (int n_params = 4; n_params <= 5; n_params++) {
            double x[N], y[N], mean[N], spread, sum = 0;
            size_t n = kind == FEW ? (size_t)n_params : N;
            QbLogisticFit fit;
            for (size_t i = 0; i < n; i++) {
                x[i] = kind == UNRELATED ? qb_random_unit(&random) : (double)i;
                y[i] = kind == LINE        ? 3 * x[i] - 7
                       : kind == STEP      ? (i < 77 ? 1 : 5)
                       : kind == BACK_STEP ? (i < 77 ? 5 : 1)
                                           : qb_random_unit(&random);
            }
            if (kind == OUTLIER)
                x[0] = 1e9;
            for (size_t i = 0; i < n; i++)
                sum += y[i];
            for (size_t i = 0; i < n; i++)
                mean[i] = sum / (double)n;
            assert_int_equal(qb_stats_rmse(&spread, mean, y, n), QB_OK);
            assert_int_equal(qb_logistic_fit(&fit, n_params, x, y, n), QB_OK);
            print_message("kind %d, %d: %d iterations%s, rmse %g of %g\n", kind, n_params,
                          fit.n_iterations, fit.converged ? "" : ", not converged", fit.rmse,
                          spread);
            for (int i = 0; i < n_params; i++)
                assert_true(isfinite(fit.mapping.b[i]));
            for (size_t i = 0; i < n; i++)
                assert_true(isfinite(qb_logistic_map(&fit.mapping, x[i])));
            double share = kind == LINE                        ? 1e-3
                           : kind == STEP || kind == BACK_STEP ? 1e-2
                                                               : 1.0000001;
            assert_true(fit.rmse <= share * spread);
        }
}

static void expect_refusal(int n_params, const double *x, const double *y, size_t n,
                           QbStatus status, const char *text)
{
    QbLogisticFit fit = {.n_iterations = -7};
    QbLogistic start = {.n_params = -7};
    assert_int_equal(qb_logistic_start(&start, n_params, x, y, n), status);
    assert_int_equal(qb_logistic_fit(&fit, n_params, x, y, n), status);
    if (!strstr(qb_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", qb_last_error(), text);
    assert_true(fit.n_iterations == -7 && start.n_params == -7);
}

static void test_refusals(void **state)
{
    (void)state;
    static const double good[] = {1, 2, 4, 5, 7}, flat[] = {2, 2, 2, 2, 2};
    static const double nan[] = {1, 2, 3, 4, NAN}, huge[] = {1, 2, 3, 4, 1e101};
    static const double tiny[] = {0, 1e-110, 2e-110, 0, 1e-110};
    expect_refusal(3, good, good, 5, QB_ERR_ARG, "3 parameters");
    expect_refusal(6, good, good, 5, QB_ERR_ARG, "6 parameters");
    expect_refusal(4, good, good, 3, QB_ERR_ARG, "at least 4");
    expect_refusal(5, good, good, 4, QB_ERR_ARG, "at least 5");
    expect_refusal(4, flat, good, 5, QB_ERR_ARG, "constant");
    expect_refusal(4, good, flat, 5, QB_ERR_ARG, "constant");
    expect_refusal(5, good, nan, 5, QB_ERR_ARG, "NaN");
    expect_refusal(4, huge, good, 5, QB_ERR_LIMIT, "outside");
    expect_refusal(5, good, huge, 5, QB_ERR_LIMIT, "outside");
    expect_refusal(4, tiny, good, 5, QB_ERR_LIMIT, "outside");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),   cmocka_unit_test(test_known_curves),
        cmocka_unit_test(test_units),    cmocka_unit_test(test_hard_data),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
