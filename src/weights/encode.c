/* encode.c: see encode.h. One row a type in the table at the end.
 *
 * Where a block has free scales, they come from a search (encode_search.h). Everything is plain f32
 * in one order, so a value gives the same bytes everywhere. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/encode.h"

#include "kernels/blocks.h"
#include "kernels/scalar.h"
#include "weights/encode_search.h"

#define HALF_MAX 65504.0f

enum { SUB_BLOCKS = 8, Q6_GROUP = 16, Q6_GROUPS = 16 };

static float largest_magnitude(const float *x, int n)
{
    float largest = 0.0f;
    for (int i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    return largest;
}

static void write_16(uint8_t *p, uint16_t value)
{
    memcpy(p, &value, sizeof value);
}

/* ---- 16 bits ----------------------------------------------------------------------------------
 */

/* Nearest, ties to even; |x| <= HALF_MAX. */
static uint16_t half_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u;
    bits &= 0x7fffffffu;
    if (bits < 0x38800000u) { /* below 2^-14: a multiple of 2^-24 */
        float moved = fabsf(x) * 0x1p24f + 0x1p23f;
        memcpy(&bits, &moved, sizeof bits);
        return (uint16_t)(sign | (bits & 0x7ffu));
    }
    bits += 0xfffu + (bits >> 13 & 1u);
    return (uint16_t)(sign | ((bits >> 13) - ((127u - 15u) << 10)));
}

/* The half nearest to scale, or, where that is subnormal and rounded so far down that largest would
 * not be within steps of it, the next one. */
static uint16_t reaching_half(float scale, float largest, float steps)
{
    uint16_t half = half_from_float(scale);
    return (uint16_t)(half + (largest > (steps + 0.5f) * fabsf(qb_float_from_half(half))));
}

static bool encode_f16(uint8_t *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabsf(x[i]) <= HALF_MAX))
            return false;
        write_16(out + 2 * i, half_from_float(x[i]));
    }
    return true;
}

static void decode_f16(float *y, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = qb_float_from_half(qb_read_16(in + 2 * i));
}

static bool encode_bf16(uint8_t *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits += 0x7fffu + (bits >> 16 & 1u);
        if ((bits & 0x7f800000u) == 0x7f800000u)
            return false;
        write_16(out + 2 * i, (uint16_t)(bits >> 16));
    }
    return true;
}

static void decode_bf16(float *y, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = qb_float_from_bfloat(qb_read_16(in + 2 * i));
}

static bool encode_f32(uint8_t *out, const float *x, size_t n)
{
    memcpy(out, x, n * sizeof *x);
    return true;
}

static void decode_f32(float *y, const uint8_t *in, size_t n)
{
    memcpy(y, in, n * sizeof *y);
}

/* ---- q8_0 -------------------------------------------------------------------------------------
 */

static bool encode_q8_0_block(uint8_t *block, const float *x)
{
    float largest = largest_magnitude(x, SMALL_BLOCK), scale = largest / 127.0f;
    if (!(scale <= HALF_MAX))
        return false;
    uint16_t half = reaching_half(scale, largest, 127.0f);
    scale = qb_float_from_half(half);
    write_16(block, half);
    for (int i = 0; i < SMALL_BLOCK; i++) {
        float q = scale > 0.0f ? whole(x[i] / scale) : 0.0f;
        block[QB_GGUF_Q8_VALUES_AT + i] = (uint8_t)(int8_t)clamp(q, -127.0f, 127.0f);
    }
    return true;
}

static void decode_q8_0_block(float *y, const uint8_t *block)
{
    float scale = qb_float_from_half(qb_read_16(block));
    for (int i = 0; i < SMALL_BLOCK; i++)
        y[i] = scale * (float)(int8_t)block[QB_GGUF_Q8_VALUES_AT + i];
}

/* ---- q4_0 -------------------------------------------------------------------------------------
 */

