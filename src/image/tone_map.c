/* tone_map.c: from linear light to what a screen shows: exposure, a curve that brings the bright
 * parts below 1, sRGB's transfer curve, 8 bits.
 *
 * No curve looks at the picture as a whole, so that successive pictures of one render stay
 * comparable. The constants of Hable's and the ACES curve fold exposure and white scale in, as the
 * published code of FLIP does (Andersson et al. 2021), whose HDR variant uses the same three. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/light.h>

#include "base/error.h"
#include "base/names.h"
#include "image/image.h"
#include "image/linear.h"

#include <math.h>
#include <string.h>

enum { MAX_STOPS = 64, ROW_PIXELS = 256 };

/* Shown light of one pixel, >= 0; what exceeds 1 is cut off afterwards. */
typedef struct Curve {
    const char *name;
    void (*apply)(double rgb[3]);
} Curve;

static void apply_srgb(double rgb[3])
{
    (void)rgb;
}

/* Reinhard et al. 2002, "Photographic tone reproduction for digital images", eq. 3, for the
 * luminance (ITU-R BT.709): all three are divided by 1 + Y, so that hues stay. */
static void apply_reinhard(double rgb[3])
{
    double luminance = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
    for (int c = 0; c < 3; c++)
        rgb[c] /= 1.0 + luminance;
}

/* (n2 x^2 + n1 x) / (d2 x^2 + d1 x + d0) */
typedef struct Rational {
    double n2, n1, d2, d1, d0;
} Rational;

static double rational_at(const Rational *r, double x)
{
    return (r->n2 * x + r->n1) * x / ((r->d2 * x + r->d1) * x + r->d0);
}

static void apply_rational(double rgb[3], const Rational *r)
{
    for (int c = 0; c < 3; c++)
        rgb[c] = rational_at(r, rgb[c]);
}

/* Hable 2010, "Filmic tonemapping operators" (Uncharted 2): U(2 x) / U(11.2) with U(x) =
 * (x (A x + C B) + D E) / (x (A x + B) + D F) - E / F, written as one fraction. */
static void apply_hable(double rgb[3])
{
    const double a = 0.15, b = 0.50, c = 0.10, d = 0.20, e = 0.02, f = 0.30;
    const double exposure = 2.0, white = 11.2;
    const Rational u = {a * f - a * e, c * b * f - b * e, a * f, b * f, d * f * f};
    double scale = 1.0 / rational_at(&u, white);
    const Rational r = {.n2 = exposure * exposure * u.n2 * scale,
                        .n1 = exposure * u.n1 * scale,
                        .d2 = exposure * exposure * u.d2,
                        .d1 = exposure * u.d1,
                        .d0 = u.d0};
    apply_rational(rgb, &r);
}

/* Narkowicz 2016, "ACES filmic tone mapping curve": x (2.51 x + 0.03) / (x (2.43 x + 0.59) + 0.14)
 * at 0.6 x, which he gives for the exposure of the original. */
static void apply_aces(double rgb[3])
{
    static const Rational r = {0.6 * 0.6 * 2.51, 0.6 * 0.03, 0.6 * 0.6 * 2.43, 0.6 * 0.59, 0.14};
    apply_rational(rgb, &r);
}

static const Curve curves[] = {
    {"srgb", apply_srgb},
    {"reinhard", apply_reinhard},
    {"hable", apply_hable},
    {"aces", apply_aces},
};

enum { N_CURVES = sizeof curves / sizeof *curves };

const char *qb_tone_curve_name(int index)
{
    return index >= 0 && index < N_CURVES ? curves[index].name : NULL;
}

void qb_tone_mapping_init(QbToneMapping *mapping)
{
    *mapping = (QbToneMapping){.size = sizeof *mapping, .curve = curves[0].name};
}

static QbStatus check_mapping(const Curve **out, const QbToneMapping *mapping)
{
    if (mapping->size != sizeof *mapping)
        return qb_fail(QB_ERR_ARG,
                       "QbToneMapping of %zu bytes, this library's have %zu: call "
                       "qb_tone_mapping_init, or rebuild against this version",
                       mapping->size, sizeof *mapping);
    if (!(fabs(mapping->exposure) <= MAX_STOPS))
        return qb_fail(QB_ERR_ARG, "an exposure of %g stops, it must be -%d to %d",
                       mapping->exposure, MAX_STOPS, MAX_STOPS);
    for (int i = 0; i < N_CURVES; i++)
        if (mapping->curve && !strcmp(curves[i].name, mapping->curve)) {
            *out = &curves[i];
            return QB_OK;
        }
    char names[128];
    qb_names_join(names, sizeof names, qb_tone_curve_name);
    return qb_fail(QB_ERR_ARG, "unknown tone curve %s, there are %s",
                   mapping->curve ? mapping->curve : "NULL", names);
}

QbStatus qb_light_tone_map(QbImage **out, const QbLight *light, const QbToneMapping *mapping)
{
    if (!out || !light)
        return qb_fail(QB_ERR_ARG, "qb_light_tone_map: %s is NULL", out ? "light" : "out");
    *out = NULL;
    QbLightInfo info;
    qb_light_info(&info, light);
    const Curve *curve = &curves[0];
    QbStatus status = mapping ? check_mapping(&curve, mapping) : QB_OK;
    if (status)
        return status;
    double gain = mapping ? exp2(mapping->exposure) : 1.0;
    if (!info.is_light) { /* it is what a screen shows already */
        curve = &curves[0];
        gain = 1.0;
    }
    status = qb_image_new(out, info.width, info.height, info.format);
    if (status)
        return status;
    const float *in = qb_light_pixels(light);
    uint8_t *to = (*out)->pixels;
    size_t n_pixels = (size_t)info.width * (size_t)info.height;
    float shown[ROW_PIXELS * 3];
    for (size_t i = 0; i < n_pixels; i += ROW_PIXELS) {
        size_t n = n_pixels - i < ROW_PIXELS ? n_pixels - i : ROW_PIXELS;
        for (size_t pixel = 0; pixel < n; pixel++, in += 3) {
            double rgb[3] = {gain * in[0], gain * in[1], gain * in[2]};
            curve->apply(rgb);
            for (int c = 0; c < 3; c++)
                shown[pixel * 3 + (size_t)c] = (float)rgb[c];
        }
        qb_srgb_from_linear_row(to + i * 3, shown, n * 3);
    }
    return QB_OK;
}
