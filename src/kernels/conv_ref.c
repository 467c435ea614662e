/* conv_ref.c: the definition of the convolutions and of the channel statistics. A tap outside the
 * picture is left out of the sum; taps add up in the order (ky, kx) on top of the bias. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"
#include "kernels/scalar.h"

#include <stdbool.h>

static void depthwise_pixel(float *y, const QbDepthwise *p, int first_y, int first_x)
{
    size_t channels = (size_t)p->channels;
    for (size_t c = 0; c < channels; c++)
        y[c] = p->bias[c];
    for (int ky = 0; ky < p->kernel; ky++) {
        for (int kx = 0; kx < p->kernel; kx++) {
            int in_y = first_y + ky, in_x = first_x + kx;
            if (in_y < 0 || in_y >= p->height || in_x < 0 || in_x >= p->width)
                continue;
            const float *x = p->x + ((size_t)in_y * (size_t)p->width + (size_t)in_x) * channels;
            const float *w = p->weight + (size_t)(ky * p->kernel + kx) * channels;
            for (size_t c = 0; c < channels; c++)
                y[c] += x[c] * w[c];
        }
    }
    for (size_t c = 0; c < channels; c++)
        y[c] = qb_act_scalar(y[c], p->act);
}

static void depthwise_row_ref(const QbDepthwise *p, int out_y)
{
    float *y = p->y + (size_t)out_y * (size_t)p->out_width * (size_t)p->channels;
    for (int out_x = 0; out_x < p->out_width; out_x++, y += p->channels)
        depthwise_pixel(y, p, out_y * p->stride - p->pad_top, out_x * p->stride - p->pad_left);
}

/* The taps of one kernel row are neighbours in memory: one run of the picture with zeros at the
 * ends. */
static void im2col_run(float *y, const QbIm2col *p, int in_y, int first_x)
{
    for (int kx = 0; kx < p->kernel; kx++, y += p->channels) {
        int in_x = first_x + kx;
        bool inside = in_y >= 0 && in_y < p->height && in_x >= 0 && in_x < p->width;
        const float *x = inside ? p->x + ((ptrdiff_t)in_y * p->width + in_x) * p->channels : NULL;
        for (int c = 0; c < p->channels; c++)
            y[c] = x ? x[c] : 0.0f;
    }
}

static void im2col_row_ref(float *y, const QbIm2col *p, int out_y)
{
    int first_y = out_y * p->stride - p->pad_top;
    for (int out_x = 0; out_x < p->out_width; out_x++, y += p->ldy)
        for (int ky = 0; ky < p->kernel; ky++)
            im2col_run(y + ky * p->kernel * p->channels, p, first_y + ky,
                       out_x * p->stride - p->pad_left);
}

/* Sums in double in the order of the pixels; the square of a float is exact in double, so levels
 * that do the same with fma give the same bits. */
static void channel_mean_std_ref(float *mean, float *std, const float *x, size_t n_pixels,
                                 ptrdiff_t ld, int n_channels, float eps)
{
    for (int c = 0; c < n_channels; c++) {
        double sum = 0.0, squares = 0.0;
        for (size_t i = 0; i < n_pixels; i++) {
            double value = x[(ptrdiff_t)i * ld + c];
            sum += value;
            squares += value * value;
        }
        qb_mean_std_scalar(&mean[c], &std[c], sum, squares, (double)n_pixels, eps);
    }
}

void qb_conv_init_ref(QbKernels *k)
{
    k->depthwise_row = depthwise_row_ref;
    k->im2col_row = im2col_row_ref;
    k->channel_mean_std = channel_mean_std_ref;
}
