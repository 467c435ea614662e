/* storage.h: the choices of --type: which element type each role's tensors get. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_STORAGE_H
#define QB_CONVERT_STORAGE_H

#include "weights/gguf_read.h"

typedef enum QbRole {
    QB_ROLE_DECODER,   /* the decoder's matrices: nearly all of a model's bytes */
    QB_ROLE_EMBEDDING, /* the table of the vocabulary, looked up row by row */
    QB_ROLE_HEAD,      /* the decoder's last matrix */
    QB_ROLE_TOWER,     /* matrices of the vision tower and of what stands behind it */
    QB_ROLE_EXACT,     /* vectors, patch embedding, positions: always f32 */
    QB_ROLE_COUNT
} QbRole;

typedef struct QbStorage {
    const char *name, *help;
    QbType type[QB_ROLE_COUNT];
} QbStorage;

/* NULL past the last one; find: NULL when there is none of that name. */
const QbStorage *qb_storage_at(int index);
const QbStorage *qb_storage_find(const char *name);

/* The type for rows of so many values: where they are not whole blocks, the next finer type whose
 * blocks they fill. */
QbType qb_storage_type(const QbStorage *storage, QbRole role, int64_t columns);

#endif
