/* store.c: see store.h. */
// SPDX-License-Identifier: Apache-2.0
#include "engine/store.h"

#include "base/error.h"
#include "base/mem.h"

void *qb_store_take(QbStore *store, size_t count, size_t size_bytes)
{
    size_t bytes;
    if (!qb_mul_size(&bytes, count, size_bytes)) {
        qb_fail(QB_ERR_NOMEM, "out of memory: %zu times %zu bytes wanted", count, size_bytes);
        return NULL;
    }
    if (store->n_blocks == store->capacity) {
        size_t grown = store->capacity ? store->capacity * 2 : 64;
        void **blocks =
            qb_realloc(store->blocks, store->n_blocks * sizeof *blocks, grown * sizeof *blocks);
        if (!blocks)
            return NULL;
        store->blocks = blocks;
        store->capacity = grown;
    }
    void *block = qb_alloc(bytes);
    if (block)
        store->blocks[store->n_blocks++] = block;
    return block;
}

void qb_store_deinit(QbStore *store)
{
    for (size_t i = 0; i < store->n_blocks; i++)
        qb_free(store->blocks[i]);
    qb_free(store->blocks);
    *store = (QbStore){0};
}
