/* safetensors.c: lists the tensors of a safetensors file: a u64, that many bytes of JSON
 * ({name: {"dtype", "shape", "data_offsets": [begin, end]}}, offsets from the end of the header),
 * then packed little-endian values in row-major order. Format: safetensors' README and
 * safetensors/src/tensor.rs. Ranges must be inside the file, as long as the shape says, and apart
 * from each other. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/checkpoint_internal.h"

#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8 };

// clang-format off
static const struct {
    const char *name;
    QbDtype dtype;
} names[] = {
    {"F32",  QB_DTYPE_F32}, {"F16", QB_DTYPE_F16}, {"BF16", QB_DTYPE_BF16}, {"F64", QB_DTYPE_F64},
    {"I64",  QB_DTYPE_I64}, {"I32", QB_DTYPE_I32}, {"I16",  QB_DTYPE_I16},  {"I8",  QB_DTYPE_I8},
    {"BOOL", QB_DTYPE_BOOL}, {"U8", QB_DTYPE_U8},
};
// clang-format on

static QbStatus take_dtype(CheckpointEntry *entry, json_t *value)
{
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0) {
            entry->tensor.dtype = names[i].dtype;
            return QB_OK;
        }
    if (!name)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s has no dtype", entry->tensor.file,
                       entry->tensor.name);
    return qb_fail(QB_ERR_UNSUPPORTED, "%s: tensor %s is of type %s, which is not supported",
                   entry->tensor.file, entry->tensor.name, name);
}

static QbStatus take_shape(CheckpointEntry *entry, json_t *value)
{
    QbCheckpointTensor *tensor = &entry->tensor;
    size_t n = json_array_size(value);
    if (!json_is_array(value))
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s has no shape", tensor->file, tensor->name);
    if (n > QB_CHECKPOINT_MAX_DIMS)
        return qb_fail(QB_ERR_LIMIT, "%s: tensor %s has %zu dimensions, at most %d can be read",
                       tensor->file, tensor->name, n, QB_CHECKPOINT_MAX_DIMS);
    tensor->n_dims = (int)n;
    for (size_t i = 0; i < n; i++) {
        json_t *size = json_array_get(value, i);
        if (!json_is_integer(size))
            return qb_fail(QB_ERR_FORMAT, "%s: tensor %s: dimension %zu is not a whole number",
                           tensor->file, tensor->name, i);
        tensor->shape[i] = json_integer_value(size);
    }
    return QB_OK;
}

/* Places a tensor in the file; its type and shape are known. */
static QbStatus take_range(CheckpointEntry *entry, json_t *value, uint64_t data_start)
{
    const QbCheckpointTensor *tensor = &entry->tensor;
    json_t *from = json_array_get(value, 0);
    json_t *to = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(from) || !json_is_integer(to))
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s: data_offsets are not two whole numbers",
                       tensor->file, tensor->name);
    const int64_t begin = json_integer_value(from);
    const int64_t end = json_integer_value(to);
    const uint64_t room = entry->file->size - data_start;
    if (begin < 0 || end < begin || (uint64_t)end > room)
        return qb_fail(QB_ERR_FORMAT,
                       "%s: tensor %s lies at bytes %" PRId64 " to %" PRId64 " of %" PRIu64,
                       tensor->file, tensor->name, begin, end, room);
    uint64_t bytes;
    QbStatus status = qb_checkpoint_measure(&bytes, entry);
    if (status)
        return status;
    if (bytes != (uint64_t)(end - begin))
        return qb_fail(QB_ERR_FORMAT,
                       "%s: tensor %s has %" PRId64 " bytes, but its shape takes %" PRIu64,
                       tensor->file, tensor->name, end - begin, bytes);
    entry->offset = data_start + (uint64_t)begin;
    return QB_OK;
}

