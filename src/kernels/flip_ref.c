/* flip_ref.c: the definition of FLIP's colours, colour difference and final error; the constants
 * and their source are in flip.h. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/flip.h"
#include "kernels/kernels.h"

#include <math.h>

static float dot3(const float m[3], const float v[3])
{
    return m[0] * v[0] + m[1] * v[1] + m[2] * v[2];
}

static float clamp01(float x)
{
    return fminf(fmaxf(x, 0.0f), 1.0f);
}

static float aces(float c)
{
    return (QB_FLIP_ACES_A * c * c + QB_FLIP_ACES_B * c) /
           (QB_FLIP_ACES_D * c * c + QB_FLIP_ACES_E * c + QB_FLIP_ACES_F);
}

/* The curve is 1 long before this; its squares are still finite. */
static float expose(float c, float gain, int tone_mapped)
{
    c = fminf(c * gain, 1e6f);
    return clamp01(tone_mapped ? aces(c) : c);
}

static void flip_opponent_ref(float *const out[3], const float *const rgb[3], float gain,
                              int tone_mapped, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float color[3], xyz[3];
        for (int c = 0; c < 3; c++)
            color[c] = expose(rgb[c][i], gain, tone_mapped);
        for (int c = 0; c < 3; c++)
            xyz[c] = dot3(qb_flip_xyz[c], color);
        out[0][i] = xyz[1];
        out[1][i] = xyz[0] - xyz[1];
        out[2][i] = xyz[1] - xyz[2];
    }
}

/* f of flip.h; both parts agree where they meet. */
static float lab_root(float t)
{
    return cbrtf(fmaxf(t, QB_FLIP_ROOT_FROM)) +
           QB_FLIP_TANGENT * (fminf(t, QB_FLIP_ROOT_FROM) - QB_FLIP_ROOT_FROM);
}

/* Lightness and chroma, the latter times 0.01 L (Hunt's effect). */
static void hunt_lab(float lab[3], float y, float x_y, float y_z)
{
    float xyz[3] = {y + x_y, y, y - y_z}, color[3];
    for (int c = 0; c < 3; c++)
        color[c] = clamp01(dot3(qb_flip_rgb[c], xyz));
    for (int c = 0; c < 3; c++)
        xyz[c] = lab_root(dot3(qb_flip_xyz[c], color));
    lab[0] = 116.0f * xyz[1] - 16.0f;
    lab[1] = 0.01f * lab[0] * (500.0f * (xyz[0] - xyz[1]));
    lab[2] = 0.01f * lab[0] * (200.0f * (xyz[1] - xyz[2]));
}

static float power(float x, float exponent)
{
    return x >= 0x1p-126f ? powf(x, exponent) : 0.0f;
}

static void flip_colour_ref(float *y, const float *const a[3], const float *const b[3], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float la[3], lb[3];
        hunt_lab(la, a[0][i], a[1][i], a[2][i]);
        hunt_lab(lb, b[0][i], b[1][i], b[2][i]);
        float da = la[1] - lb[1], db = la[2] - lb[2];
        float distance = fabsf(la[0] - lb[0]) + sqrtf(da * da + db * db);
        float d = power(distance, QB_FLIP_EXPONENT);
        y[i] = fminf(d, QB_FLIP_KNEE) * (QB_FLIP_KNEE_ERROR / QB_FLIP_KNEE) +
               fmaxf(d - QB_FLIP_KNEE, 0.0f) *
                   ((1.0f - QB_FLIP_KNEE_ERROR) / (QB_FLIP_LARGEST - QB_FLIP_KNEE));
    }
}

static float feature_difference(const float *const x[2], const float *const y[2], size_t i)
{
    float image = sqrtf(x[0][i] * x[0][i] + y[0][i] * y[0][i]);
    float reference = sqrtf(x[1][i] * x[1][i] + y[1][i] * y[1][i]);
    return fabsf(image - reference);
}

static void flip_error_ref(float *y, const QbFlipFeatures *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float edge = feature_difference(f->dx, f->dy, i);
        float point = feature_difference(f->ddx, f->ddy, i);
        float feature = sqrtf(0.70710678f * fmaxf(edge, point));
        y[i] = power(y[i], 1.0f - feature);
    }
}

void qb_flip_init_ref(QbKernels *k)
{
    k->flip_opponent = flip_opponent_ref;
    k->flip_colour = flip_colour_ref;
    k->flip_error = flip_error_ref;
}
