/* report.c: zones and reports; see report.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/report.h"

#include "base/error.h"

#include <math.h>

QbStatus qb_noise_grid_check(QbNoiseGrid grid, int width, int height, int min_side)
{
    if (grid.columns < 1 || grid.rows < 1 || grid.columns > QB_NOISE_MAX_ZONES / grid.rows)
        return qb_fail(QB_ERR_ARG, "a grid of %d x %d zones, expected 1 to %d zones", grid.columns,
                       grid.rows, QB_NOISE_MAX_ZONES);
    if (width / grid.columns < min_side || height / grid.rows < min_side)
        return qb_fail(QB_ERR_ARG,
                       "%d x %d zones of a picture of %d x %d pixels are smaller than %d x %d",
                       grid.columns, grid.rows, width, height, min_side, min_side);
    return QB_OK;
}

static int edge(int size, int index, int n)
{
    return (int)((int64_t)size * index / n);
}

QbZoneRect qb_noise_zone_rect(QbNoiseGrid grid, int width, int height, int zone)
{
    int column = zone % grid.columns, row = zone / grid.columns;
    QbZoneRect rect = {edge(width, column, grid.columns), edge(height, row, grid.rows), 0, 0};
    rect.width = edge(width, column + 1, grid.columns) - rect.x;
    rect.height = edge(height, row + 1, grid.rows) - rect.y;
    return rect;
}

double qb_noise_of_visibility(double visibility)
{
    if (isnan(visibility))
        return NAN;
    return visibility > 1 ? 1 - 1 / visibility : 0;
}

void qb_noise_report_fill(QbNoiseReport *out, QbNoiseGrid grid, const double *visibility)
{
    int n_zones = grid.columns * grid.rows, n_noisy = 0, n_unknown = 0;
    double worst = 0;
    *out = (QbNoiseReport){.grid = grid};
    for (int z = 0; z < n_zones; z++) {
        double v = visibility[z];
        out->zones[z] = (QbNoiseZone){v, qb_noise_of_visibility(v)};
        n_noisy += v > 1;
        n_unknown += isnan(v) != 0;
        worst = v > worst ? v : worst;
    }
    out->visibility = n_unknown && !n_noisy ? NAN : worst;
    out->noise = qb_noise_of_visibility(out->visibility);
    out->noisy_share = (double)n_noisy / n_zones;
}
