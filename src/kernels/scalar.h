/* scalar.h: the scalar pieces that the reference kernels and the packers share: half and bfloat
 * conversion, luma, the activations. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_SCALAR_H
#define QB_KERNELS_SCALAR_H

#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* A block of GGUF's Q8_0: 32 values of one half-precision scale. Read by memcpy, it has no
 * alignment. */
enum { QB_GGUF_Q8_BYTES = 34, QB_GGUF_Q8_VALUES_AT = 2 };

static inline float qb_float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16. A NaN keeps its payload and comes out quiet, as from vcvtph2ps. */
static inline float qb_float_from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 0x1fu;
    uint32_t mantissa = half & 0x3ffu;
    if (exponent == 0) /* zero or subnormal: mantissa * 2^-24 is exact in f32 */
        return sign ? -(float)mantissa * 0x1p-24f : (float)mantissa * 0x1p-24f;
    if (exponent == 0x1f)
        return qb_float_from_bits(sign | 0x7f800000u | mantissa << 13 |
                                  (mantissa ? 0x00400000u : 0u));
    return qb_float_from_bits(sign | (exponent + 127 - 15) << 23 | mantissa << 13);
}

static inline float qb_luma_scalar(const uint8_t rgb[3])
{
    return (float)(299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) * 0.001f;
}

static inline float qb_float_from_bfloat(uint16_t bfloat)
{
    return qb_float_from_bits((uint32_t)bfloat << 16);
}

static inline float qb_act_scalar(float x, QbAct act)
{
    switch (act) {
    case QB_ACT_RELU6:
        return x > 0.0f ? (x < 6.0f ? x : 6.0f) : 0.0f;
    case QB_ACT_GELU: /* x * Phi(x); erfc keeps the tail of negative x */
        return 0.5f * x * erfcf(x * -0.70710678118654752f);
    case QB_ACT_QUICK_GELU:
        return x / (1.0f + expf(-1.702f * x));
    case QB_ACT_SILU:
        return x / (1.0f + expf(-x));
    default:
        return x;
    }
}

/* Mean and deviation of n values from their sum and the sum of their squares. No statement has a
 * product and a sum, so that no compiler flag can fuse the two and every level gives the same bits.
 */
static inline void qb_mean_std_scalar(float *mean, float *std, double sum, double squares, double n,
                                      float eps)
{
    double center = sum / n;
    double center_square = center * center;
    double variance = squares / n - center_square;
    *mean = (float)center;
    *std = (float)sqrt((variance > 0.0 ? variance : 0.0) + eps);
}

#endif
