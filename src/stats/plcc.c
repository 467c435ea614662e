/* plcc.c: Pearson's linear correlation; see stats.h.
 *
 * Two passes over centred values (see QbCentring): the mean is off by rounding alone, n eps of the
 * range at most, and the sums by the square of that. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "stats/pairs.h"
#include "stats/stats.h"

#include <math.h>

QbStatus qb_stats_plcc(double *out, const double *x, const double *y, size_t n)
{
    double sum_xx = 0, sum_yy = 0, sum_xy = 0;
    QbCentring centre_x, centre_y;
    QbStatus status = qb_pairs_check_varied(x, y, n, 2);
    if (status)
        return status;
    qb_centring_init(&centre_x, x, n);
    qb_centring_init(&centre_y, y, n);
    for (size_t i = 0; i < n; i++) {
        double dx = qb_centring_apply(&centre_x, x[i]);
        double dy = qb_centring_apply(&centre_y, y[i]);
        sum_xx += dx * dx;
        sum_yy += dy * dy;
        sum_xy += dx * dy;
    }
    *out = fmax(-1, fmin(1, sum_xy / sqrt(sum_xx * sum_yy)));
    return QB_OK;
}
