/* matmul_avx512.c: the matrix products with AVX-512: float tiles of 12 rows x 32 columns in 24
 * registers, those of whole numbers 6 x 32 in twice 12. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx512.h"

enum { TILE_ROWS = 12, TILE_PANELS = 2, SLIM_ROWS = 4, SLIM_PANELS = 4 };
#include "kernels/matmul_vec.h"

/* vpdpbusd multiplies unsigned by signed bytes, as they are. */
enum { QUANT_ROWS = 6 };
#define QUANT_UNROLL VEC_UNROLL
typedef __m512i VecInt;

VEC_INLINE void quant_split(uint8_t *low, uint8_t *high, const uint8_t *q)
{
    const VecInt halves = _mm512_set1_epi8(15);
    VecInt both = _mm512_loadu_si512(q);
    _mm512_storeu_si512(low, _mm512_and_si512(both, halves));
    _mm512_storeu_si512(high, _mm512_and_si512(_mm512_srli_epi16(both, 4), halves));
}

VEC_INLINE VecInt quant_load(const uint8_t *q, const QuantForm form)
{
    (void)form;
    return _mm512_loadu_si512(q);
}

VEC_INLINE VecInt quant_sum(const int16_t sums[2], const int first, const int second)
{
    int both;
    memcpy(&both, sums, sizeof both);
    return _mm512_madd_epi16(_mm512_set1_epi32(both),
                             _mm512_set1_epi32((int)((uint32_t)second << 16 | (first & 0xffff))));
}

VEC_INLINE int quant_offset(const QuantForm form)
{
    return form == FORM_Q8_0 ? 128 : form == FORM_Q4_0 ? 8 : form == FORM_Q6_K ? 32 : 0;
}

VEC_INLINE VecInt quant_dot(VecInt acc, VecInt w, int a, const QuantForm form)
{
    (void)form;
    return _mm512_dpbusd_epi32(acc, w, _mm512_set1_epi32(a));
}

VEC_INLINE Vec quant_float(VecInt acc)
{
    return _mm512_cvtepi32_ps(acc);
}

#include "kernels/matmul_quant_vec.h"

void qb_matmul_init_avx512(QbKernels *k)
{
    k->gemm_f32 = gemm_f32;
    k->gemm_f16 = gemm_f16;
    k->gemm_bf16 = gemm_bf16;
    k->gemm_q8_0 = gemm_q8_0;
    k->gemm_q4_0 = gemm_q4_0;
    k->gemm_q4_k = gemm_q4_k;
    k->gemm_q5_k = gemm_q5_k;
    k->gemm_q6_k = gemm_q6_k;
}
