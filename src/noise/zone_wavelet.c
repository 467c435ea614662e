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
    QbFeatureSums sums[N_SCALES][N_DETAILS];
} State;

/* smooth[n] = mean of the four pixels `distance` apart. */
static void smooth_row(float *smooth, const float *a, const float *b, int n, int distance)
{
    for (int x = 0; x < n; x++)
        smooth[x] = 0.25f * (a[x] + a[x + distance] + b[x] + b[x + distance]);
}

static void add_details(State *s, int scale, const float *a, const float *b, int n, int distance)
{
    float detail[N_DETAILS][QB_TILE_SIDE];
    for (int x = 0; x < n; x++) {
        float left = a[x] + b[x], right = a[x + distance] + b[x + distance];
        float falling = a[x] - b[x], rising = a[x + distance] - b[x + distance];
        detail[HORIZONTAL][x] = 0.5f * (left - right);
        detail[VERTICAL][x] = 0.5f * (falling + rising);
        detail[DIAGONAL][x] = 0.5f * (falling - rising);
    }
    for (int d = 0; d < N_DETAILS; d++) {
        qb_feature_sums_row(&s->sums[scale][d], detail[d], n);
        for (int x = 0; x < n; x++)
            qb_zone_levels_add(&s->levels[scale][d], fabsf(detail[d][x]));
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
            if (y < tile->height)
                add_details(s, scale, a, b, tile->width, distance);
            smooth_row(qb_tile_row(*to, y), a, b, tile->width + beyond, distance);
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
        const QbFeatureSums *sums = s->sums[scale];
        double h = mad_of(&levels[HORIZONTAL]), v = mad_of(&levels[VERTICAL]);
        double across = qb_feature_sums_rms(&sums[HORIZONTAL]),
               down = qb_feature_sums_rms(&sums[VERTICAL]);
        *values++ = qb_zone_log(mad_of(&levels[DIAGONAL]));
        *values++ = qb_zone_log(fmin(h, v));
        *values++ = qb_zone_log(fmax(h, v));
        *values++ = qb_zone_log(qb_feature_sums_rms(&sums[DIAGONAL]));
        *values++ = qb_zone_log(sqrt((across * across + down * down) / 2));
        *values++ = qb_zone_log(soft_residual(levels, mad_of(&levels[DIAGONAL])));
    }
}

const QbZoneFamily qb_zone_wavelet = {"wavelet", names, sizeof(State), add, finish};
