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

/* The picture stands in a canvas of one colour, the canvas is scaled, a window of that is wanted.
 * The canvas and what is outside the window are never made. */
typedef struct QbResizeJob {
    const uint8_t *src; /* [height][width][3] */
    int width, height;
    int canvas_width, canvas_height, left, top; /* left, top: where the picture stands */
    uint8_t color[3];                           /* of the canvas */
    int scaled_width, scaled_height;
    int window_left, window_top, out_width, out_height;
} QbResizeJob;

void qb_resizer_deinit(QbResizer *resizer);

/* dst[out_height][out_width][3]. */
QbStatus qb_resize_window(QbResizer *resizer, uint8_t *dst, const QbResizeJob *job);

/* dst[out_height][out_width][3] from src[height][width][3]. */
QbStatus qb_resize_rgb(QbResizer *resizer, uint8_t *dst, int out_width, int out_height,
                       const uint8_t *src, int width, int height);

#endif
