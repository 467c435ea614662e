/* colour.c: the last step of decoding, from a raster in the file's colours to 8-bit sRGB.
 *
 * Managed: embedded profile to sRGB by lcms2 (perceptual intent), 16 bits rounded to 8, alpha
 * blended over the background, orientation applied; linear light gets sRGB's curve. A profile that
 * is damaged, or is for other colours than the picture's, counts as sRGB. Upstream: what
 * Pillow 9.4's convert("RGB") does, arithmetic included. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/linear.h"

#include <stdlib.h>
#include <string.h>

#include <lcms2.h>

enum { GRID_STEPS = 9, SAME_WITHIN = 1 }; /* for telling that a profile is sRGB in all but name */

/* ---- Without a profile --------------------------------------------------------------------------
 */

static uint8_t mul_div_255(unsigned a, unsigned b)
{
    unsigned t = a * b + 128;
    return (uint8_t)(((t >> 8) + t) >> 8);
}

/* Naive, and Pillow's: each ink takes its share of what black leaves. */
static void rgb_from_cmyk(uint8_t *rgb, const uint8_t cmyk[4])
{
    unsigned left = 255u - cmyk[3];
    for (int c = 0; c < 3; c++) {
        int value = (int)left - mul_div_255(cmyk[c], left);
        rgb[c] = (uint8_t)(value < 0 ? 0 : value);
    }
}

static uint8_t narrow(const QbRaster *raster, unsigned value, bool managed)
{
    if (raster->depth == 8)
        return (uint8_t)value;
    if (managed)
        return (uint8_t)((value * 255u + 32767u) / 65535u);
    /* Pillow reads 16-bit grey as integers and clips them, everything else by its high byte. */
    if (raster->color == QB_COLOR_GRAY && !raster->alpha)
        return (uint8_t)(value > 255 ? 255 : value);
    return (uint8_t)(value >> 8);
}

static unsigned sample(const QbRaster *raster, size_t index)
{
    if (raster->depth == 8)
        return raster->pixels[index];
    uint16_t value;
    memcpy(&value, raster->pixels + index * 2, 2);
    return value;
}

static void convert_plain(uint8_t *rgb, const QbRaster *raster, bool managed)
{
    int n = qb_raster_channels(raster), n_colors = (int)raster->color;
    size_t n_pixels = (size_t)raster->width * (size_t)raster->height;
    for (size_t i = 0; i < n_pixels; i++, rgb += 3) {
        uint8_t v[4] = {0};
        for (int c = 0; c < n_colors; c++)
            v[c] = narrow(raster, sample(raster, i * (size_t)n + (size_t)c), managed);
        if (raster->color == QB_COLOR_CMYK)
            rgb_from_cmyk(rgb, v);
        else if (raster->color == QB_COLOR_GRAY)
            memset(rgb, v[0], 3);
        else
            memcpy(rgb, v, 3);
    }
}

/* Linear light to what a screen shows, cut off at its white. */
static void convert_light(uint8_t *rgb, const QbRaster *raster)
{
    const float *light = (const float *)(const void *)raster->pixels;
    size_t n_pixels = (size_t)raster->width * (size_t)raster->height;
    qb_srgb_from_linear_row(rgb, light, n_pixels * (size_t)raster->color);
    if (raster->color == QB_COLOR_GRAY) /* spread out from the end, in place */
        for (size_t i = n_pixels; i-- > 0;)
            memset(rgb + i * 3, rgb[i], 3);
}

/* ---- With a profile -----------------------------------------------------------------------------
 */

static cmsUInt32Number raster_format(const QbRaster *raster)
{
    unsigned space = raster->color == QB_COLOR_GRAY  ? PT_GRAY
                     : raster->color == QB_COLOR_RGB ? PT_RGB
                                                     : PT_CMYK;
    return COLORSPACE_SH(space) | CHANNELS_SH((unsigned)raster->color) |
           EXTRA_SH((unsigned)raster->alpha) | BYTES_SH((unsigned)raster->depth / 8u);
}

