/* encode_search.h: the scales of a block of quantised values. For a few trial scales every value is
 * rounded, the best real scale (and minimum) for those whole numbers follows by least squares, and
 * the pair with the smallest weighted error wins; the idea is that of make_qx_quants and
 * make_qkx2_quants in llama.cpp's ggml-quants.c. Nothing outside this folder includes it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_ENCODE_SEARCH_H
#define QB_WEIGHTS_ENCODE_SEARCH_H

/* Below this, a group has no scale that could be told from zero. */
#define QB_ENCODE_TINY 1e-15f

enum { SMALL_BLOCK = 32 };

/* To the nearest whole number, ties to even; |x| < 2^22. */
static inline float whole(float x)
{
    return (x + 0x1.8p23f) - 0x1.8p23f;
}

static inline float clamp(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

/* x ~ scale * q with q in -steps … steps - 1; the value of the largest magnitude is near -steps.
 * n is a multiple of 4. */
float qb_encode_search_scale(const float *x, const float *weight, int n, float steps);

typedef struct QbAffine {
    float scale, min; /* x ~ scale * q - min, both >= 0 */
} QbAffine;

/* x[32] ~ scale * q - min, q in 0 … steps. Large values count more, as in llama.cpp. */
QbAffine qb_encode_search_affine(const float *x, float steps, float first_trial);

#endif
