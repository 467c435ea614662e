/* rope_avx512.c: the rotary position embedding with AVX-512. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx512.h"

#include "kernels/rope_vec.h"

void qb_rope_init_avx512(QbKernels *k)
{
    k->rope_pairs = rope_pairs;
}
