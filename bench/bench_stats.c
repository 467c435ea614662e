/* bench_stats.c: how long the correlations of a large data set take, on this machine, now.
 *
 * Input: 500,000 pairs from a fixed seed: scores in [0, 1), opinions an S-shaped function of them
 * with noise, rounded to a hundredth as mean opinion scores are, so that there are many ties.
 * Milliseconds each, the best of five: statistics one by one on one thread, then all of them as
 * they are reported, on all CPUs and on one, and the same pairs read from CSV. Last, once: the
 * first 10,000 with the intervals of 1,000 resamples. Usage: bench_stats [PAIRS] */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/eval.h>

#include "base/time.h"
#include "stats/logistic_fit.h"
#include "stats/random.h"
#include "stats/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, JOBS = 9, LINE_BYTES = 64, BOOTSTRAP_PAIRS = 10000 };

static QbLogisticFit fit;

static QbStatus fit4(double *out, const double *x, const double *y, size_t n)
{
    QbStatus status = qb_logistic_fit(&fit, 4, x, y, n);
    *out = fit.rmse;
    return status;
}

static QbStatus fit5(double *out, const double *x, const double *y, size_t n)
{
    QbStatus status = qb_logistic_fit(&fit, 5, x, y, n);
    *out = fit.rmse;
    return status;
}

static QbStatus evaluate(double *out, const double *x, const double *y, size_t n, int threads,
                         int resamples)
{
    QbEvalOptions options;
    QbEvalResult result;
    qb_eval_options_init(&options);
    options.threads = threads;
    options.resamples = resamples;
    QbStatus status = qb_evaluate(&result, x, y, n, &options);
    *out = result.srcc.value;
    return status;
}

static QbStatus evaluate_all(double *out, const double *x, const double *y, size_t n)
{
    return evaluate(out, x, y, n, 0, 0);
}

static QbStatus evaluate_one(double *out, const double *x, const double *y, size_t n)
{
    return evaluate(out, x, y, n, 1, 0);
}

static QbStatus evaluate_bootstrap(double *out, const double *x, const double *y, size_t n)
{
    return evaluate(out, x, y, n < BOOTSTRAP_PAIRS ? n : BOOTSTRAP_PAIRS, 0, 1000);
}

static char *csv; /* of the pairs */
static size_t csv_size;

static QbStatus write_csv(const double *x, const double *y, size_t n)
{
    csv = malloc((n + 1) * LINE_BYTES);
    if (!csv)
        return QB_ERR_NOMEM;
    csv_size = (size_t)sprintf(csv, "path,score,mos\n");
    for (size_t i = 0; i < n; i++)
        csv_size += (size_t)snprintf(csv + csv_size, LINE_BYTES, "set/%09zu.jpg,%.9g,%.2f\n", i,
                                     x[i], y[i]);
    return QB_OK;
}

static QbStatus read_csv(double *out, const double *x, const double *y, size_t n)
{
    QbTable *table;
    (void)x, (void)y, (void)n;
    QbStatus status = qb_table_open_memory(&table, csv, csv_size, "csv", NULL);
    *out = (double)qb_table_count(table);
    qb_table_free(&table);
    return status;
}

static const struct {
    const char *name;
    QbStatus (*run)(double *out, const double *x, const double *y, size_t n);
} jobs[JOBS] = {{"srcc", qb_stats_srcc},
                {"plcc", qb_stats_plcc},
                {"krcc", qb_stats_krcc},
                {"rmse of a 4-parameter fit", fit4},
                {"rmse of a 5-parameter fit", fit5},
                {"all as reported, all CPUs", evaluate_all},
                {"all as reported, one CPU", evaluate_one},
                {"read from CSV", read_csv},
                {"10,000 with intervals", evaluate_bootstrap}};

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 500000;
    double *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
    QbRandom random;
    if (!x || !y)
        return 1;
    qb_random_seed(&random, 1);
    for (size_t i = 0; i < n; i++) {
        x[i] = qb_random_unit(&random);
        double noise = qb_random_unit(&random) + qb_random_unit(&random) - 1;
        y[i] = round(100 * (1 + 4 / (1 + exp(-8 * (x[i] - 0.5))) + noise)) / 100;
    }
    if (write_csv(x, y, n))
        return 1;
    printf("%zu pairs, milliseconds (best of %d)\n", n, ROUNDS);
    for (int job = 0; job < JOBS; job++) {
        double best = INFINITY, value = 0;
        for (int round = 0; round < (job + 1 < JOBS ? ROUNDS : 1); round++) {
            double start = qb_now_ms();
            if (jobs[job].run(&value, x, y, n)) {
                fprintf(stderr, "bench_stats: %s\n", qb_last_error());
                return 1;
            }
            best = fmin(best, qb_now_ms() - start);
        }
        printf("%-28s %8.1f   = %.6f\n", jobs[job].name, best, value);
    }
    free(csv);
    free(x);
    free(y);
    return 0;
}
