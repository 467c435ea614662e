/* test_stop.c: hysteresis on constructed sequences of reports, what cannot be told never counting
 * as clean, and the samples still needed on exact, steeper, flatter and noisy sequences. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "noise/report.h"
#include "stats/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const QbNoiseGrid TWO = {2, 1};

static QbStatus add(QbNoiseStop *stop, double first, double second, double samples)
{
    QbNoiseReport report;
    qb_noise_report_fill(&report, TWO, (double[]){first, second});
    return qb_noise_stop_add(stop, &report, samples);
}

static QbNoiseZoneState zone_of(const QbNoiseStop *stop, int zone)
{
    QbNoiseZoneState state;
    qb_noise_stop_zone(&state, stop, zone);
    return state;
}

static QbNoiseStop *new_stop(int n_checks)
{
    QbNoiseStop *stop;
    assert_int_equal(qb_noise_stop_new(&stop, TWO, n_checks), QB_OK);
    return stop;
}

static void test_hysteresis(void **state)
{
    (void)state;
    static const struct {
        double first, second;
        int n_first, n_second;
        bool done;
    } steps[] = {
        {3, 0.9, 0, 1, false},   {0.8, 0.9, 1, 2, false},
        {0.8, 0.9, 2, 3, false}, {1.01, 0.9, 0, 4, false}, /* visible again: starts over */
        {0.9, 0.9, 1, 5, false}, {0.9, NAN, 2, 0, false},  /* cannot be told: starts over */
        {1, 0, 3, 1, false},     {0.5, 0.5, 4, 2, false},
        {0.5, 0.5, 5, 3, true},  {0.5, INFINITY, 6, 0, false}, /* done is now, not ever */
    };
    QbNoiseStop *stop = new_stop(3);
    assert_false(qb_noise_stop_done(stop));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(add(stop, steps[i].first, steps[i].second, 0), QB_OK);
        QbNoiseZoneState first = zone_of(stop, 0), second = zone_of(stop, 1);
        assert_int_equal(first.n_below, steps[i].n_first);
        assert_int_equal(second.n_below, steps[i].n_second);
        assert_true(first.done == (steps[i].n_first >= 3));
        assert_true(second.done == (steps[i].n_second >= 3));
        assert_true(qb_noise_stop_done(stop) == steps[i].done);
        assert_true(isnan(first.samples_needed) && isnan(second.samples_needed));
    }
    assert_true(isnan(qb_noise_stop_samples_left(stop)));
    qb_noise_stop_free(&stop);
    assert_null(stop);
    qb_noise_stop_free(&stop);
}

/* v = (needed / n)^slope from 4 samples on, doubling. */
static void render(QbNoiseStop *stop, double needed, double slope, int n_reports)
{
    double samples = 4;
    for (int i = 0; i < n_reports; i++, samples *= 2)
        assert_int_equal(add(stop, pow(needed / samples, slope), 0.01, samples), QB_OK);
}

static void test_samples_needed(void **state)
{
    (void)state;
    for (int n_reports = 1; n_reports <= 20; n_reports++) {
        QbNoiseStop *stop = new_stop(2);
        render(stop, 700, 0.5, n_reports);
        double samples = 2 * exp2(n_reports), needed = zone_of(stop, 0).samples_needed;
        if (samples < 700 * 4096) /* below, the level is cut */
            assert_true(fabs(needed / 700 - 1) < 1e-9);
        double left = qb_noise_stop_samples_left(stop);
        if (samples < 700)
            assert_true(fabs(left - (700 - samples)) < 1e-6);
        else
            assert_true(left == 0);
        qb_noise_stop_free(&stop);
    }
}

/* Other slopes: five reports in, the estimate is nearer than the root alone would have it, and near
 * in the end. */
static void test_slopes(void **state)
{
    (void)state;
    static const double slopes[] = {0.4, 0.45, 0.58, 0.65};
    for (size_t s = 0; s < sizeof slopes / sizeof *slopes; s++) {
        double needed = 4096, off = 0;
        for (int n_reports = 5; n_reports <= 9; n_reports++) {
            QbNoiseStop *stop = new_stop(2);
            render(stop, needed, slopes[s], n_reports);
            double samples = 2 * exp2(n_reports), last = pow(needed / samples, slopes[s]);
            off = fabs(log2(zone_of(stop, 0).samples_needed / needed));
            assert_true(off < fabs(log2(samples * last * last / needed)));
            qb_noise_stop_free(&stop);
        }
        print_message("slope %.2f: %.2f octaves off at a quarter of the samples needed\n",
                      slopes[s], off);
        assert_true(off < 0.5);
    }
}

