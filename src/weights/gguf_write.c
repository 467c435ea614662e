/* gguf_write.c: writes a GGUF v3 file (ggml docs/gguf.md) as a stream: header, keys, tensor
 * descriptions, then the data, each tensor padded to 32 bytes. What a reader would refuse is
 * refused here, before the first byte is written where it can be. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/gguf_write.h"

#include "base/error.h"
#include "base/mem.h"
#include "weights/gguf_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    VERSION = 3,
    ALIGNMENT = 32,
    KEY_MAX_NAME = 65535, /* docs/gguf.md */
    TENSOR_MAX_NAME = 63, /* what ggml reads: GGML_MAX_NAME with its NUL */
    MESSAGE_BYTES = 1024
};

/* name comes first, for qb_gguf_sort_names. */
typedef struct WriterKey {
    char *name; /* owned */
} WriterKey;

typedef struct WriterTensor {
    char *name; /* owned */
    QbType type;
    int n_dims;
    int64_t ne[QB_TENSOR_MAX_DIMS];
    uint64_t offset, size_bytes; /* in the data section */
} WriterTensor;

struct QbGgufWriter {
    FILE *stream; /* borrowed */
    char *name;   /* owned */
    WriterKey *keys;
    size_t n_keys, keys_capacity;
    uint8_t *values; /* keys as the file has them; owned */
    size_t values_size, values_capacity;
    WriterTensor *tensors;
    size_t n_tensors, tensors_capacity;
    uint64_t data_bytes; /* end of the data section so far declared, padded */
    bool begun;
    size_t current;   /* the tensor that the next data are of */
    uint64_t written; /* bytes of it */
    QbStatus status;  /* the first failure, and its text */
    char message[MESSAGE_BYTES];
};

static uint64_t padding_of(uint64_t size)
{
    return (ALIGNMENT - size % ALIGNMENT) % ALIGNMENT;
}

/* Remembers the failure whose text qb_last_error() has. */
static QbStatus remember(QbGgufWriter *w, QbStatus status)
{
    if (status && !w->status) {
        w->status = status;
        snprintf(w->message, sizeof w->message, "%s", qb_last_error());
    }
    return status;
}

