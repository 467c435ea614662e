/* ops_fixture.h: what the tests of operations share: a QbOps of any level and number of threads,
 * random numbers, and the loops over levels. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_OPS_FIXTURE_H
#define QB_TESTS_OPS_FIXTURE_H

#include "base/cpu.h"
#include "base/mem.h"
#include "engine/ops.h"

#include <stdlib.h>
#include <string.h>

typedef struct Fixture {
    QbKernels kernels;
    QbPool *pool;
    QbArena arena;
    QbOps ops; /* between begin and commit: call qb_ops_want_… on it */
    QbStore store;
} Fixture;

static const unsigned fixture_levels[] = {0, QB_CPU_AVX2, QB_CPU_AVX2 | QB_CPU_AVX512};
enum { FIXTURE_LEVELS = 3, FIXTURE_THREADS = 3 };

/* Whether this CPU has level i. */
static inline int fixture_has_level(int i)
{
    return (qb_cpu_detect() & fixture_levels[i]) == fixture_levels[i];
}

static inline void fixture_begin(Fixture *f, int level, int threads)
{
    memset(f, 0, sizeof *f);
    qb_kernels_init(&f->kernels, fixture_levels[level]);
    if (qb_pool_new(&f->pool, threads))
        abort();
    f->ops = (QbOps){.kernels = &f->kernels, .pool = f->pool};
}

static inline void fixture_commit(Fixture *f)
{
    qb_ops_layout(&f->ops, &f->arena);
    if (qb_arena_commit(&f->arena))
        abort();
    qb_ops_layout(&f->ops, &f->arena);
}

static inline void fixture_end(Fixture *f)
{
    qb_pool_free(&f->pool);
    qb_arena_deinit(&f->arena);
    qb_store_deinit(&f->store);
}

/* -1 … 1, the same on every machine. */
static inline float random_float(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(int32_t)(*seed >> 8) * 0x1p-23f - 1.0f;
}

/* Owned: free(). n + 8 values, so that n may be 0. */
static inline float *random_floats(size_t n, uint32_t seed)
{
    float *x = malloc((n + 8) * sizeof *x);
    if (!x)
        abort();
    for (size_t i = 0; i < n + 8; i++)
        x[i] = random_float(&seed);
    return x;
}

#endif
