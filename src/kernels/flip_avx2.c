/* flip_avx2.c: FLIP's kernels with AVX2. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

#include "kernels/flip_vec.h"

void qb_flip_init_avx2(QbKernels *k)
{
    k->flip_opponent = flip_opponent;
    k->flip_colour = flip_colour;
    k->flip_error = flip_error;
}
