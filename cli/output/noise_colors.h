/* noise_colors.h: the colours of noise in pictures: one scale for how far noise is above what can
 * be seen, one for errors. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_COLORS_H
#define QBOOST_CLI_NOISE_COLORS_H

#include <stdint.h>

/* noise: 0 … 1. Amber where it is just visible, red at 1. */
void noise_color(uint8_t color[3], double noise);

/* error: 0 … 1, what lies outside is cut. From nearly black to pale yellow; lightness rises evenly,
 * so that equal steps look alike, also to the colour-blind and in print. */
void error_color(uint8_t color[3], double error);

#endif
