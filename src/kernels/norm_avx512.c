/* norm_avx512.c: the normalisations with AVX-512. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx512.h"

#include "kernels/norm_vec.h"

void qb_norm_init_avx512(QbKernels *k)
{
    k->rms_norm = rms_norm;
    k->layer_norm = layer_norm;
}
