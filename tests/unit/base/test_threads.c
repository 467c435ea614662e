/* test_threads.c: the pool does every item exactly once, for many sizes, grains and numbers of
 * threads, thousands of times in a row. Built with -fsanitize=thread too. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "base/threads.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_ITEMS = 4096, MAX_POOL = 64 };

typedef struct {
    int n_items, n_threads;
    unsigned char done[MAX_ITEMS]; /* plain memory: an item done by two threads is a race */
    atomic_int errors;
    atomic_llong sum;
    atomic_int busy[MAX_POOL]; /* nobody else may use a thread's number meanwhile */
} Work;

static void count(int begin, int end, int thread, void *user)
{
    Work *work = user;
    if (thread < 0 || thread >= work->n_threads || begin < 0 || end > work->n_items ||
        begin >= end || atomic_exchange(&work->busy[thread], 1)) {
        atomic_fetch_add(&work->errors, 1);
        return;
    }
    long long sum = 0;
    for (int i = begin; i < end; i++) {
        work->done[i]++;
        sum += i;
    }
    atomic_fetch_add(&work->sum, sum);
    atomic_store(&work->busy[thread], 0);
}

static void run_and_check(QbPool *pool, Work *work, int n_items, int grain)
{
    work->n_items = n_items;
    memset(work->done, 0, (size_t)n_items);
    atomic_store(&work->sum, 0);
    qb_pool_run(pool, count, work, n_items, grain);
    if (atomic_load(&work->errors) ||
        atomic_load(&work->sum) != (long long)n_items * (n_items - 1) / 2)
        fail_msg("%d items in groups of %d on %d threads: sum %lld, %d errors", n_items, grain,
                 work->n_threads, (long long)atomic_load(&work->sum), atomic_load(&work->errors));
    for (int i = 0; i < n_items; i++)
        if (work->done[i] != 1)
            fail_msg("%d items in groups of %d on %d threads: item %d was done %d times", n_items,
                     grain, work->n_threads, i, work->done[i]);
}

static void test_every_item_once(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 4, 7, 16, 33};
    static const int items[] = {0, 1, 2, 3, 5, 8, 31, 32, 33, 100, 1023, 4096};
    static const int grains[] = {-1, 0, 1, 2, 3, 7, 16, 64, 5000};
    static Work work;
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        QbPool *pool = NULL;
        assert_int_equal(qb_pool_new(&pool, threads[t]), QB_OK);
        assert_int_equal(qb_pool_size(pool), threads[t]);
        work.n_threads = threads[t];
        for (size_t i = 0; i < sizeof items / sizeof *items; i++)
            for (size_t g = 0; g < sizeof grains / sizeof *grains; g++)
                run_and_check(pool, &work, items[i], grains[g]);
        qb_pool_free(&pool);
        assert_null(pool);
    }
}

static void test_thousands_of_jobs(void **state)
{
    (void)state;
    static Work work;
    QbPool *pool = NULL;
    assert_int_equal(qb_pool_new(&pool, 4), QB_OK);
    work.n_threads = 4;
    for (int i = 0; i < 6000; i++)
        run_and_check(pool, &work, 1 + i % 19, 1 + i % 3);
    qb_pool_free(&pool);
}

/* What a job wrote must be there when the next job reads it, whichever threads did them. */
static void add_one(int begin, int end, int thread, void *user)
{
    (void)thread;
    int *values = user;
    for (int i = begin; i < end; i++)
        values[i]++;
}

static void reverse_check(int begin, int end, int thread, void *user)
{
    (void)thread;
    int *values = user;
    for (int i = begin; i < end; i++)
        values[256 + i] = values[255 - i];
}