/* A judge that errs by half an octave, and sometimes wildly. */
static void test_noisy_judge(void **state)
{
    (void)state;
    enum { N_RUNS = 500 };
    QbRandom random;
    qb_random_seed(&random, 5);
    double squares = 0, single = 0;
    for (int run = 0; run < N_RUNS; run++) {
        QbNoiseStop *stop = new_stop(2);
        double samples = 8, v = 0;
        for (int i = 0; i < 7; i++, samples *= 2) {
            double sum = 0;
            for (int j = 0; j < 12; j++)
                sum += qb_random_unit(&random) - 0.5; /* nearly normal, deviation 1 */
            double error = qb_random_below(&random, 10) ? 0.5 * sum : 4 * sum;
            v = sqrt(2000 / samples) * exp2(error);
            assert_int_equal(add(stop, v, 0.5, samples), QB_OK);
        }
        double off = log2(zone_of(stop, 0).samples_needed / 2000);
        double alone = log2(samples / 2 * v * v / 2000);
        squares += off * off / N_RUNS;
        single += alone * alone / N_RUNS;
        qb_noise_stop_free(&stop);
    }
    print_message("off by %.2f octaves, the last report alone %.2f\n", sqrt(squares), sqrt(single));
    assert_true(sqrt(squares) < 1.0 && sqrt(squares) < 0.5 * sqrt(single));
}

/* Reports without a count, or without a visibility, leave the estimate alone; a zone that is seen
 * now needs more than it has, whatever was seen before. */
static void test_gaps(void **state)
{
    (void)state;
    QbNoiseStop *stop = new_stop(1);
    assert_int_equal(add(stop, 4, NAN, 16), QB_OK);
    assert_true(fabs(zone_of(stop, 0).samples_needed - 256) < 1e-9);
    assert_true(isnan(zone_of(stop, 1).samples_needed));
    assert_true(isnan(qb_noise_stop_samples_left(stop)));
    assert_int_equal(add(stop, 1000, INFINITY, 0), QB_OK);
    assert_true(isnan(zone_of(stop, 1).samples_needed));
    assert_int_equal(add(stop, NAN, 0.5, 64), QB_OK);
    assert_true(fabs(zone_of(stop, 0).samples_needed - 256) < 1e-9);
    assert_true(fabs(qb_noise_stop_samples_left(stop) - (256 - 64)) < 1e-9);
    for (double samples = 1000; samples < 1006; samples++)
        assert_int_equal(add(stop, 0.1, 0.5, samples), QB_OK);
    assert_true(qb_noise_stop_done(stop) && qb_noise_stop_samples_left(stop) == 0);
    assert_int_equal(add(stop, 1.5, 0.5, 1006), QB_OK);
    assert_false(qb_noise_stop_done(stop));
    assert_true(zone_of(stop, 0).samples_needed >= 1.5 * 1006);
    assert_true(qb_noise_stop_samples_left(stop) >= 500);
    qb_noise_stop_free(&stop);
}

static void expect(QbStatus status, QbStatus expected, const char *text)
{
    assert_int_equal(status, expected);
    if (!strstr(qb_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", qb_last_error(), text);
}

static void test_refusals(void **state)
{
    (void)state;
    QbNoiseReport other;
    QbNoiseStop *stop = (void *)&other;
    expect(qb_noise_stop_new(&stop, TWO, 0), QB_ERR_ARG, "0 checks");
    assert_null(stop);
    expect(qb_noise_stop_new(&stop, (QbNoiseGrid){0, 1}, 1), QB_ERR_ARG, "0 x 1");
    expect(qb_noise_stop_new(&stop, (QbNoiseGrid){1025, 1}, 1), QB_ERR_ARG, "1025 x 1");
    stop = new_stop(2);
    qb_noise_report_fill(&other, (QbNoiseGrid){1, 2}, (double[]){0, 0});
    expect(qb_noise_stop_add(stop, &other, 0), QB_ERR_ARG, "1 x 2 zones, expected 2 x 1");
    expect(qb_noise_stop_add(stop, NULL, 0), QB_ERR_ARG, "no report");
    assert_int_equal(add(stop, 0.5, 0.5, 10), QB_OK);
    static const double bad[] = {10, 9, -1, NAN, INFINITY, 1e16};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect(add(stop, 0.5, 0.5, bad[i]), QB_ERR_ARG, "samples a pixel after one of 10");
    expect(add(stop, 0.5, -0.5, 11), QB_ERR_ARG, "zone 1 has the visibility -0.5");
    /* What was refused is not counted. */
    assert_int_equal(zone_of(stop, 0).n_below, 1);
    assert_int_equal(zone_of(stop, 7).n_below, 0);
    assert_true(isnan(zone_of(stop, -1).samples_needed));
    qb_noise_stop_free(&stop);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    uint64_t before = qb_mem_allocation_count();
    QbNoiseStop *stop = new_stop(1);
    uint64_t n = qb_mem_allocation_count() - before;
    qb_noise_stop_free(&stop);
    assert_true(n > 0);
    for (uint64_t i = 1; i <= n; i++) {
        qb_mem_fail_after(i);
        assert_int_equal(qb_noise_stop_new(&stop, TWO, 1), QB_ERR_NOMEM);
        assert_null(stop);
    }
    qb_mem_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hysteresis),    cmocka_unit_test(test_samples_needed),
        cmocka_unit_test(test_slopes),        cmocka_unit_test(test_noisy_judge),
        cmocka_unit_test(test_gaps),          cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
