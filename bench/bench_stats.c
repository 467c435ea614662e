/* bench_stats.c: how long the correlations of a large data set take, on this machine, now.
 *
 * Input: 500,000 pairs from a fixed seed: scores in [0, 1), opinions an S-shaped function of them
 * with noise, rounded to a hundredth as mean opinion scores are, so that there are many ties.
 * Milliseconds each, the best of five, one thread. Usage: bench_stats [PAIRS] */
// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"
#include "stats/logistic_fit.h"
#include "stats/random.h"
#include "stats/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, JOBS = 5 };

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

static const struct {
    const char *name;
    QbStatus (*run)(double *out, const double *x, const double *y, size_t n);
} jobs[JOBS] = {{"srcc", qb_stats_srcc},
                {"plcc", qb_stats_plcc},
                {"krcc", qb_stats_krcc},
                {"rmse of a 4-parameter fit", fit4},
                {"rmse of a 5-parameter fit", fit5}};

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 500000;
    double *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y), total = 0;
    QbRandom random;
    if (!x || !y)
        return 1;
    qb_random_seed(&random, 1);
    for (size_t i = 0; i < n; i++) {
        x[i] = qb_random_unit(&random);
        double noise = qb_random_unit(&random) + qb_random_unit(&random) - 1;
        y[i] = round(100 * (1 + 4 / (1 + exp(-8 * (x[i] - 0.5))) + noise)) / 100;
    }
    printf("%zu pairs, milliseconds (best of %d)\n", n, ROUNDS);
    for (int job = 0; job < JOBS; job++) {
        double best = INFINITY, value = 0;
        for (int round = 0; round < ROUNDS; round++) {
            double start = qb_now_ms();
            if (jobs[job].run(&value, x, y, n)) {
                fprintf(stderr, "bench_stats: %s\n", qb_last_error());
                return 1;
            }
            best = fmin(best, qb_now_ms() - start);
        }
        total += job < 4 ? best : 0;
        printf("%-28s %8.1f   = %.6f\n", jobs[job].name, best, value);
    }
    printf("%-28s %8.1f   without the last\n", "together", total);
    free(x);
    free(y);
    return 0;
}
