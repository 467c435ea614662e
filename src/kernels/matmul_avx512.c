/* matmul_avx512.c: the matrix products with AVX-512: float tiles of 12 rows x 32 columns in 24
 * registers, Q8_0 tiles of 6 x 32 in twice 12. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx512.h"

enum { TILE_ROWS = 12, TILE_PANELS = 2, SLIM_ROWS = 4, SLIM_PANELS = 4 };
#include "kernels/matmul_vec.h"

/* vpdpbusd multiplies unsigned by signed bytes: the activations go in as a + 128, and the sums
 * start at -128 * sum(w) to make up for it. */
enum { Q8_ROWS = 6, Q8_SLIM_ROWS = 2 };
typedef __m512i VecInt;

VEC_INLINE VecInt q8_load(const int8_t *w)
{
    return _mm512_loadu_si512(w);
}

VEC_INLINE VecInt q8_start(const int8_t *w)
{
    const VecInt all_128 = _mm512_set1_epi8((char)0x80);
    VecInt sum = _mm512_setzero_si512();
    for (int j = 0; j < QB_Q8_BLOCK / 4; j++)
        sum = _mm512_dpbusd_epi32(sum, all_128, q8_load(w + j * QB_PANEL * 4));
    return _mm512_sub_epi32(_mm512_setzero_si512(), sum);
}

VEC_INLINE VecInt q8_dot(VecInt acc, VecInt w, int a)
{
    VecInt moved = _mm512_xor_si512(_mm512_set1_epi32(a), _mm512_set1_epi8((char)0x80));
    return _mm512_dpbusd_epi32(acc, moved, w);
}

VEC_INLINE Vec q8_float(VecInt acc)
{
    return _mm512_cvtepi32_ps(acc);
}

#include "kernels/matmul_q8_vec.h"

void qb_matmul_init_avx512(QbKernels *k)
{
    k->gemm_f32 = gemm_f32;
    k->gemm_f16 = gemm_f16;
    k->gemm_bf16 = gemm_bf16;
    k->gemm_q8_0 = gemm_q8_0;
}
