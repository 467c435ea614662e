/* zone_mscn.c: mean-subtracted, contrast-normalised coefficients and the products of neighbours,
 * described by generalised Gaussians (Mittal, Moorthy & Bovik, No-reference image quality
 * assessment in the spatial domain, IEEE Trans. Image Processing 21, 2012, eq. 1-13). The four
 * directions of BRISQUE are two here, because a picture turned by a quarter is as noisy as before;
 * its second scale is left out. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/zone_family.h"

/* Gaussian of deviation 7/6 over 7 pixels, normalised; centre outwards. */
static const float WINDOW[] = {0.3426315f, 0.2372961f, 0.0788280f, 0.0125602f};
static const float CONTRAST_FLOOR = 0.4f; /* of L*: about BRISQUE's 1 of 255 */

enum { STRAIGHT = 0, SLANTED, N_DIRECTIONS };

static const char *const names[] = {
    "mscn_shape",
    "mscn_std",
    "mscn_straight_shape",
    "mscn_straight_mean",
    "mscn_straight_left",
    "mscn_straight_right",
    "mscn_slanted_shape",
    "mscn_slanted_mean",
    "mscn_slanted_left",
    "mscn_slanted_right",
    NULL,
};

typedef struct {
    QbFeatureSums all;                                      /* absolute, as the products */
    QbFeatureSums below[N_DIRECTIONS], above[N_DIRECTIONS]; /* products < 0, and others */
} State;

/* out: of the tile and one pixel around. */
static void normalise(QbTilePlane out, QbZoneTile *tile)
{
    QbTilePlane *square = &tile->work[1], *between = &tile->work[2], *mean = &tile->work[3];
    qb_tile_square(*square, tile->l, tile);
    qb_tile_smooth(*mean, *between, tile->l, tile, WINDOW, 4, 1);
    qb_tile_smooth(out, *between, *square, tile, WINDOW, 4, 1);
    for (int y = -1; y <= tile->height; y++) {
        const float *l = qb_tile_l(tile, y), *m = qb_tile_row(*mean, y);
        float *o = qb_tile_row(out, y);
        for (int x = -1; x <= tile->width; x++) {
            float variance = o[x] - m[x] * m[x];
            o[x] = (l[x] - m[x]) / (CONTRAST_FLOOR + sqrtf(qb_max(variance, 0.0f)));
        }
    }
}

static void add_product(State *s, int direction, float product)
{
    qb_feature_sums_add(product < 0 ? &s->below[direction] : &s->above[direction], fabsf(product));
}

static void add(void *user, QbZoneTile *tile)
{
    State *s = user;
    normalise(tile->work[0], tile);
    for (int y = 0; y < tile->height; y++) {
        const float *here = qb_tile_row(tile->work[0], y), *below = here + QB_TILE_STRIDE;
        for (int x = 0; x < tile->width; x++) {
            float c = here[x];
            qb_feature_sums_add(&s->all, fabsf(c));
            add_product(s, STRAIGHT, c * here[x + 1]);
            add_product(s, STRAIGHT, c * below[x]);
            add_product(s, SLANTED, c * below[x + 1]);
            add_product(s, SLANTED, c * below[x - 1]);
        }
    }
}

/* (mean of |x|)^2 / mean of x^2 of a generalised Gaussian; rises with its shape. */
static double moment_ratio(double shape)
{
    double two = tgamma(2 / shape);
    return two * two / (tgamma(1 / shape) * tgamma(3 / shape));
}

/* The shape, 0.2 … 10, whose ratio this is. */
static double shape_of(double ratio)
{
    double low = 0.2, high = 10;
    for (int i = 0; i < 30; i++) {
        double middle = sqrt(low * high);
        if (moment_ratio(middle) < ratio)
            low = middle;
        else
            high = middle;
    }
    return sqrt(low * high);
}

static void finish_products(float *values, const QbFeatureSums *below, const QbFeatureSums *above)
{
    static const double TINY = 1e-6;
    double n = below->n + above->n;
    double left = qb_feature_sums_rms(below) + TINY, right = qb_feature_sums_rms(above) + TINY;
    double mean = n > 0 ? (below->sum + above->sum) / n + TINY : TINY;
    double square = n > 0 ? (below->squares + above->squares) / n + TINY * TINY : TINY * TINY;
    double lean = left / right, even = lean * lean + 1;
    double ratio = mean * mean / square * (lean * lean * lean + 1) * (lean + 1) / (even * even);
    double shape = shape_of(ratio);
    double width = sqrt(tgamma(1 / shape) / tgamma(3 / shape));
    values[0] = (float)log2(shape);
    values[1] = (float)((right - left) * width * tgamma(2 / shape) / tgamma(1 / shape));
    values[2] = qb_zone_log(left);
    values[3] = qb_zone_log(right);
}

static void finish(float *values, const void *user)
{
    const State *s = user;
    double mean = qb_feature_sums_mean(&s->all), rms = qb_feature_sums_rms(&s->all);
    values[0] = (float)log2(shape_of(rms > 0 ? mean * mean / (rms * rms) : 0));
    values[1] = qb_zone_log(rms);
    for (int d = 0; d < N_DIRECTIONS; d++)
        finish_products(values + 2 + 4 * d, &s->below[d], &s->above[d]);
}

const QbZoneFamily qb_zone_mscn = {"mscn", names, sizeof(State), add, finish};
