/* rope_avx512.c: the rope kernels of level avx512. Nothing is replaced yet. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

void qb_rope_init_avx512(QbKernels *k)
{
    (void)k;
}
