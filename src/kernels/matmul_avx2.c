/* matmul_avx2.c: the matrix products with AVX2: float tiles of 6 rows x 16 columns in 12 registers,
 * Q8_0 tiles of 2 x 16 in twice 4. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

enum { TILE_ROWS = 6, TILE_PANELS = 1, SLIM_ROWS = 1, SLIM_PANELS = 4 };
#include "kernels/matmul_vec.h"

/* maddubs multiplies unsigned by signed bytes and adds pairs in 16 bits: |w| (128 of -128 too) by a
 * with the sign of w (a is never -128); a pair is at most 2 * 128 * 127 < 2^15, so nothing
 * saturates. */
enum { Q8_ROWS = 2, Q8_SLIM_ROWS = 1 };
typedef __m256i VecInt;

VEC_INLINE VecInt q8_load(const int8_t *w)
{
    return _mm256_loadu_si256((const __m256i *)w);
}

VEC_INLINE VecInt q8_start(const int8_t *w)
{
    (void)w;
    return _mm256_setzero_si256();
}

VEC_INLINE VecInt q8_dot(VecInt acc, VecInt w, int a)
{
    VecInt pairs =
        _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(_mm256_set1_epi32(a), w));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

VEC_INLINE Vec q8_float(VecInt acc)
{
    return _mm256_cvtepi32_ps(acc);
}

#include "kernels/matmul_q8_vec.h"

void qb_matmul_init_avx2(QbKernels *k)
{
    k->gemm_f32 = gemm_f32;
    k->gemm_f16 = gemm_f16;
    k->gemm_bf16 = gemm_bf16;
    k->gemm_q8_0 = gemm_q8_0;
}
