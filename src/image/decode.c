/* decode.c: from bytes to a QbImage: options, the table of formats, and limits. The format is told
 * by the content, never by the name. A new format is one file and one line in codecs[]. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <limits.h>
#include <string.h>

/* In the order they are tried. */
static const QbImageCodec *const codecs[] = {
    &qb_codec_jpeg, &qb_codec_png,  &qb_codec_webp, &qb_codec_tiff, &qb_codec_gif,
    &qb_codec_bmp,  &qb_codec_pnm,  &qb_codec_pfm,  &qb_codec_hdr,  &qb_codec_exr,
    &qb_codec_avif, &qb_codec_heif, &qb_codec_jxl,
};

enum { N_CODECS = sizeof codecs / sizeof *codecs };

void qb_image_options_init(QbImageOptions *options)
{
    *options = (QbImageOptions){
        .size = sizeof *options,
        .decode = QB_DECODE_AUTO,
        .max_pixels = INT64_C(1) << 28,
        .max_bytes = INT64_C(1) << 32,
        .background = {255, 255, 255},
    };
}

const char *qb_image_format_name(int index)
{
    return index >= 0 && index < N_CODECS ? codecs[index]->name : NULL;
}

const char *qb_image_format_extensions(int index)
{
    return index >= 0 && index < N_CODECS ? codecs[index]->extensions : NULL;
}

QbStatus qb_decode_check_options(QbImageOptions *out, const QbImageOptions *options)
{
    qb_image_options_init(out);
    if (options) {
        if (options->size != sizeof *options)
            return qb_fail(QB_ERR_ARG,
                           "QbImageOptions of %zu bytes, this library's have %zu: call "
                           "qb_image_options_init, or rebuild against this version",
                           options->size, sizeof *options);
        *out = *options;
    }
    if (out->decode == QB_DECODE_AUTO)
        out->decode = QB_DECODE_MANAGED;
    if (out->decode != QB_DECODE_MANAGED && out->decode != QB_DECODE_UPSTREAM)
        return qb_fail(QB_ERR_ARG, "unknown decode mode %d", (int)out->decode);
    if (out->max_pixels < 1 || out->max_bytes < 1)
        return qb_fail(QB_ERR_ARG, "the limits on pixels and memory must be at least 1");
    return QB_OK;
}

/* Adds factor * count to *total; false on overflow. */
static bool add_product(int64_t *total, int64_t factor, int64_t count)
{
    int64_t product;
    return !__builtin_mul_overflow(factor, count, &product) &&
           !__builtin_add_overflow(*total, product, total);
}

QbStatus qb_decode_check_size(const QbDecodeJob *job, int64_t width, int64_t height, QbColor color,
                              bool alpha, int depth, int extra_bytes_per_pixel)
{
    if (width < 1 || height < 1)
        return qb_fail(QB_ERR_FORMAT, "%s: a picture of %lld x %lld pixels", job->name,
                       (long long)width, (long long)height);
    int64_t n_pixels;
    if (width > INT_MAX / 8 || height > INT_MAX / 8 ||
        __builtin_mul_overflow(width, height, &n_pixels) || n_pixels > job->options->max_pixels)
        return qb_fail(QB_ERR_LIMIT,
                       "%s: %lld x %lld pixels, the limit is %lld pixels (max_pixels)", job->name,
                       (long long)width, (long long)height, (long long)job->options->max_pixels);
    /* The finished picture takes the raster's place only when it is one already. */
    bool plain = color == QB_COLOR_RGB && !alpha && depth == (job->to_light ? 32 : 8);
    int finished_bytes = plain ? 0 : job->to_light ? 12 : 3;
    int64_t bytes_per_pixel = ((int64_t)color + alpha) * (depth / 8) + extra_bytes_per_pixel;
    int64_t total = 0;
    if (!add_product(&total, bytes_per_pixel + finished_bytes, n_pixels) ||
        !add_product(&total, 1, (int64_t)job->size) || total > job->options->max_bytes)
        return qb_fail(QB_ERR_LIMIT,
                       "%s: %lld x %lld pixels take %lld bytes to decode, the limit is %lld bytes "
                       "(max_bytes)",
                       job->name, (long long)width, (long long)height, (long long)total,
                       (long long)job->options->max_bytes);
    return QB_OK;
}

QbStatus qb_raster_new(QbRaster *out, const QbDecodeJob *job, int64_t width, int64_t height,
                       QbColor color, bool alpha, int depth, int extra_bytes_per_pixel)
{
    QbStatus status =
        qb_decode_check_size(job, width, height, color, alpha, depth, extra_bytes_per_pixel);
    if (status)
        return status;
    out->width = (int)width;
    out->height = (int)height;
    out->color = color;
    out->alpha = alpha;
    out->depth = depth;
    size_t n_bytes;
    if (!qb_mul_size(&n_bytes, qb_raster_row_bytes(out), (size_t)height))
        return qb_fail(QB_ERR_NOMEM, "%s: %d x %d pixels", job->name, out->width, out->height);
    out->pixels = qb_alloc(n_bytes);
    return out->pixels ? QB_OK : QB_ERR_NOMEM;
}

