/* srcc.c: Spearman's rank correlation; see stats.h. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "stats/pairs.h"
#include "stats/stats.h"

QbStatus qb_stats_srcc(double *out, const double *x, const double *y, size_t n)
{
    QbStatus status = qb_pairs_check_varied(x, y, n, 2);
    if (status)
        return status;
    double *ranks = qb_calloc(2 * n, sizeof *ranks); /* [2][n] */
    if (!ranks)
        return QB_ERR_NOMEM;
    status = qb_stats_ranks(ranks, x, n);
    if (!status)
        status = qb_stats_ranks(ranks + n, y, n);
    if (!status)
        status = qb_stats_plcc(out, ranks, ranks + n, n);
    qb_free(ranks);
    return status;
}
