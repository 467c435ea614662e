/* gguf_read.c: opens a GGUF file: header, keys, tensor infos, in the order they lie in the file
 * (ggml docs/gguf.md). Everything is checked here, once, so that the accessors need not fail: a
 * cursor never passes the end, tables grow with what was really read rather than with what the
 * header claims. gguf_index.c looks names up, gguf_values.c hands values out. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/gguf_internal.h"

#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_MIN_BYTES = 8 + 1 + 4 + 1,            /* name of one byte, type, one byte of value */
    TENSOR_MIN_BYTES = 8 + 1 + 4 + 8 + 4 + 8, /* name of one byte, n_dims, one dim, type, offset */
    KEY_MAX_NAME = 65535,                     /* docs/gguf.md */
    TENSOR_MAX_NAME = 64,                     /* docs/gguf.md */
    ALIGNMENT_DEFAULT = 32,
    ALIGNMENT_MIN = 8,
    ALIGNMENT_MAX = 1 << 20
};

/* Where reading stands: at <= file.size. */
typedef struct Cursor {
    QbGguf *gguf;
    size_t at;
} Cursor;

static size_t bytes_left(const Cursor *cursor)
{
    return cursor->gguf->file.size - cursor->at;
}

static QbStatus take_bytes(const uint8_t **out, Cursor *cursor, uint64_t n, const char *what)
{
    *out = NULL;
    if (n > bytes_left(cursor))
        return qb_fail(QB_ERR_FORMAT,
                       "%s: %s needs %" PRIu64 " bytes at byte %zu, but the file ends at %zu",
                       cursor->gguf->name, what, n, cursor->at, cursor->gguf->file.size);
    *out = cursor->gguf->file.data + cursor->at;
    cursor->at += (size_t)n;
    return QB_OK;
}

static QbStatus take_number(uint64_t *out, Cursor *cursor, size_t n_bytes, const char *what)
{
    const uint8_t *data;
    *out = 0;
    QbStatus status = take_bytes(&data, cursor, n_bytes, what);
    if (!status)
        *out = gguf_load(data, n_bytes);
    return status;
}

/* A count of things of at least min_bytes each, refused when they cannot fit in what is left. */
static QbStatus take_count(size_t *out, Cursor *cursor, size_t min_bytes, const char *what)
{
    uint64_t count;
    *out = 0;
    QbStatus status = take_number(&count, cursor, 8, what);
    if (status)
        return status;
    if (count > bytes_left(cursor) / min_bytes)
        return qb_fail(QB_ERR_FORMAT, "%s: %s is %" PRIu64 ", but only %zu bytes are left",
                       cursor->gguf->name, what, count, bytes_left(cursor));
    *out = (size_t)count;
    return QB_OK;
}

static QbStatus take_string(const uint8_t **out, size_t *out_length, Cursor *cursor,
                            const char *what)
{
    QbStatus status = take_count(out_length, cursor, 1, what);
    return status ? status : take_bytes(out, cursor, *out_length, what);
}

/* The name of a key or tensor: 1 ... max bytes, no NUL. *out: owned. */
static QbStatus take_name(char **out, Cursor *cursor, size_t max, const char *what)
{
    const uint8_t *data;
    size_t length;
    size_t start = cursor->at;
    QbStatus status = take_string(&data, &length, cursor, what);
    if (status)
        return status;
    if (length == 0 || length > max)
        return qb_fail(QB_ERR_FORMAT, "%s: %s at byte %zu has %zu bytes, expected 1 to %zu",
                       cursor->gguf->name, what, start, length, max);
    if (memchr(data, 0, length))
        return qb_fail(QB_ERR_FORMAT, "%s: %s at byte %zu has a NUL inside", cursor->gguf->name,
                       what, start);
    *out = qb_strndup((const char *)data, length);
    return *out ? QB_OK : QB_ERR_NOMEM;
}

