/* gguf_convert.h: a GGUF file with its matrices in another type, for tests. The values must be the
 * same numbers in both (tools/reference/llava.py makes such files), so nothing is rounded: what
 * does not fit aborts. Memory is malloc's, as in gguf_build.h. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_GGUF_CONVERT_H
#define QB_TESTS_GGUF_CONVERT_H

#include "tests/unit/weights/gguf_build.h"

#include <math.h>

static inline void gguf_convert_need(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "gguf_convert: %s\n", what);
    abort();
}

static inline uint16_t gguf_half_of(float value)
{
    int exponent;
    double mantissa = frexp(fabs((double)value), &exponent); /* 0.5 … 1 */
    if (value == 0)
        return 0;
    double scaled = ldexp(mantissa, 11); /* 1024 … 2047: ten bits behind the leading one */
    gguf_convert_need(scaled == floor(scaled) && exponent > -14 && exponent <= 16, "not a half");
    return (uint16_t)((value < 0) << 15 | (exponent + 14) << 10 | ((int)scaled - 1024));
}

static inline uint16_t gguf_bfloat_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    gguf_convert_need((bits & 0xffff) == 0, "not a bfloat");
    return (uint16_t)(bits >> 16);
}

/* 32 values into 34 bytes. */
static inline void gguf_q8_block_of(uint8_t *block, const float *x)
{
    float largest = 0;
    for (int i = 0; i < 32; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    float scale = largest / 127.0f;
    uint16_t half = gguf_half_of(scale);
    memcpy(block, &half, 2);
    for (int i = 0; i < 32; i++) {
        float q = scale > 0 ? x[i] / scale : 0;
        gguf_convert_need(q == floorf(q) && fabsf(q) <= 127 && q * scale == x[i],
                          "not a q8_0 block");
        block[2 + i] = (uint8_t)(int8_t)q;
    }
}

static inline void gguf_convert_tensor(GgufBuild *b, const QbGgufTensor *t, QbType type)
{
    size_t n = t->size_bytes / sizeof(float);
    const float *x = t->data;
    if (t->n_dims != 2 || (type == QB_TYPE_Q8_0 && t->ne[0] % 32))
        type = QB_TYPE_F32;
    uint8_t *data = malloc(n * sizeof(float) + 64);
    gguf_convert_need(data != NULL && t->type == QB_TYPE_F32, "f32 is expected");
    memcpy(data, x, t->size_bytes);
    for (size_t i = 0; i < n && (type == QB_TYPE_F16 || type == QB_TYPE_BF16); i++) {
        uint16_t value = type == QB_TYPE_F16 ? gguf_half_of(x[i]) : gguf_bfloat_of(x[i]);
        memcpy(data + 2 * i, &value, 2);
    }
    for (size_t i = 0; i < n / 32 && type == QB_TYPE_Q8_0; i++)
        gguf_q8_block_of(data + 34 * i, x + 32 * i);
    gguf_build_tensor(b, t->name, type, t->n_dims, t->ne, data);
    free(data);
}

/* Begins a file with the keys of gguf. They are copied as bytes: they lie between the header and
 * the first tensor's name. */
static inline void gguf_convert_keys(GgufBuild *b, const QbGguf *gguf)
{
    enum { HEADER = 24 };
    size_t size, name_length = strlen(qb_gguf_tensor_at(gguf, 0)->name);
    const uint8_t *bytes = qb_gguf_bytes(gguf, &size);
    uint8_t first[256] = {(uint8_t)name_length};
    gguf_convert_need(name_length < 200, "short names are expected");
    memcpy(first + 8, qb_gguf_tensor_at(gguf, 0)->name, name_length);
    const uint8_t *end = memmem(bytes, size, first, 8 + name_length);
    gguf_convert_need(end != NULL, "no tensors");
    gguf_build_init(b);
    gguf_bytes_add(&b->keys, bytes + HEADER, (size_t)(end - bytes) - HEADER);
    memcpy(&b->n_keys, bytes + 16, 8);
}

/* What becomes of a tensor: adds it to b, in any type. */
typedef void GgufConvertTensor(GgufBuild *b, const QbGgufTensor *tensor, QbType type);

/* Writes gguf to path, its tensors through convert. 0 when it could be written. */
static inline int gguf_convert_with(const QbGguf *gguf, GgufConvertTensor *convert, QbType type,
                                    const char *path)
{
    GgufBuild b;
    gguf_convert_keys(&b, gguf);
    for (int i = 0; i < qb_gguf_tensor_count(gguf); i++)
        convert(&b, qb_gguf_tensor_at(gguf, i), type);
    return gguf_build_write(&b, path);
}

/* All two-dimensional tensors as type, where rows allow it. */
static inline int gguf_convert(const QbGguf *gguf, QbType type, const char *path)
{
    return gguf_convert_with(gguf, gguf_convert_tensor, type, path);
}

#endif
