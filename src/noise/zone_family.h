/* zone_family.h: what a family of zone features is, and the small statistics that families share.
 * A family is one file; the list of them is in zone_features.c. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_ZONE_FAMILY_H
#define QB_NOISE_ZONE_FAMILY_H

#include "noise/zone_tile.h"

#include <math.h>
#include <string.h>

typedef struct QbZoneFamily {
    const char *name;
    const char *const *features; /* NULL past the last one */
    size_t state_bytes;
    /* Takes a tile of the zone into a state that began as zeros. */
    void (*add)(void *state, QbZoneTile *tile);
    /* values[number of features], finite whatever the picture. */
    void (*finish)(float *values, const void *state);
} QbZoneFamily;

extern const QbZoneFamily qb_zone_svd, qb_zone_residual, qb_zone_wavelet, qb_zone_laplacian,
    qb_zone_variance, qb_zone_mscn, qb_zone_context;

const QbZoneFamily *qb_zone_family_at(int index); /* NULL past the last one */

/* Amounts in L* span decades and are compared by ratio. Below 1/32, a third of what rounding to 8
 * bits leaves, they are all the same. */
static inline float qb_zone_log(double amount)
{
    return (float)log2(amount + 1.0 / 32);
}

/* libm's fmaxf and fminf are calls, for the sake of not-a-numbers that do not occur here. */
static inline float qb_max(float a, float b)
{
    return a > b ? a : b;
}

static inline float qb_min(float a, float b)
{
    return a < b ? a : b;
}

/* ---- Sums
 * --------------------------------------------------------------------------------------*/

typedef struct QbFeatureSums {
    double n, sum, squares;
} QbFeatureSums;

static inline void qb_feature_sums_add(QbFeatureSums *sums, float x)
{
    sums->n++;
    sums->sum += (double)x;
    sums->squares += (double)x * (double)x;
}

/* The same of x[n], n <= QB_TILE_SIDE: in four lanes, which a float is wide enough for. */
static inline void qb_feature_sums_row(QbFeatureSums *sums, const float *x, int n)
{
    float sum[4] = {0}, squares[4] = {0};
    int i = 0;
    for (; i + 4 <= n; i += 4)
        for (int lane = 0; lane < 4; lane++) {
            sum[lane] += x[i + lane];
            squares[lane] += x[i + lane] * x[i + lane];
        }
    for (; i < n; i++) {
        sum[0] += x[i];
        squares[0] += x[i] * x[i];
    }
    sums->n += n;
    sums->sum += (double)((sum[0] + sum[1]) + (sum[2] + sum[3]));
    sums->squares += (double)((squares[0] + squares[1]) + (squares[2] + squares[3]));
}

static inline double qb_feature_sums_mean(const QbFeatureSums *s)
{
    return s->n > 0 ? s->sum / s->n : 0;
}

static inline double qb_feature_sums_rms(const QbFeatureSums *s)
{
    return s->n > 0 ? sqrt(s->squares / s->n) : 0;
}

/* Standard deviation. */
static inline double qb_feature_sums_spread(const QbFeatureSums *s)
{
    double mean = qb_feature_sums_mean(s),
           variance = s->n > 0 ? s->squares / s->n - mean * mean : 0;
    return variance > 0 ? sqrt(variance) : 0;
}

/* ---- Quantiles of amounts >= 0: a histogram with 16 steps an octave, 2^-12 … 2^8
 * ---------------*/

enum { QB_LEVELS_FIRST = -12, QB_LEVELS_OCTAVES = 20, QB_LEVELS_STEPS = 16 };

typedef struct QbZoneLevels {
    uint32_t n, count[QB_LEVELS_OCTAVES * QB_LEVELS_STEPS];
} QbZoneLevels;

/* An IEEE float's exponent and first mantissa bits number the steps. */
static inline void qb_zone_levels_add(QbZoneLevels *levels, float amount)
{
    enum {
        N = QB_LEVELS_OCTAVES * QB_LEVELS_STEPS,
        LOW = (127 + QB_LEVELS_FIRST) * QB_LEVELS_STEPS
    };
    uint32_t bits;
    memcpy(&bits, &amount, sizeof bits);
    int step = (int)(bits >> 19) - LOW;
    levels->count[step < 0 ? 0 : step < N ? step : N - 1]++;
    levels->n++;
}

/* share: 0 … 1. 0 when nothing was added. Within a step it is interpolated. */
double qb_zone_levels_quantile(const QbZoneLevels *levels, double share);

/* Mean of min(amount, limit)^2, of amounts as if in the middle of their steps. */
double qb_zone_levels_clipped_square(const QbZoneLevels *levels, double limit);

#endif
