/* decode_tiff.c: the first picture of a TIFF by libtiff: grey, palette, RGB, CMYK; 1 to 16 bits and
 * 32-bit float; strips and tiles, contiguous or in planes; alpha of both kinds. Colour models that
 * libtiff alone knows (YCbCr, L*a*b*, LogLuv) come through its RGBA interface.
 *
 * Float samples are linear light (scene pictures are), encoded as sRGB. The orientation tag is
 * applied in both decode modes, because Pillow applies it when it loads a TIFF. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/linear.h"

#include <stdio.h>
#include <string.h>

#include <tiffio.h>

enum { MAX_SAMPLES = 32 };

typedef struct {
    const QbDecodeJob *job;
    size_t position;
    char message[256]; /* libtiff's first */
    TIFF *tiff;
    uint32_t width, height;
    uint16_t bits, n_samples, photometric, planar, format, compression;
    bool has_alpha, premultiplied;
    uint16_t orientation;
    QbPalette palette;
    uint8_t *buffer; /* a row or a tile as in the file, owned */
} Tiff;

static bool probe(const uint8_t *data, size_t size)
{
    return size >= 8 && (!memcmp(data, "II*\0", 4) || !memcmp(data, "MM\0*", 4) ||
                         !memcmp(data, "II+\0", 4) || !memcmp(data, "MM\0+", 4));
}

/* ---- libtiff's view of a file in memory ---------------------------------------------------------
 */

static tmsize_t read_data(thandle_t handle, void *out, tmsize_t n_bytes)
{
    Tiff *t = handle;
    size_t left = t->position < t->job->size ? t->job->size - t->position : 0;
    size_t n = n_bytes < 0 ? 0 : (size_t)n_bytes < left ? (size_t)n_bytes : left;
    if (n)
        memcpy(out, t->job->data + t->position, n);
    t->position += n;
    return (tmsize_t)n;
}

static tmsize_t write_data(thandle_t handle, void *data, tmsize_t n_bytes)
{
    (void)handle;
    (void)data;
    (void)n_bytes;
    return -1;
}

static toff_t seek_data(thandle_t handle, toff_t offset, int whence)
{
    Tiff *t = handle;
    uint64_t base = whence == SEEK_CUR ? t->position : whence == SEEK_END ? t->job->size : 0;
    t->position = (size_t)(base + offset);
    return t->position;
}

static int close_data(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t data_size(thandle_t handle)
{
    return ((Tiff *)handle)->job->size;
}

static int map_data(thandle_t handle, void **base, toff_t *size)
{
    Tiff *t = handle;
    *base = (void *)(uintptr_t)t->job->data;
    *size = t->job->size;
    return 1;
}

static void unmap_data(thandle_t handle, void *base, toff_t size)
{
    (void)handle;
    (void)base;
    (void)size;
}

/* Returning 1 keeps libtiff from printing. */
static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    (void)tiff;
    (void)module;
    Tiff *t = user;
    if (!t->message[0])
        vsnprintf(t->message, sizeof t->message, format, args);
    return 1;
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    (void)tiff;
    (void)user;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

static QbStatus damaged(const Tiff *t)
{
    return qb_fail(QB_ERR_FORMAT, "%s: %s", t->job->name,
                   t->message[0] ? t->message : "the TIFF is damaged");
}

static QbStatus open_tiff(Tiff *t)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return qb_fail(QB_ERR_NOMEM, "%s: out of memory", t->job->name);
    int64_t max_bytes = t->job->options->max_bytes;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)max_bytes);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, t);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, t);
    t->tiff = TIFFClientOpenExt("picture", "r", t, read_data, write_data, seek_data, close_data,
                                data_size, map_data, unmap_data, options);
    TIFFOpenOptionsFree(options);
    return t->tiff ? QB_OK : damaged(t);
}

/* ---- Header -------------------------------------------------------------------------------------
 */

static void read_palette(Tiff *t)
{
    uint16_t *map[3];
    qb_palette_init(&t->palette);
    if (t->photometric != PHOTOMETRIC_PALETTE || t->bits > 8 ||
        !TIFFGetField(t->tiff, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]))
        return;
    /* Old writers put 8-bit values there. Pillow does not look for that. */
    bool deep = !qb_decode_is_managed(t->job);
    for (int i = 0; i < 1 << t->bits; i++)
        for (int c = 0; c < 3; c++)
            deep |= map[c][i] > 255;
    for (int i = 0; i < 1 << t->bits; i++)
        for (int c = 0; c < 3; c++)
            t->palette.color[i][c] = (uint8_t)(deep ? map[c][i] >> 8 : map[c][i]);
}