void qb_raster_deinit(QbRaster *raster)
{
    qb_free(raster->pixels);
    qb_free(raster->icc);
    *raster = (QbRaster){0};
}

QbStatus qb_raster_set_icc(QbRaster *raster, const void *icc, size_t size)
{
    if (!icc || !size)
        return QB_OK;
    uint8_t *copy = qb_alloc(size);
    if (!copy)
        return QB_ERR_NOMEM;
    memcpy(copy, icc, size);
    qb_free(raster->icc);
    raster->icc = copy;
    raster->icc_size = size;
    return QB_OK;
}

void qb_palette_init(QbPalette *palette)
{
    for (int i = 0; i < 256; i++) {
        uint8_t grey = (uint8_t)i;
        memcpy(palette->color[i], (uint8_t[4]){grey, grey, grey, 255}, 4);
    }
}

void qb_raster_put_indices(QbRaster *raster, int y, const uint8_t *indices,
                           const QbPalette *palette)
{
    int n = qb_raster_channels(raster);
    uint8_t *out = raster->pixels + (size_t)y * qb_raster_row_bytes(raster);
    for (int x = 0; x < raster->width; x++, out += n)
        for (int c = 0; c < n; c++)
            out[c] = palette->color[indices[x]][c];
}

static const QbImageCodec *codec_of(const uint8_t *data, size_t size)
{
    for (int i = 0; i < N_CODECS; i++)
        if (codecs[i]->probe(data, size))
            return codecs[i];
    return NULL;
}

const char *qb_image_format_of(const uint8_t *data, size_t size)
{
    const QbImageCodec *codec = codec_of(data, size);
    return codec ? codec->name : NULL;
}

QbStatus qb_decode_raster(QbRaster *out, const char **format, const QbDecodeJob *job)
{
    if (job->size > (uint64_t)job->options->max_bytes)
        return qb_fail(QB_ERR_LIMIT, "%s: %zu bytes, the limit is %lld bytes (max_bytes)",
                       job->name, job->size, (long long)job->options->max_bytes);
    const QbImageCodec *codec = codec_of(job->data, job->size);
    if (!codec)
        return qb_fail(job->size ? QB_ERR_UNSUPPORTED : QB_ERR_FORMAT,
                       job->size ? "%s: not a picture in a format that is known here"
                                 : "%s: is empty",
                       job->name);
    *format = codec->name;
    return codec->decode(out, job);
}

QbStatus qb_decode_read_file(uint8_t **out_data, QbDecodeJob *job)
{
    uint64_t max_bytes = (uint64_t)job->options->max_bytes;
    QbStatus status = qb_file_read(out_data, &job->size, job->name,
                                   max_bytes < SIZE_MAX ? (size_t)max_bytes : SIZE_MAX);
    if (status)
        return status == QB_ERR_LIMIT ? qb_fail(status, "%s (max_bytes)", qb_last_error()) : status;
    job->data = *out_data;
    return QB_OK;
}

static QbStatus decode(QbImage **out, const QbDecodeJob *job)
{
    QbRaster raster = {0};
    const char *format;
    QbStatus status = qb_decode_raster(&raster, &format, job);
    if (!status)
        status = qb_colour_finish(out, &raster, job, format);
    qb_raster_deinit(&raster);
    return status;
}

QbStatus qb_image_open_memory(QbImage **out, const void *data, size_t size_bytes, const char *name,
                              const QbImageOptions *options)
{
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_image_open_memory: out is NULL");
    *out = NULL;
    QbImageOptions checked;
    QbStatus status = qb_decode_check_options(&checked, options);
    if (status)
        return status;
    if (!data && size_bytes)
        return qb_fail(QB_ERR_ARG, "qb_image_open_memory: no data given");
    QbDecodeJob job = {
        .data = data, .size = size_bytes, .name = name ? name : "picture", .options = &checked};
    return decode(out, &job);
}

QbStatus qb_image_open(QbImage **out, const char *path, const QbImageOptions *options)
{
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_image_open: out is NULL");
    *out = NULL;
    QbImageOptions checked;
    QbStatus status = qb_decode_check_options(&checked, options);
    if (status)
        return status;
    if (!path)
        return qb_fail(QB_ERR_ARG, "qb_image_open: no path given");
    uint8_t *data = NULL;
    QbDecodeJob job = {.name = path, .options = &checked};
    status = qb_decode_read_file(&data, &job);
    if (!status)
        status = decode(out, &job);
    qb_free(data);
    return status;
}
