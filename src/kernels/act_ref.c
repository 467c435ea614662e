/* act_ref.c: the definition of the gated product, by the C library's expf. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"
#include "kernels/scalar.h"

static void silu_mul_ref(float *y, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = qb_act_scalar(gate[i], QB_ACT_SILU) * up[i];
}

void qb_act_init_ref(QbKernels *k)
{
    k->silu_mul = silu_mul_ref;
}
