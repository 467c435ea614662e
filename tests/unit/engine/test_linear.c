/* test_linear.c: matrix products of every weight type against a plain loop in double, at every
 * level; the same bits for any number of threads, and from qb_op_linear_columns; norms and silu *
 * up likewise. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/ops_fixture.h"

#include "base/error.h"
#include "weights/encode.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { BLOCK = 32, BLOCK_MAX = 256 };

typedef struct {
    int m, n, k, ldc, lda;
    QbWeightType type;
    QbAct act;
    bool bias, residual;
} Case;

typedef struct {
    void *src;      /* the weights as a file has them */
    double *weight; /* [n][k]: what they stand for */
    float *a, *bias, *residual;
    double *want, *bound; /* [m][n] */
} Data;

/* ---- weights of each type, and what they mean ----------------------------------------------- */

/* Halves of normal size: sign, exponent 8 … 15 (2^-7 … 2^0), 10 bits. */
static double random_half(uint16_t *out, uint32_t *seed)
{
    random_float(seed);
    uint32_t bits = *seed >> 12, exponent = 8 + (bits >> 10 & 7), mantissa = bits & 1023;
    *out = (uint16_t)((bits >> 13 & 1) << 15 | exponent << 10 | mantissa);
    return (*out >> 15 ? -1.0 : 1.0) * ldexp(1024 + (double)mantissa, (int)exponent - 25);
}

