/* preprocess.h: from a picture of any size to the pixels that a vision tower was trained on. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_PREPROCESS_H
#define QB_IMAGE_PREPROCESS_H

#include "image/resize.h"

typedef enum QbFit {
    QB_FIT_PAD,  /* expand to a square with a colour, then scale (CLIP with expand2square) */
    QB_FIT_CROP, /* shortest edge to the size, then centre crop (CLIP's image processor) */
    QB_FIT_VIEW  /* short side to the size, aspect kept, never enlarged (docs/models/compact.md) */
} QbFit;

typedef struct QbPreprocess {
    QbFit fit;
    int image_size;              /* PAD and CROP: side of the square; VIEW: the short side */
    int max_long_side, min_side; /* VIEW only */
    uint8_t pad_color[3];        /* PAD only */
} QbPreprocess;

/* Size of the result for a picture of width x height. */
void qb_preprocess_size(int *out_width, int *out_height, const QbPreprocess *p, int width,
                        int height);

/* dst[out_height][out_width][3] with the sizes of qb_preprocess_size. */
QbStatus qb_preprocess_rgb(QbResizer *resizer, uint8_t *dst, const QbPreprocess *p,
                           const QbImage *image);

#endif
