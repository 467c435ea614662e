/* quant_vec.h: 16-bit and Q8_0 weights to floats, over a Vec. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_QUANT_VEC_H
#define QB_KERNELS_QUANT_VEC_H

#include "kernels/scalar.h"

static void f32_from_f16(float *y, const void *x, size_t n)
{
    const char *half = x;
    size_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES)
        vec_store(y + i, vec_load_half(half + i * sizeof(uint16_t)));
    for (; i < n; i++) {
        uint16_t bits;
        memcpy(&bits, half + i * sizeof bits, sizeof bits);
        y[i] = qb_float_from_half(bits);
    }
}

static void f32_from_bf16(float *y, const void *x, size_t n)
{
    const char *bfloat = x;
    size_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES)
        vec_store(y + i, vec_load_bfloat(bfloat + i * sizeof(uint16_t)));
    for (; i < n; i++) {
        uint16_t bits;
        memcpy(&bits, bfloat + i * sizeof bits, sizeof bits);
        y[i] = qb_float_from_bfloat(bits);
    }
}

static void f32_from_q8_0(float *y, const void *x, size_t n)
{
    const char *block = x;
    for (size_t i = 0; i < n; i += QB_Q8_BLOCK, block += QB_GGUF_Q8_BYTES) {
        uint16_t bits;
        memcpy(&bits, block, sizeof bits);
        Vec scale = vec_set(qb_float_from_half(bits));
        const int8_t *q = (const int8_t *)block + QB_GGUF_Q8_VALUES_AT;
        for (int j = 0; j < QB_Q8_BLOCK; j += VEC_LANES)
            vec_store(y + i + j, vec_mul(vec_load_int8(q + j), scale));
    }
}

/* As roundf, half away from zero, for |x| < 2^22: 0.5 itself would carry its lower neighbour up
 * to 1. */
VEC_INLINE Vec vec_round_away(Vec x)
{
    return vec_truncate(vec_add(x, vec_copy_sign(vec_set(0x1.fffffep-2f), x)));
}

static void quantize_q8(int8_t *q, float *scale, int16_t *sum, const float *x, int k)
{
    enum { VECS = QB_Q8_BLOCK / VEC_LANES, HALVES = QB_Q8_BLOCK / QB_Q8_SUM };
    for (int b = 0; b < k / QB_Q8_BLOCK; b++, q += QB_Q8_BLOCK, x += QB_Q8_BLOCK, sum += HALVES) {
        Vec value[VECS], largest = vec_zero();
        for (int v = 0; v < VECS; v++) {
            value[v] = vec_load(x + v * VEC_LANES);
            largest = vec_max(vec_abs(value[v]), largest);
        }
        scale[b] = vec_largest(largest) / 127.0f;
        if (!(scale[b] > 0.0f)) {
            memset(q, 0, QB_Q8_BLOCK);
            memset(sum, 0, HALVES * sizeof *sum);
            continue;
        }
        Vec divisor = vec_set(scale[b]), total[HALVES] = {vec_zero(), vec_zero()};
        for (int v = 0; v < VECS; v++) {
            Vec rounded = vec_round_away(vec_div(value[v], divisor));
            rounded = vec_min(vec_max(rounded, vec_set(-127.0f)), vec_set(127.0f));
            vec_store_int8(q + v * VEC_LANES, rounded);
            total[v / (VECS / HALVES)] = vec_add(total[v / (VECS / HALVES)], rounded);
        }
        for (int half = 0; half < HALVES; half++) /* whole numbers: exact in any order */
            sum[half] = (int16_t)vec_sum(total[half]);
    }
}

#endif
