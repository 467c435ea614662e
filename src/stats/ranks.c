/* ranks.c: values sorted and ranked; see stats.h and pairs.h.
 *
 * The sort is a radix sort over the bits of the doubles: stable, the same time for any order of the
 * input, and several times faster than comparing at the sizes of image sets. Bytes that all values
 * share are skipped. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "stats/pairs.h"
#include "stats/stats.h"

#include <string.h>

enum { KEY_BYTES = 8, BYTE_VALUES = 256 };

uint64_t qb_sort_key(double value)
{
    uint64_t bits;
    value += 0.0; /* -0.0 becomes 0.0 */
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static void count_bytes(uint32_t counts[KEY_BYTES][BYTE_VALUES], const QbSortItem *items, size_t n)
{
    memset(counts, 0, sizeof(uint32_t) * KEY_BYTES * BYTE_VALUES);
    for (size_t i = 0; i < n; i++)
        for (int byte = 0; byte < KEY_BYTES; byte++)
            counts[byte][items[i].key >> (8 * byte) & 0xff]++;
}

void qb_sort_items(QbSortItem *items, QbSortItem *spare, size_t n)
{
    uint32_t counts[KEY_BYTES][BYTE_VALUES];
    QbSortItem *from = items, *to = spare;
    if (n < 2)
        return;
    count_bytes(counts, items, n);
    for (int byte = 0; byte < KEY_BYTES; byte++) {
        int shift = 8 * byte;
        uint32_t *next = counts[byte], start = 0;
        if (next[from[0].key >> shift & 0xff] == n)
            continue;
        for (int v = 0; v < BYTE_VALUES; v++) {
            uint32_t count = next[v];
            next[v] = start;
            start += count;
        }
        for (size_t i = 0; i < n; i++)
            to[next[from[i].key >> shift & 0xff]++] = from[i];
        QbSortItem *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != items)
        memcpy(items, from, n * sizeof *items);
}

QbStatus qb_stats_ranks(double *out, const double *x, size_t n)
{
    QbStatus status = qb_pairs_check(x, x, n, 1);
    if (status)
        return status;
    QbSortItem *items = qb_calloc(2 * n, sizeof *items);
    if (!items)
        return QB_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = (QbSortItem){qb_sort_key(x[i]), (uint32_t)i};
    qb_sort_items(items, items + n, n);
    for (size_t start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && items[end].key == items[start].key; end++)
            continue;
        /* ranks start + 1 .. end */
        double rank = (double)(start + end + 1) / 2;
        for (size_t i = start; i < end; i++)
            out[items[i].index] = rank;
    }
    qb_free(items);
    return QB_OK;
}
