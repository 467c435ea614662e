/* band_pass.h: the part of a picture's lightness that people see well: contrast of between about 2
 * and 20 cycles a degree, 67 pixels a degree (docs/noise-method.md).
 *
 *     B(L) = G_0.63(L) - G_6.3(L)
 *
 * with Gaussians of so many pixels; the picture is mirrored at its borders, the edge pixel
 * repeated. B is linear: the band of a difference is the difference of the bands. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_BAND_PASS_H
#define QB_NOISE_BAND_PASS_H

#include "base/threads.h"
#include "kernels/kernels.h"

#include <qboost/image.h>

enum { QB_FINE_TAPS = 7, QB_COARSE_TAPS = 51 }; /* to 4 standard deviations */

/* Tables and working memory for pictures of one size. */
typedef struct QbBandPass {
    int width, height;
    size_t n_pixels;
    QbPool *pool; /* borrowed */
    QbKernels kernels;
    float fine[QB_FINE_TAPS], coarse[QB_COARSE_TAPS];
    float *between, *smooth; /* [height][width]; owned, as the next */
    float *rows;             /* [threads][width + QB_COARSE_TAPS - 1] */
} QbBandPass;

/* Sides >= 1. On failure nothing is left to free. */
QbStatus qb_band_pass_init(QbBandPass *out, int width, int height, QbPool *pool);
void qb_band_pass_deinit(QbBandPass *b);

/* [height][width] of floats, owned by the caller; NULL when memory ran out. */
float *qb_band_pass_new_plane(const QbBandPass *b);

/* plane = CIE L* of the picture, which has the size of b. */
void qb_band_pass_lightness(const QbBandPass *b, float *plane, const QbImage *image);

/* plane -= other. */
void qb_band_pass_subtract(const QbBandPass *b, float *plane, const float *other);

/* plane = B(plane). */
void qb_band_pass_run(const QbBandPass *b, float *plane);

/* energy = G_6.3(plane^2): how much there is around each pixel. energy may be plane. */
void qb_band_pass_energy(const QbBandPass *b, float *energy, const float *plane);

#endif
