/* test_attention.c: attention with fewer key heads than query heads, causal at an offset or over
 * all keys, against the formula in double; the same bits for any number of threads, for queries
 * computed alone and for sequences with a common beginning; the KV cache's prefix; arena and store.
 */
// SPDX-License-Identifier: Apache-2.0
#include "engine/attention.h"
#include "tests/unit/engine/ops_fixture.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct {
    int n_query, n_key, n_heads, n_kv_heads, head_dim, first_visible;
} Case;

typedef struct {
    float *q, *k, *v;
    int ldq, ldk, ldv, ldy;
} Data;

/* y = softmax(scale q k) v. The scores err by delta, which moves every probability by a factor
 * exp(+-2 delta); the exponential's own error is taken as 2e-6, the sum adds n eps. */
static void expected(double *y, double *bound, const Case *c, const Data *d, int query, int head)
{
    int group = c->n_heads / c->n_kv_heads;
    int visible = c->first_visible < 0 ? c->n_key : c->first_visible + query;
    visible = visible < c->n_key ? visible : c->n_key;
    const float *q = d->q + (ptrdiff_t)query * d->ldq + head * c->head_dim;
    double *p = malloc((size_t)c->n_key * sizeof *p), highest = -INFINITY, delta = 0, sum = 0,
           largest = 0;
    assert_non_null(p);
    for (int j = 0; j < visible; j++) {
        const float *k = d->k + (ptrdiff_t)j * d->ldk + head / group * c->head_dim;
        double dot = 0, size = 0;
        for (int i = 0; i < c->head_dim; i++) {
            dot += (double)q[i] * (double)k[i];
            size += fabs((double)q[i] * (double)k[i]);
        }
        p[j] = dot / sqrt(c->head_dim);
        delta = fmax(delta, (c->head_dim + 4) * (double)FLT_EPSILON * size);
        highest = fmax(highest, p[j]);
    }
    for (int j = 0; j < visible; j++)
        sum += p[j] = exp(p[j] - highest);
    for (int i = 0; i < c->head_dim; i++)
        y[i] = 0;
    for (int j = 0; j < visible; j++) {
        const float *v = d->v + (ptrdiff_t)j * d->ldv + head / group * c->head_dim;
        for (int i = 0; i < c->head_dim; i++) {
            y[i] += p[j] / sum * (double)v[i];
            largest = fmax(largest, fabs((double)v[i]));
        }
    }
    *bound = largest * (2 * delta + 4e-6 + 2 * (visible + 4) * (double)FLT_EPSILON);
    free(p);
}

static QbAttentionLayer layer_of(const Case *c, const Data *d, float *y)
{
    return (QbAttentionLayer){
        .q = {d->q, d->ldq},
        .k = {d->k, d->ldk},
        .v = {d->v, d->ldv},
        .y = y,
        .ldy = d->ldy,
        .n_query = c->n_query,
        .n_key = c->n_key,
        .n_heads = c->n_heads,
        .n_kv_heads = c->n_kv_heads,
        .head_dim = c->head_dim,
        .first_visible = c->first_visible,
        .scale = 1.0f / sqrtf((float)c->head_dim),
    };
}

static void compare(const Case *c, const Data *d, const float *got, const char *level, int threads)
{
    double *y = malloc((size_t)c->head_dim * sizeof *y), bound;
    assert_non_null(y);
    for (int query = 0; query < c->n_query; query++)
        for (int head = 0; head < c->n_heads; head++) {
            expected(y, &bound, c, d, query, head);
            for (int i = 0; i < c->head_dim; i++) {
                double value = (double)got[(ptrdiff_t)query * d->ldy + head * c->head_dim + i];
                if (!(fabs(value - y[i]) <= bound))
                    fail_msg("%s, %d threads, %d queries of %d heads on %d keys of %d, first %d: "
                             "query %d "
                             "head %d value %d is %.9g, expected %.9g within %.2g",
                             level, threads, c->n_query, c->n_heads, c->n_key, c->n_kv_heads,
                             c->first_visible, query, head, i, value, y[i], bound);
            }
        }
    free(y);
}

