/* map_place.c: maps brought to the picture's size; see map_place.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/map_place.h"

#include <math.h>

typedef struct SpreadRows {
    float *out;
    int width;
    const QbPlane *map;
    const QbMapPlace *place;
    bool times;
} SpreadRows;

static int nearest(int at, const QbMapPlace *place, int n)
{
    double index = floor((at - place->offset) / place->step + 0.5);
    return index < 0 ? 0 : index > n - 1 ? n - 1 : (int)index;
}

static void spread_rows(int begin, int end, int thread, void *user)
{
    const SpreadRows *rows = user;
    (void)thread;
    for (int y = begin; y < end; y++) {
        const float *map = qb_plane_row(rows->map, nearest(y, rows->place, rows->map->height));
        float *out = rows->out + (size_t)y * (size_t)rows->width;
        for (int x = 0; x < rows->width; x++) {
            float value = map[nearest(x, rows->place, rows->map->width)];
            out[x] = rows->times ? out[x] * value : value;
        }
    }
}

void qb_map_spread(float *out, const QbNoiseJob *job, const QbPlane *map, const QbMapPlace *place,
                   bool times)
{
    SpreadRows rows = {out, job->width, map, place, times};
    qb_pool_run(job->pool, spread_rows, &rows, job->height, 16);
}
