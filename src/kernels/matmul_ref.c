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

/* ---- weights of whole numbers -----------------------------------------------------------------
 */

/* 32 weights of a column: scale * (q - offset) - min; of q6_k the second 16 have the scale `more`,
 * of q4_k and q5_k `more` is the minimum. */
typedef struct Weights {
    int q[QB_Q8_BLOCK]; /* the offset is taken off */
    float scale, more;
} Weights;

/* Block b of 32 of column c. */
typedef void ReadWeights(Weights *out, const void *panel, int b, int c);

static void read_fours(Weights *out, const QbFour *fours, int c, int offset)
{
    for (int i = 0; i < QB_Q8_BLOCK; i++)
        out->q[i] = fours[i / 4][c][i % 4] - offset;
}

static void read_halves(Weights *out, const QbFour *fours, int c, int offset)
{
    for (int i = 0; i < QB_Q8_BLOCK / 2; i++) {
        out->q[i] = (fours[i / 4][c][i % 4] & 15) - offset;
        out->q[i + QB_Q8_BLOCK / 2] = (fours[i / 4][c][i % 4] >> 4) - offset;
    }
}

static void read_k_scales(Weights *out, const QbPackedKScales *s, int j, int c)
{
    out->scale = qb_float_from_half(s->d[c]) * (float)s->scale[j][c];
    out->more = qb_float_from_half(s->dmin[c]) * (float)s->min[j][c];
}

static void read_q8_0(Weights *out, const void *panel, int b, int c)
{
    const QbPackedQ8Block *block = (const QbPackedQ8Block *)panel + b;
    read_fours(out, block->q, c, 128);
    out->scale = block->scale[c];
}

static void read_q4_0(Weights *out, const void *panel, int b, int c)
{
    const QbPackedQ4Block *block = (const QbPackedQ4Block *)panel + b;
    read_halves(out, block->q, c, 8);
    out->scale = qb_float_from_half(block->scale[c]);
}

static void read_q4_k(Weights *out, const void *panel, int b, int c)
{
    const QbPackedQ4KBlock *block = (const QbPackedQ4KBlock *)panel + b / QB_K_SUBS;
    read_halves(out, block->q[b % QB_K_SUBS], c, 0);
    read_k_scales(out, &block->s, b % QB_K_SUBS, c);
}

static void read_q5_k(Weights *out, const void *panel, int b, int c)
{
    const QbPackedQ5KBlock *block = (const QbPackedQ5KBlock *)panel + b / QB_K_SUBS;
    read_fours(out, block->q[b % QB_K_SUBS], c, 0);
    read_k_scales(out, &block->s, b % QB_K_SUBS, c);
}

static void read_q6_k(Weights *out, const void *panel, int b, int c)
{
    const QbPackedQ6KBlock *block = (const QbPackedQ6KBlock *)panel + b / QB_K_SUBS;
    read_fours(out, block->q[b % QB_K_SUBS], c, 32);
    float d = qb_float_from_half(block->d[c]);
    out->scale = d * (float)block->scale[b % QB_K_SUBS][0][c];
    out->more = d * (float)block->scale[b % QB_K_SUBS][1][c];
}

static float dot_16(const int *w, const int8_t *a)
{
    int sum = 0;
    for (int i = 0; i < QB_Q8_SUM; i++)
        sum += w[i] * a[i];
    return (float)sum;
}

/* Sums of whole numbers are exact in a float (|sum| <= 32 * 128 * 127 < 2^24). What follows is one
 * product and one or two fma a block, and the blocks add up in order, so every level gives the same
 * bits up to the activation. The difference between the kinds: q8_0 and q4_0 have one scale, q6_k
 * two, q4_k and q5_k a minimum that multiplies the sum of the activations. */
typedef enum WeightKind { KIND_PLAIN, KIND_HALVES, KIND_MIN } WeightKind;

static float add_block(float sum, const Weights *w, const int8_t *a, float a_scale,
                       const int16_t *a_sum, WeightKind kind)
{
    float first = dot_16(w->q, a), second = dot_16(w->q + QB_Q8_SUM, a + QB_Q8_SUM), part;
    if (kind == KIND_HALVES)
        part = fmaf(second, w->more, first * w->scale);
    else if (kind == KIND_MIN)
        part = fmaf((float)(-a_sum[0] - a_sum[1]), w->more, (first + second) * w->scale);
    else
        part = (first + second) * w->scale;
    return fmaf(part, a_scale, sum);
}

static void gemm_quant_ref(const QbGemm *g, ReadWeights *read, size_t panel_bytes, WeightKind kind)
{
    enum { ROWS = 16 }; /* rows that share a reading of the weights */
    const int n_blocks = g->k / QB_Q8_BLOCK;
    const char *panel = g->packed;
    for (int column = 0; column < g->n; column += QB_PANEL, panel += panel_bytes) {
        for (int first = 0; first < g->m; first += ROWS) {
            int rows = g->m - first < ROWS ? g->m - first : ROWS;
            float sum[ROWS][QB_PANEL] = {{0}};
            for (int i = 0; i < QB_PANEL * n_blocks; i++) {
                Weights w;
                int b = i / QB_PANEL, c = i % QB_PANEL;
                read(&w, panel, b, c);
                for (int r = 0; r < rows; r++) {
                    ptrdiff_t at = (ptrdiff_t)(first + r) * n_blocks + b;
                    sum[r][c] = add_block(sum[r][c], &w, g->a_q8 + at * QB_Q8_BLOCK, g->a_scale[at],
                                          g->a_sum + 2 * at, kind);
                }
            }
            for (int r = 0; r < rows; r++)
                finish_row(g, first + r, column, sum[r]);
        }
    }
}

#define DEFINE_GEMM_QUANT(type, values, packed_block, kind)                                     \
    static void gemm_##type##_ref(const QbGemm *g)                                              \
    {                                                                                           \
        gemm_quant_ref(g, read_##type, (size_t)(g->k / (values)) * sizeof(packed_block), kind); \
    }
DEFINE_GEMM_QUANT(q8_0, QB_Q8_BLOCK, QbPackedQ8Block, KIND_PLAIN)
DEFINE_GEMM_QUANT(q4_0, QB_Q8_BLOCK, QbPackedQ4Block, KIND_PLAIN)
DEFINE_GEMM_QUANT(q4_k, QB_Q8_BLOCK *QB_K_SUBS, QbPackedQ4KBlock, KIND_MIN)
DEFINE_GEMM_QUANT(q5_k, QB_Q8_BLOCK *QB_K_SUBS, QbPackedQ5KBlock, KIND_MIN)
DEFINE_GEMM_QUANT(q6_k, QB_Q8_BLOCK *QB_K_SUBS, QbPackedQ6KBlock, KIND_HALVES)

void qb_matmul_init_ref(QbKernels *k)
{
    k->gemm_f32 = gemm_f32_ref;
    k->gemm_f16 = gemm_f16_ref;
    k->gemm_bf16 = gemm_bf16_ref;
    k->gemm_q8_0 = gemm_q8_0_ref;
    k->gemm_q4_0 = gemm_q4_0_ref;
    k->gemm_q4_k = gemm_q4_k_ref;
    k->gemm_q5_k = gemm_q5_k_ref;
    k->gemm_q6_k = gemm_q6_k_ref;
}
