/* hdr_flip.c: HDR-FLIP of linear light. Andersson, Nilsson, Shirley, Akenine-Möller, "Visualizing
 * Errors in Rendered High Dynamic Range Images", Eurographics short papers 2021: LDR-FLIP (flip.h)
 * of both pictures at several exposures, tone-mapped by the ACES curve; the largest error at each
 * pixel, and the means of that.
 *
 * Exposures are computed from the reference as published (section 3.1): from that which brings its
 * largest luminance to 0.85 to that which brings its median there, max(2, ceil(stop - start)) of
 * them. The median of a mostly black picture is 0, which no exposure brightens: then it is the
 * median of the luminances above 0. A reference without any light lends its exposures from the
 * picture; two black pictures do not differ. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/flip.h"
#include "noise/flip.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define EXPOSED_TO 0.85

/* ---- exposures ------------------------------------------------------------------------- */
/* The light that the curve brings to EXPOSED_TO: (a - t d) c^2 + (b - t e) c - t f = 0, the larger
 * root. */
static double exposed_light(void)
{
    double a = QB_FLIP_ACES_A - EXPOSED_TO * QB_FLIP_ACES_D;
    double b = QB_FLIP_ACES_B - EXPOSED_TO * QB_FLIP_ACES_E, c = -EXPOSED_TO * QB_FLIP_ACES_F;
    double half = -0.5 * b / a;
    return half + sqrt(half * half - c / a);
}

/* The k-th smallest of value[n], all >= +0, whose bits are then in the order of their values: 11,
 * 11 and 10 of the bits are settled by counting, so that no picture takes longer than another. */
static float select_nth(const float *value, size_t n, size_t k)
{
    static const int shifts[] = {21, 10, 0};
    uint32_t found = 0, known = 0, bits; /* known: mask of the bits settled */
    for (int pass = 0; pass < 3; pass++) {
        size_t count[1 << 11] = {0};
        uint32_t mask = (pass == 2 ? (1u << 10) : (1u << 11)) - 1, digit = 0;
        for (size_t i = 0; i < n; i++) {
            memcpy(&bits, &value[i], sizeof bits);
            if ((bits & known) == found)
                count[bits >> shifts[pass] & mask]++;
        }
        for (; k >= count[digit]; digit++)
            k -= count[digit];
        found |= digit << shifts[pass];
        known |= mask << shifts[pass];
    }
    float selected;
    memcpy(&selected, &found, sizeof selected);
    return selected;
}

typedef struct Luminances {
    float largest, median;
} Luminances;

/* value: scratch of a picture's size. */
static Luminances luminances(float *value, const QbLight *light, size_t n)
{
    const float *rgb = qb_light_pixels(light);
    Luminances found = {0};
    size_t n_light = 0;
    for (size_t i = 0; i < n; i++) {
        float sum = 0.2126f * rgb[3 * i] + 0.7152f * rgb[3 * i + 1] + 0.0722f * rgb[3 * i + 2];
        value[i] = fminf(sum, FLT_MAX) + 0.0f; /* no rounding to infinity, no negative zero */
        found.largest = fmaxf(found.largest, value[i]);
        n_light += value[i] > 0;
    }
    if (!n_light)
        return found;
    found.median = select_nth(value, n, n / 2);
    if (found.median > 0)
        return found;
    found.median = select_nth(value, n, n - n_light + n_light / 2); /* behind the zeros */
    return found;
}

typedef struct Exposures {
    double start, step;
    int n;
} Exposures;

static Exposures exposures(float *value, const QbNoiseJob *job)
{
    size_t n = (size_t)job->width * (size_t)job->height;
    Luminances found = luminances(value, job->pair->reference_light, n);
    if (!(found.largest > 0))
        found = luminances(value, job->pair->image_light, n);
    if (!(found.largest > 0))
        return (Exposures){0, 0, 1};
    double light = exposed_light();
    double start = log2(light / found.largest), stop = log2(light / found.median);
    int count = (int)fmax(2, ceil(stop - start));
    return (Exposures){start, (stop - start) / (count - 1), count};
}

/* ---- the map --------------------------------------------------------------------------- */
typedef struct LightRows {
    const QbFlip *flip;
    const float *rgb[2]; /* [height][width][3] */
    float gain;
} LightRows;

static void light_rows(int begin, int end, int thread, void *user)
{
    const LightRows *rows = user;
    const QbFlip *flip = rows->flip;
    size_t width = (size_t)flip->width;
    float *rgb[3];
    for (int c = 0; c < 3; c++)
        rgb[c] = qb_flip_scratch(flip, thread) + (size_t)c * width;
    for (int row = begin; row < end; row++) {
        int p = row % 2, y = row / 2;
        const float *pixel = rows->rgb[p] + (size_t)y * width * 3;
        for (size_t x = 0; x < width; x++)
            for (size_t c = 0; c < 3; c++)
                rgb[c][x] = pixel[3 * x + c];
        float *out[QB_FLIP_COLORS];
        for (int c = 0; c < QB_FLIP_COLORS; c++)
            out[c] = qb_plane_row(&flip->color[p][c], y);
        flip->kernels->flip_opponent(out, (const float *const *)rgb, rows->gain, 1, width);
    }
}

static QbStatus measure(const QbNoiseJob *job)
{
    QbFlip flip;
    QbPlane map = {0};
    LightRows rows = {.flip = &flip,
                      .rgb = {qb_light_pixels(job->pair->image_light),
                              qb_light_pixels(job->pair->reference_light)}};
    QbStatus status = qb_flip_init(&flip, job);
    if (status)
        return status;
    if ((status = qb_plane_init(&map, job->width, job->height)))
        goto done;
    Exposures chosen = exposures(map.data, job);
    for (int i = 0; i < chosen.n; i++) {
        rows.gain = (float)fmin(exp2(chosen.start + i * chosen.step), (double)FLT_MAX);
        qb_pool_run(job->pool, light_rows, &rows, 2 * job->height, 16);
        qb_flip_map(map.data, &flip, i > 0);
    }
    status = qb_flip_pool(job, map.data);
done:
    qb_plane_deinit(&map);
    qb_flip_deinit(&flip);
    return status;
}

const QbNoiseMetric qb_noise_metric_hdr_flip = {
    .info = {.name = "hdr-flip",
             .summary = "HDR-FLIP at 67 pixels a degree (Andersson et al. 2021)",
             .best = 0,
             .higher_is_better = false,
             .needs_light = true,
             .min_side = 1},
    .measure = measure,
};
