/* conv_vec.h: depthwise convolution, im2col and channel statistics over a Vec of channels. Outputs
 * whose taps all lie inside the picture are done several at a time, so that a weight is loaded once
 * for them; the others one by one over the taps they have. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_CONV_VEC_H
#define QB_KERNELS_CONV_VEC_H

#include "kernels/scalar.h"
#include "kernels/vec_math.h"

#include <stdbool.h>

/* Taps ky_first … ky_last - 1 and kx_first … kx_last - 1 of the window whose first tap lies at
 * element `origin` of the picture (which may lie outside). */
typedef struct Window {
    ptrdiff_t origin;
    int ky_first, ky_last, kx_first, kx_last;
} Window;

/* VEC_LANES channels from c on (those of the mask unless whole) of `count` neighbouring outputs. */
VEC_INLINE void depthwise_channels(float *y, const QbDepthwise *p, const Window *w, ptrdiff_t c,
                                   const int count, const bool whole, VecMask mask)
{
    enum { MAX_COUNT = 8 };
    const ptrdiff_t channels = p->channels, step = p->stride * channels;
    Vec acc[MAX_COUNT];
    Vec bias = whole ? vec_load(p->bias + c) : vec_load_masked(p->bias + c, mask);
    VEC_UNROLL
    for (int t = 0; t < count; t++)
        acc[t] = bias;
    for (int ky = w->ky_first; ky < w->ky_last; ky++) {
        const float *weight = p->weight + (ky * p->kernel + w->kx_first) * channels + c;
        const float *x =
            p->x + (w->origin + ((ptrdiff_t)ky * p->width + w->kx_first) * channels + c);
        for (int kx = w->kx_first; kx < w->kx_last; kx++, weight += channels, x += channels) {
            Vec factor = whole ? vec_load(weight) : vec_load_masked(weight, mask);
            VEC_UNROLL
            for (int t = 0; t < count; t++) {
                Vec value = whole ? vec_load(x + t * step) : vec_load_masked(x + t * step, mask);
                acc[t] = vec_fmadd(value, factor, acc[t]);
            }
        }
    }
    Vec low = vec_set(p->act == QB_ACT_RELU6 ? 0.0f : -INFINITY);
    Vec high = vec_set(p->act == QB_ACT_RELU6 ? 6.0f : INFINITY);
    VEC_UNROLL
    for (int t = 0; t < count; t++) {
        Vec value = vec_clamp(acc[t], low, high);
        if (whole)
            vec_store(y + t * channels + c, value);
        else
            vec_store_masked(y + t * channels + c, value, mask);
    }
}

VEC_INLINE void depthwise_outputs(float *y, const QbDepthwise *p, const Window *w, const int count)
{
    ptrdiff_t c = 0;
    for (; c + VEC_LANES <= p->channels; c += VEC_LANES)
        depthwise_channels(y, p, w, c, count, true, vec_mask(VEC_LANES));
    if (c < p->channels)
        depthwise_channels(y, p, w, c, count, false, vec_mask(p->channels - c));
}

/* One output at the edge. */
static __attribute__((noinline)) void depthwise_edge(float *y, const QbDepthwise *p, Window w,
                                                     int first_x)
{
    w.kx_first = first_x < 0 ? -first_x : 0;
    w.kx_last = p->width - first_x < p->kernel ? p->width - first_x : p->kernel;
    depthwise_outputs(y, p, &w, 1);
}

static void depthwise_row(const QbDepthwise *p, int out_y)
{
    const ptrdiff_t channels = p->channels;
    const int first_y = out_y * p->stride - p->pad_top;
    float *y = p->y + (ptrdiff_t)out_y * p->out_width * channels;
    Window w = {.kx_last = p->kernel};
    w.ky_first = first_y < 0 ? -first_y : 0;
    w.ky_last = p->height - first_y < p->kernel ? p->height - first_y : p->kernel;
    for (int out_x = 0, count; out_x < p->out_width; out_x += count) {
        int first_x = out_x * p->stride - p->pad_left;
        int last_fit = p->width - p->kernel - first_x; /* room behind the first window */
        int n_inside = first_x < 0 || last_fit < 0 ? 0 : last_fit / p->stride + 1;
        n_inside = n_inside < p->out_width - out_x ? n_inside : p->out_width - out_x;
        w.origin = ((ptrdiff_t)first_y * p->width + first_x) * channels;
        count = n_inside >= 8 ? 8 : n_inside >= 4 ? 4 : 1;
        if (count == 8)
            depthwise_outputs(y + out_x * channels, p, &w, 8);
        else if (count == 4)
            depthwise_outputs(y + out_x * channels, p, &w, 4);
        else
            depthwise_edge(y + out_x * channels, p, w, first_x);
    }
}

