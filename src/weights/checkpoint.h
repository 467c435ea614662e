/* checkpoint.h: a published checkpoint seen as one list of tensors: a folder of safetensors files
 * or of PyTorch .bin files (with or without an index), or one such file. Nothing in it is executed,
 * and every size is checked against the file before it is used. Files are read, not mapped: memory
 * stays small, and a file cut short meanwhile is an error instead of a signal.
 *
 * Of PyTorch's files those of torch >= 1.6 are read (zip archives). Their dict must be a plain
 * state dict: numbers and texts beside the tensors are skipped, a state dict inside another dict
 * (under "state_dict", "model", ...) is refused. Checksums are not checked. Limits: 1024 files,
 * 100,000 tensors, names of 1024 bytes, 4 MiB a header, index or pickle. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_CHECKPOINT_H
#define QB_WEIGHTS_CHECKPOINT_H

#include <qboost/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct QbCheckpoint QbCheckpoint;

typedef enum QbDtype {
    QB_DTYPE_F32,
    QB_DTYPE_F16,
    QB_DTYPE_BF16,
    QB_DTYPE_F64,
    QB_DTYPE_I64,
    QB_DTYPE_I32,
    QB_DTYPE_I16,
    QB_DTYPE_I8,
    QB_DTYPE_U8,
    QB_DTYPE_BOOL
} QbDtype;

const char *qb_dtype_name(QbDtype dtype); /* "f32", … */
int qb_dtype_bytes(QbDtype dtype);

enum { QB_CHECKPOINT_MAX_DIMS = 8 };

typedef struct QbCheckpointTensor {
    const char *name; /* borrowed from the QbCheckpoint, NUL-terminated */
    const char *file; /* the file that it is in, for messages; borrowed likewise */
    QbDtype dtype;
    int n_dims;                            /* 0: a scalar */
    int64_t shape[QB_CHECKPOINT_MAX_DIMS]; /* as PyTorch has it: the last varies fastest */
    int64_t n_values;                      /* product of shape; may be 0 */
    bool repeats; /* more values than the file holds for them: a view with strides of 0 */
} QbCheckpointTensor;

/* A folder is searched for, in this order: model.safetensors.index.json, model.safetensors,
 * *.safetensors, pytorch_model.bin.index.json, pytorch_model.bin, pytorch_model*.bin. The first
 * that is there is the checkpoint; other files are not opened. A shard that the index names and
 * that is not there, and a name that is there twice, are errors. *out: owned by the caller. */
QbStatus qb_checkpoint_open(QbCheckpoint **out, const char *path);
void qb_checkpoint_close(QbCheckpoint **checkpoint);

int qb_checkpoint_tensor_count(const QbCheckpoint *checkpoint);
const QbCheckpointTensor *qb_checkpoint_tensor_at(const QbCheckpoint *checkpoint, int index);
/* NULL if absent. */
const QbCheckpointTensor *qb_checkpoint_find(const QbCheckpoint *checkpoint, const char *name);

/* Whether path leads to one of its files, by whatever name. */
bool qb_checkpoint_has_file(const QbCheckpoint *checkpoint, const char *path);

/* Values first … first + n - 1 in row-major order of shape (whatever strides the file has), as f32.
 * tensor: of this checkpoint; first + n <= n_values. Thread-safe. Values are not judged: NaN comes
 * through. */
QbStatus qb_checkpoint_read(float *out, const QbCheckpoint *checkpoint,
                            const QbCheckpointTensor *tensor, int64_t first, size_t n);

#endif
