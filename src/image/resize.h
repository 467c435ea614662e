/* resize.h: Pillow's antialiased bicubic on 8-bit RGB, bit for bit. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_RESIZE_H
#define QB_IMAGE_RESIZE_H

#include "base/threads.h"
#include "image/image.h"
#include "kernels/kernels.h"

/* Scratch memory that grows to the largest picture seen and is then reused, so that resizing in a
 * session stops allocating. Zeroed = empty. */
typedef struct QbResizer {
    const QbKernels *kernels; /* borrowed */
    QbPool *pool;             /* borrowed; NULL = no threads */
    void *scratch;            /* owned */
    size_t scratch_bytes;
} QbResizer;

void qb_resizer_deinit(QbResizer *resizer);

/* dst[out_height][out_width][3] from src[height][width][3]. */
QbStatus qb_resize_rgb(QbResizer *resizer, uint8_t *dst, int out_width, int out_height,
                       const uint8_t *src, int width, int height);

#endif
