/* pickle.h: the tensors that a pickled state dict describes. Pickles are programs; this reads the
 * few instructions that PyTorch's own restricted reader knows (torch/_weights_only_unpickler.py),
 * calls nothing, and refuses everything else by name. Nothing outside this folder includes it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_PICKLE_H
#define QB_WEIGHTS_PICKLE_H

#include "weights/checkpoint_internal.h"

/* One tensor as the pickle has it: sizes, strides and offset (in values) are not yet checked
 * against the storage, and may be negative. Texts are borrowed from the pickle, not NUL-terminated.
 */
typedef struct PickleTensor {
    const char *name;
    size_t name_length;
    const char *key; /* of the storage */
    size_t key_length;
    QbDtype dtype;
    int64_t storage_values, offset;
    int n_dims;
    int64_t shape[QB_CHECKPOINT_MAX_DIMS], stride[QB_CHECKPOINT_MAX_DIMS];
} PickleTensor;

typedef QbStatus (*PickleTensorFn)(const PickleTensor *tensor, void *user);

/* Runs the pickle, which must make a dict with texts as keys, then tells every tensor in it in its
 * order. Numbers, texts and None beside tensors are skipped; a dict or list inside is refused, also
 * a state dict under a key such as "state_dict". file: for messages. */
QbStatus qb_pickle_read(const uint8_t *data, size_t size, const char *file, PickleTensorFn tell,
                        void *user);

#endif
