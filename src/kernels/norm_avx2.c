/* norm_avx2.c: the normalisations with AVX2. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

#include "kernels/norm_vec.h"

void qb_norm_init_avx2(QbKernels *k)
{
    k->rms_norm = rms_norm;
    k->layer_norm = layer_norm;
}
