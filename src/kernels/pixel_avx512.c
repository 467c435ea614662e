/* pixel_avx512.c: pixel kernels with AVX-512, equal to the reference to the bit as in pixel_avx2.c;
 * masks do the ends of rows. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"
#include "kernels/vec_avx512.h"

#include <stdbool.h>

enum { WEIGHT_BITS = 22, ROUNDING = 1 << (WEIGHT_BITS - 1), LANES = VEC_LANES };

VEC_INLINE __mmask16 first_lanes(ptrdiff_t n)
{
    return (__mmask16)(n >= LANES ? 0xffff : n <= 0 ? 0 : (1u << n) - 1);
}

VEC_INLINE void normalize_lanes(float *y, const uint8_t *x, __mmask16 mask, __m512 gain,
                                __m512 offset)
{
    __m512 value = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, x)));
    _mm512_mask_storeu_ps(y, mask, _mm512_add_ps(_mm512_mul_ps(value, gain), offset));
}

/* 48 values are 16 pixels and three vectors: the channels of a vector's lanes repeat with period 3.
 */
static void normalize_u8_avx512(float *y, const uint8_t *x, size_t n_pixels, const float gain[3],
                                const float offset[3])
{
    enum { VECS = 3, VALUES = VECS * LANES };
    float gains[VALUES], offsets[VALUES];
    for (int i = 0; i < VALUES; i++) {
        gains[i] = gain[i % 3];
        offsets[i] = offset[i % 3];
    }
    const __m512 gain0 = _mm512_loadu_ps(gains), offset0 = _mm512_loadu_ps(offsets);
    const __m512 gain1 = _mm512_loadu_ps(gains + 16), offset1 = _mm512_loadu_ps(offsets + 16);
    const __m512 gain2 = _mm512_loadu_ps(gains + 32), offset2 = _mm512_loadu_ps(offsets + 32);
    ptrdiff_t n = (ptrdiff_t)n_pixels * 3, i = 0;
    for (; i + VALUES <= n; i += VALUES) {
        normalize_lanes(y + i, x + i, first_lanes(LANES), gain0, offset0);
        normalize_lanes(y + i + 16, x + i + 16, first_lanes(LANES), gain1, offset1);
        normalize_lanes(y + i + 32, x + i + 32, first_lanes(LANES), gain2, offset2);
    }
    normalize_lanes(y + i, x + i, first_lanes(n - i), gain0, offset0);
    normalize_lanes(y + i + 16, x + i + 16, first_lanes(n - i - 16), gain1, offset1);
    normalize_lanes(y + i + 32, x + i + 32, first_lanes(n - i - 32), gain2, offset2);
}

/* Pixels of x (`bytes` of them loaded) as red, green, blue, 0 of each in 32-bit lanes. */
VEC_INLINE __m512i load_four_pixels(const uint8_t *x, __mmask16 bytes)
{
    const __m128i spread = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
    __m128i packed = _mm_maskz_loadu_epi8(bytes, x);
    return _mm512_cvtepu8_epi32(_mm_shuffle_epi8(packed, spread));
}

/* Weights each in the four lanes of its pixel. */
VEC_INLINE __m512i spread_four_weights(__m128i w)
{
    const __m512i lanes = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    return _mm512_permutexvar_epi32(lanes, _mm512_castsi128_si512(w));
}

VEC_INLINE __m128i pixel_sum(const uint8_t *x, const int32_t *weight, int count)
{
    const __mmask16 four_pixels = 0xfff;
    __m512i sum = _mm512_setzero_si512();
    int j = 0;
    for (; j + 4 <= count; j += 4) {
        __m512i pixels = load_four_pixels(x + j * 3, four_pixels);
        __m512i weights = spread_four_weights(_mm_loadu_si128((const __m128i *)(weight + j)));
        sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(pixels, weights));
    }
    if (j < count) {
        int left = count - j;
        __m512i pixels = load_four_pixels(x + j * 3, first_lanes(left * 3));
        __m128i loaded = _mm_maskz_loadu_epi32((__mmask8)((1 << left) - 1), weight + j);
        sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(pixels, spread_four_weights(loaded)));
    }
    __m256i two = _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti32x8_epi32(sum, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1));
}

static void resample_row_avx512(uint8_t *y, const uint8_t *x, const QbResampleAxis *axis,
                                int out_width)
{
    const __mmask16 three_bytes = 0x7;
    for (int i = 0; i < out_width; i++) {
        __m128i sum = pixel_sum(x + (ptrdiff_t)axis->first[i] * 3,
                                axis->weight + (ptrdiff_t)i * axis->max_count, axis->count[i]);
        sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(ROUNDING)), WEIGHT_BITS);
        __m128i words = _mm_packs_epi32(sum, sum);
        _mm_mask_storeu_epi8(y + (ptrdiff_t)i * 3, three_bytes, _mm_packus_epi16(words, words));
    }
}

/* vecs * LANES bytes of one output row; of the last vector those of the mask unless whole. */
VEC_INLINE void column_block(uint8_t *y, const uint8_t *x, size_t row_bytes, const int32_t *weight,
                             int count, const int vecs, const bool whole, __mmask16 mask)
{
    enum { MAX_VECS = 8 };
    __m512i sum[MAX_VECS];
    VEC_UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = _mm512_set1_epi32(ROUNDING);
    for (int j = 0; j < count; j++, x += row_bytes) {
        __m512i w = _mm512_set1_epi32(weight[j]);
        VEC_UNROLL
        for (int v = 0; v < vecs; v++) {
            __m128i bytes = whole ? _mm_loadu_si128((const __m128i *)(x + v * LANES))
                                  : _mm_maskz_loadu_epi8(mask, x + v * LANES);
            __m512i value = _mm512_cvtepu8_epi32(bytes);
            sum[v] = _mm512_add_epi32(sum[v], _mm512_mullo_epi32(value, w));
        }
    }
    VEC_UNROLL
    for (int v = 0; v < vecs; v++) { /* usepi8 takes 0 … 2^32 - 1 to 0 … 255 */
        __m512i value = _mm512_srai_epi32(sum[v], WEIGHT_BITS);
        value = _mm512_max_epi32(value, _mm512_setzero_si512());
        __m128i bytes = _mm512_cvtusepi32_epi8(value);
        if (whole)
            _mm_storeu_si128((__m128i *)(y + v * LANES), bytes);
        else
            _mm_mask_storeu_epi8(y + v * LANES, mask, bytes);
    }
}

static void resample_column_avx512(uint8_t *y, const uint8_t *x, size_t row_bytes, size_t n_bytes,
                                   const QbResampleAxis *axis, int out_y)
{
    enum { VECS = 8, BLOCK = VECS * LANES };
    const uint8_t *source = x + (size_t)axis->first[out_y] * row_bytes;
    const int32_t *weight = axis->weight + (ptrdiff_t)out_y * axis->max_count;
    const int count = axis->count[out_y];
    size_t i = 0;
    for (; i + BLOCK <= n_bytes; i += BLOCK)
        column_block(y + i, source + i, row_bytes, weight, count, VECS, true, 0);
    for (; i < n_bytes; i += LANES)
        column_block(y + i, source + i, row_bytes, weight, count, 1, false,
                     first_lanes((ptrdiff_t)(n_bytes - i)));
}

void qb_pixel_init_avx512(QbKernels *k)
{
    k->normalize_u8 = normalize_u8_avx512;
    k->resample_row = resample_row_avx512;
    k->resample_column = resample_column_avx512;
}