/* The remembered failure, as if it had just happened. */
static QbStatus remembered(const QbGgufWriter *w)
{
    return w->status ? qb_fail(w->status, "%s", w->message) : QB_OK;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* At least `more` further bytes or elements. */
static bool reserve(void **table, size_t *capacity, size_t count, size_t more, size_t element_bytes)
{
    size_t wanted, bytes;
    if (!qb_add_size(&wanted, count, more))
        return false;
    if (wanted <= *capacity)
        return true;
    if (wanted < 2 * *capacity)
        wanted = 2 * *capacity;
    if (wanted < 64)
        wanted = 64;
    void *grown = NULL;
    if (qb_mul_size(&bytes, wanted, element_bytes))
        grown = qb_realloc(*table, count * element_bytes, bytes);
    if (!grown)
        return false;
    *table = grown;
    *capacity = wanted;
    return true;
}

static void add_bytes(QbGgufWriter *w, const void *data, size_t n)
{
    if (w->status || n == 0)
        return;
    if (!reserve((void **)&w->values, &w->values_capacity, w->values_size, n, 1)) {
        remember(w, qb_fail(QB_ERR_NOMEM, "%s: out of memory for its keys", w->name));
        return;
    }
    memcpy(w->values + w->values_size, data, n);
    w->values_size += n;
}

static void store_number(uint8_t *out, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static void add_number(QbGgufWriter *w, uint64_t value, size_t n)
{
    uint8_t bytes[8];
    store_number(bytes, value, n);
    add_bytes(w, bytes, n);
}

static void add_text(QbGgufWriter *w, const char *text, size_t length)
{
    add_number(w, length, 8);
    add_bytes(w, text, length);
}

static void add_f32(QbGgufWriter *w, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_number(w, bits, 4);
}

/* What begins every key; false when something failed, now or before. */
static bool start_key(QbGgufWriter *w, const char *key, GgufKind kind)
{
    size_t length = strlen(key);
    if (w->status)
        return false;
    if (w->begun)
        remember(w,
                 qb_fail(QB_ERR_ARG, "%s: key %s comes after the keys were written", w->name, key));
    else if (length < 1 || length > KEY_MAX_NAME)
        remember(w, qb_fail(QB_ERR_ARG, "%s: the name of a key has %zu bytes, expected 1 to %d",
                            w->name, length, KEY_MAX_NAME));
    else if (strcmp(key, "general.alignment") == 0)
        remember(w, qb_fail(QB_ERR_ARG, "%s: key %s cannot be chosen", w->name, key));
    else if (!reserve((void **)&w->keys, &w->keys_capacity, w->n_keys, 1, sizeof *w->keys) ||
             !(w->keys[w->n_keys].name = qb_strdup(key)))
        remember(w, qb_fail(QB_ERR_NOMEM, "%s: out of memory for its keys", w->name));
    else {
        w->n_keys++;
        add_text(w, key, length);
        add_number(w, kind, 4);
    }
    return !w->status;
}

void qb_gguf_put_u32(QbGgufWriter *w, const char *key, uint32_t value)
{
    if (start_key(w, key, GGUF_U32))
        add_number(w, value, 4);
}

void qb_gguf_put_f32(QbGgufWriter *w, const char *key, float value)
{
    if (start_key(w, key, GGUF_F32))
        add_f32(w, value);
}

void qb_gguf_put_bool(QbGgufWriter *w, const char *key, bool value)
{
    if (start_key(w, key, GGUF_BOOL))
        add_number(w, value, 1);
}

void qb_gguf_put_string(QbGgufWriter *w, const char *key, const char *value)
{
    if (start_key(w, key, GGUF_STRING))
        add_text(w, value, strlen(value));
}

static bool start_array(QbGgufWriter *w, const char *key, GgufKind element, size_t n)
{
    if (!start_key(w, key, GGUF_ARRAY))
        return false;
    add_number(w, element, 4);
    add_number(w, n, 8);
    return !w->status;
}

void qb_gguf_put_f32_array(QbGgufWriter *w, const char *key, const float *value, size_t n)
{
    if (start_array(w, key, GGUF_F32, n))
        for (size_t i = 0; i < n; i++)
            add_f32(w, value[i]);
}

void qb_gguf_put_i32_array(QbGgufWriter *w, const char *key, const int32_t *value, size_t n)
{
    if (start_array(w, key, GGUF_I32, n))
        for (size_t i = 0; i < n; i++)
            add_number(w, (uint32_t)value[i], 4);
}

void qb_gguf_put_string_array(QbGgufWriter *w, const char *key, const QbGgufText *value, size_t n)
{
    if (start_array(w, key, GGUF_STRING, n))
        for (size_t i = 0; i < n; i++)
            add_text(w, value[i].text, value[i].length);
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* Bytes that a tensor's data take, or a failure. */
static QbStatus measure(uint64_t *out, const QbGgufWriter *w, const char *name, QbType type,
                        int n_dims, const int64_t *ne)
{
    const int values = qb_type_block_values(type);
    if (!values)
        return qb_fail(QB_ERR_ARG, "%s: tensor %s has the unknown type %d", w->name, name,
                       (int)type);
    if (n_dims < 1 || n_dims > QB_TENSOR_MAX_DIMS)
        return qb_fail(QB_ERR_ARG, "%s: tensor %s has %d dimensions, expected 1 to %d", w->name,
                       name, n_dims, QB_TENSOR_MAX_DIMS);
    if (ne[0] % values)
        return qb_fail(QB_ERR_ARG,
                       "%s: tensor %s: rows of %" PRId64 " values are not whole %s blocks of %d",
                       w->name, name, ne[0], qb_type_name(type), values);
    int64_t bytes = qb_type_block_bytes(type);
    for (int i = 0; i < n_dims; i++) {
        if (ne[i] < 1)
            return qb_fail(QB_ERR_ARG, "%s: tensor %s: dimension %d is %" PRId64, w->name, name, i,
                           ne[i]);
        if (__builtin_mul_overflow(bytes, i ? ne[i] : ne[0] / values, &bytes) ||
            (uint64_t)bytes > INT64_MAX - w->data_bytes - ALIGNMENT)
            return qb_fail(QB_ERR_ARG, "%s: tensor %s is too large", w->name, name);
    }
    *out = (uint64_t)bytes;
    return QB_OK;
}

void qb_gguf_declare(QbGgufWriter *w, const char *name, QbType type, int n_dims, const int64_t *ne)
{
    uint64_t bytes = 0;
    size_t length = strlen(name);
    if (w->status)
        return;
    if (w->begun)
        remember(w, qb_fail(QB_ERR_ARG, "%s: tensor %s comes after the header", w->name, name));
    else if (length < 1 || length > TENSOR_MAX_NAME)
        remember(w, qb_fail(QB_ERR_ARG,
                            "%s: the name \"%s\" of a tensor has %zu bytes, expected 1 "
                            "to %d",
                            w->name, name, length, TENSOR_MAX_NAME));
    else
        remember(w, measure(&bytes, w, name, type, n_dims, ne));
    if (w->status)
        return;
    char *copy = NULL;
    if (!reserve((void **)&w->tensors, &w->tensors_capacity, w->n_tensors, 1, sizeof *w->tensors) ||
        !(copy = qb_strdup(name))) {
        remember(w, qb_fail(QB_ERR_NOMEM, "%s: out of memory for its tensors", w->name));
        return;
    }
    WriterTensor *tensor = &w->tensors[w->n_tensors++];
    *tensor = (WriterTensor){
        .name = copy, .type = type, .n_dims = n_dims, .offset = w->data_bytes, .size_bytes = bytes};
    memcpy(tensor->ne, ne, (size_t)n_dims * sizeof *ne);
    w->data_bytes += bytes + padding_of(bytes);
}

int64_t qb_gguf_writer_total_bytes(const QbGgufWriter *w)
{
    int64_t total = 0;
    for (size_t i = 0; i < w->n_tensors; i++)
        total += (int64_t)w->tensors[i].size_bytes;
    return total;
}

/* ---- writing --------------------------------------------------------------------------------- */

static QbStatus put(QbGgufWriter *w, const void *data, size_t n)
{
    if (n && fwrite(data, 1, n, w->stream) != n)
        return remember(w, qb_fail(QB_ERR_IO, "%s: %s", w->name, strerror(errno)));
    return QB_OK;
}

static QbStatus put_number(QbGgufWriter *w, uint64_t value, size_t n)
{
    uint8_t bytes[8];
    store_number(bytes, value, n);
    return put(w, bytes, n);
}

static QbStatus put_padding(QbGgufWriter *w, uint64_t size)
{
    static const uint8_t zeros[ALIGNMENT];
    return put(w, zeros, (size_t)padding_of(size));
}

/* *out_bytes: how many, in the file. */
static QbStatus put_descriptions(uint64_t *out_bytes, QbGgufWriter *w)
{
    *out_bytes = 0;
    QbStatus status = QB_OK;
    for (size_t i = 0; i < w->n_tensors && !status; i++) {
        const WriterTensor *tensor = &w->tensors[i];
        const size_t length = strlen(tensor->name);
        status = put_number(w, length, 8);
        if (!status)
            status = put(w, tensor->name, length);
        if (!status)
            status = put_number(w, (uint64_t)tensor->n_dims, 4);
        for (int d = 0; d < tensor->n_dims && !status; d++)
            status = put_number(w, (uint64_t)tensor->ne[d], 8);
        if (!status)
            status = put_number(w, tensor->type, 4);
        if (!status)
            status = put_number(w, tensor->offset, 8);
        *out_bytes += 8 + length + 4 + 8 * (uint64_t)tensor->n_dims + 4 + 8;
    }
    return status;
}

/* Elements of table begin with their name. */
static QbStatus refuse_twice(const QbGgufWriter *w, void *table, size_t n, size_t element_bytes,
                             const char *what)
{
    void **list = NULL;
    QbStatus status = n ? qb_gguf_list_elements(&list, table, n, element_bytes) : QB_OK;
    if (!status && n)
        status = qb_gguf_sort_names(list, n, w->name, what);
    qb_free(list);
    return status == QB_ERR_FORMAT ? QB_ERR_ARG : status;
}

QbStatus qb_gguf_writer_begin(QbGgufWriter *w)
{
    if (!w->status && w->begun)
        return remember(w, qb_fail(QB_ERR_ARG, "%s: its header was written before", w->name));
    QbStatus status = remembered(w);
    if (!status)
        status = refuse_twice(w, w->keys, w->n_keys, sizeof *w->keys, "key");
    if (!status)
        status = refuse_twice(w, w->tensors, w->n_tensors, sizeof *w->tensors, "tensor");
    if (status)
        return remember(w, status);
    uint64_t bytes = 0;
    w->begun = true;
    status = put(w, "GGUF", 4);
    if (!status)
        status = put_number(w, VERSION, 4);
    if (!status)
        status = put_number(w, w->n_tensors, 8);
    if (!status)
        status = put_number(w, w->n_keys, 8);
    if (!status)
        status = put(w, w->values, w->values_size);
    if (!status)
        status = put_descriptions(&bytes, w);
    if (!status)
        status = put_padding(w, 4 + 4 + 8 + 8 + w->values_size + bytes);
    return status;
}

QbStatus qb_gguf_writer_data(QbGgufWriter *w, const void *data, size_t size_bytes)
{
    if (w->status)
        return remembered(w);
    if (size_bytes == 0)
        return QB_OK;
    if (!w->begun || w->current == w->n_tensors)
        return remember(w, qb_fail(QB_ERR_ARG, "%s: %zu bytes of data that no tensor asks for",
                                   w->name, size_bytes));
    const WriterTensor *tensor = &w->tensors[w->current];
    if (size_bytes > tensor->size_bytes - w->written)
        return remember(w, qb_fail(QB_ERR_ARG,
                                   "%s: tensor %s wants %" PRIu64 " more bytes, %zu came", w->name,
                                   tensor->name, tensor->size_bytes - w->written, size_bytes));
    QbStatus status = put(w, data, size_bytes);
    w->written += size_bytes;
    if (!status && w->written == tensor->size_bytes) {
        status = put_padding(w, tensor->size_bytes);
        w->current++;
        w->written = 0;
    }
    return status;
}

QbStatus qb_gguf_writer_end(QbGgufWriter *w)
{
    if (w->status)
        return remembered(w);
    if (!w->begun)
        return remember(w, qb_fail(QB_ERR_ARG, "%s: its header was not written", w->name));
    if (w->current < w->n_tensors)
        return remember(w, qb_fail(QB_ERR_ARG, "%s: tensor %s is not complete", w->name,
                                   w->tensors[w->current].name));
    if (fflush(w->stream) || ferror(w->stream))
        return remember(w, qb_fail(QB_ERR_IO, "%s: %s", w->name, strerror(errno)));
    return QB_OK;
}

QbStatus qb_gguf_writer_new(QbGgufWriter **out, FILE *stream, const char *name)
{
    *out = NULL;
    QbGgufWriter *w = qb_calloc(1, sizeof *w);
    if (!w)
        return QB_ERR_NOMEM;
    w->stream = stream;
    w->name = qb_strdup(name);
    if (!w->name) {
        qb_free(w);
        return QB_ERR_NOMEM;
    }
    *out = w;
    return QB_OK;
}

void qb_gguf_writer_free(QbGgufWriter **writer)
{
    if (!writer || !*writer)
        return;
    QbGgufWriter *w = *writer;
    for (size_t i = 0; i < w->n_keys; i++)
        qb_free(w->keys[i].name);
    for (size_t i = 0; i < w->n_tensors; i++)
        qb_free(w->tensors[i].name);
    qb_free(w->keys);
    qb_free(w->values);
    qb_free(w->tensors);
    qb_free(w->name);
    qb_free(w);
    *writer = NULL;
}
