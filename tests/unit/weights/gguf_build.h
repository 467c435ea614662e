/* gguf_build.h: builds GGUF files in memory for tests: well-formed ones in a few lines, and damaged
 * ones through the counts and raw bytes below. Header-only; memory is malloc's, so that building
 * does not count in tests that make the library's allocations fail. It trusts its caller.
 *
 *     GgufBuild b;
 *     gguf_build_init(&b);
 *     gguf_build_string(&b, "general.architecture", "llama");
 *     gguf_build_u32(&b, "llama.block_count", 2);
 *     gguf_build_strings(&b, "tokenizer.ggml.tokens", tokens, 3);
 *     gguf_build_f32s(&b, "tokenizer.ggml.scores", scores, 3);
 *     gguf_build_tensor(&b, "output.weight", QB_TYPE_F32, 2, (int64_t[]){64, 3}, values);
 *     size_t size;
 *     uint8_t *bytes = gguf_build_finish(&b, &size);     64-byte aligned, the caller's: free(bytes)
 *     qb_gguf_open_memory(&gguf, bytes, size, "test");
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_GGUF_BUILD_H
#define QB_TESTS_GGUF_BUILD_H

#include "weights/gguf_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Value types, numbered as in the file. */
enum {
    GGUF_BUILD_U8 = 0,
    GGUF_BUILD_I8,
    GGUF_BUILD_U16,
    GGUF_BUILD_I16,
    GGUF_BUILD_U32,
    GGUF_BUILD_I32,
    GGUF_BUILD_F32,
    GGUF_BUILD_BOOL,
    GGUF_BUILD_STRING,
    GGUF_BUILD_ARRAY,
    GGUF_BUILD_U64,
    GGUF_BUILD_I64,
    GGUF_BUILD_F64
};

typedef struct GgufBytes {
    uint8_t *data;
    size_t size, capacity;
} GgufBytes;

/* Fields may be changed before gguf_build_finish, to lie in the header. */
typedef struct GgufBuild {
    uint32_t version;            /* 3 */
    uint64_t n_keys, n_tensors;  /* counted up by the functions below */
    size_t alignment;            /* 32; a key general.alignment is the caller's to write */
    GgufBytes keys, infos, data; /* the three parts of the file; raw bytes may be added */
} GgufBuild;

/* ---- raw bytes ------------------------------------------------------------------------------- */

static inline void gguf_bytes_add(GgufBytes *bytes, const void *data, size_t n)
{
    if (bytes->size + n > bytes->capacity) {
        bytes->capacity = (bytes->size + n) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (!bytes->data)
            abort();
    }
    if (n)
        memcpy(bytes->data + bytes->size, data, n);
    bytes->size += n;
}

static inline void gguf_bytes_add_number(GgufBytes *bytes, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = i < 8 ? (uint8_t)(value >> (8 * i)) : 0;
        gguf_bytes_add(bytes, &byte, 1);
    }
}

/* u64 length, then the bytes. */
static inline void gguf_bytes_add_string(GgufBytes *bytes, const char *text, size_t length)
{
    gguf_bytes_add_number(bytes, length, 8);
    gguf_bytes_add(bytes, text, length);
}

static inline void gguf_bytes_pad(GgufBytes *bytes, size_t alignment)
{
    while (alignment && bytes->size % alignment)
        gguf_bytes_add_number(bytes, 0, 1);
}

