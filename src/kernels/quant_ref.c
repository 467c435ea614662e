/* quant_ref.c: the definition of activation quantisation and of reading 16-bit and Q8_0 weights. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"
#include "kernels/scalar.h"

/* Of subnormal inputs the scale is 0 (the block becomes zeros) or so coarse that x / scale passes
 * 127 (clamped). */
static void quantize_q8_ref(int8_t *q, float *scale, int16_t *sum, const float *x, int k)
{
    for (int b = 0; b < k / QB_Q8_BLOCK; b++, q += QB_Q8_BLOCK, x += QB_Q8_BLOCK) {
        float largest = 0.0f;
        for (int i = 0; i < QB_Q8_BLOCK; i++)
            largest = fmaxf(largest, fabsf(x[i]));
        scale[b] = largest / 127.0f;
        for (int i = 0; i < QB_Q8_BLOCK; i++) {
            float value = scale[b] > 0.0f ? roundf(x[i] / scale[b]) : 0.0f;
            q[i] = (int8_t)fminf(fmaxf(value, -127.0f), 127.0f);
        }
        for (int half = 0; half < QB_Q8_BLOCK / QB_Q8_SUM; half++, sum++) {
            *sum = 0;
            for (int i = 0; i < QB_Q8_SUM; i++)
                *sum = (int16_t)(*sum + q[half * QB_Q8_SUM + i]);
        }
    }
}

static void f32_from_f16_ref(float *y, const void *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, (const char *)x + i * sizeof half, sizeof half);
        y[i] = qb_float_from_half(half);
    }
}

static void f32_from_bf16_ref(float *y, const void *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t bfloat;
        memcpy(&bfloat, (const char *)x + i * sizeof bfloat, sizeof bfloat);
        y[i] = qb_float_from_bfloat(bfloat);
    }
}

static void f32_from_q8_0_ref(float *y, const void *x, size_t n)
{
    const char *block = x;
    for (size_t i = 0; i < n; i += QB_Q8_BLOCK, block += QB_GGUF_Q8_BYTES) {
        uint16_t half;
        memcpy(&half, block, sizeof half);
        float scale = qb_float_from_half(half);
        const int8_t *q = (const int8_t *)block + QB_GGUF_Q8_VALUES_AT;
        for (int j = 0; j < QB_Q8_BLOCK; j++)
            y[i + (size_t)j] = (float)q[j] * scale;
    }
}

void qb_quant_init_ref(QbKernels *k)
{
    k->quantize_q8 = quantize_q8_ref;
    k->f32_from_f16 = f32_from_f16_ref;
    k->f32_from_bf16 = f32_from_bf16_ref;
    k->f32_from_q8_0 = f32_from_q8_0_ref;
}
