/* reduced.c: noise judged by places of the reference instead of the whole of it; see reduced.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/reduced.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "noise/band_pass.h"
#include "noise/visibility.h"
#include "stats/random.h"
#include "weights/encode.h"

#include <math.h>

/* Codes are steps of log2: 1 / T = 2^(-code / 64) / 0.4 at most, 255 at the contrast of 140 L*. */
static const double CODE_STEPS = 64;

static int least(int a, int b)
{
    return a < b ? a : b;
}

QbStatus qb_noise_features_alloc(QbNoiseFeatures **out, QbNoiseGrid grid, int width, int height)
{
    *out = NULL;
    QbNoiseFeatures *f = qb_calloc(1, sizeof *f);
    if (!f)
        return QB_ERR_NOMEM;
    f->width = width;
    f->height = height;
    f->grid = grid;
    f->places = (QbNoiseGrid){least(width / grid.columns, QB_PLACES_SIDE),
                              least(height / grid.rows, QB_PLACES_SIDE)};
    f->n_zone_places = f->places.columns * f->places.rows;
    f->n_places = (size_t)grid.columns * (size_t)grid.rows * (size_t)f->n_zone_places;
    f->band = qb_calloc(f->n_places, sizeof *f->band);
    f->code = qb_calloc(f->n_places, sizeof *f->code);
    if (!f->band || !f->code)
        qb_noise_features_free(&f);
    *out = f;
    return f ? QB_OK : QB_ERR_NOMEM;
}

void qb_noise_features_free(QbNoiseFeatures **features)
{
    if (!features || !*features)
        return;
    qb_free((*features)->band);
    qb_free((*features)->code);
    qb_free(*features);
    *features = NULL;
}

void qb_noise_features_size(const QbNoiseFeatures *features, int *out_width, int *out_height,
                            QbNoiseGrid *out_grid)
{
    *out_width = features->width;
    *out_height = features->height;
    *out_grid = features->grid;
}

/* The pixel of a place: anywhere in its share of the zone, so that no pattern of the picture keeps
 * step with the places, but the same for every picture. */
static size_t pixel_of(const QbNoiseFeatures *f, size_t place)
{
    int zone = (int)(place / (size_t)f->n_zone_places);
    int index = (int)(place % (size_t)f->n_zone_places);
    QbZoneRect rect = qb_noise_zone_rect(f->grid, f->width, f->height, zone);
    QbZoneRect share = qb_noise_zone_rect(f->places, rect.width, rect.height, index);
    uint64_t state = place, random = qb_splitmix64(&state);
    size_t x = (size_t)(rect.x + share.x) + (uint32_t)random % (uint32_t)share.width;
    size_t y = (size_t)(rect.y + share.y) + (uint32_t)(random >> 32) % (uint32_t)share.height;
    return y * (size_t)f->width + x;
}

static float gain_of_code(uint8_t code)
{
    return (float)(qb_visibility_gain(0) * exp2(-code / CODE_STEPS));
}

static uint8_t code_of_gain(float gain)
{
    double code = CODE_STEPS * log2(qb_visibility_gain(0) / (double)gain);
    return (uint8_t)lrint(fmin(fmax(code, 0), UINT8_MAX));
}

/* |B| is below 200: every value fits a half. */
static QbStatus round_band(QbNoiseFeatures *f)
{
    uint16_t *halves = qb_calloc(f->n_places, sizeof *halves);
    if (!halves)
        return QB_ERR_NOMEM;
    qb_type_encode(halves, QB_TYPE_F16, f->band, f->n_places);
    qb_type_decode(f->band, QB_TYPE_F16, halves, f->n_places);
    qb_free(halves);
    return QB_OK;
}

