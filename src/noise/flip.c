/* flip.c: LDR-FLIP of what a screen shows (flip.h), 0 … 1; zones and whole are means of the map. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/flip.h"

#include <math.h>

typedef struct ScreenRows {
    const QbFlip *flip;
    const QbImage *picture[2];
    float linear[256]; /* of an 8-bit sRGB sample */
} ScreenRows;

static void linear_table(float *linear)
{
    for (int i = 0; i < 256; i++) {
        double v = i / 255.0;
        linear[i] = (float)(v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
    }
}

static void screen_rows(int begin, int end, int thread, void *user)
{
    const ScreenRows *rows = user;
    const QbFlip *flip = rows->flip;
    size_t width = (size_t)flip->width;
    float *rgb[3];
    for (int c = 0; c < 3; c++)
        rgb[c] = qb_flip_scratch(flip, thread) + (size_t)c * width;
    for (int row = begin; row < end; row++) {
        int p = row % 2, y = row / 2;
        const uint8_t *pixel = qb_image_pixels(rows->picture[p]) + (size_t)y * width * 3;
        for (size_t x = 0; x < width; x++)
            for (size_t c = 0; c < 3; c++)
                rgb[c][x] = rows->linear[pixel[3 * x + c]];
        float *out[QB_FLIP_COLORS];
        for (int c = 0; c < QB_FLIP_COLORS; c++)
            out[c] = qb_plane_row(&flip->color[p][c], y);
        flip->kernels->flip_opponent(out, (const float *const *)rgb, 1.0f, 0, width);
    }
}

static QbStatus measure(const QbNoiseJob *job)
{
    QbFlip flip;
    QbPlane own = {0};
    ScreenRows rows = {.flip = &flip, .picture = {job->pair->image, job->pair->reference}};
    QbStatus status = qb_flip_init(&flip, job);
    if (status)
        return status;
    if (!job->map && (status = qb_plane_init(&own, job->width, job->height)))
        goto done;
    float *map = job->map ? job->map : own.data;
    linear_table(rows.linear);
    qb_pool_run(job->pool, screen_rows, &rows, 2 * job->height, 16);
    qb_flip_map(map, &flip, false);
    status = qb_flip_pool(job, map);
done:
    qb_plane_deinit(&own);
    qb_flip_deinit(&flip);
    return status;
}

const QbNoiseMetric qb_noise_metric_flip = {
    .info = {.name = "flip",
             .summary = "LDR-FLIP at 67 pixels a degree (Andersson et al. 2020)",
             .best = 0,
             .higher_is_better = false,
             .min_side = 1},
    .measure = measure,
};
