/* light.h: pictures of linear light, as renderers write them, and how they become what a screen
 * shows.
 *
 * A QbLight holds float RGB with the primaries and the white of sRGB, 1 = the screen's white,
 * without an upper end, immutable once made. OpenEXR (half, float), PFM and Radiance HDR hold
 * light; every other picture that qb_image_open reads is turned into light by sRGB's curve. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_LIGHT_H
#define QBOOST_LIGHT_H

#include <qboost/image.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QbLight QbLight;

typedef struct QbLightOptions {
    size_t size;          /* set by qb_light_options_init */
    QbImageOptions image; /* limits; decode is for formats that hold no light */
    /* OpenEXR: whose R, G, B (or Y) are taken: "diffuse" for diffuse.R … or the part of that name,
     * of the first part that has them. NULL: the channels without a layer, else Blender's
     * <view layer>.Combined, else the first layer that has them. Borrowed. */
    const char *layer;
} QbLightOptions;

QB_API void qb_light_options_init(QbLightOptions *options);

/* options: NULL for defaults. *out: owned by the caller; NULL on failure. Alpha is ignored, the
 * orientation of EXR's display window too: the data window is what is judged. */
QB_API QbStatus qb_light_open(QbLight **out, const char *path, const QbLightOptions *options);
QB_API QbStatus qb_light_open_memory(QbLight **out, const void *data, size_t size_bytes,
                                     const char *name, const QbLightOptions *options);

/* Copies rgb[height][width][3]; what is not finite or negative is replaced as in files. */
QB_API QbStatus qb_light_new_rgb(QbLight **out, const float *rgb, int width, int height);

/* The mean of two pictures of one size, such as the two halves of a render's samples. */
QB_API QbStatus qb_light_mean(QbLight **out, const QbLight *a, const QbLight *b);

/* Accepts NULL and pointers to NULL; sets *light to NULL. */
QB_API void qb_light_free(QbLight **light);

typedef struct QbLightInfo {
    int width, height;
    const char *format;  /* "exr", "png", …, or "rgb"; borrowed from the library */
    bool is_light;       /* the file held linear light; else it was made for a screen */
    const char *missing; /* colour channels the file lacks, which became 0 ("B"), or "" */
    /* Samples (of 3 a pixel) that no light can have and what they became: not a number 0, infinite
     * the largest finite value of the picture, negative 0 (those outside sRGB's gamut, when the
     * file has other primaries, not counted). Of a mean the sum of both. */
    int64_t n_nan, n_infinite, n_negative;
    int64_t samples; /* per pixel, where the header tells (Cycles writes it); else 0 */
} QbLightInfo;

QB_API void qb_light_info(QbLightInfo *out, const QbLight *light);

/* rgb[height][width][3], finite, >= 0. Borrowed from light. */
QB_API const float *qb_light_pixels(const QbLight *light);

/* Pixels in the rectangle (which lies in the picture) that hold no light: a sample of theirs was
 * replaced. Negative ones count from -0.01 downwards: a reconstruction filter leaves a little. */
QB_API int64_t qb_light_unreal_count(const QbLight *light, int x, int y, int width, int height);

typedef struct QbToneMapping {
    size_t size; /* set by qb_tone_mapping_init */
    /* "srgb" (default): clipped at 1; "reinhard", "hable", "aces": curves that roll off
     * (docs/noise.md). All end in sRGB's transfer curve. Borrowed. */
    const char *curve;
    double exposure; /* stops, light is multiplied by 2^exposure first; -64 … 64, default 0 */
} QbToneMapping;

QB_API void qb_tone_mapping_init(QbToneMapping *mapping);

/* NULL past the last one. Borrowed from the library. */
QB_API const char *qb_tone_curve_name(int index);

/* What a screen shows of it, 8-bit sRGB. A picture that was made for a screen comes back as it was,
 * whatever the mapping. mapping: NULL for defaults. */
QB_API QbStatus qb_light_tone_map(QbImage **out, const QbLight *light,
                                  const QbToneMapping *mapping);

#ifdef __cplusplus
}
#endif
#endif
