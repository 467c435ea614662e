/* zone_residual.c: what denoising filters take away: mean and standard deviation of |L - filter(L)|
 * (Constantin, Bigand, Constantin & Hamad, Image noise detection in global illumination methods
 * based on FRVM, Neurocomputing 164, 2015, section 3, there under mean, Gaussian, median, Wiener
 * and wavelet filters; the wavelets are in zone_wavelet.c), and how far neighbours in the residual
 * resemble each other: noise of a path tracer does so only within the pixel filter. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/zone_family.h"

enum { MEAN3, MEAN5, GAUSS5, MEDIAN3, WIENER3, WIENER5, N_FILTERS };

static const char *const names[] = {
    "residual_mean3_mean",   "residual_mean3_std",    "residual_mean5_mean",
    "residual_mean5_std",    "residual_gauss5_mean",  "residual_gauss5_std",
    "residual_median3_mean", "residual_median3_std",  "residual_wiener3_mean",
    "residual_wiener3_std",  "residual_wiener5_mean", "residual_wiener5_std",
    "residual_neighbour1",   "residual_neighbour2",   NULL,
};

typedef struct {
    QbFeatureSums residual[N_FILTERS];
    double square, beside[2]; /* of the residual of GAUSS5, and with neighbours 1 and 2 away */
} State;

static const float MEAN3_WEIGHTS[] = {1.0f / 3, 1.0f / 3};
static const float MEAN5_WEIGHTS[] = {0.2f, 0.2f, 0.2f};
static const float GAUSS5_WEIGHTS[] = {0.375f, 0.25f, 0.0625f};

static void add_residual(QbFeatureSums *sums, QbZoneTile *tile, QbTilePlane filtered)
{
    for (int y = 0; y < tile->height; y++) {
        const float *l = qb_tile_l(tile, y), *f = qb_tile_row(filtered, y);
        float residual[QB_TILE_SIDE];
        for (int x = 0; x < tile->width; x++)
            residual[x] = fabsf(l[x] - f[x]);
        qb_feature_sums_row(sums, residual, tile->width);
    }
}

/* Wiener's filter as Lee gave it (Digital image enhancement and noise filtering by use of local
 * statistics, IEEE PAMI 2, 1980): L = mean + max(0, v - noise) / max(v, noise) (L - mean), noise =
 * the mean of the local variances v. mean: of L, replaced by the filtered picture; square: mean of
 * L * L. */
static void wiener(QbZoneTile *tile, QbTilePlane mean, QbTilePlane square)
{
    double noise = 0;
    for (int y = 0; y < tile->height; y++) {
        const float *m = qb_tile_row(mean, y);
        float *v = qb_tile_row(square, y);
        for (int x = 0; x < tile->width; x++) {
            v[x] = qb_max(v[x] - m[x] * m[x], 0.0f);
            noise += (double)v[x];
        }
    }
    float floor = qb_max((float)(noise / (tile->width * tile->height)), 1e-6f);
    for (int y = 0; y < tile->height; y++) {
        const float *l = qb_tile_l(tile, y), *v = qb_tile_row(square, y);
        float *m = qb_tile_row(mean, y);
        for (int x = 0; x < tile->width; x++)
            m[x] += v[x] > floor ? (v[x] - floor) / v[x] * (l[x] - m[x]) : 0.0f;
    }
}

static void sort2(float *a, float *b)
{
    float low = *a < *b ? *a : *b, high = *a < *b ? *b : *a;
    *a = low;
    *b = high;
}

/* The median of nine is that of the largest of the columns' least, the middle one of their middles
 * and the least of their largest. */
