/* krcc.c: Kendall's tau-b by Knight's method; see stats.h.
 *
 * 1. the pairs are sorted by x, those with equal x by y;
 * 2. runs of equal values give the pairs of pairs tied in x, in y and in both;
 * 3. in that order two pairs are discordant exactly when their y are the wrong way round, and a
 *    merge sort of y counts those.
 * All counts are 64-bit integers: exact. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "stats/pairs.h"
#include "stats/stats.h"

#include <math.h>
#include <stdbool.h>

static int64_t pairs_of(size_t n)
{
    return (int64_t)((uint64_t)n * (n - 1) / 2);
}

/* levels[i]: how many distinct values of y are smaller than y[i]. items[n] end up in order of y.
 * Returns the number of pairs of pairs tied in y. */
static int64_t rank_levels(uint32_t *levels, QbSortItem *items, QbSortItem *spare, const double *y,
                           size_t n)
{
    int64_t tied = 0;
    uint32_t level = 0;
    for (size_t i = 0; i < n; i++)
        items[i] = (QbSortItem){qb_sort_key(y[i]), (uint32_t)i};
    qb_sort_items(items, spare, n);
    for (size_t start = 0, end; start < n; start = end, level++) {
        for (end = start; end < n && items[end].key == items[start].key; end++)
            levels[items[end].index] = level;
        tied += pairs_of(end - start);
    }
    return tied;
}

/* items in order of x, then y: those tied in x, and of them those tied in y too. */
static int64_t count_tied(int64_t *out_both, const QbSortItem *items, const uint32_t *y_levels,
                          size_t n)
{
    int64_t tied = 0;
    size_t x_start = 0, both_start = 0;
    *out_both = 0;
    for (size_t i = 1; i <= n; i++) {
        bool x_ends = i == n || items[i].key != items[x_start].key;
        if (x_ends || y_levels[i] != y_levels[both_start]) {
            *out_both += pairs_of(i - both_start);
            both_start = i;
        }
        if (x_ends) {
            tied += pairs_of(i - x_start);
            x_start = i;
        }
    }
    return tied;
}

/* Merges the sorted runs [0, middle) and [middle, end) of from; returns how many pairs of values
 * were the wrong way round. */
static int64_t merge_runs(uint32_t *to, const uint32_t *from, size_t middle, size_t end)
{
    int64_t inversions = 0;
    size_t left = 0, right = middle;
    for (size_t i = 0; i < end; i++) {
        bool take_right = left == middle || (right < end && from[right] < from[left]);
        inversions += take_right ? (int64_t)(middle - left) : 0;
        to[i] = take_right ? from[right] : from[left];
        right += take_right;
        left += !take_right;
    }
    return inversions;
}

/* Both arrays are overwritten. */
static int64_t count_inversions(uint32_t *values, uint32_t *spare, size_t n)
{
    int64_t inversions = 0;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            size_t end = n - start < 2 * width ? n - start : 2 * width;
            size_t middle = end < width ? end : width;
            inversions += merge_runs(spare + start, values + start, middle, end);
        }
        uint32_t *merged = spare;
        spare = values;
        values = merged;
    }
    return inversions;
}

static double tau_b(QbSortItem *items, uint32_t *levels, const double *x, const double *y, size_t n)
{
    QbSortItem *item_spare = items + n; /* [n] */
    uint32_t *in_order = levels + n;    /* [n] y levels in order of x */
    int64_t all = pairs_of(n), both;
    int64_t tied_y = rank_levels(levels, items, item_spare, y, n);
    for (size_t i = 0; i < n; i++)
        items[i].key = qb_sort_key(x[items[i].index]);
    qb_sort_items(items, item_spare, n);
    for (size_t i = 0; i < n; i++)
        in_order[i] = levels[items[i].index];
    int64_t tied_x = count_tied(&both, items, in_order, n);
    int64_t discordant = count_inversions(in_order, levels, n);
    int64_t difference = all - tied_x - tied_y + both - 2 * discordant;
    double tau = (double)difference / sqrt((double)(all - tied_x) * (double)(all - tied_y));
    return fmax(-1, fmin(1, tau));
}

QbStatus qb_stats_krcc(double *out, const double *x, const double *y, size_t n)
{
    QbStatus status = qb_pairs_check_varied(x, y, n, 2);
    if (status)
        return status;
    QbSortItem *items = qb_calloc(2 * n, sizeof *items);
    uint32_t *levels = qb_calloc(2 * n, sizeof *levels);
    if (items && levels)
        *out = tau_b(items, levels, x, y, n);
    else
        status = QB_ERR_NOMEM;
    qb_free(levels);
    qb_free(items);
    return status;
}
