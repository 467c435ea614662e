/* vec_avx2.h: a vector of 8 floats; the names are those of vec_avx512.h, which says what they mean.
 * Only a *_avx2.c may include this. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_VEC_AVX2_H
#define QB_KERNELS_VEC_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define VEC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VEC_UNROLL _Pragma("GCC unroll 16")
#endif

enum { VEC_LANES = 8 };
typedef __m256 Vec;
typedef __m256d VecD; /* VEC_LANES / 2 doubles */
typedef __m256i VecMask;

VEC_INLINE VecMask vec_mask(ptrdiff_t n)
{
    static const int32_t window[2 * VEC_LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
    ptrdiff_t lanes = n >= VEC_LANES ? VEC_LANES : n <= 0 ? 0 : n;
    return _mm256_loadu_si256((const __m256i *)(window + VEC_LANES - lanes));
}

VEC_INLINE Vec vec_zero(void)
{
    return _mm256_setzero_ps();
}

VEC_INLINE Vec vec_set(float x)
{
    return _mm256_set1_ps(x);
}

VEC_INLINE Vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

VEC_INLINE Vec vec_load_masked(const float *p, VecMask mask)
{
    return _mm256_maskload_ps(p, mask);
}

VEC_INLINE void vec_store(float *p, Vec x)
{
    _mm256_storeu_ps(p, x);
}

VEC_INLINE void vec_store_masked(float *p, Vec x, VecMask mask)
{
    _mm256_maskstore_ps(p, mask, x);
}

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

VEC_INLINE Vec vec_load_half(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

VEC_INLINE Vec vec_load_bfloat(const void *p)
{
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

VEC_INLINE Vec vec_load_int8(const int8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

VEC_INLINE Vec vec_load_uint8(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
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

VEC_INLINE void vec_load_rgb(Vec rgb[3], const uint8_t *p)
{
    __m128i channel[3];
    load_rgb_bytes(channel, p);
    VEC_UNROLL
    for (int c = 0; c < 3; c++)
        rgb[c] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(channel[c]));
}

VEC_INLINE Vec vec_add(Vec a, Vec b)
{
    return _mm256_add_ps(a, b);
}

VEC_INLINE Vec vec_sub(Vec a, Vec b)
{
    return _mm256_sub_ps(a, b);
}

VEC_INLINE Vec vec_mul(Vec a, Vec b)
{
    return _mm256_mul_ps(a, b);
}

VEC_INLINE Vec vec_div(Vec a, Vec b)
{
    return _mm256_div_ps(a, b);
}

VEC_INLINE Vec vec_fmadd(Vec a, Vec b, Vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

VEC_INLINE Vec vec_fnmadd(Vec a, Vec b, Vec c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

VEC_INLINE Vec vec_fmaddsub(Vec a, Vec b, Vec c)
{
    return _mm256_fmaddsub_ps(a, b, c);
}

VEC_INLINE Vec vec_load_twice(const float *p)
{
    const __m256i lanes = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), lanes);
}

VEC_INLINE Vec vec_swap_pairs(Vec x)
{
    return _mm256_permute_ps(x, 0xb1);
}

VEC_INLINE Vec vec_min(Vec a, Vec b)
{
    return _mm256_min_ps(a, b);
}

VEC_INLINE Vec vec_max(Vec a, Vec b)
{
    return _mm256_max_ps(a, b);
}

VEC_INLINE Vec vec_abs(Vec x)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

VEC_INLINE Vec vec_round(Vec x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

VEC_INLINE Vec vec_truncate(Vec x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

VEC_INLINE Vec vec_copy_sign(Vec magnitude, Vec sign)
{
    return _mm256_or_ps(magnitude, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f)));
}

VEC_INLINE void vec_store_int8(int8_t *p, Vec x)
{
    __m256i whole = _mm256_cvtps_epi32(x);
    __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(words, words));
}

VEC_INLINE Vec vec_sqrt(Vec x)
{
    return _mm256_sqrt_ps(x);
}

VEC_INLINE Vec vec_keep(Vec value, Vec test, Vec least)
{
    return _mm256_and_ps(value, _mm256_cmp_ps(test, least, _CMP_GE_OQ));
}

VEC_INLINE Vec vec_split(Vec *out_exponent, Vec x)
{
    const __m256i root = _mm256_set1_epi32(0x3f3504f3);
    __m256i bits = _mm256_castps_si256(x);
    __m256i exponent = _mm256_srai_epi32(_mm256_sub_epi32(bits, root), 23);
    *out_exponent = _mm256_cvtepi32_ps(exponent);
    return _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(exponent, 23)));
}

/* 2^n for whole n in -126 … 127. */
VEC_INLINE Vec vec_exp2_whole(__m256i n)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

/* In two steps, because 2^n alone may not be a float. x is in 0.5 … 2, so that the first product is
 * exact and the result is rounded once. */
VEC_INLINE Vec vec_scale2(Vec x, Vec n)
{
    __m256i whole = _mm256_cvtps_epi32(n);
    __m256i half = _mm256_srai_epi32(whole, 1);
    Vec first = _mm256_mul_ps(x, vec_exp2_whole(half));
    return _mm256_mul_ps(first, vec_exp2_whole(_mm256_sub_epi32(whole, half)));
}

VEC_INLINE float vec_largest(Vec x)
{
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/* By the tree ((l0 + l2) + (l1 + l3)) of a half, then half 0 + half 1. */
VEC_INLINE Vec vec_sum_each(const Vec v[VEC_LANES])
{
    Vec four[2]; /* four[g]: half t holds the sums of half t of v[4g] … v[4g + 3] */
    VEC_UNROLL
    for (int g = 0; g < 2; g++) {
        Vec ab = _mm256_add_ps(_mm256_unpacklo_ps(v[4 * g], v[4 * g + 1]),
                               _mm256_unpackhi_ps(v[4 * g], v[4 * g + 1]));
        Vec cd = _mm256_add_ps(_mm256_unpacklo_ps(v[4 * g + 2], v[4 * g + 3]),
                               _mm256_unpackhi_ps(v[4 * g + 2], v[4 * g + 3]));
        VecD lo = _mm256_unpacklo_pd(_mm256_castps_pd(ab), _mm256_castps_pd(cd));
        VecD hi = _mm256_unpackhi_pd(_mm256_castps_pd(ab), _mm256_castps_pd(cd));
        four[g] = _mm256_add_ps(_mm256_castpd_ps(lo), _mm256_castpd_ps(hi));
    }
    return _mm256_add_ps(_mm256_permute2f128_ps(four[0], four[1], 0x20),
                         _mm256_permute2f128_ps(four[0], four[1], 0x31));
}

VEC_INLINE float vec_sum(Vec x)
{
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

VEC_INLINE VecD vecd_zero(void)
{
    return _mm256_setzero_pd();
}

VEC_INLINE VecD vecd_set(double x)
{
    return _mm256_set1_pd(x);
}

VEC_INLINE VecD vecd_low(Vec x)
{
    return _mm256_cvtps_pd(_mm256_castps256_ps128(x));
}

VEC_INLINE VecD vecd_high(Vec x)
{
    return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
}

VEC_INLINE void vecd_store(double *p, VecD x)
{
    _mm256_storeu_pd(p, x);
}

VEC_INLINE VecD vecd_add(VecD a, VecD b)
{
    return _mm256_add_pd(a, b);
}

VEC_INLINE VecD vecd_sub(VecD a, VecD b)
{
    return _mm256_sub_pd(a, b);
}

VEC_INLINE VecD vecd_fmadd(VecD a, VecD b, VecD c)
{
    return _mm256_fmadd_pd(a, b, c);
}

VEC_INLINE double vecd_sum(VecD x)
{
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

#endif