/* Room for one more element of a table; the new element is zeroed. */
static QbStatus grow_table(void **table, size_t *capacity, size_t count, size_t element_bytes)
{
    if (count == *capacity) {
        size_t wanted = *capacity ? *capacity * 2 : 16;
        void *grown = NULL;
        size_t wanted_bytes;
        if (qb_mul_size(&wanted_bytes, wanted, element_bytes))
            grown = qb_realloc(*table, count * element_bytes, wanted_bytes);
        if (!grown)
            return QB_ERR_NOMEM;
        *table = grown;
        *capacity = wanted;
    }
    memset((uint8_t *)*table + count * element_bytes, 0, element_bytes);
    return QB_OK;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static QbStatus check_bools(const QbGguf *gguf, const GgufKey *key)
{
    for (size_t i = 0; i < key->count; i++)
        if (key->values[i] > 1)
            return qb_fail(QB_ERR_FORMAT, "%s: key %s: a bool is %d, expected 0 or 1", gguf->name,
                           key->name, key->values[i]);
    return QB_OK;
}

static QbStatus take_string_array(GgufKey *key, Cursor *cursor)
{
    size_t start = cursor->at;
    const uint8_t *text;
    size_t length;
    QbStatus status = QB_OK;
    for (size_t i = 0; i < key->count && !status; i++)
        status = take_string(&text, &length, cursor, "a string of an array");
    if (status)
        return qb_fail_prefix(status, "key %s", key->name);
    key->offsets = qb_calloc(key->count ? key->count : 1, sizeof *key->offsets);
    if (!key->offsets)
        return QB_ERR_NOMEM;
    for (size_t i = 0; i < key->count; i++) { /* checked above: no step passes the end */
        key->offsets[i] = start;
        start += 8 + (size_t)gguf_load(cursor->gguf->file.data + start, 8);
    }
    return QB_OK;
}

static QbStatus take_array(GgufKey *key, Cursor *cursor)
{
    uint64_t element;
    QbStatus status = take_number(&element, cursor, 4, "the element type of an array");
    if (status)
        return qb_fail_prefix(status, "key %s", key->name);
    if (element == GGUF_ARRAY)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: key %s is an array of arrays", cursor->gguf->name,
                       key->name);
    if (element >= GGUF_KIND_COUNT)
        return qb_fail(QB_ERR_FORMAT, "%s: key %s: elements of unknown type %" PRIu64,
                       cursor->gguf->name, key->name, element);
    key->element = (GgufKind)element;
    size_t bytes = qb_gguf_kind_bytes(key->element);
    status = take_count(&key->count, cursor, bytes ? bytes : 8, "the length of an array");
    if (status)
        return qb_fail_prefix(status, "key %s", key->name);
    key->values = cursor->gguf->file.data + cursor->at;
    if (key->element == GGUF_STRING)
        return take_string_array(key, cursor);
    cursor->at += key->count * bytes; /* take_count saw that they fit */
    return key->element == GGUF_BOOL ? check_bools(cursor->gguf, key) : QB_OK;
}

static QbStatus take_value(GgufKey *key, Cursor *cursor)
{
    uint64_t kind;
    QbStatus status = take_number(&kind, cursor, 4, "a value's type");
    if (status)
        return qb_fail_prefix(status, "key %s", key->name);
    if (kind >= GGUF_KIND_COUNT)
        return qb_fail(QB_ERR_FORMAT, "%s: key %s has unknown type %" PRIu64, cursor->gguf->name,
                       key->name, kind);
    key->kind = key->element = (GgufKind)kind;
    if (key->kind == GGUF_ARRAY)
        return take_array(key, cursor);
    if (key->kind == GGUF_STRING) {
        status = take_string(&key->values, &key->count, cursor, "a string");
        if (status)
            return qb_fail_prefix(status, "key %s", key->name);
        key->text = qb_strndup((const char *)key->values, key->count);
        return key->text ? QB_OK : QB_ERR_NOMEM;
    }
    key->count = 1;
    status = take_bytes(&key->values, cursor, qb_gguf_kind_bytes(key->kind), "a value");
    if (status)
        return qb_fail_prefix(status, "key %s", key->name);
    return key->kind == GGUF_BOOL ? check_bools(cursor->gguf, key) : QB_OK;
}

