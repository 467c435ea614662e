/* ops.h: the operations networks are written in: shapes are checked here, rows are split over the
 * pool here, loops are done by the kernels. All activations are f32, row-major.
 *
 * No operation's result depends on the number of threads: work is split by output rows or columns,
 * never inside a sum. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_ENGINE_OPS_H
#define QB_ENGINE_OPS_H

#include "base/threads.h"
#include "engine/arena.h"
#include "engine/linear.h"
#include "kernels/kernels.h"

/* What every operation needs: filled once a session. */
typedef struct QbOps {
    const QbKernels *kernels; /* borrowed */
    QbPool *pool;             /* borrowed */
    float *scratch;           /* [pool size][scratch_floats], from the session's arena */
    size_t scratch_floats;
    int8_t *a_q8;     /* activations quantised for weights of whole numbers: [rows * k] */
    float *a_scale;   /* [rows * k / 32] */
    int16_t *a_sum;   /* [rows * k / 16] */
    size_t q8_values; /* capacity of a_q8 */
} QbOps;

/* While a session is laid out: room that an operation will need. */
void qb_ops_want_scratch(QbOps *ops, size_t floats_per_thread);
void qb_ops_want_linear(QbOps *ops, const QbLinear *linear, int max_rows);
/* Takes what was wanted; call last in the layout. */
void qb_ops_layout(QbOps *ops, QbArena *arena);

static inline float *qb_ops_scratch(const QbOps *ops, int thread)
{
    return ops->scratch + (size_t)thread * ops->scratch_floats;
}

/* c[m][ldc] = act(a[m][lda] . W^T + bias) + residual[m][ldr]; residual may be NULL or c. */
typedef struct QbRows {
    const float *x;
    ptrdiff_t ld;
} QbRows;
void qb_op_linear(const QbOps *ops, const QbLinear *w, float *c, ptrdiff_t ldc, QbRows a, int m,
                  QbAct act, QbRows residual);

/* The n_columns outputs whose numbers are given, of one row: y[i] = W[column[i]] . a + bias. Bit
 * for bit what qb_op_linear gives there. */
void qb_op_linear_columns(const QbOps *ops, const QbLinear *w, float *y, const float *a,
                          const int32_t *column, int n_columns);

/* Rows of n, y and x [m][n], y may be x. */
void qb_op_rms_norm(const QbOps *ops, float *y, const float *x, const float *w, int m, int n,
                    float eps);
void qb_op_layer_norm(const QbOps *ops, float *y, const float *x, const float *w, const float *b,
                      int m, int n, float eps);

/* gate[m][n] = silu(gate) * up. */
void qb_op_silu_mul(const QbOps *ops, float *gate, const float *up, int m, int n);

#endif
