/* gguf_read.h: GGUF v3 (and v2) files, read where they lie in memory. The file is hostile: every
 * count, string, offset, size and shape is checked against the file before it is used; after
 * qb_gguf_open succeeded every accessor is safe. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_GGUF_READ_H
#define QB_WEIGHTS_GGUF_READ_H

#include <qboost/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct QbGguf QbGguf;

/* Element types, numbered as in the file. */
typedef enum QbType {
    QB_TYPE_F32 = 0,
    QB_TYPE_F16 = 1,
    QB_TYPE_Q4_0 = 2,
    QB_TYPE_Q8_0 = 8,
    QB_TYPE_Q4_K = 12,
    QB_TYPE_Q5_K = 13,
    QB_TYPE_Q6_K = 14,
    QB_TYPE_BF16 = 30
} QbType;

/* "f32", "q8_0", …; "type 99" is not among them: NULL for types that are not known. */
const char *qb_type_name(QbType type);

/* Values a block, bytes a block; 0 for unknown types. */
int qb_type_block_values(QbType type);
int qb_type_block_bytes(QbType type);

enum { QB_TENSOR_MAX_DIMS = 4 };

typedef struct QbGgufTensor {
    const char *name; /* borrowed from the QbGguf, NUL-terminated */
    QbType type;
    int n_dims;
    int64_t ne[QB_TENSOR_MAX_DIMS]; /* ne[0] varies fastest; unused ones are 1 */
    const void *data;               /* inside the file, at a multiple of its alignment (32; never
                                       below 8) from its start */
    size_t size_bytes;
} QbGgufTensor;

/* From a file (mapped) or from memory that outlives the QbGguf and starts at a multiple of 64.
 * name: used in error texts. *out: owned by the caller. */
QbStatus qb_gguf_open(QbGguf **out, const char *path);
QbStatus qb_gguf_open_memory(QbGguf **out, const void *data, size_t size_bytes, const char *name);
void qb_gguf_close(QbGguf **gguf);

const char *qb_gguf_name(const QbGguf *gguf);                    /* path or the given name */
const void *qb_gguf_bytes(const QbGguf *gguf, size_t *out_size); /* the whole file */

/* data[size] inside the file has been read and will hardly be again: its memory is given back. It
 * stays readable. */
void qb_gguf_release(const QbGguf *gguf, const void *data, size_t size);

int qb_gguf_tensor_count(const QbGguf *gguf);
const QbGgufTensor *qb_gguf_tensor_at(const QbGguf *gguf, int index);
const QbGgufTensor *qb_gguf_find_tensor(const QbGguf *gguf, const char *name); /* NULL if absent */

int qb_gguf_key_count(const QbGguf *gguf);
const char *qb_gguf_key_at(const QbGguf *gguf, int index);
bool qb_gguf_has_key(const QbGguf *gguf, const char *key);

/* The value as text for people ("12", "true", "[1, 2, … 32000 strings]"); at most n - 1 bytes, no
 * control characters, never cut inside a UTF-8 character. */
void qb_gguf_value_text(char *out, size_t n, const QbGguf *gguf, int index);

/* Required values: QB_ERR_FORMAT names file and key when the key is absent, of another kind or out
 * of range. Integers of any width are accepted for u32 when the value fits, f32 and f64 for f32,
 * which must be finite. */
QbStatus qb_gguf_get_u32(uint32_t *out, const QbGguf *gguf, const char *key);
QbStatus qb_gguf_get_f32(float *out, const QbGguf *gguf, const char *key);
QbStatus qb_gguf_get_bool(bool *out, const QbGguf *gguf, const char *key);
/* *out: borrowed from gguf, NUL-terminated, valid UTF-8 is not promised; a string with a NUL inside
 * is an error. */
QbStatus qb_gguf_get_string(const char **out, const QbGguf *gguf, const char *key);

/* The same, but an absent key leaves *out as it was. */
QbStatus qb_gguf_get_u32_or(uint32_t *out, const QbGguf *gguf, const char *key);
QbStatus qb_gguf_get_f32_or(float *out, const QbGguf *gguf, const char *key);
QbStatus qb_gguf_get_bool_or(bool *out, const QbGguf *gguf, const char *key);
QbStatus qb_gguf_get_string_or(const char **out, const QbGguf *gguf, const char *key);

/* Arrays. The copies want exactly n elements (count first) under the rules of the single values. */
QbStatus qb_gguf_get_array_length(size_t *out, const QbGguf *gguf, const char *key);
QbStatus qb_gguf_copy_f32_array(float *out, size_t n, const QbGguf *gguf, const char *key);
QbStatus qb_gguf_copy_i32_array(int32_t *out, size_t n, const QbGguf *gguf, const char *key);
/* Element i of a string array; length in bytes; not NUL-terminated. O(1). */
QbStatus qb_gguf_get_string_at(const char **out, size_t *out_length, const QbGguf *gguf,
                               const char *key, size_t i);

#endif