static QbStatus read_header(Tiff *t)
{
    TIFF *tiff = t->tiff;
    if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &t->width) ||
        !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &t->height))
        return damaged(t);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &t->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &t->n_samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &t->planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &t->format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &t->compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &t->orientation);
    if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &t->photometric))
        t->photometric = t->n_samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISWHITE;
    if (t->photometric == PHOTOMETRIC_YCBCR && t->compression == COMPRESSION_JPEG &&
        t->planar == PLANARCONFIG_CONTIG) {
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        t->photometric = PHOTOMETRIC_RGB;
    }
    uint16_t n_extra = 0, *extra = NULL;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &n_extra, &extra);
    t->has_alpha = n_extra > 0 && extra && extra[0] != EXTRASAMPLE_UNSPECIFIED;
    t->premultiplied = t->has_alpha && extra[0] == EXTRASAMPLE_ASSOCALPHA;
    read_palette(t);
    return QB_OK;
}

/* Colour samples of a pixel in the file; 0 = not read here but through libtiff's RGBA. */
static int color_samples(const Tiff *t)
{
    switch (t->photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
        return 1;
    case PHOTOMETRIC_RGB:
        return 3;
    case PHOTOMETRIC_SEPARATED:
        return 4;
    default:
        return 0;
    }
}

static bool is_float(const Tiff *t)
{
    return t->format == SAMPLEFORMAT_IEEEFP && t->bits == 32;
}

static QbStatus check_layout(const Tiff *t)
{
    int n = color_samples(t);
    bool integer = t->format == SAMPLEFORMAT_UINT || t->format == SAMPLEFORMAT_VOID;
    bool depth = t->bits == 1 || t->bits == 2 || t->bits == 4 || t->bits == 8 || t->bits == 12 ||
                 t->bits == 16;
    bool palette = t->photometric == PHOTOMETRIC_PALETTE;
    if (!((integer && depth) || (is_float(t) && !palette)) || (palette && t->bits > 8))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: TIFF samples of %u bits, format %u", t->job->name,
                       t->bits, t->format);
    if (t->n_samples < n + t->has_alpha || t->n_samples > MAX_SAMPLES)
        return qb_fail(QB_ERR_FORMAT, "%s: a TIFF of %u samples for photometric %u", t->job->name,
                       t->n_samples, t->photometric);
    return QB_OK;
}

/* ---- Samples ------------------------------------------------------------------------------------
 */

/* Sample number index of a row as stored: unpacked from bits (high bits first), bytes or words. */
static unsigned stored_sample(const Tiff *t, const uint8_t *row, size_t index)
{
    if (t->bits == 8)
        return row[index];
    if (t->bits == 16) {
        uint16_t value;
        memcpy(&value, row + index * 2, 2);
        return value;
    }
    size_t at = index * t->bits;
    unsigned word = (unsigned)row[at / 8] << 8;
    if (at % 8 + t->bits > 8)
        word |= row[at / 8 + 1];
    return word >> (16 - at % 8 - t->bits) & ((1u << t->bits) - 1);
}

static float stored_float(const uint8_t *row, size_t index)
{
    float value;
    memcpy(&value, row + index * 4, 4);
    return value;
}

/* What Pillow makes of float grey: 0 … 255, cut off. */
static uint8_t upstream_float(float value)
{
    return (uint8_t)(!(value > 0.0f) ? 0 : value >= 255.0f ? 255 : (int)value);
}

/* One sample as it goes into the raster: 8 or 16 bits. */
static unsigned convert_sample(const Tiff *t, const QbRaster *out, const uint8_t *row, size_t index,
                               bool is_alpha)
{
    bool managed = qb_decode_is_managed(t->job);
    bool gray = out->color == QB_COLOR_GRAY;
    unsigned value;
    if (is_float(t)) {
        float f = stored_float(row, index);
        if (!managed && gray)
            return upstream_float(f);
        value = !is_alpha     ? qb_srgb_from_linear(f)
                : !(f > 0.0f) ? 0
                              : (unsigned)((f < 1.0f ? f : 1.0f) * 255.0f + 0.5f);
    } else {
        value = stored_sample(t, row, index);
        if (t->bits < 8)
            value = value * 255 / ((1u << t->bits) - 1);
        if (t->bits == 12 && (managed || !gray))
            value = (value * 65535u + 2047u) / 4095u;
        if (t->bits > 8 && out->depth == 8)
            value >>= 8;
    }
    /* Pillow leaves 16-bit grey of the other sense as it is. */
    bool inverted =
        t->photometric == PHOTOMETRIC_MINISWHITE && !is_alpha && (managed || out->depth == 8);
    return inverted ? (out->depth == 16 ? 65535 : 255) - value : value;
}

