/* exr_dct.c: the lossy part of DWAA and DWAB: blocks of 8 x 8 coefficients of a cosine transform,
 * of R G B as Y' Cb Cr of BT.709 or of one channel alone, all on a curve that is x^(1/2.2) below 1
 * and logarithmic above. Constants from OpenEXR's ImfDwaCompressorSimd.h and dwaLookups.cpp. */
// SPDX-License-Identifier: Apache-2.0
#include "image/exr_dct.h"

#include "image/half.h"

#include <math.h>

enum { N = QB_EXR_BLOCK };

const uint8_t qb_exr_dct_order[QB_EXR_BLOCK_SAMPLES] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* generateToLinear: in float, rounded to a half; what is not finite is 0. */
static uint16_t linear_from_curve(uint16_t half)
{
    if ((half & 0x7c00) == 0x7c00)
        return 0;
    const float base = (float)pow(2.7182818, 2.2);
    float magnitude = qb_float_from_half(half & 0x7fff);
    double linear = magnitude <= 1.0f ? pow(magnitude, 2.2f) : pow(base, magnitude - 1.0f);
    return (uint16_t)(qb_half_from_float((float)linear) | (half & 0x8000));
}

void qb_exr_dct_init(QbExrDct *dct)
{
    for (int i = 0; i < 65536; i++)
        dct->to_linear[i] = linear_from_curve((uint16_t)i);
    for (int u = 0; u < N; u++)
        for (int x = 0; x < N; x++)
            dct->basis[u][x] =
                (float)((u ? 0.5 : sqrt(0.125)) * cos((2 * x + 1) * u * M_PI / (2 * N)));
}

void qb_exr_dct_back(const QbExrDct *dct, float *block)
{
    float rows[QB_EXR_BLOCK_SAMPLES];
    for (int v = 0; v < N; v++)
        for (int x = 0; x < N; x++) {
            float sum = 0;
            for (int u = 0; u < N; u++)
                sum += block[v * N + u] * dct->basis[u][x];
            rows[v * N + x] = sum;
        }
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            float sum = 0;
            for (int v = 0; v < N; v++)
                sum += rows[v * N + x] * dct->basis[v][y];
            block[y * N + x] = sum;
        }
}

void qb_exr_dct_colors(float block[3][QB_EXR_BLOCK_SAMPLES])
{
    for (int i = 0; i < QB_EXR_BLOCK_SAMPLES; i++) {
        float y = block[0][i], cb = block[1][i], cr = block[2][i];
        block[0][i] = y + 1.5747f * cr;
        block[1][i] = y - 0.1873f * cb - 0.4682f * cr;
        block[2][i] = y + 1.8556f * cb;
    }
}