static QbStatus take_keys(Cursor *cursor, size_t count)
{
    QbGguf *gguf = cursor->gguf;
    QbStatus status = QB_OK;
    for (size_t i = 0; i < count && !status; i++) {
        status = grow_table((void **)&gguf->keys, &gguf->keys_capacity, i, sizeof *gguf->keys);
        if (status)
            break;
        GgufKey *key = &gguf->keys[gguf->n_keys++];
        status = take_name(&key->name, cursor, KEY_MAX_NAME, "the name of a key");
        if (!status)
            status = take_value(key, cursor);
    }
    return status;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static QbStatus take_shape(QbGgufTensor *tensor, Cursor *cursor)
{
    const char *file = cursor->gguf->name;
    uint64_t n_dims;
    QbStatus status = take_number(&n_dims, cursor, 4, "a tensor's number of dimensions");
    if (status)
        return status;
    if (n_dims < 1 || n_dims > QB_TENSOR_MAX_DIMS)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s has %" PRIu64 " dimensions, expected 1 to %d",
                       file, tensor->name, n_dims, QB_TENSOR_MAX_DIMS);
    tensor->n_dims = (int)n_dims;
    for (int i = 0; i < QB_TENSOR_MAX_DIMS; i++) {
        uint64_t size = 1;
        if (i < tensor->n_dims)
            status = take_number(&size, cursor, 8, "a tensor's shape");
        if (status)
            return status;
        if (size < 1 || size > INT64_MAX)
            return qb_fail(QB_ERR_FORMAT, "%s: tensor %s: dimension %d is %" PRIu64, file,
                           tensor->name, i, size);
        tensor->ne[i] = (int64_t)size;
    }
    return QB_OK;
}

static QbStatus measure_tensor(QbGgufTensor *tensor, uint64_t type, const char *file)
{
    tensor->type = type <= INT_MAX ? (QbType)type : (QbType)INT_MAX;
    size_t values = (size_t)qb_type_block_values(tensor->type);
    if (!values)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: tensor %s has element type %" PRIu64 ", which is not supported", file,
                       tensor->name, type);
    if ((uint64_t)tensor->ne[0] % values)
        return qb_fail(QB_ERR_FORMAT,
                       "%s: tensor %s: rows of %" PRId64 " values are not whole %s blocks of %zu",
                       file, tensor->name, tensor->ne[0], qb_type_name(tensor->type), values);
    size_t bytes = (size_t)qb_type_block_bytes(tensor->type);
    bool fits = qb_mul_size(&bytes, bytes, (size_t)tensor->ne[0] / values);
    for (int i = 1; i < tensor->n_dims; i++)
        fits = fits && qb_mul_size(&bytes, bytes, (size_t)tensor->ne[i]);
    if (!fits)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s: its shape overflows the address space", file,
                       tensor->name);
    tensor->size_bytes = bytes;
    return QB_OK;
}

static QbStatus take_tensors(Cursor *cursor, size_t count)
{
    QbGguf *gguf = cursor->gguf;
    for (size_t i = 0; i < count; i++) {
        QbStatus status =
            grow_table((void **)&gguf->tensors, &gguf->tensors_capacity, i, sizeof *gguf->tensors);
        if (status)
            return status;
        GgufTensorEntry *entry = &gguf->tensors[gguf->n_tensors++];
        char *name = NULL;
        uint64_t type = 0;
        status = take_name(&name, cursor, TENSOR_MAX_NAME, "the name of a tensor");
        entry->tensor.name = name;
        if (!status)
            status = take_shape(&entry->tensor, cursor);
        if (!status)
            status = take_number(&type, cursor, 4, "a tensor's type");
        if (!status)
            status = take_number(&entry->offset, cursor, 8, "a tensor's offset");
        if (!status)
            status = measure_tensor(&entry->tensor, type, gguf->name);
        if (status)
            return status;
    }
    return QB_OK;
}

