/* ms_ssim.c: multi-scale structural similarity. Wang, Simoncelli, Bovik, "Multiscale Structural
 * Similarity for Image Quality Assessment", Asilomar 2003, eq. 7 with the weights of section 3.3:
 * the mean contrast and structure of four scales, and the mean SSIM of the fifth, to the power of
 * the scale's weight, multiplied; means below 0 count as 0. Of luma; windows and constants of
 * ssim.h. From scale to scale means of 2 x 2 are taken, an odd side's last pixel twice, as the
 * authors' msssim.m does by imfilter(…, 'symmetric').
 * Zones: the means are taken within the zone at every scale. Map: 1 - the product at each pixel,
 * from the nearest pixel of each scale. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/ssim.h"

#include <math.h>

enum { SCALES = 5 };
static const double weights[SCALES] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

typedef struct ScaleRows {
    const QbNoiseJob *job;
    QbZoneSums sums;
    QbPlane map; /* to the power of the weight; no data unless it is wanted */
    float weight;
    bool last;
} ScaleRows;

static void scale_row(const QbMoments *moments, int y, size_t n, float *scratch, void *user)
{
    ScaleRows *rows = user;
    float *ssim = scratch, *structure = scratch + n;
    rows->job->kernels->ssim_row(ssim, structure, moments, QB_SSIM_C1, QB_SSIM_C2, n);
    const float *value = rows->last ? ssim : structure;
    qb_zone_sums_row(&rows->sums, y, value);
    if (rows->map.data)
        for (size_t x = 0; x < n; x++)
            qb_plane_row(&rows->map, y)[x] = powf(fmaxf(value[x], 0.0f), rows->weight);
}

/* The factor of a mean; NAN of zones that are too small to have one. */
static double factor(QbZoneTotal total, int scale)
{
    return total.count > 0 ? pow(fmax(total.sum / total.count, 0), weights[scale]) : NAN;
}

static QbStatus measure_scale(const QbNoiseJob *job, const QbPlane *a, const QbPlane *b, int scale)
{
    float taps[QB_SSIM_TAPS];
    int step = 1 << scale;
    ScaleRows rows = {.job = job, .weight = (float)weights[scale], .last = scale == SCALES - 1};
    QbMapPlace place = {a->width - QB_SSIM_TAPS + 1, a->height - QB_SSIM_TAPS + 1, step,
                        step * (QB_SSIM_TAPS / 2) + (step - 1) / 2.0};
    qb_gaussian_taps(taps, QB_SSIM_TAPS, QB_SSIM_SIGMA);
    QbStatus status = qb_zone_sums_init(&rows.sums, job, &place);
    if (status || (job->map && (status = qb_plane_init(&rows.map, place.width, place.height))) ||
        (status = qb_plane_moments(job, a, b, taps, QB_SSIM_TAPS, scale_row, &rows)))
        goto done;
    for (int z = 0; z < job->grid.columns * job->grid.rows; z++)
        job->zones[z] *= factor(qb_zone_sums_total(&rows.sums, z), scale);
    *job->whole *= factor(qb_zone_sums_whole(&rows.sums), scale);
    if (job->map)
        qb_map_spread(job->map, job, &rows.map, &place, scale > 0);
done:
    qb_plane_deinit(&rows.map);
    qb_zone_sums_deinit(&rows.sums);
    return status;
}

/* Replaces a plane by its next scale. */
static QbStatus halve(QbPlane *plane, const QbNoiseJob *job)
{
    QbPlane halved;
    QbStatus status = qb_plane_init_halved(&halved, plane, false, job->pool);
    qb_plane_deinit(plane);
    *plane = halved;
    return status;
}

static QbStatus measure(const QbNoiseJob *job)
{
    QbPlane a = {0}, b = {0};
    *job->whole = 1;
    for (int z = 0; z < job->grid.columns * job->grid.rows; z++)
        job->zones[z] = 1;
    QbStatus status = qb_plane_init_luma(&a, job->pair->image, job);
    if (!status)
        status = qb_plane_init_luma(&b, job->pair->reference, job);
    for (int scale = 0; !status && scale < SCALES; scale++) {
        if (scale && ((status = halve(&a, job)) || (status = halve(&b, job))))
            break;
        status = measure_scale(job, &a, &b, scale);
    }
    qb_plane_deinit(&a);
    qb_plane_deinit(&b);
    if (!status && job->map)
        for (size_t i = 0; i < (size_t)job->width * (size_t)job->height; i++)
            job->map[i] = 1.0f - job->map[i];
    return status;
}

const QbNoiseMetric qb_noise_metric_ms_ssim = {
    .info = {.name = "ms-ssim",
             .summary = "multi-scale structural similarity (Wang et al. 2003)",
             .best = 1,
             .higher_is_better = true,
             .min_side = ((QB_SSIM_TAPS - 1) << (SCALES - 1)) + 1},
    .measure = measure,
};
