/* filter_ref.c: the definition of the filters of pictures and of what SSIM, VIF and GMSD make of
 * their results: Wang et al. 2004 (eq. 13 with the two factors apart), Sheikh & Bovik 2006 as their
 * vifp_mscale computes it, Xue et al. 2014 (eq. 3). The picture's own error enters SSIM's factors
 * and GMS as a difference from 1, which is exact for equal pictures. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"
#include "kernels/scalar.h"

#include <math.h>

static void luma_u8_ref(float *y, const uint8_t *rgb, size_t n)
{
    for (size_t i = 0; i < n; i++, rgb += 3)
        y[i] = qb_luma_scalar(rgb);
}

static void filter_row_ref(float *y, const float *x, const float *taps, int n_taps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float sum = 0.0f;
        for (int t = 0; t < n_taps; t++)
            sum += taps[t] * x[i + (size_t)t];
        y[i] = sum;
    }
}

static void filter_column_ref(float *y, const float *const *rows, const float *taps, int n_taps,
                              size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float sum = 0.0f;
        for (int t = 0; t < n_taps; t++)
            sum += taps[t] * rows[t][i];
        y[i] = sum;
    }
}

/* Around the middle values ca and cb: what is summed is small where the picture is smooth. */
static void moments_column_ref(const QbMoments *y, const float *const *a, const float *const *b,
                               const float *taps, int n_taps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float ca = a[n_taps / 2][i], cb = b[n_taps / 2][i];
        float sa = 0.0f, sb = 0.0f, saa = 0.0f, sbb = 0.0f, sab = 0.0f;
        for (int t = 0; t < n_taps; t++) {
            float da = a[t][i] - ca, db = b[t][i] - cb;
            float wa = taps[t] * da, wb = taps[t] * db;
            sa += wa;
            sb += wb;
            saa += wa * da;
            sbb += wb * db;
            sab += wa * db;
        }
        y->row[QB_MOMENT_MEAN_A][i] = ca + sa;
        y->row[QB_MOMENT_MEAN_B][i] = cb + sb;
        y->row[QB_MOMENT_VAR_A][i] = fmaxf(saa - sa * sa, 0.0f);
        y->row[QB_MOMENT_VAR_B][i] = fmaxf(sbb - sb * sb, 0.0f);
        y->row[QB_MOMENT_COV][i] = sab - sa * sb;
    }
}

/* The variance of all is the mean of the columns' and the variance of their means. */
static void moments_row_ref(const QbMoments *y, const QbMoments *x, const float *taps, int n_taps,
                            size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float *mean_a = x->row[QB_MOMENT_MEAN_A] + i, *mean_b = x->row[QB_MOMENT_MEAN_B] + i;
        float ca = mean_a[n_taps / 2], cb = mean_b[n_taps / 2];
        float sa = 0.0f, sb = 0.0f, saa = 0.0f, sbb = 0.0f, sab = 0.0f;
        for (int t = 0; t < n_taps; t++) {
            float da = mean_a[t] - ca, db = mean_b[t] - cb;
            float wa = taps[t] * da, wb = taps[t] * db;
            sa += wa;
            sb += wb;
            saa += wa * da + taps[t] * x->row[QB_MOMENT_VAR_A][i + (size_t)t];
            sbb += wb * db + taps[t] * x->row[QB_MOMENT_VAR_B][i + (size_t)t];
            sab += wa * db + taps[t] * x->row[QB_MOMENT_COV][i + (size_t)t];
        }
        y->row[QB_MOMENT_MEAN_A][i] = ca + sa;
        y->row[QB_MOMENT_MEAN_B][i] = cb + sb;
        y->row[QB_MOMENT_VAR_A][i] = fmaxf(saa - sa * sa, 0.0f);
        y->row[QB_MOMENT_VAR_B][i] = fmaxf(sbb - sb * sb, 0.0f);
        y->row[QB_MOMENT_COV][i] = sab - sa * sb;
    }
}

static void ssim_row_ref(float *ssim, float *structure, const QbMoments *m, float c1, float c2,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float a = m->row[QB_MOMENT_MEAN_A][i], b = m->row[QB_MOMENT_MEAN_B][i];
        float variances = m->row[QB_MOMENT_VAR_A][i] + m->row[QB_MOMENT_VAR_B][i];
        float covariance = m->row[QB_MOMENT_COV][i];
        float luminance = 1.0f - (a - b) * (a - b) / (a * a + b * b + c1);
        structure[i] = 1.0f - (variances - 2.0f * covariance) / (variances + c2);
        ssim[i] = luminance * structure[i];
    }
}

static void vif_row_ref(float *kept, float *all, const QbMoments *m, float noise, size_t n)
{
    const float least = 1e-8f;
    for (size_t i = 0; i < n; i++) {
        float image = m->row[QB_MOMENT_VAR_A][i], reference = m->row[QB_MOMENT_VAR_B][i];
        float covariance = m->row[QB_MOMENT_COV][i], gain = 0.0f;
        if (reference >= least && image >= least)
            gain = fmaxf(covariance / (reference + least), 0.0f);
        if (reference < least)
            reference = 0.0f;
        float distortion = fmaxf(image - gain * covariance, least);
        kept[i] = 1.0f + gain * gain * reference / (distortion + noise);
        all[i] = 1.0f + reference / noise;
    }
}

static float gradient_magnitude(const float *const *rows, size_t i)
{
    float left = rows[0][i] + rows[1][i] + rows[2][i];
    float right = rows[0][i + 2] + rows[1][i + 2] + rows[2][i + 2];
    float above = rows[0][i] + rows[0][i + 1] + rows[0][i + 2];
    float below = rows[2][i] + rows[2][i + 1] + rows[2][i + 2];
    float dx = (right - left) * (1.0f / 3), dy = (below - above) * (1.0f / 3);
    return sqrtf(dx * dx + dy * dy);
}

static void gms_row_ref(float *y, const float *const *a, const float *const *b, float c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float ga = gradient_magnitude(a, i), gb = gradient_magnitude(b, i);
        y[i] = (ga - gb) * (ga - gb) / (ga * ga + gb * gb + c);
    }
}

void qb_filter_init_ref(QbKernels *k)
{
    k->luma_u8 = luma_u8_ref;
    k->filter_row = filter_row_ref;
    k->filter_column = filter_column_ref;
    k->moments_column = moments_column_ref;
    k->moments_row = moments_row_ref;
    k->ssim_row = ssim_row_ref;
    k->vif_row = vif_row_ref;
    k->gms_row = gms_row_ref;
}
