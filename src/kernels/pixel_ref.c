/* pixel_ref.c: the definition of the pixel kernels: u8 to normalised floats, and Pillow's two
 * resampling passes in 22-bit fixed point. The other levels give the same bits. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

enum { WEIGHT_BITS = 22 };

static void normalize_u8_ref(float *y, const uint8_t *x, size_t n_pixels, const float gain[3],
                             const float offset[3])
{
    for (size_t i = 0; i < n_pixels * 3; i += 3)
        for (size_t c = 0; c < 3; c++)
            y[i + c] = (float)x[i + c] * gain[c] + offset[c];
}

/* >> of a negative sum rounds down, on every compiler that we build with. */
static uint8_t clip8(int32_t sum)
{
    int32_t value = sum >> WEIGHT_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void resample_row_ref(uint8_t *y, const uint8_t *x, const QbResampleAxis *axis,
                             int out_width)
{
    for (int i = 0; i < out_width; i++) {
        const uint8_t *source = x + (ptrdiff_t)axis->first[i] * 3;
        const int32_t *weight = axis->weight + (ptrdiff_t)i * axis->max_count;
        for (int c = 0; c < 3; c++) {
            int32_t sum = 1 << (WEIGHT_BITS - 1);
            for (int j = 0; j < axis->count[i]; j++)
                sum += source[j * 3 + c] * weight[j];
            y[i * 3 + c] = clip8(sum);
        }
    }
}

static void resample_column_ref(uint8_t *y, const uint8_t *x, size_t row_bytes, size_t n_bytes,
                                const QbResampleAxis *axis, int out_y)
{
    const uint8_t *source = x + (size_t)axis->first[out_y] * row_bytes;
    const int32_t *weight = axis->weight + (ptrdiff_t)out_y * axis->max_count;
    for (size_t i = 0; i < n_bytes; i++) {
        int32_t sum = 1 << (WEIGHT_BITS - 1);
        for (int j = 0; j < axis->count[out_y]; j++)
            sum += source[(size_t)j * row_bytes + i] * weight[j];
        y[i] = clip8(sum);
    }
}

void qb_pixel_init_ref(QbKernels *k)
{
    k->normalize_u8 = normalize_u8_ref;
    k->resample_row = resample_row_ref;
    k->resample_column = resample_column_ref;
}
