/* clip_picture.h: how a picture becomes the square, normalised input of a CLIP tower. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_CLIP_PICTURE_H
#define QB_MODELS_CLIP_PICTURE_H

#include "engine/ops.h"
#include "models/fit.h"
#include "models/load.h"

/* The fits that qb_clip_picture_make can do. */
enum { QB_CLIP_FITS = 1 << QB_FIT_CROP | 1 << QB_FIT_PAD };

typedef struct QbClipPicture {
    QbFit fit; /* the one of the file */
    int image_size;
    QbPixelScale pixels;
    uint8_t pad_color[3]; /* int(255 * mean), as upstream's expand2square has it */
} QbClipPicture;

/* Reads qboost.preprocess.fit ("crop", the default, or "pad") and clip.vision.image_mean and
 * image_std. */
QbStatus qb_clip_picture_load(QbClipPicture *out, const QbLoader *loader, int image_size);

/* image -> x[image_size][image_size][3]; square: room for as many bytes. fit: one of
 * QB_CLIP_FITS. */
QbStatus qb_clip_picture_make(float *x, uint8_t *square, const QbOps *ops, QbResizer *resizer,
                              const QbClipPicture *picture, const QbImage *image, QbFit fit);

#endif
