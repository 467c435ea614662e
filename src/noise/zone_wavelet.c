/* zone_wavelet.c: Haar's wavelets at three scales, undecimated (Mallat, A Wavelet Tour of Signal
 * Processing, 3rd ed., 5.2). Noise from the median of absolute details over 0.6745 (Donoho &
 * Johnstone, Ideal spatial adaptation by wavelet shrinkage, Biometrika 81, 1994), robust against
 * edges; their standard deviation; and what soft thresholds take away (Donoho, De-noising by
 * soft-thresholding, IEEE Trans. Information Theory 41, 1995), as a residual.
 *
 * Edges mostly run one way and fill one of the horizontal and vertical details, noise fills both:
 * the lesser and the greater of the two say more than their names. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/zone_family.h"

enum { N_SCALES = 3, HORIZONTAL = 0, VERTICAL, DIAGONAL, N_DETAILS };

static const char *const names[] = {
    "wavelet1_diagonal_mad",
    "wavelet1_lesser_mad",
    "wavelet1_greater_mad",
    "wavelet1_diagonal_std",
    "wavelet1_std",
    "wavelet1_soft",
    "wavelet2_diagonal_mad",
    "wavelet2_lesser_mad",
    "wavelet2_greater_mad",
    "wavelet2_diagonal_std",
    "wavelet2_std",
    "wavelet2_soft",
    "wavelet3_diagonal_mad",
    "wavelet3_lesser_mad",
    "wavelet3_greater_mad",
    "wavelet3_diagonal_std",
    "wavelet3_std",
    "wavelet3_soft",
    NULL,
};

typedef struct {
    QbZoneLevels levels[N_SCALES][N_DETAILS];
    QbMoments sums[N_SCALES][N_DETAILS];
} State;

/* smooth = mean of the four pixels `distance` apart. */
static void split_row(State *s, int scale, const float *a, const float *b, float *smooth, int n,
                      int distance, bool counted)
{
    for (int x = 0; x < n; x++) {
        float p = a[x], q = a[x + distance], r = b[x], t = b[x + distance];
        smooth[x] = 0.25f * (p + q + r + t);
        if (!counted)
            continue;
        float detail[N_DETAILS] = {0.5f * (p - q + r - t), 0.5f * (p + q - r - t),
                                   0.5f * (p - q - r + t)};
        for (int d = 0; d < N_DETAILS; d++) {
            qb_zone_levels_add(&s->levels[scale][d], fabsf(detail[d]));
            qb_moments_add(&s->sums[scale][d], detail[d]);
        }
    }
}

/* The smooth planes reach as far beyond the tile, right and down, as the next scales look. */
static void add(void *user, QbZoneTile *tile)
{
    State *s = user;
    QbTilePlane *from = &tile->l;
    for (int scale = 0; scale < N_SCALES; scale++) {
        QbTilePlane *to = &tile->work[scale % 2];
        int distance = 1 << scale, beyond = (1 << N_SCALES) - 2 * distance;
        for (int y = 0; y < tile->height + beyond; y++) {
            const float *a = qb_tile_row(*from, y), *b = qb_tile_row(*from, y + distance);
            float *smooth = qb_tile_row(*to, y);
            bool inside = y < tile->height;
            int counted = inside ? tile->width : 0;
            split_row(s, scale, a, b, smooth, counted, distance, true);
            split_row(s, scale, a + counted, b + counted, smooth + counted,
                      tile->width + beyond - counted, distance, false);
        }
        from = to;
    }
}

static double mad_of(const QbZoneLevels *levels)
{
    return qb_zone_levels_quantile(levels, 0.5) / 0.6745;
}

/* Root of the mean square that the universal threshold takes away, over all details. */
static double soft_residual(const QbZoneLevels *levels, double noise)
{
    double sum = 0;
    for (int d = 0; d < N_DETAILS; d++) {
        double n = levels[d].n > 2 ? levels[d].n : 2;
        sum += qb_zone_levels_clipped_square(&levels[d], noise * sqrt(2 * log(n)));
    }
    return sqrt(sum / N_DETAILS);
}

static void finish(float *values, const void *user)
{
    const State *s = user;
    for (int scale = 0; scale < N_SCALES; scale++) {
        const QbZoneLevels *levels = s->levels[scale];
        const QbMoments *sums = s->sums[scale];
        double h = mad_of(&levels[HORIZONTAL]), v = mad_of(&levels[VERTICAL]);
        double across = qb_moments_rms(&sums[HORIZONTAL]), down = qb_moments_rms(&sums[VERTICAL]);
        *values++ = qb_zone_log(mad_of(&levels[DIAGONAL]));
        *values++ = qb_zone_log(fmin(h, v));
        *values++ = qb_zone_log(fmax(h, v));
        *values++ = qb_zone_log(qb_moments_rms(&sums[DIAGONAL]));
        *values++ = qb_zone_log(sqrt((across * across + down * down) / 2));
        *values++ = qb_zone_log(soft_residual(levels, mad_of(&levels[DIAGONAL])));
    }
}

const QbZoneFamily qb_zone_wavelet = {"wavelet", names, sizeof(State), add, finish};