static bool leaves_colors_alone(cmsHTRANSFORM transform)
{
    for (int r = 0; r < GRID_STEPS; r++) {
        uint8_t in[GRID_STEPS * GRID_STEPS][3], out[GRID_STEPS * GRID_STEPS][3];
        for (int i = 0; i < GRID_STEPS * GRID_STEPS; i++) {
            in[i][0] = (uint8_t)(r * 255 / (GRID_STEPS - 1));
            in[i][1] = (uint8_t)(i / GRID_STEPS * 255 / (GRID_STEPS - 1));
            in[i][2] = (uint8_t)(i % GRID_STEPS * 255 / (GRID_STEPS - 1));
        }
        cmsDoTransform(transform, in, out, GRID_STEPS * GRID_STEPS);
        for (int i = 0; i < GRID_STEPS * GRID_STEPS; i++)
            for (int c = 0; c < 3; c++)
                if (abs(in[i][c] - out[i][c]) > SAME_WITHIN)
                    return false;
    }
    return true;
}

static bool is_srgb(cmsContext context, cmsHPROFILE profile, cmsHPROFILE srgb)
{
    if (cmsGetColorSpace(profile) != cmsSigRgbData)
        return false;
    cmsHTRANSFORM transform =
        cmsCreateTransformTHR(context, profile, TYPE_RGB_8, srgb, TYPE_RGB_8, INTENT_PERCEPTUAL, 0);
    bool same = transform && leaves_colors_alone(transform);
    if (transform)
        cmsDeleteTransform(transform);
    return same;
}

/* rgb may be the raster's own pixels when those are 8-bit RGB. For 16 bits lcms2 would make a
 * coarse table in order to be fast, which can be ten levels off in the dark. */
static bool transform_rows(cmsContext context, uint8_t *rgb, const QbRaster *raster,
                           cmsHPROFILE profile, cmsHPROFILE srgb)
{
    cmsUInt32Number flags =
        raster->depth == 16 && raster->color == QB_COLOR_RGB ? cmsFLAGS_NOOPTIMIZE : 0;
    cmsHTRANSFORM transform = cmsCreateTransformTHR(context, profile, raster_format(raster), srgb,
                                                    TYPE_RGB_8, INTENT_PERCEPTUAL, flags);
    if (!transform)
        return false;
    size_t row_bytes = qb_raster_row_bytes(raster);
    for (int y = 0; y < raster->height; y++)
        cmsDoTransform(transform, raster->pixels + (size_t)y * row_bytes,
                       rgb + (size_t)y * (size_t)raster->width * 3, (cmsUInt32Number)raster->width);
    cmsDeleteTransform(transform);
    return true;
}

/* table[n_levels][3]: what each level of grey becomes, by a grey profile or by an RGB one. */
static bool transform_levels(cmsContext context, uint8_t *table, int n_levels, cmsHPROFILE profile,
                             cmsHPROFILE srgb)
{
    bool gray = cmsGetColorSpace(profile) == cmsSigGrayData;
    cmsHTRANSFORM transform =
        cmsCreateTransformTHR(context, profile, gray ? TYPE_GRAY_16 : TYPE_RGB_16, srgb, TYPE_RGB_8,
                              INTENT_PERCEPTUAL, cmsFLAGS_NOOPTIMIZE);
    for (int i = 0; i < n_levels && transform; i++) {
        uint16_t level = (uint16_t)(n_levels == 256 ? i * 257 : i);
        cmsDoTransform(transform, (uint16_t[3]){level, level, level}, table + i * 3, 1);
    }
    if (transform)
        cmsDeleteTransform(transform);
    return transform;
}

static bool transform_gray(cmsContext context, uint8_t *rgb, const QbRaster *raster,
                           cmsHPROFILE profile, cmsHPROFILE srgb)
{
    int n_levels = raster->depth == 8 ? 256 : 65536;
    uint8_t *table = qb_alloc((size_t)n_levels * 3);
    bool done = table && transform_levels(context, table, n_levels, profile, srgb);
    size_t n = (size_t)qb_raster_channels(raster);
    size_t n_pixels = (size_t)raster->width * (size_t)raster->height;
    for (size_t i = 0; i < n_pixels && done; i++)
        memcpy(rgb + i * 3, table + (size_t)sample(raster, i * n) * 3, 3);
    qb_free(table);
    return done;
}

