/* bootstrap.h: how far a statistic of n pairs would move had other n pairs been drawn. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_STATS_BOOTSTRAP_H
#define QB_STATS_BOOTSTRAP_H

#include <qboost/error.h>
#include <stddef.h>
#include <stdint.h>

/* A statistic of n pairs. QB_ERR_ARG means that it is undefined for these pairs (a resample may
 * come out constant); any other failure ends the bootstrap. */
typedef QbStatus (*QbStatistic)(double *out, const double *x, const double *y, size_t n,
                                void *user);

enum { QB_BOOTSTRAP_MIN_RESAMPLES = 100, QB_BOOTSTRAP_MAX_RESAMPLES = 1000000 };

typedef struct {
    double value;     /* of the pairs themselves */
    double low, high; /* ends of the 95 % interval, low <= high */
    int n_undefined;  /* resamples for which the statistic is undefined; they are left out */
} QbInterval;

/* The percentile interval (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, section
 * 13.3): n_resamples times n pairs are drawn with replacement; low and high are the 2.5 % and
 * 97.5 % points of the statistic, interpolated linearly between order statistics as by
 * numpy.percentile. Draws come from QbRandom started with seed and do not depend on the statistic:
 * the same seed gives the same interval, and two statistics see the same resamples.
 * n_resamples in QB_BOOTSTRAP_MIN_RESAMPLES..MAX (1,000 is usual), n >= 2. QB_ERR_ARG when more
 * than half of the resamples are undefined. Allocates 16 bytes a pair and 8 a resample, once,
 * besides what the statistic allocates. */
QbStatus qb_bootstrap_interval(QbInterval *out, QbStatistic statistic, void *user, const double *x,
                               const double *y, size_t n, int n_resamples, uint64_t seed);

/* The same for a statistic of parts: pairs k part_size up to (k + 1) part_size, the last part up to
 * n. Each part is drawn from itself and keeps its place in what the statistic sees. part_size >= 1;
 * with part_size >= n it is qb_bootstrap_interval. */
QbStatus qb_bootstrap_parts_interval(QbInterval *out, QbStatistic statistic, void *user,
                                     const double *x, const double *y, size_t n, size_t part_size,
                                     int n_resamples, uint64_t seed);

#endif
