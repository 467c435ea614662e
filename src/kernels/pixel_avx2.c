/* pixel_avx2.c: the pixel kernels of level avx2. Nothing is replaced yet. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

void qb_pixel_init_avx2(QbKernels *k)
{
    (void)k;
}
