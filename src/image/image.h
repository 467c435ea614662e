/* image.h: what a QbImage is inside (public side: <qboost/image.h>). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_IMAGE_H
#define QB_IMAGE_IMAGE_H

#include <qboost/image.h>

struct QbImage {
    int width, height;
    const char *format;
    uint64_t serial; /* unique in this process: tells pictures apart in caches */
    uint8_t *pixels; /* [height][width][3], owned */
};

/* An image with uninitialised pixels; sizes are checked (>= 1, product fits). */
QbStatus qb_image_new(QbImage **out, int width, int height, const char *format);

/* An image around pixels[height][width][3] of qb_alloc, taken on success. */
QbStatus qb_image_adopt(QbImage **out, uint8_t *pixels, int width, int height, const char *format);

#endif
