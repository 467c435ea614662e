/* image.c: QbImage, pictures in memory (public side: <qboost/image.h>). Decoding is in decode.c. */
// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/resize.h"

#include <stdatomic.h>
#include <string.h>

static atomic_uint_fast64_t last_serial;

QbStatus qb_image_adopt(QbImage **out, uint8_t *pixels, int width, int height, const char *format)
{
    *out = NULL;
    QbImage *image = qb_calloc(1, sizeof *image);
    if (!image)
        return QB_ERR_NOMEM;
    image->width = width;
    image->height = height;
    image->format = format;
    image->serial = atomic_fetch_add(&last_serial, 1) + 1;
    image->pixels = pixels;
    *out = image;
    return QB_OK;
}

QbStatus qb_image_new(QbImage **out, int width, int height, const char *format)
{
    *out = NULL;
    size_t n_bytes;
    if (width < 1 || height < 1)
        return qb_fail(QB_ERR_ARG, "a picture of %d x %d pixels", width, height);
    if (!qb_mul_size(&n_bytes, (size_t)width, (size_t)height) || !qb_mul_size(&n_bytes, n_bytes, 3))
        return qb_fail(QB_ERR_NOMEM, "a picture of %d x %d pixels", width, height);
    uint8_t *pixels = qb_alloc(n_bytes);
    QbStatus status = pixels ? qb_image_adopt(out, pixels, width, height, format) : QB_ERR_NOMEM;
    if (status)
        qb_free(pixels);
    return status;
}

QbStatus qb_image_new_rgb(QbImage **out, const uint8_t *rgb, int width, int height,
                          size_t stride_bytes)
{
    if (!out || !rgb)
        return qb_fail(QB_ERR_ARG, "qb_image_new_rgb: %s is NULL", out ? "rgb" : "out");
    *out = NULL;
    if (width > 0 && stride_bytes < (size_t)width * 3)
        return qb_fail(QB_ERR_ARG, "rows of %d pixels do not fit %zu bytes apart", width,
                       stride_bytes);
    QbStatus status = qb_image_new(out, width, height, "rgb");
    if (status)
        return status;
    size_t row_bytes = (size_t)width * 3;
    for (int y = 0; y < height; y++)
        memcpy((*out)->pixels + (size_t)y * row_bytes, rgb + (size_t)y * stride_bytes, row_bytes);
    return QB_OK;
}

void qb_image_free(QbImage **image)
{
    if (!image || !*image)
        return;
    qb_free((*image)->pixels);
    qb_free(*image);
    *image = NULL;
}

int qb_image_width(const QbImage *image)
{
    return image->width;
}

int qb_image_height(const QbImage *image)
{
    return image->height;
}

const char *qb_image_format(const QbImage *image)
{
    return image->format;
}

const uint8_t *qb_image_pixels(const QbImage *image)
{
    return image->pixels;
}

QbStatus qb_image_resize(QbImage **out, const QbImage *image, int width, int height)
{
    if (!out || !image)
        return qb_fail(QB_ERR_ARG, "qb_image_resize: %s is NULL", out ? "image" : "out");
    QbImage *scaled;
    *out = NULL;
    QbStatus status = qb_image_new(&scaled, width, height, image->format);
    if (status)
        return status;
    QbKernels kernels;
    qb_kernels_init(&kernels, qb_cpu_flags());
    QbResizer resizer = {.kernels = &kernels};
    status = qb_resize_rgb(&resizer, scaled->pixels, width, height, image->pixels, image->width,
                           image->height);
    qb_resizer_deinit(&resizer);
    if (status) {
        qb_image_free(&scaled);
        return status;
    }
    *out = scaled;
    return QB_OK;
}
