/* visibility.h: the project's own measure of noise: 1 = people just see it (docs/noise-method.md).
 *
 * Where the noise has the contrast d and the picture the local energy m^2, both in the band that
 * people see well (band_pass.h), noise is seen at
 *     z = |d| / T,    T = 0.4 (1 + (m / 2)^2)^(0.65 / 2)
 * and a zone's visibility is (mean of z^4 over its pixels)^(1/4). One formula serves a reference,
 * its features, and two halves; they differ in how they come by d and m. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_VISIBILITY_H
#define QB_NOISE_VISIBILITY_H

#include "base/threads.h"
#include "noise/report.h"

/* 1 / T next to a picture energy m^2 >= 0, in L*^-1. */
float qb_visibility_gain(float energy);

/* v of n pixels from the sum of their z^4. */
double qb_visibility_pool(double sum, double n);

/* z[i] = |d[i]| / T(energy[i] - noise[i], at least 0); noise: energy that the picture's own holds
 * of the noise, NULL = none. Any of the arrays may be z. Rows [height][width] are split over the
 * pool.
 */
void qb_visibility_map(float *z, const float *d, const float *energy, const float *noise, int width,
                       int height, QbPool *pool);

/* zones[rows * columns] and *whole from z[height][width]; grid passed qb_noise_grid_check. */
void qb_visibility_zones(double *whole, double *zones, const float *z, int width, int height,
                         QbNoiseGrid grid, QbPool *pool);

#endif
