/* decode.h: the inside of decoding: what a format's decoder gets, what it hands over, and the table
 * of formats. decode.c tells the format and turns the decoder's raster into 8-bit sRGB. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_DECODE_H
#define QB_IMAGE_DECODE_H

#include "image/image.h"

typedef enum QbColor {
    QB_COLOR_GRAY = 1, /* 0 = black */
    QB_COLOR_RGB = 3,
    QB_COLOR_CMYK = 4 /* 0 = no ink */
} QbColor;            /* the value is the number of samples without alpha */

/* A picture as it is in the file, before colour management. Zeroed = empty. */
typedef struct QbRaster {
    int width, height;
    QbColor color;
    bool alpha;      /* one more sample behind the colour, not premultiplied */
    int depth;       /* bits of a sample: 8, 16 in the machine's byte order, or 32: see below */
    uint8_t *pixels; /* [height][width][color + alpha] samples without gaps, owned */
    uint8_t *icc;    /* embedded profile, owned; NULL = sRGB (managed mode only) */
    size_t icc_size;
    int orientation; /* EXIF 1 … 8; 0 or anything else = 1 */
    /* Depth 32: floats of linear light with sRGB's primaries, any value a float can have; grey or
     * RGB without alpha, profile and orientation. Only for such rasters: */
    const char *missing; /* colour channels that the file lacks, "B"; NULL = none; borrowed */
    int64_t samples;     /* per pixel of a render, where the file tells; else 0 */
} QbRaster;

/* What a decoder works on. */
typedef struct QbDecodeJob {
    const uint8_t *data; /* the whole file, borrowed */
    size_t size;
    const char *name;              /* for messages */
    const QbImageOptions *options; /* checked; decode is never AUTO */
    const char *layer;             /* of formats that have layers; NULL = the default one */
    bool to_light;                 /* the finished picture is float RGB, not 8-bit */
} QbDecodeJob;

/* One format. */
typedef struct QbImageCodec {
    const char *name;                                /* "jpeg" */
    const char *extensions;                          /* "jpg,jpeg" */
    bool (*probe)(const uint8_t *data, size_t size); /* by the first bytes */
    /* out: zeroed before; the caller frees what is in it, also after a failure. */
    QbStatus (*decode)(QbRaster *out, const QbDecodeJob *job);
} QbImageCodec;

extern const QbImageCodec qb_codec_jpeg, qb_codec_png, qb_codec_webp, qb_codec_gif, qb_codec_tiff,
    qb_codec_bmp, qb_codec_pnm, qb_codec_pfm, qb_codec_hdr, qb_codec_exr, qb_codec_avif,
    qb_codec_heif, qb_codec_jxl;

/* Name of the format that data, a file's first bytes, begin like; NULL = none that is known here.
 */
const char *qb_image_format_of(const uint8_t *data, size_t size);

/* A copy of what a caller gave (NULL = the defaults), checked, with AUTO resolved. */
QbStatus qb_decode_check_options(QbImageOptions *out, const QbImageOptions *options);

/* Reads the file job->name, within the limits, into job->data. *out_data: the same, owned. */
QbStatus qb_decode_read_file(uint8_t **out_data, QbDecodeJob *job);

/* Tells the format and decodes. out: zeroed before; the caller frees what is in it, also after a
 * failure. */
QbStatus qb_decode_raster(QbRaster *out, const char **format, const QbDecodeJob *job);

static inline bool qb_decode_is_managed(const QbDecodeJob *job)
{
    return job->options->decode == QB_DECODE_MANAGED;
}

/* Checks a size from a file against the limits. extra_bytes_per_pixel: memory that the decoder
 * itself will take besides the raster, the finished picture and the file. */
QbStatus qb_decode_check_size(const QbDecodeJob *job, int64_t width, int64_t height, QbColor color,
                              bool alpha, int depth, int extra_bytes_per_pixel);

/* Checks the size, fills the fields and takes uninitialised pixels. */
QbStatus qb_raster_new(QbRaster *out, const QbDecodeJob *job, int64_t width, int64_t height,
                       QbColor color, bool alpha, int depth, int extra_bytes_per_pixel);
void qb_raster_deinit(QbRaster *raster);

/* Samples of a pixel, bytes of a row. */
static inline int qb_raster_channels(const QbRaster *raster)
{
    return (int)raster->color + raster->alpha;
}
static inline size_t qb_raster_row_bytes(const QbRaster *raster)
{
    return (size_t)raster->width * (size_t)qb_raster_channels(raster) * (size_t)(raster->depth / 8);
}

/* Copies a profile into the raster; one that does not fit in memory is an error. */
QbStatus qb_raster_set_icc(QbRaster *raster, const void *icc, size_t size);

/* 256 RGBA colours; Pillow's rule for indices that a file's palette lacks: a grey ramp. */
typedef struct QbPalette {
    uint8_t color[256][4];
} QbPalette;
void qb_palette_init(QbPalette *palette);

/* Row y of an RGB or RGBA raster from width indices. */
void qb_raster_put_indices(QbRaster *raster, int y, const uint8_t *indices,
                           const QbPalette *palette);

/* EXIF orientation in a TIFF-structured block ("II*\0…" or "MM\0*…"), with or without "Exif\0\0" in
 * front: 1 … 8; 1 when there is none or it is damaged. */
int qb_exif_orientation(const uint8_t *data, size_t size);

/* A profile for the colour primaries and transfer characteristics of ITU-T H.273; none is set for
 * sRGB, its relatives and what is unknown. PQ and HLG are cut off at the reference white of
 * ITU-R BT.2408, 203 cd/m2. */
QbStatus qb_colour_icc_from_cicp(QbRaster *raster, int primaries, int transfer);

/* The same for the gamma and the chromaticities (white, red, green, blue: x and y) of a PNG. */
QbStatus qb_colour_icc_from_gamma(QbRaster *raster, double gamma, const double xy[8]);

/* Turns a raster into 8-bit sRGB (managed) or into what Pillow's convert("RGB") gives (upstream).
 * *out is the caller's; raster is emptied of what was taken over. */
QbStatus qb_colour_finish(QbImage **out, QbRaster *raster, const QbDecodeJob *job,
                          const char *format);

#endif
