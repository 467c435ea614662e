/* primaries.c: from linear RGB of given primaries to sRGB's, through CIE XYZ. The matrices are made
 * as SMPTE RP 177 says; the white is adapted as in ICC.1, annex E (Bradford). */
// SPDX-License-Identifier: Apache-2.0
#include "image/primaries.h"

#include <math.h>
#include <string.h>

/* Files round: D65 is found as 0.3127 0.329 and as 0.31271 0.32902. */
#define SAME_WITHIN 5e-4

static const double srgb_xy[8] = {0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290};
static const double bradford[9] = {0.8951, 0.2664, -0.1614, -0.7502, 1.7135,
                                   0.0367, 0.0389, -0.0685, 1.0296};

static void multiply(double out[9], const double a[9], const double b[9])
{
    double product[9];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            product[i * 3 + j] =
                a[i * 3] * b[j] + a[i * 3 + 1] * b[3 + j] + a[i * 3 + 2] * b[6 + j];
    memcpy(out, product, sizeof product);
}

static void apply(double out[3], const double m[9], const double v[3])
{
    for (int i = 0; i < 3; i++)
        out[i] = m[i * 3] * v[0] + m[i * 3 + 1] * v[1] + m[i * 3 + 2] * v[2];
}

static bool invert(double out[9], const double m[9])
{
    double adjugate[9];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int r0 = (j + 1) % 3, r1 = (j + 2) % 3, c0 = (i + 1) % 3, c1 = (i + 2) % 3;
            adjugate[i * 3 + j] = m[r0 * 3 + c0] * m[r1 * 3 + c1] - m[r0 * 3 + c1] * m[r1 * 3 + c0];
        }
    double determinant = m[0] * adjugate[0] + m[1] * adjugate[3] + m[2] * adjugate[6];
    if (!isfinite(determinant) || fabs(determinant) < 1e-9)
        return false;
    for (int i = 0; i < 9; i++)
        out[i] = adjugate[i] / determinant;
    return true;
}

/* XYZ of the colour x, y at Y = 1. */
static void xyz_from_xy(double out[3], const double xy[2])
{
    out[0] = xy[0] / xy[1];
    out[1] = 1.0;
    out[2] = (1.0 - xy[0] - xy[1]) / xy[1];
}

/* white: XYZ of RGB 1, 1, 1. */
static bool rgb_to_xyz(double out[9], double white[3], const double xy[8])
{
    double columns[9], inverse[9], scale[3];
    for (int c = 0; c < 3; c++) {
        double x = xy[c * 2], y = xy[c * 2 + 1];
        columns[c] = x;
        columns[3 + c] = y;
        columns[6 + c] = 1.0 - x - y;
    }
    if (!(fabs(xy[7]) > 1e-6) || !invert(inverse, columns))
        return false;
    xyz_from_xy(white, xy + 6);
    apply(scale, inverse, white);
    for (int i = 0; i < 9; i++)
        out[i] = columns[i] * scale[i % 3];
    return true;
}

/* XYZ under one white to XYZ under another. */
static bool adapt(double out[9], const double from[3], const double to[3])
{
    double cones_from[3], cones_to[3], back[9], scaled[9];
    apply(cones_from, bradford, from);
    apply(cones_to, bradford, to);
    if (!invert(back, bradford))
        return false;
    for (int i = 0; i < 9; i++) {
        double gain = cones_to[i / 3] / cones_from[i / 3];
        if (!isfinite(gain))
            return false;
        scaled[i] = gain * bradford[i];
    }
    multiply(out, back, scaled);
    return true;
}

bool qb_primaries_to_srgb(double out[9], const double xy[8])
{
    bool same = true;
    for (int i = 0; i < 8; i++)
        same = same && fabs(xy[i] - srgb_xy[i]) <= SAME_WITHIN;
    double to_xyz[9], srgb_to_xyz[9], xyz_to_srgb[9], adaptation[9], white[3], srgb_white[3];
    if (same || !rgb_to_xyz(to_xyz, white, xy) || !rgb_to_xyz(srgb_to_xyz, srgb_white, srgb_xy) ||
        !invert(xyz_to_srgb, srgb_to_xyz) || !adapt(adaptation, white, srgb_white))
        return false;
    multiply(out, adaptation, to_xyz);
    multiply(out, xyz_to_srgb, out);
    return true;
}

void qb_primaries_convert(float *rgb, size_t n_pixels, const double matrix[9])
{
    for (size_t i = 0; i < n_pixels; i++, rgb += 3) {
        double in[3] = {rgb[0], rgb[1], rgb[2]}, to[3];
        if (!isfinite(in[0]) || !isfinite(in[1]) || !isfinite(in[2]))
            continue;
        apply(to, matrix, in);
        bool possible = in[0] >= 0 && in[1] >= 0 && in[2] >= 0;
        for (int c = 0; c < 3; c++)
            rgb[c] = (float)(possible && to[c] < 0 ? 0 : to[c]);
    }
}