static void median3(QbZoneTile *tile, QbTilePlane out)
{
    for (int y = 0; y < tile->height; y++) {
        const float *rows[] = {qb_tile_l(tile, y - 1), qb_tile_l(tile, y), qb_tile_l(tile, y + 1)};
        float *to = qb_tile_row(out, y);
        float low[3], middle[3], high[3];
        for (int x = -1; x <= tile->width; x++) {
            float a = rows[0][x], b = rows[1][x], c = rows[2][x];
            int at = (x + 3) % 3;
            sort2(&a, &b);
            sort2(&b, &c);
            sort2(&a, &b);
            low[at] = a, middle[at] = b, high[at] = c;
            if (x < 1)
                continue;
            float l = qb_max(low[0], qb_max(low[1], low[2]));
            float h = qb_min(high[0], qb_min(high[1], high[2]));
            float m0 = middle[0], m1 = middle[1];
            sort2(&m0, &m1);
            float m = qb_max(m0, qb_min(m1, middle[2]));
            sort2(&l, &h);
            to[x - 1] = qb_max(l, qb_min(h, m));
        }
    }
}

/* filtered's margin holds two pixels. residual: a work plane. */
static void add_neighbours(State *s, QbZoneTile *tile, QbTilePlane filtered, QbTilePlane residual)
{
    for (int y = 0; y < tile->height + 2; y++) {
        const float *l = qb_tile_l(tile, y), *f = qb_tile_row(filtered, y);
        float *r = qb_tile_row(residual, y);
        for (int x = 0; x < tile->width + 2; x++)
            r[x] = l[x] - f[x];
    }
    for (int y = 0; y < tile->height; y++) {
        const float *r = qb_tile_row(residual, y);
        float square = 0, one = 0, two = 0;
        for (int x = 0; x < tile->width; x++) {
            square += r[x] * r[x];
            one += r[x] * (r[x + 1] + r[x + QB_TILE_STRIDE]);
            two += r[x] * (r[x + 2] + r[x + 2 * QB_TILE_STRIDE]);
        }
        s->square += (double)square;
        s->beside[0] += (double)one / 2;
        s->beside[1] += (double)two / 2;
    }
}

static void add(void *user, QbZoneTile *tile)
{
    State *s = user;
    QbTilePlane *square = &tile->work[0], *between = &tile->work[1], *out = &tile->work[2],
                *variance = &tile->work[3];
    qb_tile_square(*square, tile->l, tile);
    qb_tile_smooth(*out, *between, tile->l, tile, MEAN3_WEIGHTS, 2, 0);
    add_residual(&s->residual[MEAN3], tile, *out);
    qb_tile_smooth(*variance, *between, *square, tile, MEAN3_WEIGHTS, 2, 0);
    wiener(tile, *out, *variance);
    add_residual(&s->residual[WIENER3], tile, *out);
    qb_tile_smooth(*out, *between, tile->l, tile, MEAN5_WEIGHTS, 3, 0);
    add_residual(&s->residual[MEAN5], tile, *out);
    qb_tile_smooth(*variance, *between, *square, tile, MEAN5_WEIGHTS, 3, 0);
    wiener(tile, *out, *variance);
    add_residual(&s->residual[WIENER5], tile, *out);
    qb_tile_smooth(*out, *between, tile->l, tile, GAUSS5_WEIGHTS, 3, 2);
    add_residual(&s->residual[GAUSS5], tile, *out);
    add_neighbours(s, tile, *out, *between);
    median3(tile, *out);
    add_residual(&s->residual[MEDIAN3], tile, *out);
}

static void finish(float *values, const void *user)
{
    const State *s = user;
    double n = s->residual[GAUSS5].n;
    for (int f = 0; f < N_FILTERS; f++) {
        *values++ = qb_zone_log(qb_feature_sums_mean(&s->residual[f]));
        *values++ = qb_zone_log(qb_feature_sums_spread(&s->residual[f]));
    }
    for (int d = 0; d < 2; d++) /* rounding resembles nothing */
        *values++ = (float)(s->beside[d] / (s->square + n / 100));
}

const QbZoneFamily qb_zone_residual = {"residual", names, sizeof(State), add, finish};