static QbStatus describe(QbNoiseFeatures *f, const QbImage *image, QbPool *pool)
{
    QbBandPass b;
    QbStatus status = qb_band_pass_init(&b, f->width, f->height, pool);
    if (status)
        return status;
    float *band = qb_band_pass_new_plane(&b), *energy = band ? qb_band_pass_new_plane(&b) : NULL;
    if (!energy) {
        status = QB_ERR_NOMEM;
        goto done;
    }
    qb_band_pass_lightness(&b, band, image);
    qb_band_pass_run(&b, band);
    qb_band_pass_energy(&b, energy, band);
    for (size_t i = 0; i < f->n_places; i++) {
        size_t pixel = pixel_of(f, i);
        f->band[i] = band[pixel];
        f->code[i] = code_of_gain(qb_visibility_gain(energy[pixel]));
    }
    status = round_band(f);
done:
    qb_free(band);
    qb_free(energy);
    qb_band_pass_deinit(&b);
    return status;
}

QbStatus qb_noise_features_new(QbNoiseFeatures **out, const QbImage *image, QbNoiseGrid grid,
                               int n_threads)
{
    if (!out || !image)
        return qb_fail(QB_ERR_ARG, "qb_noise_features_new: no %s given",
                       out ? "picture" : "place for the result");
    *out = NULL;
    int width = qb_image_width(image), height = qb_image_height(image);
    QbNoiseFeatures *features = NULL;
    QbPool *pool = NULL;
    QbStatus status = qb_noise_grid_check(grid, width, height, QB_NOISE_MIN_ZONE_SIDE);
    if (status || (status = qb_pool_new(&pool, n_threads > 0 ? n_threads : qb_cpu_count())))
        return status;
    status = qb_noise_features_alloc(&features, grid, width, height);
    if (!status && (status = describe(features, image, pool)))
        qb_noise_features_free(&features);
    qb_pool_free(&pool);
    *out = features;
    return status;
}

/* As near to what is kept as rounding to a half leaves it. */
static bool is_kept(float value, float kept)
{
    return fabsf(value - kept) <= fabsf(kept) * 0x1p-10f + 1e-6f;
}

static QbStatus judge(QbNoiseReport *out, const QbImage *image, const QbNoiseFeatures *f,
                      QbPool *pool)
{
    double zones[QB_NOISE_MAX_ZONES] = {0};
    bool same = true;
    QbBandPass b;
    QbStatus status = qb_band_pass_init(&b, f->width, f->height, pool);
    if (status)
        return status;
    float *band = qb_band_pass_new_plane(&b);
    if (!band) {
        qb_band_pass_deinit(&b);
        return QB_ERR_NOMEM;
    }
    qb_band_pass_lightness(&b, band, image);
    qb_band_pass_run(&b, band);
    for (size_t i = 0; i < f->n_places; i++) {
        float value = band[pixel_of(f, i)];
        double z = (value - f->band[i]) * gain_of_code(f->code[i]);
        zones[i / (size_t)f->n_zone_places] += z * z * z * z;
        same = same && is_kept(value, f->band[i]);
    }
    for (int z = 0; z < f->grid.columns * f->grid.rows; z++)
        zones[z] = qb_visibility_pool(zones[z], f->n_zone_places);
    qb_noise_report_fill(out, f->grid, zones);
    qb_free(band);
    qb_band_pass_deinit(&b);
    return same ? qb_fail(QB_ERR_ARG, "the picture is the one that the features were made of, "
                                      "which tells nothing of noise")
                : QB_OK;
}

QbStatus qb_noise_judge_features(QbNoiseReport *out, const QbImage *image,
                                 const QbNoiseFeatures *reference, int n_threads)
{
    if (!out || !image || !reference)
        return qb_fail(QB_ERR_ARG, "qb_noise_judge_features: no %s given",
                       !out     ? "place for the report"
                       : !image ? "picture"
                                : "features");
    if (qb_image_width(image) != reference->width || qb_image_height(image) != reference->height)
        return qb_fail(QB_ERR_ARG, "the picture has %d x %d pixels, the features are of %d x %d",
                       qb_image_width(image), qb_image_height(image), reference->width,
                       reference->height);
    QbPool *pool = NULL;
    QbStatus status = qb_pool_new(&pool, n_threads > 0 ? n_threads : qb_cpu_count());
    if (!status)
        status = judge(out, image, reference, pool);
    qb_pool_free(&pool);
    return status;
}
