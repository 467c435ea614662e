/* matmul_avx2.c: the matrix products with AVX2: float tiles of 6 rows x 16 columns in 12 registers,
 * those of whole numbers 3 x 16 in twice 6. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

enum { TILE_ROWS = 6, TILE_PANELS = 1, SLIM_ROWS = 1, SLIM_PANELS = 4 };
#include "kernels/matmul_vec.h"

/* maddubs multiplies unsigned by signed bytes and adds pairs in 16 bits. Weights up to 63 go in as
 * they are: a pair is at most 2 * 63 * 127 < 2^15. Those of q8_0 become signed again, then |w| (128
 * of -128 too) is multiplied by a with the sign of w (a is never -128): at most 2 * 128 * 127 <
 * 2^15. */
enum { QUANT_ROWS = 3 };
#define QUANT_UNROLL
typedef __m256i VecInt;

VEC_INLINE void quant_split(uint8_t *low, uint8_t *high, const uint8_t *q)
{
    const VecInt halves = _mm256_set1_epi8(15);
    VecInt both = _mm256_loadu_si256((const VecInt *)q);
    _mm256_storeu_si256((VecInt *)low, _mm256_and_si256(both, halves));
    _mm256_storeu_si256((VecInt *)high, _mm256_and_si256(_mm256_srli_epi16(both, 4), halves));
}

VEC_INLINE VecInt quant_load(const uint8_t *q, const QuantForm form)
{
    VecInt w = _mm256_loadu_si256((const VecInt *)q);
    return form == FORM_Q8_0 ? _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80)) : w;
}

VEC_INLINE VecInt quant_sum(const int16_t sums[2], const int first, const int second)
{
    int both;
    if (first == 0 && second == 0)
        return _mm256_setzero_si256();
    memcpy(&both, sums, sizeof both);
    return _mm256_madd_epi16(_mm256_set1_epi32(both),
                             _mm256_set1_epi32((int)((uint32_t)second << 16 | (first & 0xffff))));
}

VEC_INLINE int quant_offset(const QuantForm form)
{
    return form == FORM_Q4_0 ? 8 : form == FORM_Q6_K ? 32 : 0;
}

VEC_INLINE VecInt quant_dot(VecInt acc, VecInt w, int a, const QuantForm form)
{
    VecInt four = _mm256_set1_epi32(a);
    VecInt pairs = form == FORM_Q8_0
                       ? _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(four, w))
                       : _mm256_maddubs_epi16(w, four);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

VEC_INLINE Vec quant_float(VecInt acc)
{
    return _mm256_cvtepi32_ps(acc);
}

#include "kernels/matmul_quant_vec.h"

void qb_matmul_init_avx2(QbKernels *k)
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
