/* zone_variance.c: standard deviations of small blocks, and how they are spread over the zone: the
 * low ones are noise in flat parts, the high ones texture that hides it. The mean variance of 8 x 8
 * blocks is what the classifier "variance" looks at. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/zone_family.h"

static const char *const names[] = {
    "variance4_p10", "variance4_p25", "variance4_p50", "variance4_p75",  "variance4_p90",
    "variance8_p10", "variance8_p50", "variance8_p90", "variance8_mean", NULL,
};

typedef struct {
    QbZoneLevels four, eight;
    QbFeatureSums spread; /* of blocks of 8 x 8 */
} State;

static float spread_of(const QbZoneTile *tile, int left, int top, int side)
{
    float sum = 0, squares = 0, origin = qb_tile_l(tile, top)[left];
    for (int y = top; y < top + side; y++) {
        const float *l = qb_tile_l(tile, y);
        for (int x = left; x < left + side; x++) {
            float d = l[x] - origin; /* squares of small numbers lose fewer digits */
            sum += d;
            squares += d * d;
        }
    }
    float n = (float)(side * side), variance = (squares - sum * sum / n) / n;
    return variance > 0 ? sqrtf(variance) : 0.0f;
}

static void add(void *user, QbZoneTile *tile)
{
    State *s = user;
    for (int y = 0; y + 4 <= tile->height; y += 4)
        for (int x = 0; x + 4 <= tile->width; x += 4)
            qb_zone_levels_add(&s->four, spread_of(tile, x, y, 4));
    for (int y = 0; y + 8 <= tile->height; y += 8)
        for (int x = 0; x + 8 <= tile->width; x += 8) {
            float spread = spread_of(tile, x, y, 8);
            qb_zone_levels_add(&s->eight, spread);
            qb_feature_sums_add(&s->spread, spread);
        }
}

static void finish(float *values, const void *user)
{
    static const double FOUR[] = {0.1, 0.25, 0.5, 0.75, 0.9}, EIGHT[] = {0.1, 0.5, 0.9};
    const State *s = user;
    for (int q = 0; q < 5; q++)
        *values++ = qb_zone_log(qb_zone_levels_quantile(&s->four, FOUR[q]));
    for (int q = 0; q < 3; q++)
        *values++ = qb_zone_log(qb_zone_levels_quantile(&s->eight, EIGHT[q]));
    *values++ = qb_zone_log(qb_feature_sums_rms(&s->spread));
}

const QbZoneFamily qb_zone_variance = {"variance", names, sizeof(State), add, finish};
