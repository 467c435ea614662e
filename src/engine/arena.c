/* arena.c: see arena.h. */
// SPDX-License-Identifier: Apache-2.0
#include "engine/arena.h"

#include "base/error.h"
#include "base/mem.h"

#include <assert.h>

void *qb_arena_take(QbArena *arena, size_t count, size_t size_bytes)
{
    size_t bytes;
    if (!qb_mul_size(&bytes, count, size_bytes) || !qb_add_size(&bytes, bytes, QB_MEM_ALIGN - 1)) {
        arena->overflow = 1;
        return NULL;
    }
    bytes &= ~(size_t)(QB_MEM_ALIGN - 1);
    size_t offset = arena->used;
    if (!qb_add_size(&arena->used, offset, bytes)) {
        arena->overflow = 1;
        return NULL;
    }
    assert(!arena->base || arena->used <= arena->capacity);
    return arena->base ? arena->base + offset : NULL;
}

QbStatus qb_arena_commit(QbArena *arena)
{
    if (arena->overflow)
        return qb_fail(QB_ERR_LIMIT, "the model's shapes ask for more memory than an address has");
    arena->capacity = arena->used;
    arena->used = 0;
    arena->base = qb_alloc(arena->capacity);
    return arena->base ? QB_OK : QB_ERR_NOMEM;
}

void qb_arena_deinit(QbArena *arena)
{
    qb_free(arena->base);
    *arena = (QbArena){0};
}