static int compare_offsets(const void *a, const void *b)
{
    const GgufTensorEntry *x = *(const GgufTensorEntry *const *)a;
    const GgufTensorEntry *y = *(const GgufTensorEntry *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Gives every tensor its data; by_offset[n_tensors] is sorted by offset here. */
static QbStatus place_tensors(QbGguf *gguf, size_t infos_end, void **by_offset)
{
    size_t data_start;
    if (!qb_add_size(&data_start, infos_end, gguf->alignment - 1))
        return qb_fail(QB_ERR_FORMAT, "%s: is too large", gguf->name);
    data_start &= ~(gguf->alignment - 1);
    size_t room = data_start < gguf->file.size ? gguf->file.size - data_start : 0;
    qsort(by_offset, gguf->n_tensors, sizeof *by_offset, compare_offsets);
    uint64_t previous_end = 0;
    const char *previous = "";
    for (size_t i = 0; i < gguf->n_tensors; i++) {
        GgufTensorEntry *entry = by_offset[i];
        QbGgufTensor *tensor = &entry->tensor;
        if (entry->offset % gguf->alignment)
            return qb_fail(QB_ERR_FORMAT,
                           "%s: tensor %s: offset %" PRIu64 " is not a multiple of %zu", gguf->name,
                           tensor->name, entry->offset, gguf->alignment);
        if (entry->offset > room || tensor->size_bytes > room - (size_t)entry->offset)
            return qb_fail(QB_ERR_FORMAT,
                           "%s: tensor %s needs %zu bytes at offset %" PRIu64
                           ", but the file has only %zu bytes of data",
                           gguf->name, tensor->name, tensor->size_bytes, entry->offset, room);
        if (entry->offset < previous_end)
            return qb_fail(QB_ERR_FORMAT, "%s: tensors %s and %s overlap", gguf->name, previous,
                           tensor->name);
        tensor->data = gguf->file.data + data_start + (size_t)entry->offset;
        previous_end = entry->offset + tensor->size_bytes;
        previous = tensor->name;
    }
    return QB_OK;
}

/* ---- open and close -------------------------------------------------------------------------- */

static QbStatus take_header(size_t *out_tensors, size_t *out_keys, Cursor *cursor)
{
    const char *file = cursor->gguf->name;
    const uint8_t *magic;
    uint64_t version;
    QbStatus status = take_bytes(&magic, cursor, 4, "the GGUF header");
    if (status)
        return status;
    if (memcmp(magic, "GGUF", 4))
        return qb_fail(QB_ERR_FORMAT, "%s: is not a GGUF file (it begins with %02x %02x %02x %02x)",
                       file, magic[0], magic[1], magic[2], magic[3]);
    status = take_number(&version, cursor, 4, "the GGUF header");
    if (status)
        return status;
    if (version > 0xffff && version % 0x10000 == 0)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: is a big-endian GGUF file; only little-endian ones can be read", file);
    if (version != 2 && version != 3)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: is GGUF version %" PRIu64 ", expected 2 or 3", file,
                       version);
    status = take_count(out_tensors, cursor, TENSOR_MIN_BYTES, "the number of tensors");
    if (!status)
        status = take_count(out_keys, cursor, KEY_MIN_BYTES, "the number of keys");
    if (!status && (*out_tensors > INT_MAX || *out_keys > INT_MAX))
        status = qb_fail(QB_ERR_LIMIT, "%s: has %zu tensors and %zu keys, at most %d can be read",
                         file, *out_tensors, *out_keys, INT_MAX);
    return status;
}

static QbStatus read_alignment(QbGguf *gguf)
{
    uint32_t alignment = ALIGNMENT_DEFAULT;
    QbStatus status = qb_gguf_get_u32_or(&alignment, gguf, "general.alignment");
    if (status)
        return status;
    if (alignment < ALIGNMENT_MIN || alignment > ALIGNMENT_MAX || (alignment & (alignment - 1)))
        return qb_fail(QB_ERR_FORMAT,
                       "%s: key general.alignment is %" PRIu32
                       ", expected a power of two from %d to %d",
                       gguf->name, alignment, ALIGNMENT_MIN, ALIGNMENT_MAX);
    gguf->alignment = alignment;
    return QB_OK;
}

static QbStatus parse(QbGguf *gguf)
{
    Cursor cursor = {.gguf = gguf};
    size_t n_tensors, n_keys;
    QbStatus status = take_header(&n_tensors, &n_keys, &cursor);
    if (!status)
        status = take_keys(&cursor, n_keys);
    if (!status)
        status = qb_gguf_list_elements(&gguf->keys_by_name, gguf->keys, n_keys, sizeof *gguf->keys);
    if (!status)
        status = qb_gguf_sort_names(gguf->keys_by_name, n_keys, gguf->name, "key");
    if (!status)
        status = read_alignment(gguf);
    if (!status)
        status = take_tensors(&cursor, n_tensors);
    if (!status)
        status = qb_gguf_list_elements(&gguf->tensors_by_name, gguf->tensors, n_tensors,
                                       sizeof *gguf->tensors);
    if (!status)
        status = place_tensors(gguf, cursor.at, gguf->tensors_by_name);
    if (!status)
        status = qb_gguf_sort_names(gguf->tensors_by_name, n_tensors, gguf->name, "tensor");
    return status;
}

/* Takes *file on success and on failure. */
static QbStatus open_bytes(QbGguf **out, QbFileMap *file, const char *name)
{
    QbStatus status = QB_ERR_NOMEM;
    QbGguf *gguf = qb_calloc(1, sizeof *gguf);
    if (!gguf) {
        qb_file_unmap(file);
        return status;
    }
    gguf->file = *file;
    gguf->name = qb_strdup(name);
    if (gguf->name)
        status = parse(gguf);
    if (status)
        qb_gguf_close(&gguf);
    *out = gguf;
    return status;
}

QbStatus qb_gguf_open(QbGguf **out, const char *path)
{
    *out = NULL;
    QbFileMap file;
    QbStatus status = qb_file_map(&file, path);
    return status ? status : open_bytes(out, &file, path);
}

QbStatus qb_gguf_open_memory(QbGguf **out, const void *data, size_t size_bytes, const char *name)
{
    *out = NULL;
    if ((uintptr_t)data % QB_MEM_ALIGN)
        return qb_fail(QB_ERR_ARG, "%s: GGUF data in memory must start at a multiple of %d", name,
                       QB_MEM_ALIGN);
    QbFileMap file = {.data = data, .size = data ? size_bytes : 0, .mapped = 0};
    return open_bytes(out, &file, name);
}

void qb_gguf_release(const QbGguf *gguf, const void *data, size_t size)
{
    qb_file_map_release(&gguf->file, data, size);
}

void qb_gguf_close(QbGguf **gguf)
{
    if (!gguf || !*gguf)
        return;
    QbGguf *g = *gguf;
    for (size_t i = 0; i < g->n_keys; i++) {
        qb_free(g->keys[i].name);
        qb_free(g->keys[i].text);
        qb_free(g->keys[i].offsets);
    }
    for (size_t i = 0; i < g->n_tensors; i++)
        qb_free((void *)(uintptr_t)g->tensors[i].tensor.name);
    qb_free(g->keys);
    qb_free(g->tensors);
    qb_free(g->keys_by_name);
    qb_free(g->tensors_by_name);
    qb_file_unmap(&g->file);
    qb_free(g->name);
    qb_free(g);
    *gguf = NULL;
}
