/* rope_avx2.c: the rotary position embedding with AVX2. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

#include "kernels/rope_vec.h"

void qb_rope_init_avx2(QbKernels *k)
{
    k->rope_pairs = rope_pairs;
}