static QbStatus take_tensor(QbCheckpoint *checkpoint, const CheckpointFile *file, const char *name,
                            json_t *info, uint64_t data_start)
{
    CheckpointEntry *entry;
    QbStatus status = qb_checkpoint_add_tensor(&entry, checkpoint, file, name, strlen(name));
    if (!status && !json_is_object(info))
        status =
            qb_fail(QB_ERR_FORMAT, "%s: tensor %s is not described by an object", file->path, name);
    if (!status)
        status = take_dtype(entry, json_object_get(info, "dtype"));
    if (!status)
        status = take_shape(entry, json_object_get(info, "shape"));
    if (!status)
        status = take_range(entry, json_object_get(info, "data_offsets"), data_start);
    return status;
}

static int compare_offsets(const void *a, const void *b)
{
    const CheckpointEntry *x = *(const CheckpointEntry *const *)a;
    const CheckpointEntry *y = *(const CheckpointEntry *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Of the n entries of one file. */
static QbStatus check_overlaps(const CheckpointEntry *entries, size_t n)
{
    const CheckpointEntry **sorted = qb_calloc(n, sizeof *sorted);
    if (!sorted)
        return QB_ERR_NOMEM;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (entries[i].tensor.n_values)
            sorted[count++] = &entries[i];
    qsort(sorted, count, sizeof *sorted, compare_offsets);
    QbStatus status = QB_OK;
    for (size_t i = 1; i < count && !status; i++) {
        const QbCheckpointTensor *before = &sorted[i - 1]->tensor;
        uint64_t bytes = (uint64_t)before->n_values * (uint64_t)qb_dtype_bytes(before->dtype);
        if (sorted[i]->offset < sorted[i - 1]->offset + bytes)
            status = qb_fail(QB_ERR_FORMAT, "%s: tensors %s and %s overlap", before->file,
                             before->name, sorted[i]->tensor.name);
    }
    qb_free(sorted);
    return status;
}

static QbStatus load_header(json_t **out, uint64_t *out_bytes, const CheckpointFile *file)
{
    uint8_t start[LENGTH_BYTES];
    uint64_t length = 0;
    *out = NULL;
    QbStatus status = qb_checkpoint_file_read(start, file, 0, sizeof start);
    if (status)
        return status;
    for (int i = 0; i < LENGTH_BYTES; i++)
        length |= (uint64_t)start[i] << (8 * i);
    if (length > file->size - LENGTH_BYTES)
        return qb_fail(QB_ERR_FORMAT,
                       "%s: the header has %" PRIu64 " bytes, but the file only %" PRIu64,
                       file->path, length, file->size);
    if (length > CHECKPOINT_MAX_HEADER)
        return qb_fail(QB_ERR_LIMIT, "%s: the header has %" PRIu64 " bytes, the limit is %d",
                       file->path, length, CHECKPOINT_MAX_HEADER);
    char *text = qb_alloc((size_t)length);
    if (!text)
        return QB_ERR_NOMEM;
    status = qb_checkpoint_file_read(text, file, LENGTH_BYTES, (size_t)length);
    json_error_t error;
    if (!status)
        *out = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (!status && !*out)
        status = qb_fail(QB_ERR_FORMAT, "%s: the header at byte %d: %s", file->path,
                         LENGTH_BYTES + error.position, error.text);
    qb_free(text);
    *out_bytes = LENGTH_BYTES + length;
    return status;
}

QbStatus qb_safetensors_list(QbCheckpoint *checkpoint, const CheckpointFile *file)
{
    json_t *header;
    uint64_t data_start;
    QbStatus status = load_header(&header, &data_start, file);
    if (status)
        return status;
    const size_t first = checkpoint->n_entries;
    const char *name;
    json_t *info;
    json_object_foreach(header, name, info)
    {
        if (strcmp(name, "__metadata__") == 0) /* texts about the file, by the format's rules */
            continue;
        status = take_tensor(checkpoint, file, name, info, data_start);
        if (status)
            break;
    }
    json_decref(header);
    if (!status && checkpoint->n_entries > first)
        status = check_overlaps(checkpoint->entries + first, checkpoint->n_entries - first);
    return status;
}