static double random_bfloat(uint16_t *out, uint32_t *seed)
{
    float value = random_float(seed);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    *out = (uint16_t)(bits >> 16);
    bits = (uint32_t)*out << 16;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* The types of blocks: what they are in a file. */
static const struct {
    QbWeightType weight;
    QbType file;
    int halves[2]; /* where a block has half floats */
} block_types[] = {
    {QB_WEIGHT_Q8_0, QB_TYPE_Q8_0, {0, 0}},     {QB_WEIGHT_Q4_0, QB_TYPE_Q4_0, {0, 0}},
    {QB_WEIGHT_Q4_K, QB_TYPE_Q4_K, {0, 2}},     {QB_WEIGHT_Q5_K, QB_TYPE_Q5_K, {0, 2}},
    {QB_WEIGHT_Q6_K, QB_TYPE_Q6_K, {208, 208}},
};
enum { N_BLOCK_TYPES = sizeof block_types / sizeof *block_types };

/* Random bytes, the halves 2^-13 … 2^-6; what they stand for is encode.c's business, which has a
 * test of its own. */
static void random_blocks(Data *d, size_t count, int i, uint32_t *seed)
{
    const size_t values = (size_t)qb_type_block_values(block_types[i].file),
                 bytes = (size_t)qb_type_block_bytes(block_types[i].file);
    uint8_t *block = d->src;
    float y[BLOCK_MAX];
    for (size_t b = 0; b < count / values; b++, block += bytes) {
        for (size_t j = 0; j < bytes; j++) {
            random_float(seed);
            block[j] = (uint8_t)(*seed >> 16);
        }
        for (int h = 0; h < 2; h++) {
            uint16_t half;
            random_half(&half, seed);
            half = (uint16_t)((half & 0x7fff) - (6 << 10)); /* divided by 64, positive */
            memcpy(block + block_types[i].halves[h], &half, 2);
        }
        qb_type_decode(y, block_types[i].file, block, values);
        for (size_t j = 0; j < values; j++)
            d->weight[b * values + j] = (double)y[j];
    }
}

static void make_weights(Data *d, const Case *c)
{
    size_t count = (size_t)c->n * (size_t)c->k;
    uint32_t seed = 17;
    d->weight = malloc(count * sizeof *d->weight);
    d->src = malloc(count * sizeof(float));
    assert_true(d->weight && d->src);
    for (int i = 0; i < N_BLOCK_TYPES; i++)
        if (c->type == block_types[i].weight)
            random_blocks(d, count, i, &seed);
    for (size_t i = 0; i < count && c->type < QB_WEIGHT_Q8_0; i++) {
        if (c->type == QB_WEIGHT_F32)
            d->weight[i] = (double)(((float *)d->src)[i] = random_float(&seed));
        else if (c->type == QB_WEIGHT_F16)
            d->weight[i] = random_half((uint16_t *)d->src + i, &seed);
        else
            d->weight[i] = random_bfloat((uint16_t *)d->src + i, &seed);
    }
}

/* ---- the plain loop ------------------------------------------------------------------------- */

static double activate(double x, QbAct act)
{
    switch (act) {
    case QB_ACT_RELU6:
        return fmin(fmax(x, 0), 6);
    case QB_ACT_GELU:
        return 0.5 * x * erfc(-x * sqrt(0.5));
    case QB_ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case QB_ACT_SILU:
        return x / (1 + exp(-x));
    default:
        return x;
    }
}

/* A row of activations as weights of blocks see it: scale = max / 127, rounded half away from zero.
 */
static void quantised(double *out, const float *a, int k)
{
    for (int b = 0; b < k; b += BLOCK) {
        float largest = 0;
        for (int i = 0; i < BLOCK; i++)
            largest = fmaxf(largest, fabsf(a[b + i]));
        float scale = largest / 127.0f;
        for (int i = 0; i < BLOCK; i++)
            out[b + i] = scale > 0 ? (double)roundf(a[b + i] / scale) * (double)scale : 0;
    }
}

/* A sum of k products in any order, with or without fma, errs by at most about k * FLT_EPSILON
 * times the sum of the magnitudes. A minimum is summed apart from what it is taken off: q4_k's and
 * q5_k's parts, 31 * 63 * d and 63 * dmin at most, may be far larger than their difference, a
 * rounding of theirs is counted once a block of 32 values, a of them being at most 1; slopes of the
 * activations stay under 1.2, their own error is taken as 4e-6. */
static void make_expected(Data *d, const Case *c)
{
    double *row = malloc((size_t)c->k * sizeof *row);
    assert_non_null(row);
    for (int i = 0; i < c->m; i++) {
        const float *a = d->a + (ptrdiff_t)i * c->lda;
        for (int j = 0; j < c->k; j++)
            row[j] = (double)a[j];
        if (c->type >= QB_WEIGHT_Q8_0)
            quantised(row, a, c->k);
        for (int o = 0; o < c->n; o++) {
            const double *w = d->weight + (ptrdiff_t)o * c->k;
            double sum = 0, size = 0;
            for (int j = 0; j < c->k; j++) {
                sum += w[j] * row[j];
                size += fabs(w[j] * row[j]);
            }
            if (c->bias)
                sum += (double)d->bias[o];
            double error = (c->k + 4) * (double)FLT_EPSILON * (size + fabs(sum) + 1);
            if (c->type == QB_WEIGHT_Q4_K || c->type == QB_WEIGHT_Q5_K)
                error += 3 * (double)FLT_EPSILON * c->k * (31 * 63 + 63) * 0x1p-6;
            double value = activate(sum, c->act);
            if (c->act != QB_ACT_NONE)
                error = 1.2 * error + 4e-6 * (1 + fabs(sum));
            if (c->residual)
                value += (double)d->residual[(ptrdiff_t)i * c->ldc + o];
            d->want[(ptrdiff_t)i * c->n + o] = value;
            d->bound[(ptrdiff_t)i * c->n + o] = error + (double)FLT_EPSILON * fabs(value);
        }
    }
    free(row);
}

static void make_data(Data *d, const Case *c)
{
    size_t outputs = (size_t)c->m * (size_t)c->n * sizeof(double);
    *d = (Data){0};
    make_weights(d, c);
    d->a = random_floats((size_t)c->m * (size_t)c->lda, 3);
    d->bias = random_floats((size_t)c->n, 4);
    d->residual = random_floats((size_t)c->m * (size_t)c->ldc, 5);
    d->want = malloc(outputs);
    d->bound = malloc(outputs);
    assert_true(d->want && d->bound);
    make_expected(d, c);
}

static void free_data(Data *d)
{
    void *all[] = {d->src, d->weight, d->a, d->bias, d->residual, d->want, d->bound};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* ---- the checks ----------------------------------------------------------------------------- */

static void check_product(const Data *d, const Case *c, const float *got, const char *level,
                          int threads)
{
    for (int i = 0; i < c->m; i++)
        for (int o = 0; o < c->ldc; o++) {
            float value = got[(ptrdiff_t)i * c->ldc + o];
            ptrdiff_t at = (ptrdiff_t)i * c->n + o;
            bool inside = o < c->n;
            double want = inside ? d->want[at] : 77.0, bound = inside ? d->bound[at] : 0;
            if (!(fabs((double)value - want) <= bound))
                fail_msg(
                    "%s, %d threads, type %d, act %d, %d x %d x %d: c[%d][%d] = %.9g, expected "
                    "%.9g within %.3g",
                    level, threads, (int)c->type, (int)c->act, c->m, c->n, c->k, i, o,
                    (double)value, want, bound);
        }
}

/* The columns asked for one by one, of the first and the last row. */
static void check_columns(const Fixture *f, const QbLinear *w, const Data *d, const Case *c)
{
    const QbRows none = {0};
    int32_t column[4] = {c->n - 1, 0, c->n / 2, c->n - 1};
    float *one = malloc((size_t)c->n * sizeof *one), y[4];
    float *all = malloc((size_t)c->m * (size_t)c->n * sizeof *all);
    assert_true(one && all);
    qb_op_linear(&f->ops, w, all, c->n, (QbRows){d->a, c->lda}, c->m, QB_ACT_NONE, none);
    for (int row = 0; row<c->m; row += c->m> 1 ? c->m - 1 : 1) {
        const float *a = d->a + (ptrdiff_t)row * c->lda;
        qb_op_linear(&f->ops, w, one, c->n, (QbRows){a, c->lda}, 1, QB_ACT_NONE, none);
        assert_memory_equal(one, all + (ptrdiff_t)row * c->n, (size_t)c->n * sizeof *one);
        qb_op_linear_columns(&f->ops, w, y, a, column, 4);
        for (int i = 0; i < 4; i++)
            assert_memory_equal(&y[i], &one[column[i]], sizeof *y);
    }
    free(one);
    free(all);
}

static void check_case(const Case *c, int level)
{
    Data d;
    make_data(&d, c);
    size_t count = (size_t)c->m * (size_t)c->ldc;
    float *first = malloc(count * sizeof *first), *got = malloc(count * sizeof *got);
    assert_true(first && got);
    for (int threads = 1; threads <= FIXTURE_THREADS; threads++) {
        Fixture f;
        QbLinear w;
        fixture_begin(&f, level, threads);
        assert_int_equal(qb_linear_init(&w, &f.store, f.pool, d.src, c->type, c->n, c->k,
                                        c->bias ? d.bias : NULL),
                         QB_OK);
        qb_ops_want_linear(&f.ops, &w, c->m);
        fixture_commit(&f);
        for (size_t i = 0; i < count; i++) /* residual in place; 77 behind the columns */
            got[i] = (int)(i % (size_t)c->ldc) >= c->n ? 77.0f : c->residual ? d.residual[i] : NAN;
        qb_op_linear(&f.ops, &w, got, c->ldc, (QbRows){d.a, c->lda}, c->m, c->act,
                     c->residual ? (QbRows){got, c->ldc} : (QbRows){0});
        check_product(&d, c, got, f.kernels.level, threads);
        if (threads == 1)
            memcpy(first, got, count * sizeof *got);
        assert_memory_equal(first, got, count * sizeof *got);
        check_columns(&f, &w, &d, c);
        fixture_end(&f);
    }
    free(first);
    free(got);
    free_data(&d);
}

static void check_type(QbWeightType type)
{
    static const int m[] = {1, 3, 97, 200}, n[] = {1, 15, 16, 17, 300}, k[] = {1, 7, 33, 129};
    const int values = qb_weight_form(type)->values;
    for (int level = 0; level < FIXTURE_LEVELS; level++) {
        int act = 0;
        if (!fixture_has_level(level))
            continue;
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 5; j++)
                for (int l = 0; l < 4; l++, act++) {
                    Case c = {.m = m[i],
                              .n = n[j],
                              .k = values > 1 ? values * (values == 32 ? l * l + 1 : l % 2 + 1)
                                              : k[l],
                              .type = type,
                              .act = (QbAct)(act % QB_ACT_COUNT),
                              .bias = act % 2,
                              .residual = act % 3 == 1};
                    c.lda = c.k + act % 3;
                    c.ldc = c.n + act % 4;
                    check_case(&c, level);
                }
    }
}

static void test_f32(void **state)
{
    (void)state;
    check_type(QB_WEIGHT_F32);
}

static void test_f16(void **state)
{
    (void)state;
    check_type(QB_WEIGHT_F16);
}

static void test_bf16(void **state)
{
    (void)state;
    check_type(QB_WEIGHT_BF16);
}

static void test_q8_0(void **state)
{
    (void)state;
    check_type(QB_WEIGHT_Q8_0);
}

static void test_q4_0(void **state)
{
    (void)state;
    check_type(QB_WEIGHT_Q4_0);
}

static void test_q4_k(void **state)
{
    (void)state;
    check_type(QB_WEIGHT_Q4_K);
}

static void test_q5_k(void **state)
{
    (void)state;
    check_type(QB_WEIGHT_Q5_K);
}

static void test_q6_k(void **state)
{
    (void)state;
    check_type(QB_WEIGHT_Q6_K);
}

static void test_linear_errors(void **state)
{
    (void)state;
    Fixture f;
    QbLinear w;
    float src[64] = {0};
    fixture_begin(&f, 0, 1);
    assert_int_equal(qb_linear_init(&w, &f.store, f.pool, src, QB_WEIGHT_Q8_0, 1, 33, NULL),
                     QB_ERR_FORMAT);
    assert_non_null(strstr(qb_last_error(), "33"));
    assert_int_equal(qb_linear_init(&w, &f.store, f.pool, src, QB_WEIGHT_Q8_0, 2, 16, NULL),
                     QB_ERR_FORMAT);
    assert_int_equal(qb_linear_init(&w, &f.store, f.pool, src, QB_WEIGHT_Q4_K, 1, 128, NULL),
                     QB_ERR_FORMAT);
    assert_non_null(strstr(qb_last_error(), "q4_k rows of 128 values: not a multiple of 256"));
    assert_int_equal(qb_linear_init(&w, &f.store, f.pool, src, QB_WEIGHT_F32, 0, 4, NULL),
                     QB_ERR_LIMIT);
    for (uint64_t n = 1; n <= 2; n++) {
        qb_mem_fail_after(n);
        assert_int_equal(qb_linear_init(&w, &f.store, f.pool, src, QB_WEIGHT_F32, 2, 4, NULL),
                         QB_ERR_NOMEM);
        qb_mem_fail_after(0);
    }
    fixture_end(&f);
}

/* ---- rows ----------------------------------------------------------------------------------- */

static double norm_expected(const float *x, int n, int i, float eps, bool layer, const float *w,
                            const float *b)
{
    double mean = 0, squares = 0;
    for (int j = 0; j < n && layer; j++)
        mean += (double)x[j] / n;
    for (int j = 0; j < n; j++)
        squares += ((double)x[j] - mean) * ((double)x[j] - mean) / n;
    return ((double)x[i] - mean) / sqrt(squares + (double)eps) * (double)w[i] +
           (layer ? (double)b[i] : 0);
}

static void check_norms(int level, int m, int n)
{
    float *x = random_floats((size_t)m * (size_t)n, 8), *w = random_floats((size_t)n, 9);
    float *b = random_floats((size_t)n, 10), *y = random_floats((size_t)m * (size_t)n, 11);
    for (int threads = 1; threads <= FIXTURE_THREADS; threads++)
        for (int layer = 0; layer < 2; layer++) {
            Fixture f;
            fixture_begin(&f, level, threads);
            if (layer)
                qb_op_layer_norm(&f.ops, y, x, w, b, m, n, 1e-5f);
            else
                qb_op_rms_norm(&f.ops, y, x, w, m, n, 1e-5f);
            for (int i = 0; i < m * n; i++) {
                double want = norm_expected(x + i / n * n, n, i % n, 1e-5f, layer, w, b);
                /* |x - mean| / sqrt(var) <= sqrt(n); a few roundings of that size. */
                double bound = 8 * (double)FLT_EPSILON * (sqrt(n) + 1);
                if (!(fabs((double)y[i] - want) <= bound))
                    fail_msg("%s, layer %d, %d x %d: y[%d] = %.9g, expected %.9g", f.kernels.level,
                             layer, m, n, i, (double)y[i], want);
            }
            fixture_end(&f);
        }
    free(x);
    free(w);
    free(b);
    free(y);
}

static void test_norms(void **state)
{
    (void)state;
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        for (int n = 1; n < 140 && fixture_has_level(level); n += 1 + n / 3)
            check_norms(level, 1 + n * 7 % 300, n);
}

static void test_silu_mul(void **state)
{
    (void)state;
    enum { M = 37, N = 611 };
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        for (int threads = 1; threads <= FIXTURE_THREADS && fixture_has_level(level); threads++) {
            Fixture f;
            float *gate = random_floats(M * N, 12), *up = random_floats(M * N, 13);
            float *was = random_floats(M * N, 12);
            fixture_begin(&f, level, threads);
            qb_op_silu_mul(&f.ops, gate, up, M, N);
            for (int i = 0; i < M * N; i++) {
                double want = activate((double)was[i], QB_ACT_SILU) * (double)up[i];
                if (!(fabs((double)gate[i] - want) <= 2e-6))
                    fail_msg("%s: value %d is %.9g, expected %.9g", f.kernels.level, i,
                             (double)gate[i], want);
            }
            fixture_end(&f);
            free(gate);
            free(up);
            free(was);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32),      cmocka_unit_test(test_f16),
        cmocka_unit_test(test_bf16),     cmocka_unit_test(test_q8_0),
        cmocka_unit_test(test_q4_0),     cmocka_unit_test(test_q4_k),
        cmocka_unit_test(test_q5_k),     cmocka_unit_test(test_q6_k),
        cmocka_unit_test(test_norms),    cmocka_unit_test(test_linear_errors),
        cmocka_unit_test(test_silu_mul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
