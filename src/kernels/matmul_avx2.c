/* matmul_avx2.c: the matrix products with AVX2: tiles of 6 rows x 16 columns in 12 registers. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

enum { TILE_ROWS = 6, TILE_PANELS = 1, SLIM_ROWS = 1, SLIM_PANELS = 4 };
#include "kernels/matmul_vec.h"

void qb_matmul_init_avx2(QbKernels *k)
{
    k->gemm_f32 = gemm_f32;
    k->gemm_f16 = gemm_f16;
    k->gemm_bf16 = gemm_bf16;
}