VEC_INLINE void copy_floats(float *y, const float *x, ptrdiff_t n)
{
    if (n < VEC_LANES) {
        VecMask mask = vec_mask(n);
        vec_store_masked(y, vec_load_masked(x, mask), mask);
        return;
    }
    for (ptrdiff_t i = 0; i + VEC_LANES < n; i += VEC_LANES)
        vec_store(y + i, vec_load(x + i));
    vec_store(y + n - VEC_LANES, vec_load(x + n - VEC_LANES));
}

VEC_INLINE void zero_floats(float *y, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = 0.0f;
}

/* The taps of one kernel row are neighbours in memory: a run of the picture, with zeros for the
 * taps outside. */
VEC_INLINE void im2col_run(float *y, const QbIm2col *p, int in_y, int first_x)
{
    const ptrdiff_t channels = p->channels;
    int before = first_x < 0 ? -first_x : 0;
    int behind = first_x + p->kernel > p->width ? first_x + p->kernel - p->width : 0;
    if (in_y < 0 || in_y >= p->height || before + behind >= p->kernel) {
        zero_floats(y, p->kernel * channels);
        return;
    }
    int inside = p->kernel - before - behind;
    zero_floats(y, before * channels);
    copy_floats(y + before * channels,
                p->x + ((ptrdiff_t)in_y * p->width + first_x + before) * channels,
                inside * channels);
    zero_floats(y + (before + inside) * channels, behind * channels);
}

static void im2col_row(float *y, const QbIm2col *p, int out_y)
{
    const ptrdiff_t run = (ptrdiff_t)p->kernel * p->channels;
    for (int out_x = 0; out_x < p->out_width; out_x++, y += p->ldy)
        for (int ky = 0; ky < p->kernel; ky++)
            im2col_run(y + ky * run, p, out_y * p->stride - p->pad_top + ky,
                       out_x * p->stride - p->pad_left);
}

/* Channels c … c + vecs * VEC_LANES - 1; in the last vector those of the mask. Sums in double in
 * the order of the pixels, as in the reference. */
VEC_INLINE void channel_sums(double *sum, double *squares, const float *x, size_t n_pixels,
                             ptrdiff_t ld, const int vecs, const bool whole, VecMask mask)
{
    enum { MAX_VECS = 4, HALF = VEC_LANES / 2 };
    VecD s[2 * MAX_VECS], q[2 * MAX_VECS];
    VEC_UNROLL
    for (int v = 0; v < 2 * vecs; v++)
        s[v] = q[v] = vecd_zero();
    for (size_t i = 0; i < n_pixels; i++, x += ld) {
        VEC_UNROLL
        for (int v = 0; v < vecs; v++) {
            Vec value =
                whole ? vec_load(x + v * VEC_LANES) : vec_load_masked(x + v * VEC_LANES, mask);
            VecD low = vecd_low(value), high = vecd_high(value);
            s[2 * v] = vecd_add(s[2 * v], low);
            s[2 * v + 1] = vecd_add(s[2 * v + 1], high);
            q[2 * v] = vecd_fmadd(low, low, q[2 * v]);
            q[2 * v + 1] = vecd_fmadd(high, high, q[2 * v + 1]);
        }
    }
    VEC_UNROLL
    for (int v = 0; v < 2 * vecs; v++) {
        vecd_store(sum + v * HALF, s[v]);
        vecd_store(squares + v * HALF, q[v]);
    }
}

static void channel_mean_std(float *mean, float *std, const float *x, size_t n_pixels, ptrdiff_t ld,
                             int n_channels, float eps)
{
    enum {
        GROUP_VECS = VEC_LANES / 4,
        GROUP = GROUP_VECS * VEC_LANES
    }; /* what the registers hold */
    double sum[GROUP], squares[GROUP];
    for (int c = 0, count; c < n_channels; c += count) {
        int left = n_channels - c;
        count = left >= GROUP ? GROUP : left < VEC_LANES ? left : VEC_LANES;
        if (count == GROUP)
            channel_sums(sum, squares, x + c, n_pixels, ld, GROUP_VECS, true, vec_mask(VEC_LANES));
        else
            channel_sums(sum, squares, x + c, n_pixels, ld, 1, false, vec_mask(count));
        for (int i = 0; i < count; i++)
            qb_mean_std_scalar(&mean[c + i], &std[c + i], sum[i], squares[i], (double)n_pixels,
                               eps);
    }
}

#endif