static inline void gguf_build_init(GgufBuild *b)
{
    *b = (GgufBuild){.version = 3, .alignment = 32};
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* The head of any key; the value's bytes must follow in b->keys. */
static inline void gguf_build_key(GgufBuild *b, const char *key, uint32_t type)
{
    gguf_bytes_add_string(&b->keys, key, strlen(key));
    gguf_bytes_add_number(&b->keys, type, 4);
    b->n_keys++;
}

/* A number of n_bytes bytes, two's complement when negative. */
static inline void gguf_build_number(GgufBuild *b, const char *key, uint32_t type, uint64_t value,
                                     size_t n_bytes)
{
    gguf_build_key(b, key, type);
    gguf_bytes_add_number(&b->keys, value, n_bytes);
}

static inline void gguf_build_u32(GgufBuild *b, const char *key, uint32_t value)
{
    gguf_build_number(b, key, GGUF_BUILD_U32, value, 4);
}

static inline void gguf_build_u64(GgufBuild *b, const char *key, uint64_t value)
{
    gguf_build_number(b, key, GGUF_BUILD_U64, value, 8);
}

static inline void gguf_build_i32(GgufBuild *b, const char *key, int32_t value)
{
    gguf_build_number(b, key, GGUF_BUILD_I32, (uint32_t)value, 4);
}

static inline void gguf_build_bool(GgufBuild *b, const char *key, bool value)
{
    gguf_build_number(b, key, GGUF_BUILD_BOOL, value, 1);
}

static inline void gguf_build_f32(GgufBuild *b, const char *key, float value)
{
    gguf_build_key(b, key, GGUF_BUILD_F32);
    gguf_bytes_add(&b->keys, &value, sizeof value);
}

static inline void gguf_build_f64(GgufBuild *b, const char *key, double value)
{
    gguf_build_key(b, key, GGUF_BUILD_F64);
    gguf_bytes_add(&b->keys, &value, sizeof value);
}

static inline void gguf_build_string(GgufBuild *b, const char *key, const char *text)
{
    gguf_build_key(b, key, GGUF_BUILD_STRING);
    gguf_bytes_add_string(&b->keys, text, strlen(text));
}

/* The head of an array; n values must follow in b->keys. */
static inline void gguf_build_array(GgufBuild *b, const char *key, uint32_t element_type,
                                    uint64_t n)
{
    gguf_build_key(b, key, GGUF_BUILD_ARRAY);
    gguf_bytes_add_number(&b->keys, element_type, 4);
    gguf_bytes_add_number(&b->keys, n, 8);
}

static inline void gguf_build_strings(GgufBuild *b, const char *key, const char *const *texts,
                                      size_t n)
{
    gguf_build_array(b, key, GGUF_BUILD_STRING, n);
    for (size_t i = 0; i < n; i++)
        gguf_bytes_add_string(&b->keys, texts[i], strlen(texts[i]));
}

static inline void gguf_build_f32s(GgufBuild *b, const char *key, const float *values, size_t n)
{
    gguf_build_array(b, key, GGUF_BUILD_F32, n);
    gguf_bytes_add(&b->keys, values, n * sizeof *values);
}

static inline void gguf_build_i32s(GgufBuild *b, const char *key, const int32_t *values, size_t n)
{
    gguf_build_array(b, key, GGUF_BUILD_I32, n);
    gguf_bytes_add(&b->keys, values, n * sizeof *values);
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* An info with any type and offset; nothing is added to the data. */
static inline void gguf_build_tensor_info(GgufBuild *b, const char *name, uint32_t type,
                                          uint32_t n_dims, const int64_t *ne, uint64_t offset)
{
    gguf_bytes_add_string(&b->infos, name, strlen(name));
    gguf_bytes_add_number(&b->infos, n_dims, 4);
    for (uint32_t i = 0; i < n_dims; i++)
        gguf_bytes_add_number(&b->infos, (uint64_t)ne[i], 8);
    gguf_bytes_add_number(&b->infos, type, 4);
    gguf_bytes_add_number(&b->infos, offset, 8);
    b->n_tensors++;
}

/* Bytes of a tensor of a known type. */
static inline size_t gguf_build_tensor_bytes(QbType type, int n_dims, const int64_t *ne)
{
    size_t bytes = (size_t)qb_type_block_bytes(type);
    for (int i = 0; i < n_dims; i++)
        bytes *= (size_t)ne[i];
    return bytes / (size_t)qb_type_block_values(type);
}

/* ne[0] varies fastest. data: the elements as the type stores them, or NULL for zeros. */
static inline void gguf_build_tensor(GgufBuild *b, const char *name, QbType type, int n_dims,
                                     const int64_t *ne, const void *data)
{
    size_t bytes = gguf_build_tensor_bytes(type, n_dims, ne);
    gguf_bytes_pad(&b->data, b->alignment);
    gguf_build_tensor_info(b, name, (uint32_t)type, (uint32_t)n_dims, ne, b->data.size);
    if (data)
        gguf_bytes_add(&b->data, data, bytes);
    for (size_t i = 0; !data && i < bytes; i++)
        gguf_bytes_add_number(&b->data, 0, 1);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* The whole file, 64-byte aligned, owned by the caller: free(). The builder is empty afterwards. */
static inline uint8_t *gguf_build_finish(GgufBuild *b, size_t *out_size)
{
    GgufBytes file = {0};
    gguf_bytes_add(&file, "GGUF", 4);
    gguf_bytes_add_number(&file, b->version, 4);
    gguf_bytes_add_number(&file, b->n_tensors, 8);
    gguf_bytes_add_number(&file, b->n_keys, 8);
    gguf_bytes_add(&file, b->keys.data, b->keys.size);
    gguf_bytes_add(&file, b->infos.data, b->infos.size);
    if (b->n_tensors)
        gguf_bytes_pad(&file, b->alignment);
    gguf_bytes_add(&file, b->data.data, b->data.size);
    free(b->keys.data);
    free(b->infos.data);
    free(b->data.data);
    gguf_build_init(b);
    uint8_t *aligned = aligned_alloc(64, (file.size + 63) / 64 * 64);
    if (!aligned)
        abort();
    memcpy(aligned, file.data, file.size);
    free(file.data);
    *out_size = file.size;
    return aligned;
}

/* The same into a file; 0 when it could be written. */
static inline int gguf_build_write(GgufBuild *b, const char *path)
{
    size_t size;
    uint8_t *bytes = gguf_build_finish(b, &size);
    FILE *file = fopen(path, "wb");
    int failed = !file || fwrite(bytes, 1, size, file) != size;
    if (file && fclose(file))
        failed = 1;
    free(bytes);
    return failed;
}

#endif
