/* vec_avx512.h: a vector of 16 floats. vec_avx2.h gives the same names for 8, so that a kernel
 * written over them (<family>_vec.h) is written once; only a *_avx512.c may include this. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_VEC_AVX512_H
#define QB_KERNELS_VEC_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_INLINE static inline __attribute__((always_inline))

/* In front of a loop with a constant number of rounds: an array of Vec that it indexes can then
 * live in registers. */
#if defined(__clang__)
#define VEC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VEC_UNROLL _Pragma("GCC unroll 16")
#endif

enum { VEC_LANES = 16 };
typedef __m512 Vec;
typedef __m512d VecD; /* VEC_LANES / 2 doubles */
typedef __mmask16 VecMask;

/* The first n lanes; all when n >= VEC_LANES, none when n <= 0. */
VEC_INLINE VecMask vec_mask(ptrdiff_t n)
{
    return (VecMask)(n >= VEC_LANES ? 0xffff : n <= 0 ? 0 : (1u << n) - 1);
}

VEC_INLINE Vec vec_zero(void)
{
    return _mm512_setzero_ps();
}

VEC_INLINE Vec vec_set(float x)
{
    return _mm512_set1_ps(x);
}

VEC_INLINE Vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

/* Lanes outside the mask are 0 and not read. */
VEC_INLINE Vec vec_load_masked(const float *p, VecMask mask)
{
    return _mm512_maskz_loadu_ps(mask, p);
}

VEC_INLINE void vec_store(float *p, Vec x)
{
    _mm512_storeu_ps(p, x);
}

VEC_INLINE void vec_store_masked(float *p, Vec x, VecMask mask)
{
    _mm512_mask_storeu_ps(p, mask, x);
}

/* The first n lanes; a branch, because masked access to whole vectors is slow on some cores. */
VEC_INLINE Vec vec_load_first(const float *p, ptrdiff_t n)
{
    return n >= VEC_LANES ? vec_load(p) : vec_load_masked(p, vec_mask(n));
}

VEC_INLINE void vec_store_first(float *p, Vec x, ptrdiff_t n)
{
    if (n >= VEC_LANES)
        vec_store(p, x);
    else
        vec_store_masked(p, x, vec_mask(n));
}

