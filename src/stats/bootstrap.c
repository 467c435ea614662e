/* bootstrap.c: percentile intervals; see bootstrap.h. */
// SPDX-License-Identifier: Apache-2.0
#include "stats/bootstrap.h"

#include "base/error.h"
#include "base/mem.h"
#include "stats/pairs.h"
#include "stats/random.h"

#include <math.h>
#include <stdlib.h>

static const double LOW_POINT = 0.025, HIGH_POINT = 0.975;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The point p (0..1) of sorted[n]: Hyndman & Fan's definition 7. */
static double percentile(const double *sorted, size_t n, double p)
{
    double position = p * (double)(n - 1);
    size_t below = (size_t)position;
    if (below + 1 >= n)
        return sorted[n - 1];
    double part = position - (double)below;
    return sorted[below] * (1 - part) + sorted[below + 1] * part;
}

/* The pairs that are drawn from, in parts. */
typedef struct {
    const double *x, *y;
    size_t n, part_size;
} Pairs;

static void draw(double *drawn, QbRandom *random, const Pairs *pairs)
{
    size_t n = pairs->n;
    for (size_t start = 0, end; start < n; start = end) {
        end = n - start > pairs->part_size ? start + pairs->part_size : n;
        for (size_t i = start; i < end; i++) {
            size_t pick = start + qb_random_below(random, (uint32_t)(end - start));
            drawn[i] = pairs->x[pick];
            drawn[n + i] = pairs->y[pick];
        }
    }
}

/* values: the statistics of the resamples for which it is defined, *out_count of them. */
static QbStatus resample(double *values, size_t *out_count, double *drawn, QbStatistic statistic,
                         void *user, const Pairs *pairs, int n_resamples, uint64_t seed)
{
    QbRandom random;
    size_t count = 0;
    qb_random_seed(&random, seed);
    for (int r = 0; r < n_resamples; r++) {
        draw(drawn, &random, pairs);
        QbStatus status = statistic(&values[count], drawn, drawn + pairs->n, pairs->n, user);
        if (status && status != QB_ERR_ARG)
            return status;
        count += !status;
    }
    *out_count = count;
    return QB_OK;
}

QbStatus qb_bootstrap_parts_interval(QbInterval *out, QbStatistic statistic, void *user,
                                     const double *x, const double *y, size_t n, size_t part_size,
                                     int n_resamples, uint64_t seed)
{
    QbInterval interval = {0};
    Pairs pairs = {x, y, n, part_size};
    size_t count = 0;
    if (n_resamples < QB_BOOTSTRAP_MIN_RESAMPLES || n_resamples > QB_BOOTSTRAP_MAX_RESAMPLES)
        return qb_fail(QB_ERR_ARG, "%d resamples, expected %d to %d", n_resamples,
                       QB_BOOTSTRAP_MIN_RESAMPLES, QB_BOOTSTRAP_MAX_RESAMPLES);
    if (part_size < 1)
        return qb_fail(QB_ERR_ARG, "parts of %zu pairs", part_size);
    QbStatus status = qb_pairs_check(x, y, n, 2);
    if (!status)
        status = statistic(&interval.value, x, y, n, user);
    if (status)
        return status;
    double *drawn = qb_calloc(2 * n, sizeof *drawn); /* [2][n] */
    double *values = qb_calloc((size_t)n_resamples, sizeof *values);
    status = drawn && values
                 ? resample(values, &count, drawn, statistic, user, &pairs, n_resamples, seed)
                 : QB_ERR_NOMEM;
    if (!status && count < (size_t)n_resamples - count)
        status =
            qb_fail(QB_ERR_ARG, "the statistic is undefined for %zu of %d resamples of %zu pairs",
                    (size_t)n_resamples - count, n_resamples, n);
    if (!status) {
        qsort(values, count, sizeof *values, by_value);
        interval.low = percentile(values, count, LOW_POINT);
        interval.high = percentile(values, count, HIGH_POINT);
        interval.n_undefined = n_resamples - (int)count;
        *out = interval;
    }
    qb_free(values);
    qb_free(drawn);
    return status;
}

QbStatus qb_bootstrap_interval(QbInterval *out, QbStatistic statistic, void *user, const double *x,
                               const double *y, size_t n, int n_resamples, uint64_t seed)
{
    return qb_bootstrap_parts_interval(out, statistic, user, x, y, n, n ? n : 1, n_resamples, seed);
}
