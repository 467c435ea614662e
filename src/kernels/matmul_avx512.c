/* matmul_avx512.c: the matrix products with AVX-512: tiles of 12 rows x 32 columns in 24 registers.
 */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx512.h"

enum { TILE_ROWS = 12, TILE_PANELS = 2, SLIM_ROWS = 4, SLIM_PANELS = 4 };
#include "kernels/matmul_vec.h"

void qb_matmul_init_avx512(QbKernels *k)
{
    k->gemm_f32 = gemm_f32;
    k->gemm_f16 = gemm_f16;
    k->gemm_bf16 = gemm_bf16;
}
