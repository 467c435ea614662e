/* checkpoint_read.c: values of a checkpoint's tensors as f32. Every read is a pread of its own, so
 * that threads share a file without knowing of one another, and goes through a small buffer on the
 * stack. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/checkpoint_internal.h"

#include "base/error.h"
#include "kernels/scalar.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 16384 };

// clang-format off
static const struct {
    const char *name;
    int bytes;
} dtypes[] = {
    [QB_DTYPE_F32]  = {"f32",  4},
    [QB_DTYPE_F16]  = {"f16",  2},
    [QB_DTYPE_BF16] = {"bf16", 2},
    [QB_DTYPE_F64]  = {"f64",  8},
    [QB_DTYPE_I64]  = {"i64",  8},
    [QB_DTYPE_I32]  = {"i32",  4},
    [QB_DTYPE_I16]  = {"i16",  2},
    [QB_DTYPE_I8]   = {"i8",   1},
    [QB_DTYPE_U8]   = {"u8",   1},
    [QB_DTYPE_BOOL] = {"bool", 1},
};
// clang-format on

const char *qb_dtype_name(QbDtype dtype)
{
    return dtypes[dtype].name;
}

int qb_dtype_bytes(QbDtype dtype)
{
    return dtypes[dtype].bytes;
}

QbStatus qb_checkpoint_file_read(void *out, const CheckpointFile *file, uint64_t offset, size_t n)
{
    uint8_t *to = out;
    while (n > 0) {
        if (offset > INT64_MAX - n)
            return qb_fail(QB_ERR_FORMAT, "%s: byte %" PRIu64 " is past the end", file->path,
                           offset);
        ssize_t got = pread(file->fd, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return qb_fail(QB_ERR_IO, "%s: %s", file->path, strerror(errno));
        if (got == 0)
            return qb_fail(QB_ERR_IO, "%s: ends at byte %" PRIu64 ", %zu bytes too early",
                           file->path, offset, n);
        to += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return QB_OK;
}

/* One value of any type; little-endian as the files are. */
static float load_value(const uint8_t *from, QbDtype dtype)
{
    union {
        uint16_t u16;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
    } value;
    memcpy(&value, from, (size_t)qb_dtype_bytes(dtype));
    switch (dtype) {
    case QB_DTYPE_F32:
        return value.f32;
    case QB_DTYPE_F16:
        return qb_float_from_half(value.u16);
    case QB_DTYPE_BF16:
        return qb_float_from_bfloat(value.u16);
    case QB_DTYPE_F64:
        return (float)value.f64;
    case QB_DTYPE_I64:
        return (float)value.i64;
    case QB_DTYPE_I32:
        return (float)value.i32;
    case QB_DTYPE_I16:
        return (float)value.i16;
    case QB_DTYPE_I8:
        return (float)(int8_t)*from;
    case QB_DTYPE_U8:
        return (float)*from;
    case QB_DTYPE_BOOL:
        break;
    }
    return *from ? 1.0f : 0.0f;
}

/* Values that follow one another in the file. */
static QbStatus read_run(float *out, const CheckpointEntry *entry, uint64_t first, size_t n)
{
    const QbDtype dtype = entry->tensor.dtype;
    const size_t bytes = (size_t)qb_dtype_bytes(dtype);
    uint8_t buffer[BUFFER_BYTES];
    uint64_t offset = entry->offset + first * bytes; /* inside the file: checked when opened */
    QbStatus status = QB_OK;
    while (n > 0 && !status) {
        size_t count = n < sizeof buffer / bytes ? n : sizeof buffer / bytes;
        status = qb_checkpoint_file_read(buffer, entry->file, offset, count * bytes);
        for (size_t i = 0; i < count && !status; i++)
            out[i] = load_value(buffer + i * bytes, dtype);
        out += count;
        n -= count;
        offset += count * bytes;
    }
    return status;
}

/* Position of value `index` (in row-major order) from the first one, in values. */
static uint64_t strided_position(const CheckpointEntry *entry, int64_t index)
{
    uint64_t position = 0;
    for (int d = entry->tensor.n_dims - 1; d >= 0; d--) {
        int64_t size = entry->tensor.shape[d];
        position += (uint64_t)(index % size) * (uint64_t)entry->stride[d];
        index /= size;
    }
    return position;
}

/* A view or a transposed tensor: value by value, out of a window that moves when one is not in it.
 * Slow for large strides, and rare: published weights are contiguous but for a handful. */
static QbStatus read_strided(float *out, const CheckpointEntry *entry, int64_t first, size_t n)
{
    const QbDtype dtype = entry->tensor.dtype;
    const size_t bytes = (size_t)qb_dtype_bytes(dtype);
    uint8_t window[BUFFER_BYTES];
    uint64_t start = 0;
    size_t filled = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t at = entry->offset + strided_position(entry, first + (int64_t)i) * bytes;
        if (at < start || at - start + bytes > filled) {
            uint64_t left = entry->file->size - at;
            start = at;
            filled = left < sizeof window ? (size_t)left : sizeof window;
            QbStatus status = qb_checkpoint_file_read(window, entry->file, start, filled);
            if (status)
                return status;
        }
        out[i] = load_value(window + (at - start), dtype);
    }
    return QB_OK;
}

QbStatus qb_checkpoint_read(float *out, const QbCheckpoint *checkpoint,
                            const QbCheckpointTensor *tensor, int64_t first, size_t n)
{
    (void)checkpoint;
    if (first < 0 || first > tensor->n_values || n > (uint64_t)(tensor->n_values - first))
        return qb_fail(QB_ERR_ARG,
                       "%s: tensor %s has %" PRId64 " values, but %zu from %" PRId64
                       " on were asked for",
                       tensor->file, tensor->name, tensor->n_values, n, first);
    const CheckpointEntry *entry = (const CheckpointEntry *)tensor;
    QbStatus status = entry->strided ? read_strided(out, entry, first, n)
                                     : read_run(out, entry, (uint64_t)first, n);
    return status ? qb_fail_prefix(status, "tensor %s", tensor->name) : QB_OK;
}
