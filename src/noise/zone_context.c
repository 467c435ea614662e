/* zone_context.c: what decides how much noise the eye forgives: how light the zone is, how much
 * goes on in it at scales that noise hardly reaches, and how much of it is an edge. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/zone_family.h"

enum { BLOCK = 8 };

static const float DARK = 20.0f, CLIPPED = 99.5f; /* L* */
static const float EDGE = 2.0f;                   /* L* a pixel, after smoothing */
static const float SMOOTH[] = {0.3204469f, 0.2326922f, 0.0890962f, 0.0179882f}; /* deviation 1.25 */

static const char *const names[] = {
    "context_lightness",
    "context_coarse_std",
    "context_edge_share",
    "context_dark_share",
    "context_clipped_share",
    "context_gradient",
    NULL,
};

typedef struct {
    QbFeatureSums lightness, coarse, gradient;
    double n_edge, n_dark, n_clipped;
} State;

static void add_pixels(State *s, const float *l, const float *smooth, int n)
{
    for (int x = 0; x < n; x++) {
        float across = smooth[x + 1] - smooth[x - 1];
        float down = smooth[x + QB_TILE_STRIDE] - smooth[x - QB_TILE_STRIDE];
        float gradient = 0.5f * sqrtf(across * across + down * down);
        qb_feature_sums_add(&s->lightness, l[x]);
        qb_feature_sums_add(&s->gradient, gradient);
        s->n_edge += gradient > EDGE;
        s->n_dark += l[x] < DARK;
        s->n_clipped += l[x] > CLIPPED;
    }
}

static float block_mean(const QbZoneTile *tile, int left, int top)
{
    float sum = 0;
    for (int y = top; y < top + BLOCK; y++)
        for (int x = left; x < left + BLOCK; x++)
            sum += qb_tile_l(tile, y)[x];
    return sum / (BLOCK * BLOCK);
}

static void add(void *user, QbZoneTile *tile)
{
    State *s = user;
    qb_tile_smooth(tile->work[0], tile->work[1], tile->l, tile, SMOOTH, 4, 1);
    for (int y = 0; y < tile->height; y++)
        add_pixels(s, qb_tile_l(tile, y), qb_tile_row(tile->work[0], y), tile->width);
    for (int y = 0; y + BLOCK <= tile->height; y += BLOCK)
        for (int x = 0; x + BLOCK <= tile->width; x += BLOCK)
            qb_feature_sums_add(&s->coarse, block_mean(tile, x, y));
}

static void finish(float *values, const void *user)
{
    const State *s = user;
    double n = s->lightness.n > 0 ? s->lightness.n : 1;
    values[0] = (float)(qb_feature_sums_mean(&s->lightness) / 100);
    values[1] = qb_zone_log(qb_feature_sums_spread(&s->coarse));
    values[2] = (float)(s->n_edge / n);
    values[3] = (float)(s->n_dark / n);
    values[4] = (float)(s->n_clipped / n);
    values[5] = qb_zone_log(qb_feature_sums_mean(&s->gradient));
}

const QbZoneFamily qb_zone_context = {"context", names, sizeof(State), add, finish};