/* p may be unaligned. */
VEC_INLINE Vec vec_load_half(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

VEC_INLINE Vec vec_load_bfloat(const void *p)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

VEC_INLINE Vec vec_load_int8(const int8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

VEC_INLINE Vec vec_load_uint8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

/* The bytes of 8 pixels of 3 bytes by channel, each in the low half. */
VEC_INLINE void load_rgb_bytes(__m128i channel[3], const uint8_t *p)
{
    const __m128i first = _mm_loadu_si128((const __m128i *)p);
    const __m128i last = _mm_loadu_si128((const __m128i *)(p + 8)); /* bytes 8 … 23 */
    const __m128i from_first[3] = {
        _mm_setr_epi8(0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
        _mm_setr_epi8(1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
        _mm_setr_epi8(2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
    };
    const __m128i from_last[3] = {
        _mm_setr_epi8(-1, -1, -1, -1, -1, -1, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1),
        _mm_setr_epi8(-1, -1, -1, -1, -1, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1),
        _mm_setr_epi8(-1, -1, -1, -1, -1, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1),
    };
    VEC_UNROLL
    for (int c = 0; c < 3; c++)
        channel[c] = _mm_or_si128(_mm_shuffle_epi8(first, from_first[c]),
                                  _mm_shuffle_epi8(last, from_last[c]));
}

/* VEC_LANES pixels of 3 bytes, by channel. */
VEC_INLINE void vec_load_rgb(Vec rgb[3], const uint8_t *p)
{
    __m128i low[3], high[3];
    load_rgb_bytes(low, p);
    load_rgb_bytes(high, p + 24);
    VEC_UNROLL
    for (int c = 0; c < 3; c++)
        rgb[c] = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_unpacklo_epi64(low[c], high[c])));
}

VEC_INLINE Vec vec_add(Vec a, Vec b)
{
    return _mm512_add_ps(a, b);
}

VEC_INLINE Vec vec_sub(Vec a, Vec b)
{
    return _mm512_sub_ps(a, b);
}

VEC_INLINE Vec vec_mul(Vec a, Vec b)
{
    return _mm512_mul_ps(a, b);
}

VEC_INLINE Vec vec_div(Vec a, Vec b)
{
    return _mm512_div_ps(a, b);
}

/* a * b + c, and c - a * b, rounded once. */
VEC_INLINE Vec vec_fmadd(Vec a, Vec b, Vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

VEC_INLINE Vec vec_fnmadd(Vec a, Vec b, Vec c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

/* Even lanes a * b - c, odd lanes a * b + c. */
VEC_INLINE Vec vec_fmaddsub(Vec a, Vec b, Vec c)
{
    return _mm512_fmaddsub_ps(a, b, c);
}

/* VEC_LANES / 2 floats, each in two neighbouring lanes. */
VEC_INLINE Vec vec_load_twice(const float *p)
{
    const __m512i lanes = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(lanes, _mm512_castps256_ps512(_mm256_loadu_ps(p)));
}

/* Lanes 1 0 3 2 … of x. */
VEC_INLINE Vec vec_swap_pairs(Vec x)
{
    return _mm512_permute_ps(x, 0xb1);
}

/* b where either is NaN. */
VEC_INLINE Vec vec_min(Vec a, Vec b)
{
    return _mm512_min_ps(a, b);
}

VEC_INLINE Vec vec_max(Vec a, Vec b)
{
    return _mm512_max_ps(a, b);
}

VEC_INLINE Vec vec_abs(Vec x)
{
    return _mm512_abs_ps(x);
}

/* To the nearest whole number, ties to even. */
VEC_INLINE Vec vec_round(Vec x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* Towards zero. */
VEC_INLINE Vec vec_truncate(Vec x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

VEC_INLINE Vec vec_copy_sign(Vec magnitude, Vec sign)
{
    return _mm512_or_ps(magnitude, _mm512_and_ps(sign, _mm512_set1_ps(-0.0f)));
}

/* Whole numbers in -128 … 127, one byte a lane. */
VEC_INLINE void vec_store_int8(int8_t *p, Vec x)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

VEC_INLINE Vec vec_sqrt(Vec x)
{
    return _mm512_sqrt_ps(x);
}

/* value in lanes with test >= least, else 0. */
VEC_INLINE Vec vec_keep(Vec value, Vec test, Vec least)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(test, least, _CMP_GE_OQ), value);
}

/* x = 2^exponent * the result, which is in sqrt(1/2) … sqrt(2) (0x3f3504f3 is the lower end); for
 * normal x > 0. */
VEC_INLINE Vec vec_split(Vec *out_exponent, Vec x)
{
    const __m512i root = _mm512_set1_epi32(0x3f3504f3);
    __m512i bits = _mm512_castps_si512(x);
    __m512i exponent = _mm512_srai_epi32(_mm512_sub_epi32(bits, root), 23);
    *out_exponent = _mm512_cvtepi32_ps(exponent);
    return _mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(exponent, 23)));
}

/* x * 2^n for whole n in -200 … 200, rounded once. */
VEC_INLINE Vec vec_scale2(Vec x, Vec n)
{
    return _mm512_scalef_ps(x, n);
}

VEC_INLINE float vec_largest(Vec x)
{
    return _mm512_reduce_max_ps(x);
}

/* Lane i of the result is the sum of v[i], each added up by the same tree:
 * ((l0 + l2) + (l1 + l3)) of a quarter, then (quarter 0 + quarter 2) + (quarter 1 + quarter 3). */
VEC_INLINE Vec vec_sum_each(const Vec v[VEC_LANES])
{
    Vec four[4]; /* four[g]: quarter t holds the sums of quarter t of v[4g] … v[4g + 3] */
    VEC_UNROLL
    for (int g = 0; g < 4; g++) {
        Vec ab = _mm512_add_ps(_mm512_unpacklo_ps(v[4 * g], v[4 * g + 1]),
                               _mm512_unpackhi_ps(v[4 * g], v[4 * g + 1]));
        Vec cd = _mm512_add_ps(_mm512_unpacklo_ps(v[4 * g + 2], v[4 * g + 3]),
                               _mm512_unpackhi_ps(v[4 * g + 2], v[4 * g + 3]));
        VecD lo = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
        VecD hi = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
        four[g] = _mm512_add_ps(_mm512_castpd_ps(lo), _mm512_castpd_ps(hi));
    }
    /* Quarters [a0 a1 b0 b1] + [a2 a3 b2 b3] = [a02 a13 b02 b13], then even + odd quarters. */
    Vec s01 = _mm512_add_ps(_mm512_shuffle_f32x4(four[0], four[1], 0x44),
                            _mm512_shuffle_f32x4(four[0], four[1], 0xee));
    Vec s23 = _mm512_add_ps(_mm512_shuffle_f32x4(four[2], four[3], 0x44),
                            _mm512_shuffle_f32x4(four[2], four[3], 0xee));
    return _mm512_add_ps(_mm512_shuffle_f32x4(s01, s23, 0x88),
                         _mm512_shuffle_f32x4(s01, s23, 0xdd));
}

VEC_INLINE float vec_sum(Vec x)
{
    return _mm512_reduce_add_ps(x);
}

VEC_INLINE VecD vecd_zero(void)
{
    return _mm512_setzero_pd();
}

VEC_INLINE VecD vecd_set(double x)
{
    return _mm512_set1_pd(x);
}

/* The first and the second half of x. */
VEC_INLINE VecD vecd_low(Vec x)
{
    return _mm512_cvtps_pd(_mm512_castps512_ps256(x));
}

VEC_INLINE VecD vecd_high(Vec x)
{
    return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
}

VEC_INLINE void vecd_store(double *p, VecD x)
{
    _mm512_storeu_pd(p, x);
}

VEC_INLINE VecD vecd_add(VecD a, VecD b)
{
    return _mm512_add_pd(a, b);
}

VEC_INLINE VecD vecd_sub(VecD a, VecD b)
{
    return _mm512_sub_pd(a, b);
}

VEC_INLINE VecD vecd_fmadd(VecD a, VecD b, VecD c)
{
    return _mm512_fmadd_pd(a, b, c);
}

VEC_INLINE double vecd_sum(VecD x)
{
    return _mm512_reduce_add_pd(x);
}

#endif
