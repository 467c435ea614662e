/* light.c: QbLight, pictures of linear light (public side: <qboost/light.h>): from a file of any
 * format or from floats, with what no light can be taken out and counted. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/light.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/decode.h"
#include "image/linear.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct QbLight {
    QbLightInfo info;
    float *pixels;   /* [height][width][3], owned */
    uint8_t *unreal; /* [height][width]: 1 = a sample was replaced; owned, NULL = none was */
};

static const float LEAST_NEGATIVE = -0.01f; /* light.h */

void qb_light_options_init(QbLightOptions *options)
{
    *options = (QbLightOptions){.size = sizeof *options};
    qb_image_options_init(&options->image);
}

/* ---- Making one ---------------------------------------------------------------------------------
 */

/* Uninitialised pixels. */
static QbStatus new_light(QbLight **out, int width, int height, const char *format)
{
    *out = NULL;
    size_t n_bytes;
    if (width < 1 || height < 1)
        return qb_fail(QB_ERR_ARG, "a picture of %d x %d pixels", width, height);
    if (!qb_mul_size(&n_bytes, (size_t)width, (size_t)height) ||
        !qb_mul_size(&n_bytes, n_bytes, 3 * sizeof(float)))
        return qb_fail(QB_ERR_NOMEM, "a picture of %d x %d pixels", width, height);
    QbLight *light = qb_calloc(1, sizeof *light);
    if (!light)
        return QB_ERR_NOMEM;
    light->info = (QbLightInfo){.width = width, .height = height, .format = format, .missing = ""};
    light->pixels = qb_alloc(n_bytes);
    if (!light->pixels)
        qb_light_free(&light);
    *out = light;
    return light ? QB_OK : QB_ERR_NOMEM;
}

static size_t sample_count(const QbLight *light)
{
    return (size_t)light->info.width * (size_t)light->info.height * 3;
}

static QbStatus mark_unreal(QbLight *light, size_t sample)
{
    if (!light->unreal) {
        light->unreal = qb_calloc((size_t)light->info.width, (size_t)light->info.height);
        if (!light->unreal)
            return QB_ERR_NOMEM;
    }
    light->unreal[sample / 3] = 1;
    return QB_OK;
}

/* Replaces what no light can be, as light.h says, counts it and marks where it was. */
static QbStatus clean(QbLight *light)
{
    size_t n = sample_count(light);
    float largest = 0.0f;
    for (size_t i = 0; i < n; i++)
        if (isfinite(light->pixels[i]) && light->pixels[i] > largest)
            largest = light->pixels[i];
    for (size_t i = 0; i < n; i++) {
        float value = light->pixels[i];
        if (value >= 0.0f && isfinite(value))
            continue;
        bool nan = isnan(value), negative = value < 0.0f;
        light->info.n_nan += nan;
        light->info.n_negative += negative;
        light->info.n_infinite += !nan && !negative;
        light->pixels[i] = nan || negative ? 0.0f : largest;
        if ((!negative || value <= LEAST_NEGATIVE) && mark_unreal(light, i) != QB_OK)
            return QB_ERR_NOMEM;
    }
    return QB_OK;
}

int64_t qb_light_unreal_count(const QbLight *light, int x, int y, int width, int height)
{
    int64_t n = 0;
    for (int row = y; light->unreal && row < y + height; row++) {
        const uint8_t *at = light->unreal + (size_t)row * (size_t)light->info.width + x;
        for (int i = 0; i < width; i++)
            n += at[i];
    }
    return n;
}

QbStatus qb_light_new_rgb(QbLight **out, const float *rgb, int width, int height)
{
    if (!out || !rgb)
        return qb_fail(QB_ERR_ARG, "qb_light_new_rgb: %s is NULL", out ? "rgb" : "out");
    QbStatus status = new_light(out, width, height, "rgb");
    if (status)
        return status;
    memcpy((*out)->pixels, rgb, sample_count(*out) * sizeof *rgb);
    (*out)->info.is_light = true;
    status = clean(*out);
    if (status)
        qb_light_free(out);
    return status;
}

/* In the mean a pixel holds no light when it held none in one of the two. */
static QbStatus join_unreal(QbLight *out, const QbLight *light)
{
    size_t n = sample_count(out);
    QbStatus status = QB_OK;
    for (size_t i = 0; light->unreal && i < n && !status; i += 3)
        if (light->unreal[i / 3])
            status = mark_unreal(out, i);
    return status;
}

