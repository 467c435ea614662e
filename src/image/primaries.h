/* primaries.h: linear RGB of other primaries than sRGB's, which OpenEXR and Radiance files may
 * hold. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_PRIMARIES_H
#define QB_IMAGE_PRIMARIES_H

#include <stdbool.h>
#include <stddef.h>

/* The matrix (row by row) to linear sRGB, the white adapted by Bradford's method, from CIE x and y
 * of red, green, blue and white. false: they are sRGB's, or no colours can be made of them, and
 * there is nothing to do. */
bool qb_primaries_to_srgb(double out[9], const double xy[8]);

/* In place. Light outside sRGB's gamut becomes its nearest edge, 0; a pixel that no light can have
 * (not finite) stays as it is, and so does the sign of a negative one. */
void qb_primaries_convert(float *rgb, size_t n_pixels, const double matrix[9]);

#endif
