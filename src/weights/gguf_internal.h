/* gguf_internal.h: what an open GGUF file is made of; filled and checked by gguf_read.c, asked by
 * gguf_index.c (names) and gguf_values.c (values). Nothing outside this folder includes it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_GGUF_INTERNAL_H
#define QB_WEIGHTS_GGUF_INTERNAL_H

#include "base/file.h"
#include "weights/gguf_read.h"

/* Value types, numbered as in the file. */
typedef enum GgufKind {
    GGUF_U8 = 0,
    GGUF_I8 = 1,
    GGUF_U16 = 2,
    GGUF_I16 = 3,
    GGUF_U32 = 4,
    GGUF_I32 = 5,
    GGUF_F32 = 6,
    GGUF_BOOL = 7,
    GGUF_STRING = 8,
    GGUF_ARRAY = 9,
    GGUF_U64 = 10,
    GGUF_I64 = 11,
    GGUF_F64 = 12,
    GGUF_KIND_COUNT = 13
} GgufKind;

typedef struct GgufKey {
    char *name; /* owned, NUL-terminated; first member: sorting and searching by name rely on it */
    GgufKind kind;
    GgufKind element;      /* of an array; else the same as kind */
    const uint8_t *values; /* first element, unaligned, in the file; of a string its first byte */
    size_t count;          /* elements of an array; bytes of a string; else 1 */
    char *text;            /* a single string: owned copy, NUL-terminated */
    size_t *offsets;       /* string arrays: where each string's length stands in the file; owned */
} GgufKey;

typedef struct GgufTensorEntry {
    QbGgufTensor tensor; /* .name is owned; first member as above */
    uint64_t offset;     /* from the start of the data section */
} GgufTensorEntry;

struct QbGguf {
    char *name; /* owned */
    QbFileMap file;
    size_t alignment;
    GgufKey *keys;
    size_t n_keys, keys_capacity;
    GgufTensorEntry *tensors;
    size_t n_tensors, tensors_capacity;
    void **keys_by_name;    /* [n_keys] GgufKey *, sorted */
    void **tensors_by_name; /* [n_tensors] GgufTensorEntry *, sorted */
};

/* "u32", "string", …; bytes of one value, 0 for strings and arrays. kind < GGUF_KIND_COUNT. */
const char *qb_gguf_kind_name(GgufKind kind);
size_t qb_gguf_kind_bytes(GgufKind kind);

/* Pointers to the n elements of table, for sorting. *out: owned. */
QbStatus qb_gguf_list_elements(void ***out, void *table, size_t n, size_t element_bytes);

/* Sorts such a list by the names that its elements begin with; a name that is there twice is an
 * error. what: "key" or "tensor". */
QbStatus qb_gguf_sort_names(void **list, size_t n, const char *file, const char *what);

/* NULL if absent. */
const GgufKey *qb_gguf_find_key(const QbGguf *gguf, const char *name);

/* The little-endian number of n bytes (1 ... 8) at data. */
static inline uint64_t gguf_load(const uint8_t *data, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)data[i] << (8 * i);
    return value;
}

#endif
