/* preprocess.c: the ways in which pictures are brought to a model's size. PAD and CROP are those of
 * CLIP's image processor with and without expand2square in front of it (the evaluation scripts of
 * Q-Align and Q-Instruct), VIEW is docs/models/compact.md section 1. Subtracting the mean and
 * dividing by the deviation is the kernel normalize_u8. */
// SPDX-License-Identifier: Apache-2.0
#include "image/preprocess.h"

#include <math.h>

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static int view_side(const QbPreprocess *p, int side, double scale)
{
    double scaled = floor(side * scale + 0.5);
    int bounded = scaled < p->max_long_side ? (int)scaled : p->max_long_side;
    return max_int(p->min_side, bounded);
}

/* The long edge when the short one becomes size; truncated, as CLIP's image processor does. */
static int long_edge(int size, int long_side, int short_side)
{
    int64_t scaled = (int64_t)size * long_side / short_side;
    return scaled < INT32_MAX / 8 ? (int)scaled : INT32_MAX / 8;
}

void qb_preprocess_size(int *out_width, int *out_height, const QbPreprocess *p, int width,
                        int height)
{
    *out_width = *out_height = p->image_size;
    if (p->fit != QB_FIT_VIEW)
        return;
    int short_side = min_int(width, height);
    double scale = short_side > p->image_size ? (double)p->image_size / short_side : 1.0;
    *out_width = view_side(p, width, scale);
    *out_height = view_side(p, height, scale);
}

/* expand2square: the short axis gets (side - short) / 2 of the colour in front. */
static void set_canvas(QbResizeJob *job, const QbPreprocess *p)
{
    int side = max_int(job->width, job->height);
    job->canvas_width = job->canvas_height = side;
    job->left = (side - job->width) / 2;
    job->top = (side - job->height) / 2;
    for (int c = 0; c < 3; c++)
        job->color[c] = p->pad_color[c];
}

/* Shortest edge to the size, then the middle. */
static void set_crop(QbResizeJob *job, const QbPreprocess *p)
{
    int size = p->image_size;
    job->scaled_width = job->width <= job->height ? size : long_edge(size, job->width, job->height);
    job->scaled_height =
        job->width <= job->height ? long_edge(size, job->height, job->width) : size;
    job->window_left = (job->scaled_width - size) / 2;
    job->window_top = (job->scaled_height - size) / 2;
}

QbStatus qb_preprocess_rgb(QbResizer *resizer, uint8_t *dst, const QbPreprocess *p,
                           const QbImage *image)
{
    QbResizeJob job = {
        .src = image->pixels,
        .width = image->width,
        .height = image->height,
        .canvas_width = image->width,
        .canvas_height = image->height,
    };
    qb_preprocess_size(&job.out_width, &job.out_height, p, image->width, image->height);
    job.scaled_width = job.out_width;
    job.scaled_height = job.out_height;
    if (p->fit == QB_FIT_PAD)
        set_canvas(&job, p);
    else if (p->fit == QB_FIT_CROP)
        set_crop(&job, p);
    return qb_resize_window(resizer, dst, &job);
}