static void put_sample(QbRaster *out, size_t index, unsigned value)
{
    if (out->depth == 16)
        memcpy(out->pixels + index * 2, &(uint16_t){(uint16_t)value}, 2);
    else
        out->pixels[index] = (uint8_t)value;
}

/* Pixels x … x + n - 1 of row y. row holds n pixels of step samples, of which this one has number
 * plane when the planes are apart, and all of them otherwise. */
static void put_pixels(const Tiff *t, QbRaster *out, uint32_t x, uint32_t y, uint32_t n,
                       const uint8_t *row, int plane)
{
    int n_out = qb_raster_channels(out), n_color = color_samples(t);
    bool apart = t->planar == PLANARCONFIG_SEPARATE && t->n_samples > 1;
    size_t step = apart ? 1 : t->n_samples;
    for (uint32_t i = 0; i < n; i++) {
        size_t to = ((size_t)y * t->width + x + i) * (size_t)n_out;
        for (int s = apart ? plane : 0; s <= (apart ? plane : n_color + t->has_alpha - 1); s++) {
            size_t index = i * step + (size_t)(apart ? 0 : s);
            if (t->photometric == PHOTOMETRIC_PALETTE && s == 0) {
                const uint8_t *color = t->palette.color[stored_sample(t, row, index) & 255];
                memcpy(out->pixels + to, color, 3);
                continue;
            }
            size_t channel = s < n_color ? (size_t)s : (size_t)n_out - 1;
            put_sample(out, to + channel, convert_sample(t, out, row, index, s >= n_color));
        }
    }
}

/* ---- Strips and tiles ---------------------------------------------------------------------------
 */

static QbStatus take_buffer(Tiff *t, uint64_t have, uint64_t need)
{
    if (have < need || have > (uint64_t)t->job->options->max_bytes)
        return qb_fail(have < need ? QB_ERR_FORMAT : QB_ERR_LIMIT, "%s: TIFF rows of %llu bytes",
                       t->job->name, (unsigned long long)have);
    t->buffer = qb_calloc(1, (size_t)have);
    return t->buffer ? QB_OK : QB_ERR_NOMEM;
}

static uint64_t row_need(const Tiff *t, uint32_t n_pixels, bool apart)
{
    return ((uint64_t)n_pixels * t->bits * (apart ? 1 : t->n_samples) + 7) / 8;
}

static QbStatus read_strips(Tiff *t, QbRaster *out, int n_planes)
{
    QbStatus status =
        take_buffer(t, TIFFScanlineSize64(t->tiff), row_need(t, t->width, n_planes > 1));
    for (int plane = 0; plane < n_planes && !status; plane++)
        for (uint32_t y = 0; y < t->height && !status; y++) {
            if (TIFFReadScanline(t->tiff, t->buffer, y, (uint16_t)plane) < 0)
                status = damaged(t);
            else
                put_pixels(t, out, 0, y, t->width, t->buffer, plane);
        }
    return status;
}

static QbStatus read_tiles(Tiff *t, QbRaster *out, int n_planes)
{
    uint32_t tile_width = 0, tile_height = 0;
    TIFFGetField(t->tiff, TIFFTAG_TILEWIDTH, &tile_width);
    TIFFGetField(t->tiff, TIFFTAG_TILELENGTH, &tile_height);
    uint64_t row_bytes = TIFFTileRowSize64(t->tiff);
    uint64_t need = row_need(t, tile_width, n_planes > 1), total;
    if (!tile_width || !tile_height || row_bytes < need ||
        __builtin_mul_overflow(row_bytes, (uint64_t)tile_height, &total))
        return damaged(t);
    QbStatus status = take_buffer(t, TIFFTileSize64(t->tiff), total);
    for (int plane = 0; plane < n_planes && !status; plane++)
        for (uint64_t y = 0; y < t->height && !status; y += tile_height)
            for (uint64_t x = 0; x < t->width && !status; x += tile_width) {
                if (TIFFReadTile(t->tiff, t->buffer, (uint32_t)x, (uint32_t)y, 0, (uint16_t)plane) <
                    0) {
                    status = damaged(t);
                    break;
                }
                uint64_t n = t->width - x < tile_width ? t->width - x : tile_width;
                for (uint64_t i = 0; i < tile_height && y + i < t->height; i++)
                    put_pixels(t, out, (uint32_t)x, (uint32_t)(y + i), (uint32_t)n,
                               t->buffer + i * row_bytes, plane);
            }
    return status;
}

