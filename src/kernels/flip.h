/* flip.h: FLIP's constants, shared by its kernels (Andersson et al., "FLIP: A Difference Evaluator
 * for Alternating Images", 2020; the numbers are those of the authors' code, version 1.7). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_FLIP_H
#define QB_KERNELS_FLIP_H

/* X, Y, Z / white = qb_flip_xyz . linear RGB, and back; the white is D65. The opponent space YCxCz
 * is kept without its scale: Y, X - Y, Y - Z. */
static const float qb_flip_xyz[3][3] = {
    {0.433895378f, 0.376242363f, 0.189862234f},
    {0.212636822f, 0.715182982f, 0.072180196f},
    {0.017752423f, 0.109465629f, 0.872781955f},
};
static const float qb_flip_rgb[3][3] = {
    {3.080342027f, -1.537398934f, -0.542942996f},
    {-0.921178474f, 1.875930071f, 0.045248410f},
    {0.052881296f, -0.204011202f, 1.151129865f},
};

/* L* = 116 f(Y) - 16, a* = 500 (f(X) - f(Y)), b* = 200 (f(Y) - f(Z)), of X, Y, Z / white. f = cube
 * root above the cube of 6 / 29, below it the tangent there. */
#define QB_FLIP_ROOT_FROM (216.0f / 24389)
#define QB_FLIP_TANGENT (841.0f / 108)

/* HyAB distances to the power of 0.7; that of Hunt-adjusted green and blue is the largest. 0.4 of
 * it are mapped to 0 … 0.95, the rest to 0.95 … 1. */
#define QB_FLIP_EXPONENT 0.7f
#define QB_FLIP_LARGEST 41.27609859f
#define QB_FLIP_KNEE (0.4f * QB_FLIP_LARGEST)
#define QB_FLIP_KNEE_ERROR 0.95f

/* ACES, as fitted by Narkowicz, on 0.6 of the light: (a c^2 + b c) / (d c^2 + e c + f). */
#define QB_FLIP_ACES_A (0.6f * 0.6f * 2.51f)
#define QB_FLIP_ACES_B (0.6f * 0.03f)
#define QB_FLIP_ACES_D (0.6f * 0.6f * 2.43f)
#define QB_FLIP_ACES_E (0.6f * 0.59f)
#define QB_FLIP_ACES_F 0.14f

#endif