static void test_jobs_see_the_ones_before(void **state)
{
    (void)state;
    int values[512] = {0};
    QbPool *pool = NULL;
    assert_int_equal(qb_pool_new(&pool, 3), QB_OK);
    for (int round = 1; round <= 1000; round++) {
        qb_pool_run(pool, add_one, values, 256, 5);
        qb_pool_run(pool, reverse_check, values, 256, 7);
        for (int i = 0; i < 512; i++)
            if (values[i] != round)
                fail_msg("round %d: value %d is %d", round, i, values[i]);
    }
    qb_pool_free(&pool);
}

static void *use_own_pool(void *user)
{
    atomic_int *failures = user;
    Work *work = qb_calloc(1, sizeof *work);
    QbPool *pool = NULL;
    if (!work || qb_pool_new(&pool, 3))
        atomic_fetch_add(failures, 1);
    for (int i = 0; i < 300 && pool; i++) {
        work->n_threads = 3;
        run_and_check(pool, work, 40 + i % 7, 2);
    }
    qb_pool_free(&pool);
    qb_free(work);
    return NULL;
}

static void test_pools_side_by_side(void **state)
{
    (void)state;
    pthread_t thread[4];
    atomic_int failures = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, use_own_pool, &failures), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&failures), 0);
}

/* Few groups of very many items: the counter of the next item must not run over. */
typedef struct {
    atomic_llong items;
    atomic_int errors;
} Huge;

static void count_huge(int begin, int end, int thread, void *user)
{
    (void)thread;
    Huge *huge = user;
    if (begin < 0 || end <= begin)
        atomic_fetch_add(&huge->errors, 1);
    atomic_fetch_add(&huge->items, (long long)end - begin);
}

static void test_huge_counts(void **state)
{
    (void)state;
    QbPool *pool = NULL;
    assert_int_equal(qb_pool_new(&pool, 4), QB_OK);
    static const int grains[] = {INT_MAX - 1, INT_MAX / 2, INT_MAX / 2 + 1, INT_MAX / 7};
    for (size_t g = 0; g < sizeof grains / sizeof *grains; g++) {
        Huge huge = {0};
        qb_pool_run(pool, count_huge, &huge, INT_MAX, grains[g]);
        assert_int_equal(atomic_load(&huge.errors), 0);
        assert_true(atomic_load(&huge.items) == INT_MAX);
    }
    qb_pool_free(&pool);
}

static void test_new_and_free(void **state)
{
    (void)state;
    QbPool *pool = NULL;
    assert_int_equal(qb_pool_new(&pool, 0), QB_ERR_ARG);
    assert_null(pool);
    assert_int_equal(qb_pool_new(&pool, -3), QB_ERR_ARG);
    assert_int_equal(qb_pool_new(&pool, INT_MAX), QB_ERR_ARG);
    qb_pool_free(&pool);
    qb_pool_free(NULL);
    for (int i = 0; i < 100; i++) { /* freed before its threads have run */
        assert_int_equal(qb_pool_new(&pool, 1 + i % 5), QB_OK);
        qb_pool_free(&pool);
    }
    for (uint64_t n = 1; n <= 2; n++) {
        qb_mem_fail_after(n);
        assert_int_equal(qb_pool_new(&pool, 3), QB_ERR_NOMEM);
        qb_mem_fail_after(0);
        assert_null(pool);
    }
}

static void test_running_allocates_nothing(void **state)
{
    (void)state;
    static Work work;
    QbPool *pool = NULL;
    assert_int_equal(qb_pool_new(&pool, 3), QB_OK);
    work.n_threads = 3;
    uint64_t before = qb_mem_allocation_count();
    for (int i = 0; i < 100; i++)
        run_and_check(pool, &work, 100, 3);
    assert_true(qb_mem_allocation_count() == before);
    qb_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_item_once),
        cmocka_unit_test(test_thousands_of_jobs),
        cmocka_unit_test(test_jobs_see_the_ones_before),
        cmocka_unit_test(test_pools_side_by_side),
        cmocka_unit_test(test_huge_counts),
        cmocka_unit_test(test_new_and_free),
        cmocka_unit_test(test_running_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
