/* plane.h: one channel of a picture as floats, and the filters that metrics run over two of them.
 * Rows are split over the pool; results do not depend on how. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_PLANE_H
#define QB_NOISE_PLANE_H

#include "noise/metric.h"

typedef struct QbPlane {
    int width, height;
    float *data; /* [height][width], owned */
} QbPlane;

/* Sides >= 1; uninitialised. deinit accepts planes of zeros. */
QbStatus qb_plane_init(QbPlane *out, int width, int height);
void qb_plane_deinit(QbPlane *plane);

static inline float *qb_plane_row(const QbPlane *plane, int y)
{
    return plane->data + (size_t)y * (size_t)plane->width;
}

/* Luma of Rec. 601, 0.299 R + 0.587 G + 0.114 B of the 8-bit samples, 0 … 255, not rounded. */
QbStatus qb_plane_init_luma(QbPlane *out, const QbImage *image, const QbNoiseJob *job);

/* Means of 2 x 2; where a side is odd its last row or column counts twice, or (zeros) zeros stand
 * beyond it. */
QbStatus qb_plane_init_halved(QbPlane *out, const QbPlane *plane, bool zeros, QbPool *pool);

/* Every second pixel of both axes, beginning with the first, of the plane filtered by taps along
 * both axes where the window lies inside. Sides >= n_taps. */
QbStatus qb_plane_init_decimated(QbPlane *out, const QbPlane *plane, const float *taps, int n_taps,
                                 const QbNoiseJob *job);

/* Row y of the moments of two planes, n pixels; scratch[2 * width] is the thread's own. */
typedef void (*QbMomentRow)(const QbMoments *moments, int y, size_t n, float *scratch, void *user);

/* The moments of a (image) and b (reference) wherever the window of n_taps x n_taps lies inside:
 * height - n_taps + 1 rows of width - n_taps + 1. */
QbStatus qb_plane_moments(const QbNoiseJob *job, const QbPlane *a, const QbPlane *b,
                          const float *taps, int n_taps, QbMomentRow row, void *user);

/* taps[n_taps] of a Gaussian around the middle one, with the sum 1. */
void qb_gaussian_taps(float *taps, int n_taps, double sigma);

#endif
