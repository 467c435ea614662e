/* matmul_ref.c: the definition of the matrix products: for each element one float sum in the order
 * of k, then bias, activation, residual. The 16 columns of a panel are summed side by side. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"
#include "kernels/scalar.h"

static void finish_row(const QbGemm *g, int row, int column, const float sum[QB_PANEL])
{
    for (int c = 0; c < QB_PANEL && column + c < g->n; c++) {
        float value = sum[c];
        if (g->bias)
            value += g->bias[column + c];
        value = qb_act_scalar(value, g->act);
        if (g->residual)
            value += g->residual[row * g->ldr + column + c];
        g->c[row * g->ldc + column + c] = value;
    }
}

static void gemm_f32_ref(const QbGemm *g)
{
    const float *panel = g->packed;
    for (int column = 0; column < g->n; column += QB_PANEL, panel += (size_t)g->k * QB_PANEL) {
        for (int row = 0; row < g->m; row++) {
            const float *a = g->a + row * g->lda;
            float sum[QB_PANEL] = {0};
            for (int i = 0; i < g->k; i++)
                for (int c = 0; c < QB_PANEL; c++)
                    sum[c] += a[i] * panel[(size_t)i * QB_PANEL + c];
            finish_row(g, row, column, sum);
        }
    }
}

static void gemm_16_ref(const QbGemm *g, float (*decode)(uint16_t))
{
    const uint16_t *panel = g->packed;
    for (int column = 0; column < g->n; column += QB_PANEL, panel += (size_t)g->k * QB_PANEL) {
        for (int row = 0; row < g->m; row++) {
            const float *a = g->a + row * g->lda;
            float sum[QB_PANEL] = {0};
            for (int i = 0; i < g->k; i++)
                for (int c = 0; c < QB_PANEL; c++)
                    sum[c] += a[i] * decode(panel[(size_t)i * QB_PANEL + c]);
            finish_row(g, row, column, sum);
        }
    }
}

static void gemm_f16_ref(const QbGemm *g)
{
    gemm_16_ref(g, qb_float_from_half);
}

static void gemm_bf16_ref(const QbGemm *g)
{
    gemm_16_ref(g, qb_float_from_bfloat);
}

static int32_t dot_q8_block(const QbPackedQ8Block *w, int c, const int8_t *a)
{
    int32_t sum = 0;
    for (int j = 0; j < QB_Q8_BLOCK / 4; j++)
        for (int i = 0; i < 4; i++)
            sum += (int32_t)w->q[j][c][i] * a[j * 4 + i];
    return sum;
}

/* A block's integer sum is exact (|sum| <= 32 * 128 * 127 < 2^24), the blocks add up in order by
 * fma, so every level gives the same bits up to the activation. */
static void gemm_q8_0_ref(const QbGemm *g)
{
    int n_blocks = g->k / QB_Q8_BLOCK;
    const QbPackedQ8Block *panel = g->packed;
    for (int column = 0; column < g->n; column += QB_PANEL, panel += n_blocks) {
        for (int row = 0; row < g->m; row++) {
            const int8_t *a = g->a_q8 + (ptrdiff_t)row * g->k;
            const float *a_scale = g->a_scale + (ptrdiff_t)row * n_blocks;
            float sum[QB_PANEL] = {0};
            for (int b = 0; b < n_blocks; b++)
                for (int c = 0; c < QB_PANEL; c++)
                    sum[c] = fmaf((float)dot_q8_block(&panel[b], c, a + b * QB_Q8_BLOCK),
                                  a_scale[b] * panel[b].scale[c], sum[c]);
            finish_row(g, row, column, sum);
        }
    }
}

void qb_matmul_init_ref(QbKernels *k)
{
    k->gemm_f32 = gemm_f32_ref;
    k->gemm_f16 = gemm_f16_ref;
    k->gemm_bf16 = gemm_bf16_ref;
    k->gemm_q8_0 = gemm_q8_0_ref;
}
