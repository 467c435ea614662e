/* norm_vec.h: RMS and layer normalisation over a Vec. Sums are in double, in VEC_LANES parts and a
 * tail. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_NORM_VEC_H
#define QB_KERNELS_NORM_VEC_H

#include "kernels/kernels.h"

#include <math.h>

static double sum_of_row(const float *x, int n)
{
    VecD low = vecd_zero(), high = vecd_zero();
    int i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        Vec value = vec_load(x + i);
        low = vecd_add(low, vecd_low(value));
        high = vecd_add(high, vecd_high(value));
    }
    double sum = vecd_sum(vecd_add(low, high));
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

/* Of x - center. */
static double squares_of_row(const float *x, int n, double center)
{
    VecD low = vecd_zero(), high = vecd_zero(), middle = vecd_set(center);
    int i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        Vec value = vec_load(x + i);
        VecD a = vecd_sub(vecd_low(value), middle), b = vecd_sub(vecd_high(value), middle);
        low = vecd_fmadd(a, a, low);
        high = vecd_fmadd(b, b, high);
    }
    double sum = vecd_sum(vecd_add(low, high));
    for (; i < n; i++)
        sum += (x[i] - center) * (x[i] - center);
    return sum;
}

static void rms_norm(float *y, const float *x, const float *w, int n, float eps)
{
    Vec factor = vec_set((float)(1.0 / sqrt(squares_of_row(x, n, 0.0) / n + eps)));
    for (int i = 0; i < n; i += VEC_LANES) {
        Vec value = vec_mul(vec_load_first(x + i, n - i), factor);
        vec_store_first(y + i, vec_mul(value, vec_load_first(w + i, n - i)), n - i);
    }
}

static void layer_norm(float *y, const float *x, const float *w, const float *b, int n, float eps)
{
    double mean = sum_of_row(x, n) / n;
    Vec center = vec_set((float)mean);
    Vec factor = vec_set((float)(1.0 / sqrt(squares_of_row(x, n, mean) / n + eps)));
    for (int i = 0; i < n; i += VEC_LANES) {
        Vec value = vec_mul(vec_sub(vec_load_first(x + i, n - i), center), factor);
        value = vec_fmadd(value, vec_load_first(w + i, n - i), vec_load_first(b + i, n - i));
        vec_store_first(y + i, value, n - i);
    }
}

#endif
