/* zone_laplacian.c: second differences. Immerkær's mask, the difference of two Laplacians, is blind
 * to planes and edges along its axes (Fast noise variance estimation, Computer Vision and Image
 * Understanding 64, 1996): its mean over the zone, its spread, and its mean in 8 x 8 blocks, whose
 * low percentiles are the noise where there is no texture. And Laplace's own. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/zone_family.h"

enum { BLOCK = 8, N_QUANTILES = 4 };

static const double QUANTILES[N_QUANTILES] = {0.1, 0.25, 0.5, 0.9};

static const char *const names[] = {
    "immerkaer_mean",      "immerkaer_std",       "laplacian_mean",
    "laplacian_std",       "immerkaer_block_p10", "immerkaer_block_p25",
    "immerkaer_block_p50", "immerkaer_block_p90", NULL,
};

typedef struct {
    QbFeatureSums immerkaer, laplacian;
    QbZoneLevels blocks;
} State;

/* Scaled to the standard deviation of white noise. absolute[width]: of Immerkær's. */
static void differences(State *s, float *absolute, const QbZoneTile *tile, int y)
{
    const float *a = qb_tile_l(tile, y - 1), *b = qb_tile_l(tile, y), *c = qb_tile_l(tile, y + 1);
    float laplacian[QB_TILE_SIDE];
    for (int x = 0; x < tile->width; x++) {
        float corners = a[x - 1] + a[x + 1] + c[x - 1] + c[x + 1];
        float sides = a[x] + b[x - 1] + b[x + 1] + c[x];
        absolute[x] = fabsf(corners - 2.0f * sides + 4.0f * b[x]) / 6.0f;
        laplacian[x] = fabsf(sides - 4.0f * b[x]) / 4.472136f; /* root of 20 */
    }
    qb_feature_sums_row(&s->immerkaer, absolute, tile->width);
    qb_feature_sums_row(&s->laplacian, laplacian, tile->width);
}

static void add(void *user, QbZoneTile *tile)
{
    State *s = user;
    for (int y = 0; y < tile->height; y++)
        differences(s, qb_tile_row(tile->work[0], y), tile, y);
    for (int top = 0; top + BLOCK <= tile->height; top += BLOCK)
        for (int left = 0; left + BLOCK <= tile->width; left += BLOCK) {
            float sum = 0;
            for (int y = top; y < top + BLOCK; y++)
                for (int x = left; x < left + BLOCK; x++)
                    sum += qb_tile_row(tile->work[0], y)[x];
            qb_zone_levels_add(&s->blocks, sum / (BLOCK * BLOCK));
        }
}

static void finish(float *values, const void *user)
{
    static const double GAUSSIAN = 1.2533141373155; /* root of pi / 2: mean of |x| to deviation */
    const State *s = user;
    *values++ = qb_zone_log(qb_feature_sums_mean(&s->immerkaer) * GAUSSIAN);
    *values++ = qb_zone_log(qb_feature_sums_rms(&s->immerkaer));
    *values++ = qb_zone_log(qb_feature_sums_mean(&s->laplacian) * GAUSSIAN);
    *values++ = qb_zone_log(qb_feature_sums_rms(&s->laplacian));
    for (int q = 0; q < N_QUANTILES; q++)
        *values++ = qb_zone_log(qb_zone_levels_quantile(&s->blocks, QUANTILES[q]) * GAUSSIAN);
}

const QbZoneFamily qb_zone_laplacian = {"laplacian", names, sizeof(State), add, finish};
