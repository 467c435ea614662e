/* ssim.h: the constants that SSIM and MS-SSIM share: Wang et al. 2004, section III.B. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_SSIM_H
#define QB_NOISE_SSIM_H

#include "noise/zone_sums.h"

enum { QB_SSIM_TAPS = 11 };
#define QB_SSIM_SIGMA 1.5
#define QB_SSIM_C1 (0.01f * 255 * 0.01f * 255)
#define QB_SSIM_C2 (0.03f * 255 * 0.03f * 255)

#endif
