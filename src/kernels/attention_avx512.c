/* attention_avx512.c: attention with AVX-512. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx512.h"

enum { VALUE_ROWS = 8 }; /* rows of y whose sums fit the registers together */
#include "kernels/attention_vec.h"

void qb_attention_init_avx512(QbKernels *k)
{
    k->attention = attention;
}
