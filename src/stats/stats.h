/* stats.h: how well two lists of numbers agree: rank and linear correlations, and their error.
 *
 * All functions take n pairs (x[i], y[i]), leave them alone, and give the same bits on every run.
 * A list that is too short, holds a NaN or an infinity, or is constant where that leaves the value
 * undefined is QB_ERR_ARG with a sentence for qb_last_error(); *out is then left alone, so a NaN
 * never comes back. More than QB_STATS_MAX_PAIRS pairs is QB_ERR_LIMIT. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_STATS_STATS_H
#define QB_STATS_STATS_H

#include <qboost/error.h>
#include <stddef.h>
#include <stdint.h>

/* Positions are 32-bit, numbers of pairs of pairs 64-bit and exact. */
#define QB_STATS_MAX_PAIRS ((size_t)UINT32_MAX)

/* Spearman's rank correlation, -1..1 (1 = the same order): Pearson's of the ranks, equal values
 * sharing the average of their ranks (Kendall & Gibbons, Rank Correlation Methods, 5th ed., ch. 3;
 * scipy.stats.spearmanr). Values are equal when they compare equal: 0.0 and -0.0 tie, two values a
 * last bit apart do not. n >= 2, neither list constant. Allocates 48 bytes a pair. */
QbStatus qb_stats_srcc(double *out, const double *x, const double *y, size_t n);

/* Pearson's linear correlation, -1..1: sum(dx dy) / sqrt(sum(dx^2) sum(dy^2)), dx = x - mean(x), in
 * two passes, so neither a large common offset nor a huge or tiny unit costs digits. n >= 2,
 * neither list constant. Allocates nothing. */
QbStatus qb_stats_plcc(double *out, const double *x, const double *y, size_t n);

/* Kendall's tau-b, -1..1: (concordant - discordant) / sqrt((n0 - n1)(n0 - n2)), n0 = n(n-1)/2 pairs
 * of pairs, n1 and n2 those tied in x and in y (Kendall, The treatment of ties in ranking problems,
 * Biometrika 33, 1945), by Knight's O(n log n) method (JASA 61, 1966). n >= 2, neither list
 * constant. Allocates 40 bytes a pair. */
QbStatus qb_stats_krcc(double *out, const double *x, const double *y, size_t n);

/* Root of the mean squared difference, sqrt(sum((x - y)^2) / n), >= 0 in the unit of x and y; the
 * divisor is n, not n less the number of fitted parameters. n >= 1. QB_ERR_LIMIT when a difference
 * overflows a double. Allocates nothing. */
QbStatus qb_stats_rmse(double *out, const double *x, const double *y, size_t n);

/* out[n]: the ranks of x[n], 1 = the smallest, equal values sharing the average of their ranks;
 * exact (multiples of a half). n >= 1; out and x may be the same. Allocates 32 bytes a value. */
QbStatus qb_stats_ranks(double *out, const double *x, size_t n);

#endif
