/* psnr.c: peak signal-to-noise ratio of 8-bit RGB: 10 log10(255^2 / MSE), the mean over all samples
 * of all channels. Map: the mean square of a pixel's three differences. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/metric.h"
#include "noise/zone_sums.h"

#include <math.h>

typedef struct PsnrRows {
    const QbNoiseJob *job;
    QbZoneSums sums; /* of the squared differences */
} PsnrRows;

static void psnr_rows(int begin, int end, int thread, void *user)
{
    PsnrRows *rows = user;
    const QbNoiseJob *job = rows->job;
    size_t width = (size_t)job->width;
    (void)thread;
    for (int y = begin; y < end; y++) {
        const uint8_t *a = qb_image_pixels(job->pair->image) + (size_t)y * width * 3;
        const uint8_t *b = qb_image_pixels(job->pair->reference) + (size_t)y * width * 3;
        for (int column = 0; column < job->grid.columns; column++) {
            int64_t sum = 0;
            for (int x = rows->sums.x_edge[column]; x < rows->sums.x_edge[column + 1]; x++) {
                int square = 0;
                for (int c = 0; c < 3; c++) {
                    int difference = a[3 * x + c] - b[3 * x + c];
                    square += difference * difference;
                }
                sum += square;
                if (job->map)
                    job->map[(size_t)y * width + (size_t)x] = (float)square / 3;
            }
            qb_zone_sums_set(&rows->sums, y, column, (double)sum);
        }
    }
}

static double psnr(double sum, double pixels)
{
    return sum > 0 ? 10 * log10(255.0 * 255.0 * 3 * pixels / sum) : INFINITY;
}

static QbStatus measure(const QbNoiseJob *job)
{
    PsnrRows rows = {.job = job};
    QbZoneTotal total;
    QbStatus status =
        qb_zone_sums_init(&rows.sums, job, &(QbMapPlace){job->width, job->height, 1, 0});
    if (status)
        return status;
    qb_pool_run(job->pool, psnr_rows, &rows, job->height, 16);
    for (int z = 0; z < job->grid.columns * job->grid.rows; z++) {
        total = qb_zone_sums_total(&rows.sums, z);
        job->zones[z] = psnr(total.sum, total.count);
    }
    total = qb_zone_sums_whole(&rows.sums);
    *job->whole = psnr(total.sum, total.count);
    qb_zone_sums_deinit(&rows.sums);
    return QB_OK;
}

const QbNoiseMetric qb_noise_metric_psnr = {
    .info = {.name = "psnr",
             .summary = "peak signal-to-noise ratio of 8-bit RGB, in decibels",
             .best = INFINITY,
             .higher_is_better = true,
             .min_side = 1},
    .measure = measure,
};
