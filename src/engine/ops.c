/* ops.c: splits the rows of every operation over the pool; see ops.h. */
// SPDX-License-Identifier: Apache-2.0
#include "engine/ops.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    ROW_BLOCK = 96,            /* rows of A that one piece of a product works on */
    PANEL_BLOCK = 16,          /* and the panels, when there are few rows: 256 columns */
    SMALL_PRODUCT = 1 << 19,   /* multiply-adds that are not worth waking a thread for */
    ROW_GROUP_VALUES = 1 << 14 /* the same for operations on rows */
};

static int row_group(int n)
{
    return ROW_GROUP_VALUES / n + 1;
}

void qb_ops_want_scratch(QbOps *ops, size_t floats_per_thread)
{
    if (floats_per_thread > ops->scratch_floats)
        ops->scratch_floats = floats_per_thread;
}

void qb_ops_want_linear(QbOps *ops, const QbLinear *linear, int max_rows)
{
    size_t values = (size_t)max_rows * (size_t)linear->k;
    if (qb_weight_form(linear->type)->quantised && values > ops->q8_values)
        ops->q8_values = values;
}

void qb_ops_layout(QbOps *ops, QbArena *arena)
{
    ops->scratch_floats = (ops->scratch_floats + 15) & ~(size_t)15;
    ops->scratch = qb_arena_take(arena, ops->scratch_floats * (size_t)qb_pool_size(ops->pool),
                                 sizeof *ops->scratch);
    ops->a_q8 = qb_arena_take(arena, ops->q8_values, sizeof *ops->a_q8);
    ops->a_scale = qb_arena_take(arena, ops->q8_values / QB_Q8_BLOCK, sizeof *ops->a_scale);
    ops->a_sum = qb_arena_take(arena, ops->q8_values / QB_Q8_SUM, sizeof *ops->a_sum);
}

/* ---- linear ------------------------------------------------------------------------------------
 */

typedef struct {
    QbGemm whole;
    void (*gemm)(const QbGemm *g);
    size_t panel_bytes;
    int n_row_blocks, row_block, panel_block;
} LinearJob;

static void linear_pieces(int begin, int end, int thread, void *user)
{
    (void)thread;
    const LinearJob *job = user;
    const QbGemm *whole = &job->whole;
    for (int piece = begin; piece < end; piece++) {
        int row = piece % job->n_row_blocks * job->row_block;
        int panel = piece / job->n_row_blocks * job->panel_block;
        int column = panel * QB_PANEL;
        QbGemm g = *whole;
        g.m = whole->m - row < job->row_block ? whole->m - row : job->row_block;
        g.n = whole->n - column < job->panel_block * QB_PANEL ? whole->n - column
                                                              : job->panel_block * QB_PANEL;
        if (g.a)
            g.a += row * g.lda;
        if (g.a_q8) {
            g.a_q8 += (ptrdiff_t)row * g.k;
            g.a_scale += (ptrdiff_t)row * (g.k / QB_Q8_BLOCK);
            g.a_sum += (ptrdiff_t)row * (g.k / QB_Q8_SUM);
        }
        g.packed = (const char *)g.packed + (size_t)panel * job->panel_bytes;
        if (g.bias)
            g.bias += column;
        if (g.residual)
            g.residual += row * g.ldr + column;
        g.c += row * g.ldc + column;
        job->gemm(&g);
    }
}

typedef struct {
    const QbOps *ops;
    QbRows a;
    int k;
} QuantizeJob;

static void quantize_rows(int begin, int end, int thread, void *user)
{
    (void)thread;
    const QuantizeJob *job = user;
    const QbOps *ops = job->ops;
    for (ptrdiff_t row = begin; row < end; row++)
        ops->kernels->quantize_q8(
            ops->a_q8 + row * job->k, ops->a_scale + row * (job->k / QB_Q8_BLOCK),
            ops->a_sum + row * (job->k / QB_Q8_SUM), job->a.x + row * job->a.ld, job->k);
}

static LinearJob linear_job(const QbOps *ops, const QbLinear *w)
{
    const QbWeightForm *form = qb_weight_form(w->type);
    LinearJob job = {.whole = {.n = w->n, .k = w->k, .packed = w->packed, .bias = w->bias},
                     .panel_bytes = (size_t)(w->k / form->values) * form->panel_bytes};
    memcpy(&job.gemm, (const char *)ops->kernels + form->gemm, sizeof job.gemm);
    return job;
}