/* Queries from `from` on, as a session with a cached prefix computes them. */
static void compare_tail(const Case *c, const Data *d, Fixture *f, const float *whole, int from)
{
    Case tail = *c;
    Data tail_data = *d;
    tail.n_query -= from;
    tail.first_visible += c->first_visible < 0 ? 0 : from;
    tail_data.q += (ptrdiff_t)from * d->ldq;
    float *y = random_floats((size_t)tail.n_query * (size_t)d->ldy, 6);
    QbAttentionLayer layer = layer_of(&tail, &tail_data, y);
    qb_op_attention(&f->ops, &layer);
    for (int query = 0; query < tail.n_query; query++)
        if (memcmp(y + (ptrdiff_t)query * d->ldy, whole + (ptrdiff_t)(from + query) * d->ldy,
                   (size_t)(c->n_heads * c->head_dim) * sizeof *y))
            fail_msg("%s: query %d of %d has other bits when computed from %d on", f->kernels.level,
                     from + query, c->n_query, from);
    free(y);
}

static void check_case(int level, Case c)
{
    Data d = {.ldq = c.n_heads * c.head_dim + 3,
              .ldk = c.n_kv_heads * c.head_dim,
              .ldv = c.n_kv_heads * c.head_dim + 1,
              .ldy = c.n_heads * c.head_dim + 5};
    d.q = random_floats((size_t)c.n_query * (size_t)d.ldq, 1);
    d.k = random_floats((size_t)c.n_key * (size_t)d.ldk, 2);
    d.v = random_floats((size_t)c.n_key * (size_t)d.ldv, 3);
    for (int i = 0; i < c.n_query * d.ldq; i++)
        d.q[i] *= 4; /* so that some keys matter more */
    size_t count = (size_t)c.n_query * (size_t)d.ldy;
    float *y = random_floats(count, 4), *first = random_floats(count, 4);
    for (int threads = 1; threads <= FIXTURE_THREADS; threads++) {
        Fixture f;
        fixture_begin(&f, level, threads);
        qb_ops_want_attention(&f.ops, c.n_key);
        fixture_commit(&f);
        QbAttentionLayer layer = layer_of(&c, &d, y);
        qb_op_attention(&f.ops, &layer);
        compare(&c, &d, y, f.kernels.level, threads);
        if (threads == 1)
            memcpy(first, y, count * sizeof *y);
        assert_memory_equal(first, y,
                            count * sizeof *y); /* what lies between rows is left alone, too */
        for (int from = 1; from < c.n_query; from += 1 + from)
            compare_tail(&c, &d, &f, first, from);
        compare_tail(&c, &d, &f, first, c.n_query - 1);
        fixture_end(&f);
    }
    free(d.q);
    free(d.k);
    free(d.v);
    free(y);
    free(first);
}

static void test_attention(void **state)
{
    (void)state;
    static const int queries[] = {1, 7, 31, 32, 33, 70}, past[] = {0, 1, 5, 100, 577};
    static const int heads[][2] = {{1, 1}, {4, 4}, {4, 2}, {6, 1}}, dims[] = {2, 12, 16, 33, 64};
    int turn = 0;
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        for (int q = 0; q < 6 && fixture_has_level(level); q++)
            for (int p = 0; p < 5; p++, turn++) {
                const int *h = heads[turn % 4];
                int n_key = queries[q] + past[p], dim = dims[turn % 5];
                /* Each query sees itself and what is before it … */
                check_case(level, (Case){queries[q], n_key, h[0], h[1], dim, past[p] + 1});
                /* … or all keys. */
                check_case(level, (Case){queries[q], n_key, h[0], h[1], dim, -1});
            }
}

