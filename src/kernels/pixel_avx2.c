/* pixel_avx2.c: pixel kernels with AVX2. Sums are 32-bit integers as in the reference, so equal to
 * the bit; the order of additions does not matter to them. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

enum { WEIGHT_BITS = 22, ROUNDING = 1 << (WEIGHT_BITS - 1) };

/* 24 values are 8 pixels and three vectors: the channels of a vector's lanes repeat with period 3.
 * A product and a sum, not fma, as in the reference. */
static void normalize_u8_avx2(float *y, const uint8_t *x, size_t n_pixels, const float gain[3],
                              const float offset[3])
{
    enum { VALUES = 24, LANES = 8 };
    float gains[VALUES], offsets[VALUES];
    for (int i = 0; i < VALUES; i++) {
        gains[i] = gain[i % 3];
        offsets[i] = offset[i % 3];
    }
    size_t n = n_pixels * 3, i = 0;
    for (; i + VALUES <= n; i += VALUES) {
        for (int v = 0; v < VALUES; v += LANES) {
            __m128i bytes = _mm_loadl_epi64((const __m128i *)(x + i + v));
            __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
            value = _mm256_mul_ps(value, _mm256_loadu_ps(gains + v));
            _mm256_storeu_ps(y + i + v, _mm256_add_ps(value, _mm256_loadu_ps(offsets + v)));
        }
    }
    for (; i < n; i++) {
        float scaled = (float)x[i] * gain[i % 3];
        y[i] = scaled + offset[i % 3];
    }
}

/* Two pixels (6 bytes at x) as red, green, blue, 0 of each in 32-bit lanes. */
static inline __m256i load_two_pixels(const uint8_t *x)
{
    uint32_t first;
    uint16_t last;
    memcpy(&first, x, sizeof first);
    memcpy(&last, x + sizeof first, sizeof last);
    __m128i bytes = _mm_cvtsi64_si128((long long)((uint64_t)last << 32 | first));
    const __m128i spread = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    return _mm256_cvtepu8_epi32(_mm_shuffle_epi8(bytes, spread));
}

/* Weights w[0], w[1], each in the four lanes of its pixel. */
static inline __m256i load_two_weights(const int32_t *w)
{
    __m128i both = _mm_loadl_epi64((const __m128i *)w);
    const __m256i lanes = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    return _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(both), lanes);
}

/* Lanes 0 … 3 of the sums -> bytes, clipped to 0 … 255. */
static inline uint32_t clip_four(__m128i sums)
{
    __m128i words = _mm_packs_epi32(_mm_srai_epi32(sums, WEIGHT_BITS), _mm_setzero_si128());
    return (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(words, words));
}

static void resample_row_avx2(uint8_t *y, const uint8_t *x, const QbResampleAxis *axis,
                              int out_width)
{
    for (int i = 0; i < out_width; i++, y += 3) {
        const uint8_t *source = x + (ptrdiff_t)axis->first[i] * 3;
        const int32_t *weight = axis->weight + (ptrdiff_t)i * axis->max_count;
        int count = axis->count[i], j = 0;
        __m256i even = _mm256_setzero_si256(), odd = _mm256_setzero_si256();
        for (; j + 4 <= count; j += 4) {
            __m256i a =
                _mm256_mullo_epi32(load_two_pixels(source + j * 3), load_two_weights(weight + j));
            __m256i b = _mm256_mullo_epi32(load_two_pixels(source + j * 3 + 6),
                                           load_two_weights(weight + j + 2));
            even = _mm256_add_epi32(even, a);
            odd = _mm256_add_epi32(odd, b);
        }
        even = _mm256_add_epi32(even, odd);
        __m128i sum =
            _mm_add_epi32(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1));
        for (; j < count; j++) {
            const uint8_t *pixel = source + j * 3;
            __m128i channels = _mm_setr_epi32(pixel[0], pixel[1], pixel[2], 0);
            sum = _mm_add_epi32(sum, _mm_mullo_epi32(channels, _mm_set1_epi32(weight[j])));
        }
        uint32_t bytes = clip_four(_mm_add_epi32(sum, _mm_set1_epi32(ROUNDING)));
        memcpy(y, &bytes, 3);
    }
}

/* Eight bytes of a row, times the row's weight, onto their sums. */
static inline __m256i add_row(__m256i sum, const uint8_t *x, __m256i weight)
{
    __m256i values = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)x));
    return _mm256_add_epi32(sum, _mm256_mullo_epi32(values, weight));
}

/* 32 bytes of one output row. */
static inline void column_block(uint8_t *y, const uint8_t *x, size_t row_bytes,
                                const int32_t *weight, int count)
{
    __m256i a = _mm256_set1_epi32(ROUNDING), b = a, c = a, d = a;
    for (int j = 0; j < count; j++, x += row_bytes) {
        __m256i w = _mm256_set1_epi32(weight[j]);
        a = add_row(a, x, w);
        b = add_row(b, x + 8, w);
        c = add_row(c, x + 16, w);
        d = add_row(d, x + 24, w);
    }
    /* packs works in 128-bit halves: a0 b0 c0 d0 | a1 b1 c1 d1 in groups of four bytes */
    __m256i ab =
        _mm256_packs_epi32(_mm256_srai_epi32(a, WEIGHT_BITS), _mm256_srai_epi32(b, WEIGHT_BITS));
    __m256i cd =
        _mm256_packs_epi32(_mm256_srai_epi32(c, WEIGHT_BITS), _mm256_srai_epi32(d, WEIGHT_BITS));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order);
    _mm256_storeu_si256((__m256i *)y, bytes);
}

static void resample_column_avx2(uint8_t *y, const uint8_t *x, size_t row_bytes, size_t n_bytes,
                                 const QbResampleAxis *axis, int out_y)
{
    const uint8_t *source = x + (size_t)axis->first[out_y] * row_bytes;
    const int32_t *weight = axis->weight + (ptrdiff_t)out_y * axis->max_count;
    int count = axis->count[out_y];
    size_t i = 0;
    for (; i + 32 <= n_bytes; i += 32)
        column_block(y + i, source + i, row_bytes, weight, count);
    for (; i < n_bytes; i++) {
        int32_t sum = ROUNDING;
        for (int j = 0; j < count; j++)
            sum += source[(size_t)j * row_bytes + i] * weight[j];
        sum >>= WEIGHT_BITS;
        y[i] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}

void qb_pixel_init_avx2(QbKernels *k)
{
    k->normalize_u8 = normalize_u8_avx2;
    k->resample_row = resample_row_avx2;
    k->resample_column = resample_column_avx2;
}
