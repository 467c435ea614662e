/* colour_space.c: ICC profiles for files that tell their colours by numbers: H.273 code points
 * (AVIF, HEIF) and PNG's gAMA and cHRM. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>

#include <lcms2.h>

enum { CURVE_POINTS = 4096 };

/* H.273 table 2: x and y of white, red, green and blue. */
static const struct {
    int code;
    double xy[8];
} primaries_list[] = {
    {1, {0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060}},  /* BT.709, sRGB */
    {9, {0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046}},  /* BT.2020 */
    {11, {0.3140, 0.3510, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}}, /* DCI-P3 */
    {12, {0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}}, /* Display P3 */
};

enum {
    TRANSFER_GAMMA_22 = 4,
    TRANSFER_GAMMA_28 = 5,
    TRANSFER_LINEAR = 8,
    TRANSFER_PQ = 16,
    TRANSFER_HLG = 18
};

static const double REFERENCE_WHITE = 203.0; /* cd/m2, BT.2408 */

/* SMPTE ST 2084 equation 4.1, over the reference white. */
static double pq(double e)
{
    const double m1 = 2610.0 / 16384, m2 = 2523.0 / 4096 * 128, c1 = 3424.0 / 4096;
    const double c2 = 2413.0 / 4096 * 32, c3 = 2392.0 / 4096 * 32;
    double p = pow(e, 1.0 / m2);
    double above = p > c1 ? p - c1 : 0.0;
    return 10000.0 * pow(above / (c2 - c3 * p), 1.0 / m1) / REFERENCE_WHITE;
}

/* ARIB STD-B67 on a display of 1000 cd/m2 (BT.2100 table 5), each channel by itself. */
static double hlg(double e)
{
    const double a = 0.17883277, b = 0.28466892, c = 0.55991073;
    double scene = e <= 0.5 ? e * e / 3.0 : (exp((e - c) / a) + b) / 12.0;
    return 1000.0 * pow(scene, 1.2) / REFERENCE_WHITE;
}

static cmsToneCurve *curve_for(int transfer)
{
    static const double srgb[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    float table[CURVE_POINTS];
    switch (transfer) {
    case TRANSFER_GAMMA_22:
        return cmsBuildGamma(NULL, 2.2);
    case TRANSFER_GAMMA_28:
        return cmsBuildGamma(NULL, 2.8);
    case TRANSFER_LINEAR:
        return cmsBuildGamma(NULL, 1.0);
    case TRANSFER_PQ:
    case TRANSFER_HLG:
        for (int i = 0; i < CURVE_POINTS; i++) {
            double e = (double)i / (CURVE_POINTS - 1);
            double light = transfer == TRANSFER_PQ ? pq(e) : hlg(e);
            table[i] = (float)(light < 1.0 ? light : 1.0);
        }
        return cmsBuildTabulatedToneCurveFloat(NULL, CURVE_POINTS, table);
    default: /* BT.709 and its like are shown with sRGB's curve, as browsers do */
        return cmsBuildParametricToneCurve(NULL, 4, srgb);
    }
}

/* Makes the profile; curve is taken. Without memory the picture counts as sRGB. */
static QbStatus set_profile(QbRaster *raster, const double xy[8], cmsToneCurve *curve)
{
    if (!curve)
        return QB_OK;
    cmsCIExyY white = {xy[0], xy[1], 1.0};
    cmsCIExyYTRIPLE rgb = {{xy[2], xy[3], 1.0}, {xy[4], xy[5], 1.0}, {xy[6], xy[7], 1.0}};
    cmsToneCurve *curves[3] = {curve, curve, curve};
    cmsHPROFILE profile = raster->color == QB_COLOR_GRAY
                              ? cmsCreateGrayProfile(&white, curve)
                              : cmsCreateRGBProfile(&white, &rgb, curves);
    cmsUInt32Number size = 0;
    QbStatus status = QB_OK;
    if (profile && cmsSaveProfileToMem(profile, NULL, &size) && size) {
        uint8_t *icc = qb_alloc(size);
        if (!icc)
            status = QB_ERR_NOMEM;
        else if (cmsSaveProfileToMem(profile, icc, &size))
            status = qb_raster_set_icc(raster, icc, size);
        qb_free(icc);
    }
    if (profile)
        cmsCloseProfile(profile);
    cmsFreeToneCurve(curve);
    return status;
}

QbStatus qb_colour_icc_from_cicp(QbRaster *raster, int primaries, int transfer)
{
    bool plain_curve = transfer != TRANSFER_GAMMA_22 && transfer != TRANSFER_GAMMA_28 &&
                       transfer != TRANSFER_LINEAR && transfer != TRANSFER_PQ &&
                       transfer != TRANSFER_HLG;
    size_t n = sizeof primaries_list / sizeof *primaries_list, found = 0;
    for (size_t i = 0; i < n; i++)
        if (primaries_list[i].code == primaries)
            found = i;
    if (plain_curve && found == 0)
        return QB_OK;
    return set_profile(raster, primaries_list[found].xy, curve_for(transfer));
}

QbStatus qb_colour_icc_from_gamma(QbRaster *raster, double gamma, const double xy[8])
{
    /* 0.45455 with sRGB's primaries is what writers put who mean sRGB. */
    bool usual = fabs(gamma - 1 / 2.2) < 0.005;
    for (int i = 0; i < 8 && xy; i++)
        usual = usual && fabs(xy[i] - primaries_list[0].xy[i]) < 0.005;
    if (usual || !(gamma > 0.01 && gamma < 10.0))
        return QB_OK;
    for (int i = 0; i < 8 && xy; i++)
        if (!(xy[i] > 0.0 && xy[i] < 1.0))
            return QB_OK;
    return set_profile(raster, xy ? xy : primaries_list[0].xy, cmsBuildGamma(NULL, 1.0 / gamma));
}
