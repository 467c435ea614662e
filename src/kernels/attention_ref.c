/* attention_ref.c: the definition of one head's attention, a query at a time: scores into scratch,
 * softmax with the largest score taken off, weighted sum of the values. A query that sees no key
 * gives zeros. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/attention.h"
#include "kernels/kernels.h"

#include <math.h>

static const float *row_of(const QbAttention *a, const float *x, ptrdiff_t ld, int key)
{
    return x + (key < a->n_shared ? key : key + a->gap) * ld;
}

static float dot(const float *x, const float *y, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* scores[n] -> exp(score - largest), their sum returned. */
static float exponentials(float *scores, int n)
{
    float largest = -INFINITY, sum = 0.0f;
    for (int j = 0; j < n; j++)
        largest = fmaxf(largest, scores[j]);
    for (int j = 0; j < n; j++) {
        scores[j] = expf(scores[j] - largest);
        sum += scores[j];
    }
    return sum;
}

static void attention_ref(const QbAttention *a)
{
    for (int i = 0; i < a->n_query; i++) {
        const float *q = a->q + i * a->ldq;
        float *y = a->y + i * a->ldy;
        int n = qb_attention_visible(a, i);
        for (int j = 0; j < n; j++)
            a->scratch[j] = dot(q, row_of(a, a->k, a->ldk, j), a->head_dim) * a->scale;
        float factor = n > 0 ? 1.0f / exponentials(a->scratch, n) : 0.0f;
        for (int d = 0; d < a->head_dim; d++)
            y[d] = 0.0f;
        for (int j = 0; j < n; j++) {
            const float *v = row_of(a, a->v, a->ldv, j);
            for (int d = 0; d < a->head_dim; d++)
                y[d] += a->scratch[j] * v[d];
        }
        for (int d = 0; d < a->head_dim; d++)
            y[d] *= factor;
    }
}

void qb_attention_init_ref(QbKernels *k)
{
    k->attention = attention_ref;
}
