/* ssim.c: structural similarity. Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From
 * Error Visibility to Structural Similarity", IEEE TIP 13(4), 2004, eq. 13: Gaussian window of 11 x
 * 11, sigma 1.5, K1 = 0.01, K2 = 0.03, wherever the window lies inside the picture; the mean of
 * that. Of luma, which the authors' code takes as its input (MATLAB's rgb2gray, here not rounded).
 * Map: 1 - SSIM around each pixel, at the borders that of the nearest pixel with a whole window. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/ssim.h"

typedef struct SsimRows {
    const QbNoiseJob *job;
    QbZoneSums sums;
    QbPlane map; /* no data unless it is wanted */
} SsimRows;

static void ssim_row(const QbMoments *moments, int y, size_t n, float *scratch, void *user)
{
    SsimRows *rows = user;
    float *ssim = scratch, *structure = scratch + n;
    rows->job->kernels->ssim_row(ssim, structure, moments, QB_SSIM_C1, QB_SSIM_C2, n);
    qb_zone_sums_row(&rows->sums, y, ssim);
    if (rows->map.data)
        for (size_t x = 0; x < n; x++)
            qb_plane_row(&rows->map, y)[x] = 1.0f - ssim[x];
}

static QbStatus measure(const QbNoiseJob *job)
{
    float taps[QB_SSIM_TAPS];
    QbPlane a = {0}, b = {0};
    SsimRows rows = {.job = job};
    QbMapPlace place = {job->width - QB_SSIM_TAPS + 1, job->height - QB_SSIM_TAPS + 1, 1,
                        QB_SSIM_TAPS / 2};
    qb_gaussian_taps(taps, QB_SSIM_TAPS, QB_SSIM_SIGMA);
    QbStatus status = qb_plane_init_luma(&a, job->pair->image, job);
    if (status || (status = qb_plane_init_luma(&b, job->pair->reference, job)) ||
        (status = qb_zone_sums_init(&rows.sums, job, &place)) ||
        (job->map && (status = qb_plane_init(&rows.map, place.width, place.height))) ||
        (status = qb_plane_moments(job, &a, &b, taps, QB_SSIM_TAPS, ssim_row, &rows)))
        goto done;
    qb_zone_sums_means(&rows.sums, job);
    if (job->map)
        qb_map_spread(job->map, job, &rows.map, &place, false);
done:
    qb_plane_deinit(&rows.map);
    qb_zone_sums_deinit(&rows.sums);
    qb_plane_deinit(&a);
    qb_plane_deinit(&b);
    return status;
}

const QbNoiseMetric qb_noise_metric_ssim = {
    .info = {.name = "ssim",
             .summary = "structural similarity (Wang et al. 2004)",
             .best = 1,
             .higher_is_better = true,
             .min_side = QB_SSIM_TAPS},
    .measure = measure,
};
