/* visibility_pair.c: the metric "visibility" against a reference, and the judge made of it: the
 * noise is the difference, the reference hides it. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "noise/band_pass.h"
#include "noise/metric.h"
#include "noise/visibility.h"

#include <string.h>

static QbStatus measure(const QbNoiseJob *job)
{
    QbBandPass b;
    float *picture = NULL, *noise = NULL;
    QbStatus status = qb_band_pass_init(&b, job->width, job->height, job->pool);
    if (status)
        return status;
    status = QB_ERR_NOMEM;
    if (!(picture = qb_band_pass_new_plane(&b)) || !(noise = qb_band_pass_new_plane(&b)))
        goto done;
    qb_band_pass_lightness(&b, picture, job->pair->reference);
    qb_band_pass_lightness(&b, noise, job->pair->image);
    qb_band_pass_subtract(&b, noise, picture);
    qb_band_pass_run(&b, noise);
    qb_band_pass_run(&b, picture);
    qb_band_pass_energy(&b, picture, picture);
    qb_visibility_map(noise, noise, picture, NULL, b.width, b.height, job->pool);
    qb_visibility_zones(job->whole, job->zones, noise, b.width, b.height, job->grid, job->pool);
    if (job->map)
        memcpy(job->map, noise, b.n_pixels * sizeof *noise);
    status = QB_OK;
done:
    qb_free(picture);
    qb_free(noise);
    qb_band_pass_deinit(&b);
    return status;
}

const QbNoiseMetric qb_noise_metric_visibility = {
    .info = {.name = "visibility",
             .summary = "noise that people see, 1 = just visible (this project's own)",
             .best = 0,
             .higher_is_better = false,
             .needs_light = false,
             .min_side = 1},
    .measure = measure,
};

QbStatus qb_noise_judge_pair(QbNoiseReport *out, const QbNoisePair *pair, QbNoiseGrid grid,
                             int n_threads)
{
    double whole, zones[QB_NOISE_MAX_ZONES];
    if (!out || !pair || !pair->image || !pair->reference)
        return qb_fail(QB_ERR_ARG, "qb_noise_judge_pair: no %s given",
                       !out                    ? "place for the report"
                       : !pair || !pair->image ? "picture"
                                               : "reference");
    QbStatus status = qb_noise_grid_check(grid, qb_image_width(pair->reference),
                                          qb_image_height(pair->reference), QB_NOISE_MIN_ZONE_SIDE);
    if (!status)
        status = qb_noise_measure(&whole, zones, NULL, qb_noise_metric_visibility.info.name, pair,
                                  grid, n_threads);
    if (!status)
        qb_noise_report_fill(out, grid, zones);
    return status;
}