/* Premultiplied samples to straight ones, cut off as Pillow does. */
static void unpremultiply(QbRaster *raster)
{
    size_t n = (size_t)qb_raster_channels(raster);
    size_t n_pixels = (size_t)raster->width * (size_t)raster->height;
    unsigned full = raster->depth == 16 ? 65535 : 255;
    for (size_t i = 0; i < n_pixels; i++) {
        uint16_t v[5] = {0};
        for (size_t c = 0; c < n; c++) {
            if (raster->depth == 8)
                v[c] = raster->pixels[i * n + c];
            else
                memcpy(&v[c], raster->pixels + (i * n + c) * 2, 2);
        }
        for (size_t c = 0; c + 1 < n; c++) {
            uint64_t straight = v[n - 1] ? (uint64_t)v[c] * full / v[n - 1] : 0;
            put_sample(raster, i * n + c, (unsigned)(straight < full ? straight : full));
        }
    }
}

static QbStatus read_samples(Tiff *t, QbRaster *out)
{
    QbStatus status = check_layout(t);
    if (status)
        return status;
    bool managed = qb_decode_is_managed(t->job);
    int n_color = color_samples(t);
    QbColor color = t->photometric == PHOTOMETRIC_PALETTE ? QB_COLOR_RGB : (QbColor)n_color;
    bool gray_words = color == QB_COLOR_GRAY && !t->has_alpha;
    bool deep = t->bits > 8 && !is_float(t) && (managed || gray_words);
    status = qb_raster_new(out, t->job, t->width, t->height, color, t->has_alpha, deep ? 16 : 8, 0);
    if (status)
        return status;
    int n_planes =
        t->planar == PLANARCONFIG_SEPARATE && t->n_samples > 1 ? n_color + t->has_alpha : 1;
    status = TIFFIsTiled(t->tiff) ? read_tiles(t, out, n_planes) : read_strips(t, out, n_planes);
    if (!status && t->premultiplied)
        unpremultiply(out);
    return status;
}

/* libtiff's own conversion to 8-bit RGBA, rows in the order of the file. */
static QbStatus read_rgba(Tiff *t, QbRaster *out)
{
    TIFFRGBAImage image;
    char message[1024] = "";
    QbStatus status = qb_raster_new(out, t->job, t->width, t->height, QB_COLOR_RGB, true, 8, 4);
    if (status)
        return status;
    if (!TIFFRGBAImageOK(t->tiff, message) || !TIFFRGBAImageBegin(&image, t->tiff, 1, message))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: %s", t->job->name, message);
    image.req_orientation = image.orientation;
    size_t n_pixels = (size_t)t->width * t->height;
    t->buffer = qb_calloc(n_pixels, sizeof(uint32_t));
    uint32_t *packed = (uint32_t *)(void *)t->buffer;
    if (!packed)
        status = QB_ERR_NOMEM;
    else if (!TIFFRGBAImageGet(&image, packed, t->width, t->height))
        status = damaged(t);
    TIFFRGBAImageEnd(&image);
    for (size_t i = 0; i < n_pixels && !status; i++)
        memcpy(out->pixels + i * 4,
               (uint8_t[4]){(uint8_t)TIFFGetR(packed[i]), (uint8_t)TIFFGetG(packed[i]),
                            (uint8_t)TIFFGetB(packed[i]), (uint8_t)TIFFGetA(packed[i])},
               4);
    if (!status && t->premultiplied)
        unpremultiply(out);
    return status;
}

static QbStatus run(Tiff *t, QbRaster *out)
{
    QbStatus status = open_tiff(t);
    if (!status)
        status = read_header(t);
    if (!status)
        status = color_samples(t) ? read_samples(t, out) : read_rgba(t, out);
    if (status)
        return status;
    out->orientation = t->orientation;
    uint32_t icc_size = 0;
    void *icc = NULL;
    if (qb_decode_is_managed(t->job) && color_samples(t) &&
        TIFFGetField(t->tiff, TIFFTAG_ICCPROFILE, &icc_size, &icc))
        return qb_raster_set_icc(out, icc, icc_size);
    return QB_OK;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    Tiff *t = qb_calloc(1, sizeof *t);
    if (!t)
        return QB_ERR_NOMEM;
    t->job = job;
    QbStatus status = run(t, out);
    if (t->tiff)
        TIFFClose(t->tiff);
    qb_free(t->buffer);
    qb_free(t);
    return status;
}

const QbImageCodec qb_codec_tiff = {
    .name = "tiff", .extensions = "tif,tiff", .probe = probe, .decode = decode};
