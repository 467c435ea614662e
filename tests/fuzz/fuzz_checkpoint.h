/* fuzz_checkpoint.h: what the fuzz targets of checkpoints share: a file in memory that has a path,
 * and opening it as a checkpoint, of which both ends of every tensor are read. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_FUZZ_CHECKPOINT_H
#define QB_FUZZ_CHECKPOINT_H

#include "weights/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static inline FILE *fuzz_file(void)
{
    FILE *file = fdopen(memfd_create("fuzz", MFD_CLOEXEC), "w+b");
    if (!file)
        abort();
    return file;
}

static inline void fuzz_read(const QbCheckpoint *checkpoint, const QbCheckpointTensor *tensor)
{
    float values[16];
    const size_t n = tensor->n_values < 16 ? (size_t)tensor->n_values : 16;
    if (qb_checkpoint_find(checkpoint, tensor->name) != tensor ||
        qb_checkpoint_read(values, checkpoint, tensor, 0, n) ||
        qb_checkpoint_read(values, checkpoint, tensor, tensor->n_values - (int64_t)n, n) ||
        qb_checkpoint_read(values, checkpoint, tensor, 1, (size_t)tensor->n_values) == QB_OK)
        abort();
}

/* Closes the file. */
static inline void fuzz_open(FILE *file)
{
    char path[64];
    QbCheckpoint *checkpoint;
    if (fflush(file))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
    QbStatus status = qb_checkpoint_open(&checkpoint, path);
    if ((status == QB_OK) != (checkpoint != NULL))
        abort();
    for (int i = 0; checkpoint && i < qb_checkpoint_tensor_count(checkpoint); i++)
        fuzz_read(checkpoint, qb_checkpoint_tensor_at(checkpoint, i));
    qb_checkpoint_close(&checkpoint);
    fclose(file);
}

#endif