typedef struct {
    int n_sequences, n_shared, n_own; /* keys */
    int n_first, n_each;              /* queries */
} Sequences;

/* The keys and values of sequence i alone, behind each other. */
static Data data_of(const Data *d, const Sequences *s, int i)
{
    Data one = *d;
    size_t n_key = (size_t)(s->n_shared + s->n_own), ldk = (size_t)d->ldk, ldv = (size_t)d->ldv;
    size_t shared = (size_t)s->n_shared, own = (size_t)(s->n_shared + i * s->n_own);
    one.k = random_floats(n_key * ldk, 7);
    one.v = random_floats(n_key * ldv, 7);
    memcpy(one.k, d->k, shared * ldk * sizeof *one.k);
    memcpy(one.v, d->v, shared * ldv * sizeof *one.v);
    memcpy(one.k + shared * ldk, d->k + own * ldk, (n_key - shared) * ldk * sizeof *one.k);
    memcpy(one.v + shared * ldv, d->v + own * ldv, (n_key - shared) * ldv * sizeof *one.v);
    if (i > 0)
        one.q += (s->n_first + (i - 1) * s->n_each) * d->ldq;
    return one;
}

/* All sequences in one call against each in a call of its own: equal to the bit. */
static void check_sequences(Fixture *f, Sequences s, bool causal)
{
    int n_key = s.n_shared + s.n_own, n_rows = n_key + (s.n_sequences - 1) * s.n_own;
    Case c = {s.n_first + (s.n_sequences - 1) * s.n_each, n_key, 4, 2, 20, -1};
    Data d = {.ldq = 4 * 20 + 3, .ldk = 2 * 20, .ldv = 2 * 20 + 1, .ldy = 4 * 20 + 5};
    d.q = random_floats((size_t)(c.n_query * d.ldq), 1);
    d.k = random_floats((size_t)(n_rows * d.ldk), 2);
    d.v = random_floats((size_t)(n_rows * d.ldv), 3);
    size_t count = (size_t)(c.n_query * d.ldy);
    float *y = random_floats(count, 4), *want = random_floats(count, 4), *next = want;
    if (causal)
        c.first_visible = n_key - s.n_first + 1;
    QbAttentionLayer layer = layer_of(&c, &d, y);
    layer.n_sequences = s.n_sequences;
    layer.n_shared = s.n_shared;
    layer.n_each = s.n_each;
    qb_op_attention(&f->ops, &layer);
    for (int i = 0; i < s.n_sequences; i++) {
        Data one = data_of(&d, &s, i);
        c.n_query = i ? s.n_each : s.n_first;
        c.first_visible = causal ? n_key - c.n_query + 1 : -1;
        layer = layer_of(&c, &one, next);
        qb_op_attention(&f->ops, &layer);
        next += c.n_query * d.ldy;
        free(one.k);
        free(one.v);
    }
    if (memcmp(y, want, count * sizeof *y))
        fail_msg("%s: %d sequences of %d + %d keys, %d and %d queries, differ from each alone",
                 f->kernels.level, s.n_sequences, s.n_shared, s.n_own, s.n_first, s.n_each);
    free(d.q);
    free(d.k);
    free(d.v);
    free(y);
    free(want);
}

static void test_sequences(void **state)
{
    (void)state;
    static const Sequences cases[] = {{1, 9, 12, 12, 0},  {2, 5, 40, 45, 40}, {3, 0, 33, 33, 33},
                                      {4, 17, 70, 1, 70}, {5, 16, 64, 1, 1},  {2, 100, 1, 101, 1},
                                      {17, 3, 35, 20, 35}};
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        for (int threads = 1; threads <= FIXTURE_THREADS && fixture_has_level(level); threads++) {
            Fixture f;
            fixture_begin(&f, level, threads);
            qb_ops_want_attention(&f.ops, 200);
            fixture_commit(&f);
            for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                check_sequences(&f, cases[i], true);
                check_sequences(&f, cases[i], false);
            }
            fixture_end(&f);
        }
}

