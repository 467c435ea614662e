/* act_avx2.c: the act kernels of level avx2. Nothing is replaced yet. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

void qb_act_init_avx2(QbKernels *k)
{
    (void)k;
}
