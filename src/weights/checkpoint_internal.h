/* checkpoint_internal.h: what an open checkpoint is made of. checkpoint.c opens, checkpoint_files.c
 * decides which files belong to it, safetensors.c and torch_zip.c list the tensors of one file,
 * checkpoint_read.c reads their values. Nothing outside this folder includes it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_CHECKPOINT_INTERNAL_H
#define QB_WEIGHTS_CHECKPOINT_INTERNAL_H

#include "weights/checkpoint.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    CHECKPOINT_MAX_FILES = 1024,
    CHECKPOINT_MAX_TENSORS = 100000,
    CHECKPOINT_MAX_NAME = 1024,
    /* Of JSON headers and indexes and of pickles: honest ones have some 100 KiB, and what is made
     * of them in memory may be 80 times their size (a JSON array of empty objects). */
    CHECKPOINT_MAX_HEADER = 4 << 20
};

/* Refers to one file by a descriptor, from opening to closing: a file that is renamed or replaced
 * meanwhile does no harm. */
typedef struct CheckpointFile {
    char *path;    /* owned */
    int fd;        /* owned */
    uint64_t size; /* when it was opened; <= INT64_MAX */
} CheckpointFile;

typedef struct CheckpointEntry {
    QbCheckpointTensor tensor;  /* .name is owned; first member: the API hands out pointers to it */
    const CheckpointFile *file; /* borrowed from the QbCheckpoint */
    uint64_t offset;            /* of the first value, in bytes from the file's start */
    bool strided;               /* values do not simply follow one another */
    int64_t stride[QB_CHECKPOINT_MAX_DIMS]; /* in values, >= 0; set when strided */
} CheckpointEntry;

struct QbCheckpoint {
    CheckpointFile **files; /* owned; each at a fixed place */
    size_t n_files, files_capacity;
    CheckpointEntry *entries; /* owned */
    size_t n_entries, entries_capacity;
    CheckpointEntry **by_name; /* [n_entries] sorted; owned */
};

/* Opens one more file and lists its tensors; what it is is told by its first bytes. */
QbStatus qb_checkpoint_add_file(QbCheckpoint *checkpoint, const char *path);

/* A new tensor of file, zeroed but for name and file. */
QbStatus qb_checkpoint_add_tensor(CheckpointEntry **out, QbCheckpoint *checkpoint,
                                  const CheckpointFile *file, const char *name, size_t length);

/* Sets n_values from shape, and *out_bytes to what the values take; refuses negative sizes and
 * products that overflow. */
QbStatus qb_checkpoint_measure(uint64_t *out_bytes, CheckpointEntry *entry);

/* Fills by_name; a name that is there twice is an error. */
QbStatus qb_checkpoint_sort(QbCheckpoint *checkpoint);

/* Adds the files that belong to a folder's checkpoint, and sorts. */
QbStatus qb_checkpoint_add_folder(QbCheckpoint *checkpoint, const char *folder);

/* The tensors of one file, none of whose bytes has been judged yet. */
QbStatus qb_safetensors_list(QbCheckpoint *checkpoint, const CheckpointFile *file);
QbStatus qb_torch_list(QbCheckpoint *checkpoint, const CheckpointFile *file);

/* n bytes of the file from offset; fewer are an error. Thread-safe. */
QbStatus qb_checkpoint_file_read(void *out, const CheckpointFile *file, uint64_t offset, size_t n);

/* Room for one more element of a table; the new element is zeroed. */
QbStatus qb_checkpoint_grow(void **table, size_t *capacity, size_t count, size_t element_bytes);

#endif
