/* image.h: pictures in memory, decoded from files or given as pixels.
 *
 * A QbImage holds 8-bit RGB, immutable once made, so threads may share it. Files come from
 * strangers: sizes are checked against the limits in the options before memory is taken. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_IMAGE_H
#define QBOOST_IMAGE_H

#include <qboost/error.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QbImage QbImage;

typedef enum QbDecode {
    QB_DECODE_AUTO = 0, /* what the model asks for; without a model: managed */
    QB_DECODE_MANAGED,  /* EXIF orientation applied, ICC profile converted to sRGB, alpha blended */
    QB_DECODE_UPSTREAM  /* as Pillow's convert("RGB"): orientation, profile and alpha ignored */
} QbDecode;

typedef struct QbImageOptions {
    size_t size;           /* set by qb_image_options_init */
    QbDecode decode;       /* default QB_DECODE_AUTO */
    int64_t max_pixels;    /* width * height; default 268,435,456 (256 Mi) */
    int64_t max_bytes;     /* memory that one picture's decoding may take; default 4 GiB */
    uint8_t background[3]; /* RGB put behind transparent pixels (managed); default white */
} QbImageOptions;

QB_API void qb_image_options_init(QbImageOptions *options);

/* Decodes the file at path. The format is told by the content, not by the name.
 * options: NULL for defaults. *out: owned by the caller, freed by qb_image_free; NULL on failure.
 */
QB_API QbStatus qb_image_open(QbImage **out, const char *path, const QbImageOptions *options);

/* The same from memory. data is read during the call only. name: used in error texts. */
QB_API QbStatus qb_image_open_memory(QbImage **out, const void *data, size_t size_bytes,
                                     const char *name, const QbImageOptions *options);

/* Copies pixels: rgb[height][width][3], rows stride_bytes apart (>= 3 * width). */
QB_API QbStatus qb_image_new_rgb(QbImage **out, const uint8_t *rgb, int width, int height,
                                 size_t stride_bytes);

/* Accepts NULL and pointers to NULL; sets *image to NULL. */
QB_API void qb_image_free(QbImage **image);

QB_API int qb_image_width(const QbImage *image);
QB_API int qb_image_height(const QbImage *image);

/* The file's format, "jpeg", "png", …, or "rgb" for pixels given by the caller. Borrowed from the
 * library. */
QB_API const char *qb_image_format(const QbImage *image);

/* rgb[height][width][3] without gaps. Borrowed from image. */
QB_API const uint8_t *qb_image_pixels(const QbImage *image);

/* Scales to width x height with the antialiased bicubic filter that the models' pre-processing uses
 * (bit-identical to Pillow's). *out: owned by the caller. */
QB_API QbStatus qb_image_resize(QbImage **out, const QbImage *image, int width, int height);

/* Writes a PNG, atomically: path holds the whole picture or what it held before. */
QB_API QbStatus qb_image_save_png(const QbImage *image, const char *path);

/* The formats that can be read, in the order they are tried: name, usual file name endings (comma
 * separated, no dots). NULL past the last one. Borrowed from the library. */
QB_API const char *qb_image_format_name(int index);
QB_API const char *qb_image_format_extensions(int index);

#ifdef __cplusplus
}
#endif
#endif
