/* rmse.c: the root of the mean squared difference; see stats.h. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "stats/pairs.h"
#include "stats/stats.h"

#include <math.h>

QbStatus qb_stats_rmse(double *out, const double *x, const double *y, size_t n)
{
    double largest = 0, sum = 0;
    QbStatus status = qb_pairs_check(x, y, n, 1);
    if (status)
        return status;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(x[i] - y[i]));
    if (isinf(largest))
        return qb_fail(QB_ERR_LIMIT, "the difference of two values is too large for a double");
    /* In units of the largest difference no square overflows or vanishes. */
    for (size_t i = 0; i < n && largest > 0; i++) {
        double d = (x[i] - y[i]) / largest;
        sum += d * d;
    }
    *out = largest * sqrt(sum / (double)n);
    return QB_OK;
}
