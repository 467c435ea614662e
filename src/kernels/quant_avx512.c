/* quant_avx512.c: the quant kernels of level avx512. Nothing is replaced yet. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

void qb_quant_init_avx512(QbKernels *k)
{
    (void)k;
}