static bool encode_q4_0_block(uint8_t *block, const float *x)
{
    static const float equal[SMALL_BLOCK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                             1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    if (!(largest_magnitude(x, SMALL_BLOCK) <= 7.0f * HALF_MAX))
        return false;
    uint16_t half = half_from_float(qb_encode_search_scale(x, equal, SMALL_BLOCK, 8.0f));
    float scale = qb_float_from_half(half);
    uint8_t q[SMALL_BLOCK];
    for (int i = 0; i < SMALL_BLOCK; i++)
        q[i] = (uint8_t)(scale != 0.0f ? clamp(whole(x[i] / scale), -8.0f, 7.0f) + 8.0f : 8.0f);
    write_16(block, half);
    for (int i = 0; i < SMALL_BLOCK / 2; i++)
        block[QB_GGUF_Q4_VALUES_AT + i] = (uint8_t)(q[i] | q[i + 16] << 4);
    return true;
}

static void decode_q4_0_block(float *y, const uint8_t *block)
{
    float scale = qb_float_from_half(qb_read_16(block));
    uint8_t q[SMALL_BLOCK];
    qb_q4_0_values(q, block);
    for (int i = 0; i < SMALL_BLOCK; i++)
        y[i] = scale * (float)(q[i] - 8);
}

/* ---- q4_k and q5_k ----------------------------------------------------------------------------
 */

/* Eight numbers >= 0 as half * 0 … 63 each. */
static float encode_sixes(uint8_t out[SUB_BLOCKS], uint8_t *half_out, const float *value)
{
    float largest = largest_magnitude(value, SUB_BLOCKS);
    uint16_t half = reaching_half(largest / 63.0f, largest, 63.0f);
    float unit = qb_float_from_half(half);
    write_16(half_out, half);
    for (int j = 0; j < SUB_BLOCKS; j++)
        out[j] = (uint8_t)(unit > 0.0f ? clamp(whole(value[j] / unit), 0.0f, 63.0f) : 0.0f);
    return unit;
}

/* Head of the block (d, dmin, scales) and the whole numbers 0 … steps. */
static bool encode_affine(uint8_t *block, uint8_t q[QB_K_BLOCK], const float *x, float steps,
                          float first_trial)
{
    float scale[SUB_BLOCKS], min[SUB_BLOCKS];
    uint8_t scale_six[SUB_BLOCKS], min_six[SUB_BLOCKS];
    if (!(largest_magnitude(x, QB_K_BLOCK) <= 15.0f * 63.0f * HALF_MAX))
        return false;
    for (int j = 0; j < SUB_BLOCKS; j++) {
        QbAffine a = qb_encode_search_affine(x + j * SMALL_BLOCK, steps, first_trial);
        if (!(a.scale <= 63.0f * HALF_MAX && a.min <= 63.0f * HALF_MAX))
            return false;
        scale[j] = a.scale;
        min[j] = a.min;
    }
    float d = encode_sixes(scale_six, block, scale);
    float dmin = encode_sixes(min_six, block + QB_GGUF_K_MIN_AT, min);
    uint8_t *s = block + QB_GGUF_K_SCALES_AT;
    for (int j = 0; j < 4; j++) {
        s[j] = (uint8_t)(scale_six[j] | (scale_six[j + 4] >> 4) << 6);
        s[j + 4] = (uint8_t)(min_six[j] | (min_six[j + 4] >> 4) << 6);
        s[j + 8] = (uint8_t)((scale_six[j + 4] & 15) | (min_six[j + 4] & 15) << 4);
    }
    for (int i = 0; i < QB_K_BLOCK; i++) {
        float unit = d * (float)scale_six[i / SMALL_BLOCK];
        float moved = x[i] + dmin * (float)min_six[i / SMALL_BLOCK];
        q[i] = (uint8_t)(unit > 0.0f ? clamp(whole(clamp(moved / unit, -1.0f, 99.0f)), 0.0f, steps)
                                     : 0.0f);
    }
    return true;
}

static bool encode_q4_k_block(uint8_t *block, const float *x)
{
    uint8_t q[QB_K_BLOCK];
    if (!encode_affine(block, q, x, 15.0f, -1.0f))
        return false;
    for (int i = 0; i < QB_K_BLOCK / 2; i++) {
        const uint8_t *low = q + i / 32 * 64 + i % 32;
        block[QB_GGUF_Q4_K_VALUES_AT + i] = (uint8_t)(low[0] | low[32] << 4);
    }
    return true;
}

static bool encode_q5_k_block(uint8_t *block, const float *x)
{
    uint8_t q[QB_K_BLOCK];
    if (!encode_affine(block, q, x, 31.0f, -0.5f))
        return false;
    for (int i = 0; i < QB_K_BLOCK / 2; i++) {
        const uint8_t *low = q + i / 32 * 64 + i % 32;
        block[QB_GGUF_Q5_K_VALUES_AT + i] = (uint8_t)((low[0] & 15) | (low[32] & 15) << 4);
    }
    uint8_t *high = block + QB_GGUF_Q5_K_HIGH_AT;
    memset(high, 0, 32);
    for (int i = 0; i < QB_K_BLOCK; i++)
        high[i % 32] = (uint8_t)(high[i % 32] | (q[i] >> 4) << i / 32);
    return true;
}

static void decode_affine(float *y, const uint8_t *block, const uint8_t q[QB_K_BLOCK])
{
    float d = qb_float_from_half(qb_read_16(block));
    float dmin = qb_float_from_half(qb_read_16(block + QB_GGUF_K_MIN_AT));
    uint8_t scale[SUB_BLOCKS], min[SUB_BLOCKS];
    qb_k_scales(scale, min, block);
    for (int i = 0; i < QB_K_BLOCK; i++) {
        int j = i / SMALL_BLOCK;
        y[i] = d * (float)scale[j] * (float)q[i] - dmin * (float)min[j];
    }
}

static void decode_q4_k_block(float *y, const uint8_t *block)
{
    uint8_t q[QB_K_BLOCK];
    qb_q4_k_values(q, block);
    decode_affine(y, block, q);
}

static void decode_q5_k_block(float *y, const uint8_t *block)
{
    uint8_t q[QB_K_BLOCK];
    qb_q5_k_values(q, block);
    decode_affine(y, block, q);
}

/* ---- q6_k -------------------------------------------------------------------------------------
 */

static float q6_group_scale(const float *x)
{
    float weight[Q6_GROUP], largest = largest_magnitude(x, Q6_GROUP);
    float inverse =
        largest < QB_ENCODE_TINY ? 0.0f : 1.0f / largest; /* or squares of small values are 0 */
    for (int i = 0; i < Q6_GROUP; i++)
        weight[i] = x[i] * inverse * (x[i] * inverse);
    return qb_encode_search_scale(x, weight, Q6_GROUP, 32.0f);
}

static bool encode_q6_k_block(uint8_t *block, const float *x)
{
    float scale[Q6_GROUPS], extreme = 0.0f;
    uint8_t q[QB_K_BLOCK];
    if (!(largest_magnitude(x, QB_K_BLOCK) <= 31.0f * 127.0f * HALF_MAX))
        return false;
    for (int g = 0; g < Q6_GROUPS; g++) {
        scale[g] = q6_group_scale(x + g * Q6_GROUP);
        extreme = fabsf(scale[g]) > fabsf(extreme) ? scale[g] : extreme;
    }
    if (!(fabsf(extreme) <= 127.0f * HALF_MAX))
        return false;
    uint16_t half = reaching_half(extreme / -128.0f, fabsf(extreme), 128.0f);
    float d = qb_float_from_half(half);
    write_16(block + QB_GGUF_Q6_K_D_AT, half);
    for (int g = 0; g < Q6_GROUPS; g++) {
        float byte = d != 0.0f ? clamp(whole(scale[g] / d), -128.0f, 127.0f) : 0.0f;
        float unit = d * byte;
        block[QB_GGUF_Q6_K_SCALES_AT + g] = (uint8_t)(int8_t)byte;
        for (int i = g * Q6_GROUP; i < (g + 1) * Q6_GROUP; i++) {
            float value = unit != 0.0f ? clamp(x[i] / unit, -99.0f, 99.0f) : 0.0f;
            q[i] = (uint8_t)(clamp(whole(value), -32.0f, 31.0f) + 32.0f);
        }
    }
    memset(block, 0, QB_GGUF_Q6_K_SCALES_AT);
    for (int i = 0; i < QB_K_BLOCK; i++) {
        int half_at = i / 128, quarter = i / 32 % 4, l = i % 32;
        uint8_t *low = block + half_at * 64 + quarter % 2 * 32 + l;
        uint8_t *high = block + QB_GGUF_Q6_K_HIGH_AT + half_at * 32 + l;
        *low = (uint8_t)(*low | (q[i] & 15) << quarter / 2 * 4);
        *high = (uint8_t)(*high | (q[i] >> 4) << quarter * 2);
    }
    return true;
}

static void decode_q6_k_block(float *y, const uint8_t *block)
{
    float d = qb_float_from_half(qb_read_16(block + QB_GGUF_Q6_K_D_AT));
    uint8_t q[QB_K_BLOCK];
    qb_q6_k_values(q, block);
    for (int i = 0; i < QB_K_BLOCK; i++) {
        int8_t scale = (int8_t)block[QB_GGUF_Q6_K_SCALES_AT + i / Q6_GROUP];
        y[i] = d * (float)scale * (float)(q[i] - 32);
    }
}

/* ---- the table --------------------------------------------------------------------------------
 */

typedef struct Coder {
    QbType type;
    bool (*encode)(uint8_t *out, const float *x, size_t n); /* types without blocks */
    void (*decode)(float *y, const uint8_t *in, size_t n);
    bool (*encode_block)(uint8_t *block, const float *x);
    void (*decode_block)(float *y, const uint8_t *block);
} Coder;

static const Coder coders[] = {
    {.type = QB_TYPE_F32, .encode = encode_f32, .decode = decode_f32},
    {.type = QB_TYPE_F16, .encode = encode_f16, .decode = decode_f16},
    {.type = QB_TYPE_BF16, .encode = encode_bf16, .decode = decode_bf16},
    {.type = QB_TYPE_Q8_0, .encode_block = encode_q8_0_block, .decode_block = decode_q8_0_block},
    {.type = QB_TYPE_Q4_0, .encode_block = encode_q4_0_block, .decode_block = decode_q4_0_block},
    {.type = QB_TYPE_Q4_K, .encode_block = encode_q4_k_block, .decode_block = decode_q4_k_block},
    {.type = QB_TYPE_Q5_K, .encode_block = encode_q5_k_block, .decode_block = decode_q5_k_block},
    {.type = QB_TYPE_Q6_K, .encode_block = encode_q6_k_block, .decode_block = decode_q6_k_block},
};

static const Coder *find_coder(QbType type)
{
    for (size_t i = 0; i < sizeof coders / sizeof *coders; i++)
        if (coders[i].type == type)
            return &coders[i];
    return NULL;
}

bool qb_type_encode(void *blocks, QbType type, const float *x, size_t n)
{
    const Coder *coder = find_coder(type);
    size_t values = (size_t)qb_type_block_values(type), bytes = (size_t)qb_type_block_bytes(type);
    if (!coder)
        return false;
    if (coder->encode)
        return coder->encode(blocks, x, n);
    uint8_t *block = blocks;
    for (size_t i = 0; i < n; i += values, block += bytes)
        if (!coder->encode_block(block, x + i))
            return false;
    return true;
}

void qb_type_decode(float *y, QbType type, const void *blocks, size_t n)
{
    const Coder *coder = find_coder(type);
    size_t values = (size_t)qb_type_block_values(type), bytes = (size_t)qb_type_block_bytes(type);
    if (coder->decode) {
        coder->decode(y, blocks, n);
        return;
    }
    const uint8_t *block = blocks;
    for (size_t i = 0; i < n; i += values, block += bytes)
        coder->decode_block(y + i, block);
}
