/* checkpoint.c: opens a checkpoint, keeps the list of its tensors and finds them by name; see
 * checkpoint.h. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/checkpoint_internal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

QbStatus qb_checkpoint_grow(void **table, size_t *capacity, size_t count, size_t element_bytes)
{
    if (count == *capacity) {
        size_t wanted = count ? 2 * count : 8;
        size_t bytes;
        void *grown = NULL;
        if (qb_mul_size(&bytes, wanted, element_bytes))
            grown = qb_realloc(*table, count * element_bytes, bytes);
        if (!grown)
            return QB_ERR_NOMEM;
        *table = grown;
        *capacity = wanted;
    }
    memset((uint8_t *)*table + count * element_bytes, 0, element_bytes);
    return QB_OK;
}

/* ---- files ----------------------------------------------------------------------------------- */

static QbStatus open_file(CheckpointFile *file)
{
    struct stat info;
    /* a pipe must not be waited for */
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd < 0 || fstat(file->fd, &info))
        return qb_fail(QB_ERR_IO, "%s: %s", file->path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return qb_fail(QB_ERR_IO, "%s: is not a regular file", file->path);
    file->size = (uint64_t)info.st_size;
    return QB_OK;
}

/* The first bytes tell the kinds apart: of a safetensors file bytes 8... are a JSON object, a zip
 * archive begins with a local header, an old PyTorch file with its magic number as a pickle
 * (torch/serialization.py, MAGIC_NUMBER). */
static QbStatus list_tensors(QbCheckpoint *checkpoint, const CheckpointFile *file)
{
    static const uint8_t legacy[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9};
    uint8_t start[sizeof legacy];
    if (file->size < sizeof start)
        return qb_fail(QB_ERR_FORMAT, "%s: %" PRIu64 " bytes are too few for a checkpoint",
                       file->path, file->size);
    QbStatus status = qb_checkpoint_file_read(start, file, 0, sizeof start);
    if (status)
        return status;
    if (start[8] == '{')
        return qb_safetensors_list(checkpoint, file);
    if (memcmp(start, "PK\3\4", 4) == 0)
        return qb_torch_list(checkpoint, file);
    if (memcmp(start, legacy, sizeof legacy) == 0)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: is in the format of PyTorch before 1.6; load it there and save it "
                       "again with torch.save, or as safetensors",
                       file->path);
    if (qb_file_is_pointer(start, sizeof start))
        return qb_fail(QB_ERR_FORMAT, "%s: is Git LFS's pointer, not the file: run git lfs pull",
                       file->path);
    return qb_fail(QB_ERR_FORMAT, "%s: is neither a safetensors nor a PyTorch file", file->path);
}

QbStatus qb_checkpoint_add_file(QbCheckpoint *checkpoint, const char *path)
{
    if (checkpoint->n_files == CHECKPOINT_MAX_FILES)
        return qb_fail(QB_ERR_LIMIT, "%s: the checkpoint has more than %d files", path,
                       CHECKPOINT_MAX_FILES);
    QbStatus status = qb_checkpoint_grow((void **)&checkpoint->files, &checkpoint->files_capacity,
                                         checkpoint->n_files, sizeof *checkpoint->files);
    CheckpointFile *file = status ? NULL : qb_calloc(1, sizeof *file);
    if (!file)
        return QB_ERR_NOMEM;
    file->fd = -1;
    checkpoint->files[checkpoint->n_files++] = file;
    file->path = qb_strdup(path);
    if (!file->path)
        return QB_ERR_NOMEM;
    status = open_file(file);
    return status ? status : list_tensors(checkpoint, file);
}

/* ---- tensors --------------------------------------------------------------------------------- */

QbStatus qb_checkpoint_add_tensor(CheckpointEntry **out, QbCheckpoint *checkpoint,
                                  const CheckpointFile *file, const char *name, size_t length)
{
    if (length < 1 || length > CHECKPOINT_MAX_NAME)
        return qb_fail(QB_ERR_LIMIT, "%s: the name of a tensor has %zu bytes, expected 1 to %d",
                       file->path, length, CHECKPOINT_MAX_NAME);
    if (memchr(name, 0, length))
        return qb_fail(QB_ERR_FORMAT, "%s: the name of a tensor has a NUL inside", file->path);
    if (checkpoint->n_entries == CHECKPOINT_MAX_TENSORS)
        return qb_fail(QB_ERR_LIMIT, "%s: the checkpoint has more than %d tensors", file->path,
                       CHECKPOINT_MAX_TENSORS);
    QbStatus status =
        qb_checkpoint_grow((void **)&checkpoint->entries, &checkpoint->entries_capacity,
                           checkpoint->n_entries, sizeof *checkpoint->entries);
    char *copy = status ? NULL : qb_strndup(name, length);
    if (!copy)
        return QB_ERR_NOMEM;
    CheckpointEntry *entry = &checkpoint->entries[checkpoint->n_entries++];
    entry->tensor.name = copy;
    entry->tensor.file = file->path;
    entry->file = file;
    *out = entry;
    return QB_OK;
}

