/* flip.h: one FLIP map, shared by LDR-FLIP (flip.c) and by every exposure of HDR-FLIP (hdr_flip.c).
 *
 * Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström, Fairchild, "FLIP: A Difference Evaluator
 * for Alternating Images", 2020, with the separable filters of the authors' code (version 1.7):
 * 1. opponent colours, blurred by the eye's contrast sensitivity at the distance of QB_FLIP_PPD
 *    pixels a degree, borders repeated; their distance in Hunt-adjusted L*a*b* (HyAB);
 * 2. edges and points of the luminance, by derivatives of a Gaussian, and how they differ;
 * 3. the colour difference to the power of 1 - the feature difference. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_FLIP_H
#define QB_NOISE_FLIP_H

#include "noise/plane.h"

/* 0.7 m away from a screen 0.7 m and 3840 pixels wide. */
#define QB_FLIP_PPD (0.7 * (3840 / 0.7) * (3.14159265358979 / 180))

enum { QB_FLIP_MAX_TAPS = 21 };

typedef struct QbFlipTaps {
    int n;
    float tap[QB_FLIP_MAX_TAPS];
} QbFlipTaps;

enum { QB_FLIP_Y, QB_FLIP_CX, QB_FLIP_CZ, QB_FLIP_COLORS };

typedef struct QbFlip {
    int width, height;
    QbPool *pool; /* borrowed, as the kernels */
    const QbKernels *kernels;
    QbPlane color[2][QB_FLIP_COLORS];           /* of image and reference; owned */
    QbFlipTaps sensitivity[QB_FLIP_COLORS + 1]; /* Cz has two, whose results add up */
    QbFlipTaps gauss, first, second;            /* of the features */
    float *scratch;                             /* [threads][scratch_floats], owned */
    size_t scratch_floats;
} QbFlip;

/* On failure nothing is left to free. */
QbStatus qb_flip_init(QbFlip *out, const QbNoiseJob *job);
void qb_flip_deinit(QbFlip *flip);

/* Scratch of three rows of `width` for a thread that fills colours. */
static inline float *qb_flip_scratch(const QbFlip *flip, int thread)
{
    return flip->scratch + (size_t)thread * flip->scratch_floats;
}

/* map[height][width] = the FLIP error, 0 … 1, from the colours; or the larger of that and what is
 * there. */
void qb_flip_map(float *map, const QbFlip *flip, bool larger);

/* Zones and whole as means of map, which is copied to the job's. */
QbStatus qb_flip_pool(const QbNoiseJob *job, const float *map);

#endif
