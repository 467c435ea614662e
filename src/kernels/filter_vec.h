/* filter_vec.h: filters of pictures, and SSIM, VIF and GMS of their results, over a Vec;
 * filter_ref.c is the definition. Plain filters do four vectors at a time, so that a weight and a
 * row's address are fetched once for them and the sums do not wait for each other. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_FILTER_VEC_H
#define QB_KERNELS_FILTER_VEC_H

#include "kernels/kernels.h"
#include "kernels/scalar.h"

enum { FILTER_STEP = 4 * VEC_LANES };

static void luma_u8(float *y, const uint8_t *rgb, size_t n)
{
    size_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        Vec color[3];
        vec_load_rgb(color, rgb + 3 * i);
        Vec sum = vec_mul(vec_set(299.0f), color[0]);
        sum = vec_fmadd(vec_set(587.0f), color[1], sum);
        sum = vec_fmadd(vec_set(114.0f), color[2], sum);
        vec_store(y + i, vec_mul(sum, vec_set(0.001f)));
    }
    for (; i < n; i++)
        y[i] = qb_luma_scalar(rgb + 3 * i);
}

static void filter_row(float *y, const float *x, const float *taps, int n_taps, size_t n)
{
    size_t i = 0;
    for (; i + FILTER_STEP <= n; i += FILTER_STEP) {
        Vec sum[4] = {vec_zero(), vec_zero(), vec_zero(), vec_zero()};
        for (int t = 0; t < n_taps; t++) {
            Vec tap = vec_set(taps[t]);
            VEC_UNROLL
            for (int v = 0; v < 4; v++)
                sum[v] = vec_fmadd(tap, vec_load(x + i + t + v * VEC_LANES), sum[v]);
        }
        VEC_UNROLL
        for (int v = 0; v < 4; v++)
            vec_store(y + i + v * VEC_LANES, sum[v]);
    }
    for (; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Vec sum = vec_zero();
        for (int t = 0; t < n_taps; t++)
            sum = vec_fmadd(vec_set(taps[t]), vec_load_first(x + i + t, left), sum);
        vec_store_first(y + i, sum, left);
    }
}

static void filter_column(float *y, const float *const *rows, const float *taps, int n_taps,
                          size_t n)
{
    size_t i = 0;
    for (; i + FILTER_STEP <= n; i += FILTER_STEP) {
        Vec sum[4] = {vec_zero(), vec_zero(), vec_zero(), vec_zero()};
        for (int t = 0; t < n_taps; t++) {
            Vec tap = vec_set(taps[t]);
            const float *x = rows[t] + i;
            VEC_UNROLL
            for (int v = 0; v < 4; v++)
                sum[v] = vec_fmadd(tap, vec_load(x + v * VEC_LANES), sum[v]);
        }
        VEC_UNROLL
        for (int v = 0; v < 4; v++)
            vec_store(y + i + v * VEC_LANES, sum[v]);
    }
    for (; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Vec sum = vec_zero();
        for (int t = 0; t < n_taps; t++)
            sum = vec_fmadd(vec_set(taps[t]), vec_load_first(rows[t] + i, left), sum);
        vec_store_first(y + i, sum, left);
    }
}

/* Sums of one window: around the middle values ca and cb. */
typedef struct Moments {
    Vec ca, cb, a, b, aa, bb, ab;
} Moments;

VEC_INLINE void moments_add(Moments *m, Vec tap, Vec a, Vec b)
{
    Vec da = vec_sub(a, m->ca), db = vec_sub(b, m->cb);
    Vec wa = vec_mul(tap, da), wb = vec_mul(tap, db);
    m->a = vec_add(m->a, wa);
    m->b = vec_add(m->b, wb);
    m->aa = vec_fmadd(wa, da, m->aa);
    m->bb = vec_fmadd(wb, db, m->bb);
    m->ab = vec_fmadd(wa, db, m->ab);
}

VEC_INLINE void moments_store(const QbMoments *y, const Moments *m, size_t i, ptrdiff_t left)
{
    Vec zero = vec_zero();
    vec_store_first(y->row[QB_MOMENT_MEAN_A] + i, vec_add(m->ca, m->a), left);
    vec_store_first(y->row[QB_MOMENT_MEAN_B] + i, vec_add(m->cb, m->b), left);
    vec_store_first(y->row[QB_MOMENT_VAR_A] + i, vec_max(vec_fnmadd(m->a, m->a, m->aa), zero),
                    left);
    vec_store_first(y->row[QB_MOMENT_VAR_B] + i, vec_max(vec_fnmadd(m->b, m->b, m->bb), zero),
                    left);
    vec_store_first(y->row[QB_MOMENT_COV] + i, vec_fnmadd(m->a, m->b, m->ab), left);
}

VEC_INLINE Moments moments_zero(Vec ca, Vec cb)
{
    Vec zero = vec_zero();
    return (Moments){ca, cb, zero, zero, zero, zero, zero};
}

