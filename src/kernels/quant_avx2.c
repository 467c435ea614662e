/* quant_avx2.c: activation quantisation and the reading of weights with AVX2. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

#include "kernels/quant_vec.h"

void qb_quant_init_avx2(QbKernels *k)
{
    k->quantize_q8 = quantize_q8;
    k->f32_from_f16 = f32_from_f16;
    k->f32_from_bf16 = f32_from_bf16;
    k->f32_from_q8_0 = f32_from_q8_0;
}
