/* blocks.h: GGUF's blocks of 4, 5 and 6 bits taken apart into whole numbers, in the order of the
 * row. Shared by the packer and by weights/encode.c, which says what the numbers mean. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_BLOCKS_H
#define QB_KERNELS_BLOCKS_H

#include <stdint.h>
#include <string.h>

enum {
    QB_K_BLOCK = 256, /* values of a block of the K types: 8 sub-blocks of 32, in q6_k 16 of 16 */
    QB_GGUF_Q4_BYTES = 18,
    QB_GGUF_Q4_VALUES_AT = 2, /* behind d */
    QB_GGUF_Q4_K_BYTES = 144,
    QB_GGUF_Q5_K_BYTES = 176,
    QB_GGUF_K_MIN_AT = 2, /* q4_k, q5_k: d, dmin, scales, (the fifth bits,) the low four */
    QB_GGUF_K_SCALES_AT = 4,
    QB_GGUF_Q4_K_VALUES_AT = 16,
    QB_GGUF_Q5_K_HIGH_AT = 16,
    QB_GGUF_Q5_K_VALUES_AT = 48,
    QB_GGUF_Q6_K_BYTES = 210,
    QB_GGUF_Q6_K_HIGH_AT = 128,
    QB_GGUF_Q6_K_SCALES_AT = 192,
    QB_GGUF_Q6_K_D_AT = 208
};

static inline uint16_t qb_read_16(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

/* 0 … 15; the value is d * (q - 8). Here and below loops are what a compiler makes vectors of. */
static inline void qb_q4_0_values(uint8_t *restrict q, const uint8_t *restrict block)
{
    for (int i = 0; i < 16; i++) {
        q[i] = block[QB_GGUF_Q4_VALUES_AT + i] & 15;
        q[16 + i] = block[QB_GGUF_Q4_VALUES_AT + i] >> 4;
    }
}

/* 0 … 63 each, of q4_k and q5_k. */
static inline void qb_k_scales(uint8_t scale[8], uint8_t min[8], const uint8_t *block)
{
    const uint8_t *s = block + QB_GGUF_K_SCALES_AT;
    for (int j = 0; j < 4; j++) {
        scale[j] = s[j] & 63;
        min[j] = s[j + 4] & 63;
        scale[j + 4] = (uint8_t)((s[j + 8] & 15) | (s[j] >> 6) << 4);
        min[j + 4] = (uint8_t)((s[j + 8] >> 4) | (s[j + 4] >> 6) << 4);
    }
}

/* q[256], 0 … 15; the value is d * scale * q - dmin * min. */
static inline void qb_q4_k_values(uint8_t *restrict q, const uint8_t *restrict block)
{
    const uint8_t *low = block + QB_GGUF_Q4_K_VALUES_AT;
    for (int g = 0; g < 4; g++, q += 64, low += 32)
        for (int l = 0; l < 32; l++) {
            q[l] = low[l] & 15;
            q[l + 32] = low[l] >> 4;
        }
}

/* q[256], 0 … 31; the value is d * scale * q - dmin * min. */
static inline void qb_q5_k_values(uint8_t *restrict q, const uint8_t *restrict block)
{
    const uint8_t *low = block + QB_GGUF_Q5_K_VALUES_AT, *high = block + QB_GGUF_Q5_K_HIGH_AT;
    for (int g = 0; g < 4; g++, q += 64, low += 32)
        for (int l = 0; l < 32; l++) {
            q[l] = (uint8_t)((low[l] & 15) | (high[l] >> 2 * g & 1) << 4);
            q[l + 32] = (uint8_t)(low[l] >> 4 | (high[l] >> (2 * g + 1) & 1) << 4);
        }
}

/* q[256], 0 … 63; the value is d * scale[i / 16] * (q[i] - 32), the scales being signed bytes. */
static inline void qb_q6_k_values(uint8_t *restrict q, const uint8_t *restrict block)
{
    const uint8_t *low = block, *high = block + QB_GGUF_Q6_K_HIGH_AT;
    for (int half = 0; half < 2; half++, q += 128, low += 64, high += 32)
        for (int l = 0; l < 32; l++) {
            q[l] = (uint8_t)((low[l] & 15) | (high[l] & 3) << 4);
            q[l + 32] = (uint8_t)((low[l + 32] & 15) | (high[l] >> 2 & 3) << 4);
            q[l + 64] = (uint8_t)(low[l] >> 4 | (high[l] >> 4 & 3) << 4);
            q[l + 96] = (uint8_t)(low[l + 32] >> 4 | high[l] >> 6 << 4);
        }
}

#endif
