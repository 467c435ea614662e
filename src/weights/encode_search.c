/* encode_search.c: see encode_search.h. Everything is plain f32 in one order. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/encode_search.h"

#include <math.h>

/* Sums are kept in LANES parts, of which a compiler makes vectors. */
enum { LANES = 4 };

static float sum_lanes(const float lane[LANES])
{
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* What whole numbers in -steps … steps - 1 and the best scale for them leave of sum(weight x^2) is
 * smallest where fit^2 / size is largest. n is a multiple of LANES. */
static float scale_at(float *gain, float inverse, const float *x, const float *weight, int n,
                      float steps)
{
    float fits[LANES] = {0}, sizes[LANES] = {0};
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            float q = clamp(whole(x[i + l] * inverse), -steps, steps - 1.0f);
            float weighted = weight[i + l] * q;
            fits[l] += weighted * x[i + l];
            sizes[l] += weighted * q;
        }
    float fit = sum_lanes(fits), size = sum_lanes(sizes);
    *gain = size > 0.0f ? fit * (fit / size) : 0.0f;
    return size > 0.0f ? fit / size : 0.0f;
}

float qb_encode_search_scale(const float *x, const float *weight, int n, float steps)
{
    enum { TRIALS = 9 };
    float extreme = 0.0f, best = 0.0f, best_gain = 0.0f;
    for (int i = 0; i < n; i++)
        extreme = fabsf(x[i]) > fabsf(extreme) ? x[i] : extreme;
    if (fabsf(extreme) < QB_ENCODE_TINY)
        return 0.0f;
    for (int trial = -TRIALS; trial <= TRIALS; trial++) {
        float gain, inverse = -(steps + 0.1f * (float)trial) / extreme;
        float scale = scale_at(&gain, inverse, x, weight, n, steps);
        if (gain > best_gain) {
            best = scale;
            best_gain = gain;
        }
    }
    return best;
}

/* Sums over a sub-block that do not depend on q. */
typedef struct Moments {
    float w, wx;
} Moments;

/* q from the trial scale and low, then the best scale and min for that q. */
static QbAffine affine_at(float *error, float inverse, float low, const float *x,
                          const float *weight, Moments m, float steps)
{
    float q[SMALL_BLOCK], sums[4][LANES] = {{0}};
    for (int i = 0; i < SMALL_BLOCK; i += LANES)
        for (int l = 0; l < LANES; l++) {
            q[i + l] = clamp(whole((x[i + l] - low) * inverse), 0.0f, steps);
            float weighted = weight[i + l] * q[i + l];
            sums[0][l] += weighted;
            sums[1][l] += weighted * q[i + l];
            sums[2][l] += weighted * x[i + l];
        }
    float wq = sum_lanes(sums[0]), wqq = sum_lanes(sums[1]), wxq = sum_lanes(sums[2]);
    float determinant = m.w * wqq - wq * wq;
    QbAffine a = {1.0f / inverse, -low};
    if (determinant > 0.0f) {
        a.scale = (m.w * wxq - m.wx * wq) / determinant;
        a.min = (wq * wxq - wqq * m.wx) / determinant;
        if (a.min < 0.0f)
            a = (QbAffine){wxq / wqq, 0.0f};
    }
    for (int i = 0; i < SMALL_BLOCK; i += LANES)
        for (int l = 0; l < LANES; l++) {
            float difference = a.scale * q[i + l] - a.min - x[i + l];
            sums[3][l] += weight[i + l] * difference * difference;
        }
    *error = a.scale >= 0.0f ? sum_lanes(sums[3]) : INFINITY;
    return a;
}

QbAffine qb_encode_search_affine(const float *x, float steps, float first_trial)
{
    enum { TRIALS = 20 };
    float weight[SMALL_BLOCK], low = 0.0f, high = x[0], squares = 0.0f;
    Moments m = {0.0f, 0.0f};
    for (int i = 0; i < SMALL_BLOCK; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
        squares += x[i] * x[i];
    }
    if (high - low < QB_ENCODE_TINY)
        return (QbAffine){0.0f, -low};
    for (int i = 0; i < SMALL_BLOCK; i++) {
        weight[i] = sqrtf(squares / SMALL_BLOCK) + fabsf(x[i]);
        m.w += weight[i];
        m.wx += weight[i] * x[i];
    }
    float error, least;
    QbAffine best = affine_at(&least, steps / (high - low), low, x, weight, m, steps);
    for (int trial = 0; trial <= TRIALS; trial++) {
        float inverse = (steps + first_trial + 0.1f * (float)trial) / (high - low);
        QbAffine a = affine_at(&error, inverse, low, x, weight, m, steps);
        if (error < least) {
            best = a;
            least = error;
            low = -a.min; /* the next trials start there */
        }
    }
    return best;
}