QbStatus qb_light_mean(QbLight **out, const QbLight *a, const QbLight *b)
{
    if (!out || !a || !b)
        return qb_fail(QB_ERR_ARG, "qb_light_mean: %s is NULL", out ? "a picture" : "out");
    *out = NULL;
    const QbLightInfo *first = &a->info, *second = &b->info;
    if (first->width != second->width || first->height != second->height)
        return qb_fail(QB_ERR_ARG, "the mean of pictures of %d x %d and %d x %d pixels",
                       first->width, first->height, second->width, second->height);
    bool same_format = !strcmp(first->format, second->format);
    QbStatus status =
        new_light(out, first->width, first->height, same_format ? first->format : "rgb");
    if (status)
        return status;
    QbLightInfo *info = &(*out)->info;
    info->is_light = first->is_light || second->is_light;
    info->missing = *first->missing ? first->missing : second->missing;
    info->n_nan = first->n_nan + second->n_nan;
    info->n_infinite = first->n_infinite + second->n_infinite;
    info->n_negative = first->n_negative + second->n_negative;
    if (first->samples && second->samples)
        info->samples = first->samples + second->samples;
    size_t n = sample_count(*out);
    for (size_t i = 0; i < n; i++) /* in double: the sum may exceed what a float holds */
        (*out)->pixels[i] = (float)(((double)a->pixels[i] + b->pixels[i]) / 2);
    status = join_unreal(*out, a);
    if (!status)
        status = join_unreal(*out, b);
    if (status)
        qb_light_free(out);
    return status;
}

void qb_light_free(QbLight **light)
{
    if (!light || !*light)
        return;
    qb_free((*light)->pixels);
    qb_free((*light)->unreal);
    qb_free(*light);
    *light = NULL;
}

/* ---- From files ---------------------------------------------------------------------------------
 */

static QbStatus from_float_raster(QbLight **out, const QbRaster *raster, const char *format)
{
    QbStatus status = new_light(out, raster->width, raster->height, format);
    if (status)
        return status;
    QbLight *light = *out;
    const float *in = (const float *)(const void *)raster->pixels;
    size_t n = sample_count(light);
    if (raster->color == QB_COLOR_RGB)
        memcpy(light->pixels, in, n * sizeof *in);
    else
        for (size_t i = 0; i < n; i++)
            light->pixels[i] = in[i / 3];
    light->info.is_light = true;
    light->info.missing = raster->missing ? raster->missing : "";
    light->info.samples = raster->samples;
    status = clean(light);
    if (status)
        qb_light_free(out);
    return status;
}

static QbStatus from_image(QbLight **out, const QbImage *image)
{
    QbStatus status =
        new_light(out, qb_image_width(image), qb_image_height(image), qb_image_format(image));
    if (status)
        return status;
    float table[256];
    for (int level = 0; level < 256; level++)
        table[level] = qb_linear_from_srgb((uint8_t)level);
    const uint8_t *in = qb_image_pixels(image);
    size_t n = sample_count(*out);
    for (size_t i = 0; i < n; i++)
        (*out)->pixels[i] = table[in[i]];
    return QB_OK;
}

static QbStatus decode(QbLight **out, const QbDecodeJob *job)
{
    QbRaster raster = {0};
    QbImage *image = NULL;
    const char *format;
    QbStatus status = qb_decode_raster(&raster, &format, job);
    if (!status && raster.depth == 32)
        status = from_float_raster(out, &raster, format);
    else if (!status)
        status = qb_colour_finish(&image, &raster, job, format);
    if (!status && image)
        status = from_image(out, image);
    qb_image_free(&image);
    qb_raster_deinit(&raster);
    return status;
}

/* *out_job: for the caller to add the data to; its options are image. */
static QbStatus make_job(QbDecodeJob *out_job, QbImageOptions *image, const char *name,
                         const QbLightOptions *options)
{
    if (options && options->size != sizeof *options)
        return qb_fail(QB_ERR_ARG,
                       "QbLightOptions of %zu bytes, this library's have %zu: call "
                       "qb_light_options_init, or rebuild against this version",
                       options->size, sizeof *options);
    QbStatus status = qb_decode_check_options(image, options ? &options->image : NULL);
    *out_job = (QbDecodeJob){
        .name = name, .options = image, .layer = options ? options->layer : NULL, .to_light = true};
    return status;
}

QbStatus qb_light_open_memory(QbLight **out, const void *data, size_t size_bytes, const char *name,
                              const QbLightOptions *options)
{
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_light_open_memory: out is NULL");
    *out = NULL;
    QbImageOptions image;
    QbDecodeJob job;
    QbStatus status = make_job(&job, &image, name ? name : "picture", options);
    if (status)
        return status;
    if (!data && size_bytes)
        return qb_fail(QB_ERR_ARG, "qb_light_open_memory: no data given");
    job.data = data;
    job.size = size_bytes;
    return decode(out, &job);
}

QbStatus qb_light_open(QbLight **out, const char *path, const QbLightOptions *options)
{
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_light_open: out is NULL");
    *out = NULL;
    QbImageOptions image;
    QbDecodeJob job;
    QbStatus status = make_job(&job, &image, path, options);
    if (status)
        return status;
    if (!path)
        return qb_fail(QB_ERR_ARG, "qb_light_open: no path given");
    uint8_t *data = NULL;
    status = qb_decode_read_file(&data, &job);
    if (!status)
        status = decode(out, &job);
    qb_free(data);
    return status;
}

/* ---- Looking at it ------------------------------------------------------------------------------
 */

void qb_light_info(QbLightInfo *out, const QbLight *light)
{
    *out = light->info;
}

const float *qb_light_pixels(const QbLight *light)
{
    return light->pixels;
}