QbStatus qb_checkpoint_measure(uint64_t *out_bytes, CheckpointEntry *entry)
{
    QbCheckpointTensor *tensor = &entry->tensor;
    int64_t n = 1;
    bool fits = true;
    for (int i = 0; i < tensor->n_dims; i++) {
        if (tensor->shape[i] < 0)
            return qb_fail(QB_ERR_FORMAT, "%s: tensor %s: dimension %d is %" PRId64, tensor->file,
                           tensor->name, i, tensor->shape[i]);
        fits = fits && !__builtin_mul_overflow(n, tensor->shape[i], &n);
    }
    int64_t bytes;
    if (!fits || __builtin_mul_overflow(n, (int64_t)qb_dtype_bytes(tensor->dtype), &bytes))
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s: its shape overflows the address space",
                       tensor->file, tensor->name);
    tensor->n_values = n;
    *out_bytes = (uint64_t)bytes;
    return QB_OK;
}

static int compare_names(const void *a, const void *b)
{
    const CheckpointEntry *x = *(CheckpointEntry *const *)a;
    const CheckpointEntry *y = *(CheckpointEntry *const *)b;
    return strcmp(x->tensor.name, y->tensor.name);
}

QbStatus qb_checkpoint_sort(QbCheckpoint *checkpoint)
{
    const size_t n = checkpoint->n_entries;
    checkpoint->by_name = qb_calloc(n, sizeof *checkpoint->by_name);
    if (!checkpoint->by_name)
        return QB_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        checkpoint->by_name[i] = &checkpoint->entries[i];
    qsort(checkpoint->by_name, n, sizeof *checkpoint->by_name, compare_names);
    for (size_t i = 1; i < n; i++) {
        const QbCheckpointTensor *a = &checkpoint->by_name[i - 1]->tensor;
        const QbCheckpointTensor *b = &checkpoint->by_name[i]->tensor;
        if (strcmp(a->name, b->name) == 0)
            return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is there twice (also in %s)", a->file,
                           a->name, b->file);
    }
    return QB_OK;
}

/* ---- the public side ------------------------------------------------------------------------- */

QbStatus qb_checkpoint_open(QbCheckpoint **out, const char *path)
{
    *out = NULL;
    struct stat info;
    if (stat(path, &info))
        return qb_fail(QB_ERR_IO, "%s: %s", path, strerror(errno));
    QbCheckpoint *checkpoint = qb_calloc(1, sizeof *checkpoint);
    if (!checkpoint)
        return QB_ERR_NOMEM;
    QbStatus status;
    if (S_ISDIR(info.st_mode))
        status = qb_checkpoint_add_folder(checkpoint, path);
    else {
        status = qb_checkpoint_add_file(checkpoint, path);
        if (!status)
            status = qb_checkpoint_sort(checkpoint);
    }
    if (status)
        qb_checkpoint_close(&checkpoint);
    *out = checkpoint;
    return status;
}

void qb_checkpoint_close(QbCheckpoint **checkpoint)
{
    if (!checkpoint || !*checkpoint)
        return;
    QbCheckpoint *c = *checkpoint;
    for (size_t i = 0; i < c->n_entries; i++)
        qb_free((void *)(uintptr_t)c->entries[i].tensor.name);
    for (size_t i = 0; i < c->n_files; i++) {
        if (c->files[i]->fd >= 0)
            close(c->files[i]->fd);
        qb_free(c->files[i]->path);
        qb_free(c->files[i]);
    }
    qb_free(c->entries);
    qb_free(c->by_name);
    qb_free(c->files);
    qb_free(c);
    *checkpoint = NULL;
}

bool qb_checkpoint_has_file(const QbCheckpoint *checkpoint, const char *path)
{
    struct stat wanted, info;
    if (stat(path, &wanted))
        return false;
    for (size_t i = 0; i < checkpoint->n_files; i++)
        if (!fstat(checkpoint->files[i]->fd, &info) && info.st_dev == wanted.st_dev &&
            info.st_ino == wanted.st_ino)
            return true;
    return false;
}

int qb_checkpoint_tensor_count(const QbCheckpoint *checkpoint)
{
    return (int)checkpoint->n_entries;
}

const QbCheckpointTensor *qb_checkpoint_tensor_at(const QbCheckpoint *checkpoint, int index)
{
    bool known = index >= 0 && (size_t)index < checkpoint->n_entries;
    return known ? &checkpoint->entries[index].tensor : NULL;
}

const QbCheckpointTensor *qb_checkpoint_find(const QbCheckpoint *checkpoint, const char *name)
{
    const CheckpointEntry key = {.tensor.name = name};
    const CheckpointEntry *wanted = &key;
    CheckpointEntry **found = bsearch(&wanted, checkpoint->by_name, checkpoint->n_entries,
                                      sizeof *checkpoint->by_name, compare_names);
    return found ? &(*found)->tensor : NULL;
}