static void moments_column(const QbMoments *y, const float *const *a, const float *const *b,
                           const float *taps, int n_taps, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Moments m = moments_zero(vec_load_first(a[n_taps / 2] + i, left),
                                 vec_load_first(b[n_taps / 2] + i, left));
        for (int t = 0; t < n_taps; t++)
            moments_add(&m, vec_set(taps[t]), vec_load_first(a[t] + i, left),
                        vec_load_first(b[t] + i, left));
        moments_store(y, &m, i, left);
    }
}

static void moments_row(const QbMoments *y, const QbMoments *x, const float *taps, int n_taps,
                        size_t n)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        const float *row[QB_MOMENTS];
        VEC_UNROLL
        for (int r = 0; r < QB_MOMENTS; r++)
            row[r] = x->row[r] + i;
        Moments m = moments_zero(vec_load_first(row[QB_MOMENT_MEAN_A] + n_taps / 2, left),
                                 vec_load_first(row[QB_MOMENT_MEAN_B] + n_taps / 2, left));
        for (int t = 0; t < n_taps; t++) {
            Vec tap = vec_set(taps[t]);
            moments_add(&m, tap, vec_load_first(row[QB_MOMENT_MEAN_A] + t, left),
                        vec_load_first(row[QB_MOMENT_MEAN_B] + t, left));
            m.aa = vec_fmadd(tap, vec_load_first(row[QB_MOMENT_VAR_A] + t, left), m.aa);
            m.bb = vec_fmadd(tap, vec_load_first(row[QB_MOMENT_VAR_B] + t, left), m.bb);
            m.ab = vec_fmadd(tap, vec_load_first(row[QB_MOMENT_COV] + t, left), m.ab);
        }
        moments_store(y, &m, i, left);
    }
}

static void ssim_row(float *ssim, float *structure, const QbMoments *m, float c1, float c2,
                     size_t n)
{
    Vec one = vec_set(1.0f), two = vec_set(2.0f);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Vec a = vec_load_first(m->row[QB_MOMENT_MEAN_A] + i, left);
        Vec b = vec_load_first(m->row[QB_MOMENT_MEAN_B] + i, left);
        Vec variances = vec_add(vec_load_first(m->row[QB_MOMENT_VAR_A] + i, left),
                                vec_load_first(m->row[QB_MOMENT_VAR_B] + i, left));
        Vec covariance = vec_load_first(m->row[QB_MOMENT_COV] + i, left);
        Vec difference = vec_sub(a, b);
        Vec squares = vec_fmadd(a, a, vec_fmadd(b, b, vec_set(c1)));
        Vec luminance = vec_sub(one, vec_div(vec_mul(difference, difference), squares));
        Vec lost = vec_fnmadd(two, covariance, variances);
        Vec kept = vec_sub(one, vec_div(lost, vec_add(variances, vec_set(c2))));
        vec_store_first(structure + i, kept, left);
        vec_store_first(ssim + i, vec_mul(luminance, kept), left);
    }
}

static void vif_row(float *kept, float *all, const QbMoments *m, float noise, size_t n)
{
    Vec least = vec_set(1e-8f), one = vec_set(1.0f);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Vec image = vec_load_first(m->row[QB_MOMENT_VAR_A] + i, left);
        Vec reference = vec_load_first(m->row[QB_MOMENT_VAR_B] + i, left);
        Vec covariance = vec_load_first(m->row[QB_MOMENT_COV] + i, left);
        Vec gain = vec_max(vec_div(covariance, vec_add(reference, least)), vec_zero());
        gain = vec_keep(gain, vec_min(reference, image), least);
        reference = vec_keep(reference, reference, least);
        Vec distortion = vec_max(vec_fnmadd(gain, covariance, image), least);
        Vec signal = vec_mul(vec_mul(gain, gain), reference);
        signal = vec_div(signal, vec_add(distortion, vec_set(noise)));
        vec_store_first(kept + i, vec_add(one, signal), left);
        vec_store_first(all + i, vec_fmadd(reference, vec_set(1.0f / noise), one), left);
    }
}

VEC_INLINE Vec gradient_magnitude(const float *const *rows, size_t i, ptrdiff_t left)
{
    Vec side[3], top[3], third = vec_set(1.0f / 3);
    VEC_UNROLL
    for (int r = 0; r < 3; r++)
        side[r] = vec_sub(vec_load_first(rows[r] + i + 2, left), vec_load_first(rows[r] + i, left));
    VEC_UNROLL
    for (int c = 0; c < 3; c++)
        top[c] =
            vec_sub(vec_load_first(rows[2] + i + c, left), vec_load_first(rows[0] + i + c, left));
    Vec dx = vec_mul(vec_add(vec_add(side[0], side[1]), side[2]), third);
    Vec dy = vec_mul(vec_add(vec_add(top[0], top[1]), top[2]), third);
    return vec_sqrt(vec_fmadd(dx, dx, vec_mul(dy, dy)));
}

static void gms_row(float *y, const float *const *a, const float *const *b, float c, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Vec ga = gradient_magnitude(a, i, left), gb = gradient_magnitude(b, i, left);
        Vec difference = vec_sub(ga, gb);
        Vec squares = vec_fmadd(ga, ga, vec_fmadd(gb, gb, vec_set(c)));
        vec_store_first(y + i, vec_div(vec_mul(difference, difference), squares), left);
    }
}

#endif
