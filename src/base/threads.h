/* threads.h: a small pool that splits a loop over threads. Items are independent: which thread does
 * one, and how they are grouped, never changes a result. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_THREADS_H
#define QB_BASE_THREADS_H

#include <qboost/error.h>

typedef struct QbPool QbPool;

/* Does items begin … end-1; thread in 0 … size-1 tells whose scratch memory to use. */
typedef void (*QbPoolTask)(int begin, int end, int thread, void *user);

/* n_threads counts the caller; 1 starts none. *out: owned, freed by qb_pool_free. */
QbStatus qb_pool_new(QbPool **out, int n_threads);
void qb_pool_free(QbPool **pool);
int qb_pool_size(const QbPool *pool);

/* Runs task over items 0 … n_items-1 in groups of grain (>= 1) and returns when all are done. One
 * call at a time; not from inside a task. Allocates nothing. */
void qb_pool_run(QbPool *pool, QbPoolTask task, void *user, int n_items, int grain);

#endif
