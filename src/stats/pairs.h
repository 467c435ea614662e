/* pairs.h: what the statistics share: checked lists, centred values, sorted values. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_STATS_PAIRS_H
#define QB_STATS_PAIRS_H

#include <qboost/error.h>
#include <stddef.h>
#include <stdint.h>

/* QB_OK when there are minimum..QB_STATS_MAX_PAIRS pairs and all values are finite. */
QbStatus qb_pairs_check(const double *x, const double *y, size_t n, size_t minimum);

/* The same, and neither list is constant: what a correlation needs. */
QbStatus qb_pairs_check_varied(const double *x, const double *y, size_t n, size_t minimum);

/* A list moved to mean 0: (value * scale - origin) - mean. scale is a power of two that brings the
 * largest value near 1, so squares neither overflow nor vanish; the origin is the first value, so
 * a large common offset goes away before anything is rounded. */
typedef struct {
    double scale, origin, mean;
} QbCentring;

void qb_centring_init(QbCentring *out, const double *values, size_t n);

static inline double qb_centring_apply(const QbCentring *centring, double value)
{
    return (value * centring->scale - centring->origin) - centring->mean;
}

/* A value as an integer of the same order (equal exactly when the values are) and its position. */
typedef struct {
    uint64_t key;
    uint32_t index;
} QbSortItem;

uint64_t qb_sort_key(double value);

/* Sorts items[n] by key, stable; spare[n] is overwritten. */
void qb_sort_items(QbSortItem *items, QbSortItem *spare, size_t n);

#endif