/* false: the profile is of no use, or changes nothing. */
static bool convert_with_profile(uint8_t *rgb, const QbRaster *raster)
{
    cmsColorSpaceSignature space = raster->color == QB_COLOR_GRAY  ? cmsSigGrayData
                                   : raster->color == QB_COLOR_RGB ? cmsSigRgbData
                                                                   : cmsSigCmykData;
    if (!raster->icc || raster->icc_size > UINT32_MAX)
        return false;
    cmsContext context = cmsCreateContext(NULL, NULL);
    if (!context)
        return false;
    bool done = false;
    cmsHPROFILE srgb = cmsCreate_sRGBProfileTHR(context);
    cmsHPROFILE profile =
        cmsOpenProfileFromMemTHR(context, raster->icc, (cmsUInt32Number)raster->icc_size);
    cmsColorSpaceSignature found = profile ? cmsGetColorSpace(profile) : 0;
    bool gray = raster->color == QB_COLOR_GRAY;
    if (srgb && profile && !is_srgb(context, profile, srgb)) {
        if (gray && (found == space || found == cmsSigRgbData))
            done = transform_gray(context, rgb, raster, profile, srgb);
        else if (!gray && found == space)
            done = transform_rows(context, rgb, raster, profile, srgb);
    }
    if (profile)
        cmsCloseProfile(profile);
    if (srgb)
        cmsCloseProfile(srgb);
    cmsDeleteContext(context);
    return done;
}

/* ---- Alpha and orientation ----------------------------------------------------------------------
 */

static void blend(uint8_t *rgb, const QbRaster *raster, const uint8_t background[3])
{
    size_t n = (size_t)qb_raster_channels(raster);
    unsigned full = raster->depth == 8 ? 255 : 65535;
    size_t n_pixels = (size_t)raster->width * (size_t)raster->height;
    for (size_t i = 0; i < n_pixels; i++, rgb += 3) {
        unsigned alpha = sample(raster, i * n + n - 1);
        if (alpha == full)
            continue;
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((rgb[c] * alpha + background[c] * (full - alpha) + full / 2) / full);
    }
}

/* EXIF 2.32 table 4.6.4 A: where row 0 and column 0 of the stored picture are when it is shown. The
 * pixel shown at (x, y) is stored at (mirrored or not, after an exchange of the axes for 5 … 8). */
static QbStatus orient(QbImage **image, int orientation)
{
    bool swapped = orientation >= 5;
    bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const QbImage *in = *image;
    QbImage *turned;
    QbStatus status = qb_image_new(&turned, swapped ? in->height : in->width,
                                   swapped ? in->width : in->height, in->format);
    if (status)
        return status;
    uint8_t *out = turned->pixels;
    for (int y = 0; y < turned->height; y++)
        for (int x = 0; x < turned->width; x++, out += 3) {
            int from_x = swapped ? y : x, from_y = swapped ? x : y;
            from_x = mirror_x ? in->width - 1 - from_x : from_x;
            from_y = mirror_y ? in->height - 1 - from_y : from_y;
            memcpy(out, in->pixels + ((size_t)from_y * (size_t)in->width + (size_t)from_x) * 3, 3);
        }
    qb_image_free(image);
    *image = turned;
    return QB_OK;
}

static QbStatus apply_orientation(QbImage **image, const QbRaster *raster, const QbDecodeJob *job)
{
    if (raster->orientation < 2 || raster->orientation > 8)
        return QB_OK;
    int64_t bytes = (int64_t)raster->width * raster->height * 6;
    if (bytes > job->options->max_bytes - (int64_t)job->size)
        return qb_fail(
            QB_ERR_LIMIT,
            "%s: turning %d x %d pixels upright takes %lld bytes, the limit is %lld bytes "
            "(max_bytes)",
            job->name, raster->width, raster->height, (long long)bytes + (long long)job->size,
            (long long)job->options->max_bytes);
    return orient(image, raster->orientation);
}

/* ---- All of it ----------------------------------------------------------------------------------
 */

QbStatus qb_colour_finish(QbImage **out, QbRaster *raster, const QbDecodeJob *job,
                          const char *format)
{
    bool managed = qb_decode_is_managed(job);
    QbImage *image = NULL;
    QbStatus status;
    if (raster->color == QB_COLOR_RGB && raster->depth == 8 && !raster->alpha) {
        if (managed)
            convert_with_profile(raster->pixels, raster);
        status = qb_image_adopt(&image, raster->pixels, raster->width, raster->height, format);
        if (!status)
            raster->pixels = NULL;
    } else {
        status = qb_image_new(&image, raster->width, raster->height, format);
        if (!status && raster->depth == 32)
            convert_light(image->pixels, raster);
        else if (!status && !(managed && convert_with_profile(image->pixels, raster)))
            convert_plain(image->pixels, raster, managed);
        if (!status && managed && raster->alpha)
            blend(image->pixels, raster, job->options->background);
        qb_free(raster->pixels);
        raster->pixels = NULL;
    }
    if (!status)
        status = apply_orientation(&image, raster, job);
    if (status) {
        qb_image_free(&image);
        return status;
    }
    *out = image;
    return QB_OK;
}