static void test_kv_cache(void **state)
{
    (void)state;
    QbArena arena = {0};
    QbKvCache cache;
    qb_kv_cache_layout(&cache, &arena, 3, 8, 5);
    assert_int_equal(qb_arena_commit(&arena), QB_OK);
    qb_kv_cache_layout(&cache, &arena, 3, 8, 5);
    assert_int_equal(qb_kv_cache_offset(&cache, 0, 1), 5);
    assert_int_equal(qb_kv_cache_offset(&cache, 2, 7), (2 * 8 + 7) * 5);
    memset(cache.k, 1, 3 * 8 * 5 * sizeof(float)); /* all of it is there */
    memset(cache.v, 1, 3 * 8 * 5 * sizeof(float));
    uint64_t keys[8] = {10, 20, 30, 40, 50, 60, 70, 80}, other[8] = {10, 20, 31, 40};
    assert_int_equal(qb_kv_cache_keep_prefix(&cache, keys, 8), 0); /* empty */
    memcpy(cache.row_key, keys, sizeof keys);
    cache.length = 6;
    assert_int_equal(qb_kv_cache_common_prefix(&cache, other, 4), 2);
    assert_int_equal(qb_kv_cache_keep_prefix(&cache, keys, 8), 6);
    assert_int_equal(qb_kv_cache_keep_prefix(&cache, keys, 5), 5);
    assert_int_equal(cache.length, 5); /* the rest is forgotten */
    assert_int_equal(qb_kv_cache_keep_prefix(&cache, other, 4), 2);
    assert_int_equal(qb_kv_cache_keep_prefix(&cache, keys, 8), 2);
    assert_int_equal(qb_kv_cache_keep_prefix(&cache, keys, 0), 0);
    qb_arena_deinit(&arena);
}

static void test_arena(void **state)
{
    (void)state;
    QbArena arena = {0};
    uint8_t *block[3] = {0};
    for (int pass = 0; pass < 2; pass++) {
        block[0] = qb_arena_take(&arena, 3, 1);
        block[1] = qb_arena_take(&arena, 0, 8);
        block[2] = qb_arena_take(&arena, 65, 4);
        if (pass == 0) {
            assert_null(block[0]);
            assert_int_equal(qb_arena_commit(&arena), QB_OK);
        }
    }
    assert_int_equal((uintptr_t)block[0] % 64, 0);
    assert_int_equal(block[2] - block[0], 64);
    assert_int_equal(arena.used, arena.capacity);
    memset(block[2], 0, 65 * 4);
    qb_arena_deinit(&arena);
    static const size_t too_much[][2] = {{SIZE_MAX, 2}, {SIZE_MAX, 1}, {SIZE_MAX - 100, 1}};
    for (int i = 0; i < 3; i++) {
        qb_arena_take(&arena, 200, 1);
        qb_arena_take(&arena, too_much[i][0], too_much[i][1]);
        assert_int_equal(qb_arena_commit(&arena), QB_ERR_LIMIT);
        qb_arena_deinit(&arena);
    }
}

static void test_store(void **state)
{
    (void)state;
    QbStore store = {0};
    for (int i = 0; i < 200; i++) {
        uint8_t *block = qb_store_take(&store, (size_t)i, 3);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        memset(block, i, (size_t)i * 3);
    }
    assert_null(qb_store_take(&store, SIZE_MAX, 2));
    assert_int_equal(store.n_blocks, 200);
    qb_store_deinit(&store);
    for (uint64_t n = 1; n <= 2; n++) {
        qb_mem_fail_after(n);
        assert_null(qb_store_take(&store, 1, 1));
        qb_mem_fail_after(0);
        qb_store_deinit(&store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attention), cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_kv_cache),  cmocka_unit_test(test_arena),
        cmocka_unit_test(test_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
