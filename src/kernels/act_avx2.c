/* act_avx2.c: the gated product with AVX2. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

#include "kernels/act_vec.h"

void qb_act_init_avx2(QbKernels *k)
{
    k->silu_mul = silu_mul;
}
