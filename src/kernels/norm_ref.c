/* norm_ref.c: the definition of RMS and layer normalisation. Sums are in double. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

#include <math.h>

static void rms_norm_ref(float *y, const float *x, const float *w, int n, float eps)
{
    double squares = 0.0;
    for (int i = 0; i < n; i++)
        squares += (double)x[i] * x[i];
    float factor = (float)(1.0 / sqrt(squares / n + eps));
    for (int i = 0; i < n; i++)
        y[i] = x[i] * factor * w[i];
}

static void layer_norm_ref(float *y, const float *x, const float *w, const float *b, int n,
                           float eps)
{
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    double mean = sum / n;
    for (int i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    float center = (float)mean;
    float factor = (float)(1.0 / sqrt(squares / n + eps));
    for (int i = 0; i < n; i++)
        y[i] = (x[i] - center) * factor * w[i] + b[i];
}

void qb_norm_init_ref(QbKernels *k)
{
    k->rms_norm = rms_norm_ref;
    k->layer_norm = layer_norm_ref;
}
