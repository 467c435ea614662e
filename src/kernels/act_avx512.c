/* act_avx512.c: the gated product with AVX-512. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx512.h"

#include "kernels/act_vec.h"

void qb_act_init_avx512(QbKernels *k)
{
    k->silu_mul = silu_mul;
}
