/* store.h: memory that lives as long as a model's weights: blocks taken one by one, freed together.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_ENGINE_STORE_H
#define QB_ENGINE_STORE_H

#include <stddef.h>

typedef struct QbStore {
    void **blocks; /* owned */
    size_t n_blocks, capacity;
} QbStore;

/* 64-byte aligned, uninitialised; NULL when memory ran out. Belongs to the store. */
void *qb_store_take(QbStore *store, size_t count, size_t size_bytes);
void qb_store_deinit(QbStore *store);

#endif
