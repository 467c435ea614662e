/* attention_avx2.c: attention with AVX2. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

enum { VALUE_ROWS = 4 }; /* rows of y whose sums fit the registers together */
#include "kernels/attention_vec.h"

void qb_attention_init_avx2(QbKernels *k)
{
    k->attention = attention;
}
