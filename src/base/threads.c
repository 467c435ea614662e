/* threads.c: the pool. Workers sleep on a condition between jobs after spinning for a moment: a
 * forward pass is hundreds of short jobs in a row, and waking a thread costs more than many of
 * them.
 *
 * A job is open while generation is odd. The caller works too, closes the job when no item is left,
 * and waits only for workers that have joined; one that the system has not run in the meantime is
 * not missed. Joining and closing cross over: a worker raises n_joined and then looks at
 * generation, the caller raises generation and then looks at n_joined, so one of them always sees
 * the other (sequentially consistent atomics). */
// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"

#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { MAX_THREADS = 1024, SPIN_ROUNDS = 4000 };

typedef struct {
    QbPool *pool;
    int thread;
    pthread_t id;
} Worker;

struct QbPool {
    int n_threads;
    int n_started; /* workers running, <= n_threads - 1 */
    Worker *workers;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    /* The job: written while none is open, read by workers that have joined. */
    QbPoolTask task;
    void *user;
    int n_items, grain;
    atomic_llong next_item; /* passes n_items by up to a grain a thread: more than an int holds */
    atomic_int n_joined;    /* workers that may be looking at the job */
    atomic_uint generation; /* odd: a job is open */
    atomic_bool quit;
};

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void work(QbPool *pool, int thread)
{
    for (;;) {
        long long next = atomic_fetch_add(&pool->next_item, pool->grain);
        if (next >= pool->n_items)
            return;
        int begin = (int)next;
        int end = pool->n_items - begin > pool->grain ? begin + pool->grain : pool->n_items;
        pool->task(begin, end, thread, pool->user);
    }
}

static bool is_news(unsigned generation, unsigned seen)
{
    return generation != seen && generation % 2 == 1;
}

/* Returns the generation of an open job that is not the one seen, or of the end. */
static unsigned wait_for_job(QbPool *pool, unsigned seen)
{
    for (int i = 0; i < SPIN_ROUNDS; i++) {
        unsigned generation = atomic_load(&pool->generation);
        if (is_news(generation, seen))
            return generation;
        cpu_relax();
    }
    pthread_mutex_lock(&pool->mutex);
    unsigned generation;
    while (!is_news(generation = atomic_load(&pool->generation), seen))
        pthread_cond_wait(&pool->wake, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    return generation;
}

static void *worker_main(void *user)
{
    Worker *worker = user;
    QbPool *pool = worker->pool;
    unsigned seen = 0;
    while (!atomic_load(&pool->quit)) {
        unsigned generation = wait_for_job(pool, seen);
        atomic_fetch_add(&pool->n_joined, 1);
        if (atomic_load(&pool->generation) == generation && !atomic_load(&pool->quit))
            work(pool, worker->thread);
        atomic_fetch_sub(&pool->n_joined, 1);
        seen = generation;
    }
    return NULL;
}

static void open_job(QbPool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->generation, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

void qb_pool_run(QbPool *pool, QbPoolTask task, void *user, int n_items, int grain)
{
    if (n_items <= 0)
        return;
    if (grain < 1)
        grain = 1;
    if (pool->n_started == 0 || n_items <= grain) {
        task(0, n_items, 0, user);
        return;
    }
    pool->task = task;
    pool->user = user;
    pool->n_items = n_items;
    pool->grain = grain;
    atomic_store(&pool->next_item, 0);
    open_job(pool);
    work(pool, 0);
    atomic_fetch_add(&pool->generation, 1); /* closed */
    for (int i = 0; atomic_load(&pool->n_joined) > 0; i++) {
        cpu_relax();
        if (i > SPIN_ROUNDS)
            sched_yield();
    }
}

QbStatus qb_pool_new(QbPool **out, int n_threads)
{
    *out = NULL;
    if (n_threads < 1 || n_threads > MAX_THREADS)
        return qb_fail(QB_ERR_ARG, "%d threads wanted, 1 to %d can be had", n_threads, MAX_THREADS);
    QbPool *pool = qb_calloc(1, sizeof *pool);
    if (!pool)
        return QB_ERR_NOMEM;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->n_threads = n_threads;
    pool->workers = qb_calloc((size_t)n_threads, sizeof *pool->workers);
    if (!pool->workers) {
        qb_pool_free(&pool);
        return QB_ERR_NOMEM;
    }
    for (int i = 1; i < n_threads; i++) {
        Worker *worker = &pool->workers[pool->n_started];
        *worker = (Worker){.pool = pool, .thread = i};
        if (pthread_create(&worker->id, NULL, worker_main, worker)) {
            QbStatus status =
                qb_fail(QB_ERR_NOMEM, "cannot start thread %d of %d", i + 1, n_threads);
            qb_pool_free(&pool);
            return status;
        }
        pool->n_started++;
    }
    *out = pool;
    return QB_OK;
}

void qb_pool_free(QbPool **pool_pointer)
{
    QbPool *pool = pool_pointer ? *pool_pointer : NULL;
    if (!pool)
        return;
    atomic_store(&pool->quit, true);
    open_job(pool);
    for (int i = 0; i < pool->n_started; i++)
        pthread_join(pool->workers[i].id, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    qb_free(pool->workers);
    qb_free(pool);
    *pool_pointer = NULL;
}

int qb_pool_size(const QbPool *pool)
{
    return pool->n_threads;
}
