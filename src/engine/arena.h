/* arena.h: the memory of a session's activations. A session lays itself out twice: once on an empty
 * arena, which only adds up sizes, and once more after the one allocation. Nothing is allocated
 * later. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_ENGINE_ARENA_H
#define QB_ENGINE_ARENA_H

#include <qboost/error.h>
#include <stdint.h>

typedef struct QbArena {
    uint8_t *base;   /* owned; NULL while sizes are added up */
    size_t used;     /* bytes */
    size_t capacity; /* bytes */
    int overflow;    /* a size did not fit into size_t */
} QbArena;

/* count elements of size_bytes, 64-byte aligned; NULL while sizes are added up. The pages are not
 * touched, so room that is never used costs no memory. */
void *qb_arena_take(QbArena *arena, size_t count, size_t size_bytes);

/* After the first layout: allocates what was added up; then lay out again, in the same order. */
QbStatus qb_arena_commit(QbArena *arena);
void qb_arena_deinit(QbArena *arena);

#endif
