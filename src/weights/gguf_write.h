/* gguf_write.h: writes GGUF v3 from front to back: keys and tensor descriptions are collected, then
 * the data of every tensor streams through, so that no tensor has to be in memory as a whole. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_GGUF_WRITE_H
#define QB_WEIGHTS_GGUF_WRITE_H

#include "weights/gguf_read.h"

#include <stdio.h>

typedef struct QbGgufWriter QbGgufWriter;

typedef struct QbGgufText {
    const char *text; /* any bytes, not NUL-terminated */
    size_t length;
} QbGgufText;

/* stream: borrowed, written to at its current position (which must be the file's start).
 * name: of the file, for messages; copied. *out: owned by the caller. */
QbStatus qb_gguf_writer_new(QbGgufWriter **out, FILE *stream, const char *name);
void qb_gguf_writer_free(QbGgufWriter **writer);

/* Keys, written in the order of the calls. A failure (memory, a key given twice) is remembered and
 * comes back from qb_gguf_writer_begin. */
void qb_gguf_put_u32(QbGgufWriter *w, const char *key, uint32_t value);
void qb_gguf_put_f32(QbGgufWriter *w, const char *key, float value);
void qb_gguf_put_bool(QbGgufWriter *w, const char *key, bool value);
void qb_gguf_put_string(QbGgufWriter *w, const char *key, const char *value);
void qb_gguf_put_f32_array(QbGgufWriter *w, const char *key, const float *value, size_t n);
void qb_gguf_put_i32_array(QbGgufWriter *w, const char *key, const int32_t *value, size_t n);
void qb_gguf_put_string_array(QbGgufWriter *w, const char *key, const QbGgufText *value, size_t n);

/* Announces a tensor: name of at most 63 bytes, ne[n_dims] with ne[0] varying fastest; rows are
 * whole blocks of the type. Failures are remembered as above. */
void qb_gguf_declare(QbGgufWriter *w, const char *name, QbType type, int n_dims, const int64_t *ne);

/* Bytes of data that all declared tensors will take, without padding. */
int64_t qb_gguf_writer_total_bytes(const QbGgufWriter *w);

/* Writes header, keys and descriptions. */
QbStatus qb_gguf_writer_begin(QbGgufWriter *w);

/* The next bytes of the tensors' data, in the order they were declared, in pieces of any size that
 * do not cross from one tensor into the next. Padding is done here. */
QbStatus qb_gguf_writer_data(QbGgufWriter *w, const void *data, size_t size_bytes);

/* Checks that everything announced has come. */
QbStatus qb_gguf_writer_end(QbGgufWriter *w);

#endif