static void set_rows(LinearJob *job, const QbOps *ops, const QbLinear *w, QbRows a, int m)
{
    job->whole.m = m;
    if (!qb_weight_form(w->type)->quantised) {
        job->whole.a = a.x;
        job->whole.lda = a.ld;
        return;
    }
    assert((size_t)m * (size_t)w->k <= ops->q8_values);
    QuantizeJob quantize = {ops, a, w->k};
    qb_pool_run(ops->pool, quantize_rows, &quantize, m, row_group(w->k));
    job->whole.a_q8 = ops->a_q8;
    job->whole.a_scale = ops->a_scale;
    job->whole.a_sum = ops->a_sum;
}

void qb_op_linear(const QbOps *ops, const QbLinear *w, float *c, ptrdiff_t ldc, QbRows a, int m,
                  QbAct act, QbRows residual)
{
    if (m < 1)
        return;
    LinearJob job = linear_job(ops, w);
    set_rows(&job, ops, w, a, m);
    job.whole.c = c;
    job.whole.ldc = ldc;
    job.whole.residual = residual.x;
    job.whole.ldr = residual.ld;
    job.whole.act = act;
    int n_panels = (int)qb_panel_count((size_t)w->n);
    bool small = (int64_t)m * w->n * w->k <= SMALL_PRODUCT;
    job.row_block = m < ROW_BLOCK || small ? m : ROW_BLOCK;
    job.n_row_blocks = (m + job.row_block - 1) / job.row_block;
    job.panel_block = n_panels < PANEL_BLOCK || small ? n_panels : PANEL_BLOCK;
    int n_panel_blocks = (n_panels + job.panel_block - 1) / job.panel_block;
    qb_pool_run(ops->pool, linear_pieces, &job, job.n_row_blocks * n_panel_blocks, 1);
}

void qb_op_linear_columns(const QbOps *ops, const QbLinear *w, float *y, const float *a,
                          const int32_t *column, int n_columns)
{
    LinearJob job = linear_job(ops, w);
    set_rows(&job, ops, w, (QbRows){a, w->k}, 1);
    for (int i = 0; i < n_columns; i++) {
        assert(column[i] >= 0 && column[i] < w->n);
        float outputs[QB_PANEL];
        int first = column[i] / QB_PANEL * QB_PANEL;
        QbGemm g = job.whole;
        g.n = w->n - first < QB_PANEL ? w->n - first : QB_PANEL;
        g.packed = (const char *)g.packed + (size_t)(first / QB_PANEL) * job.panel_bytes;
        if (g.bias)
            g.bias += first;
        g.c = outputs;
        g.ldc = QB_PANEL;
        job.gemm(&g);
        y[i] = outputs[column[i] - first];
    }
}

/* ---- rows --------------------------------------------------------------------------------------
 */

typedef struct {
    const QbKernels *kernels;
    float *y;
    const float *x, *w, *b;
    int n;
    float eps;
} NormJob;

static void rms_norm_rows(int begin, int end, int thread, void *user)
{
    (void)thread;
    const NormJob *job = user;
    for (int row = begin; row < end; row++)
        job->kernels->rms_norm(job->y + (ptrdiff_t)row * job->n, job->x + (ptrdiff_t)row * job->n,
                               job->w, job->n, job->eps);
}

static void layer_norm_rows(int begin, int end, int thread, void *user)
{
    (void)thread;
    const NormJob *job = user;
    for (int row = begin; row < end; row++)
        job->kernels->layer_norm(job->y + (ptrdiff_t)row * job->n, job->x + (ptrdiff_t)row * job->n,
                                 job->w, job->b, job->n, job->eps);
}

static void silu_mul_rows(int begin, int end, int thread, void *user)
{
    (void)thread;
    const NormJob *job = user;
    size_t offset = (size_t)begin * (size_t)job->n;
    job->kernels->silu_mul(job->y + offset, job->y + offset, job->x + offset,
                           (size_t)(end - begin) * (size_t)job->n);
}

void qb_op_rms_norm(const QbOps *ops, float *y, const float *x, const float *w, int m, int n,
                    float eps)
{
    NormJob job = {ops->kernels, y, x, w, NULL, n, eps};
    qb_pool_run(ops->pool, rms_norm_rows, &job, m, row_group(n));
}

void qb_op_layer_norm(const QbOps *ops, float *y, const float *x, const float *w, const float *b,
                      int m, int n, float eps)
{
    NormJob job = {ops->kernels, y, x, w, b, n, eps};
    qb_pool_run(ops->pool, layer_norm_rows, &job, m, row_group(n));
}

void qb_op_silu_mul(const QbOps *ops, float *gate, const float *up, int m, int n)
{
    NormJob job = {ops->kernels, gate, up, NULL, NULL, n, 0};
    qb_pool_run(ops->pool, silu_mul_rows, &job, m, row_group(n));
}
