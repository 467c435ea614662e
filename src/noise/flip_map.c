/* flip_map.c: the FLIP map of two pictures' colours; see flip.h. Every output row is filtered down
 * the columns first and then along itself, so that it needs no memory but the thread's own. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/flip.h"

#include "base/mem.h"
#include "noise/zone_sums.h"

#include <math.h>
#include <string.h>

enum { ROWS_AT_A_TIME = 16, MARGIN = QB_FLIP_MAX_TAPS / 2 };

/* Rows of a thread: what comes down the columns has a margin for the filter along the row. */
enum {
    ROW_DOWN,
    ROW_COLOR, /* [picture][Y, Cx, Cz], then one more for Cz's second */
    ROW_CZ2 = ROW_COLOR + 2 * QB_FLIP_COLORS,
    ROW_FEATURE, /* [picture][dx, dy, ddx, ddy] */
    ROWS = ROW_FEATURE + 8
};

/* ---- taps ------------------------------------------------------------------------------ */
/* Contrast sensitivity to a channel, as the transform of a Gaussian: exp(-pi^2 x^2 / b), x in
 * degrees (section 4.1, table 1). `weight` of the sum. Taps whose share is far below float's
 * precision are left out. */
static void sensitivity_taps(QbFlipTaps *out, double b, int radius, double weight)
{
    double value[QB_FLIP_MAX_TAPS], sum = 0;
    for (int t = 0; t <= 2 * radius; t++) {
        double x = (t - radius) / QB_FLIP_PPD;
        sum += value[t] = exp(-M_PI * M_PI * x * x / b);
    }
    int skip = 0;
    while (skip < radius && value[skip] < sum * 0x1p-30)
        skip++;
    out->n = 2 * (radius - skip) + 1;
    for (int t = 0; t < out->n; t++)
        out->tap[t] = (float)(value[t + skip] / sum * weight);
}

/* A sum of two Gaussians a1, b1 and a2, b2 in two dimensions is two separable filters, each with
 * the root of its share in both directions. */
static void set_sensitivity(QbFlip *flip)
{
    static const double b_y = 0.0047, b_cx = 0.0053, a1 = 34.1, b1 = 0.04, a2 = 13.5, b2 = 0.025;
    double sum1 = 0, sum2 = 0;
    int radius = (int)ceil(3 * sqrt(b1 / (2 * M_PI * M_PI)) * QB_FLIP_PPD);
    for (int t = -radius; t <= radius; t++) {
        double x = t / QB_FLIP_PPD;
        sum1 += sqrt(a1 * sqrt(M_PI / b1)) * exp(-M_PI * M_PI * x * x / b1);
        sum2 += sqrt(a2 * sqrt(M_PI / b2)) * exp(-M_PI * M_PI * x * x / b2);
    }
    double norm = sqrt(sum1 * sum1 + sum2 * sum2);
    sensitivity_taps(&flip->sensitivity[QB_FLIP_Y], b_y, radius, 1);
    sensitivity_taps(&flip->sensitivity[QB_FLIP_CX], b_cx, radius, 1);
    sensitivity_taps(&flip->sensitivity[QB_FLIP_CZ], b1, radius, sum1 / norm);
    sensitivity_taps(&flip->sensitivity[QB_FLIP_CZ + 1], b2, radius, sum2 / norm);
}

/* Positive and negative taps are each scaled to the sum 1 (section 4.3). */
static void normalize_signs(QbFlipTaps *out, const double *value)
{
    double positive = 0, negative = 0;
    for (int t = 0; t < out->n; t++)
        *(value[t] > 0 ? &positive : &negative) += fabs(value[t]);
    for (int t = 0; t < out->n; t++)
        out->tap[t] =
            value[t] == 0 ? 0.0f : (float)(value[t] / (value[t] > 0 ? positive : negative));
}

/* The Gaussian of half a feature's width of 0.082 degrees, and its derivatives. */
static void set_features(QbFlip *flip)
{
    double sigma = 0.5 * 0.082 * QB_FLIP_PPD;
    double gauss[QB_FLIP_MAX_TAPS], first[QB_FLIP_MAX_TAPS], second[QB_FLIP_MAX_TAPS];
    int radius = (int)ceil(3 * sigma);
    flip->gauss.n = flip->first.n = flip->second.n = 2 * radius + 1;
    for (int t = 0; t < flip->gauss.n; t++) {
        double x = t - radius;
        gauss[t] = exp(-x * x / (2 * sigma * sigma));
        first[t] = -x * gauss[t];
        second[t] = (x * x / (sigma * sigma) - 1) * gauss[t];
    }
    normalize_signs(&flip->gauss, gauss);
    normalize_signs(&flip->first, first);
    normalize_signs(&flip->second, second);
}

/* ---- rows ------------------------------------------------------------------------------ */
typedef struct FlipRows {
    const QbFlip *flip;
    float *map;
    bool larger;
} FlipRows;

static float *scratch_row(const QbFlip *flip, int thread, int row)
{
    return qb_flip_scratch(flip, thread) + (size_t)row * ((size_t)flip->width + 2 * MARGIN);
}

/* down[-radius … width + radius) = the plane filtered down the columns at row y. */
static void filter_down(const QbFlip *flip, float *down, const QbPlane *plane, int y,
                        const QbFlipTaps *taps)
{
    const float *window[QB_FLIP_MAX_TAPS];
    int radius = taps->n / 2, width = flip->width;
    for (int t = 0; t < taps->n; t++) {
        int at = y + t - radius;
        window[t] = qb_plane_row(plane, at < 0 ? 0 : at >= flip->height ? flip->height - 1 : at);
    }
    flip->kernels->filter_column(down, window, taps->tap, taps->n, (size_t)width);
    for (int x = 1; x <= MARGIN; x++) {
        down[-x] = down[0];
        down[width - 1 + x] = down[width - 1];
    }
}

static void filter_along(const QbFlip *flip, float *out, const float *down, const QbFlipTaps *taps)
{
    flip->kernels->filter_row(out, down - taps->n / 2, taps->tap, taps->n, (size_t)flip->width);
}

static void color_row(const QbFlip *flip, float *out, int y, int thread)
{
    float *down = scratch_row(flip, thread, ROW_DOWN) + MARGIN;
    float *cz2 = scratch_row(flip, thread, ROW_CZ2);
    float *filtered[2][QB_FLIP_COLORS];
    for (int p = 0; p < 2; p++) {
        for (int c = 0; c < QB_FLIP_COLORS; c++) {
            filtered[p][c] = scratch_row(flip, thread, ROW_COLOR + p * QB_FLIP_COLORS + c);
            filter_down(flip, down, &flip->color[p][c], y, &flip->sensitivity[c]);
            filter_along(flip, filtered[p][c], down, &flip->sensitivity[c]);
        }
        filter_down(flip, down, &flip->color[p][QB_FLIP_CZ], y, &flip->sensitivity[QB_FLIP_CZ + 1]);
        filter_along(flip, cz2, down, &flip->sensitivity[QB_FLIP_CZ + 1]);
        for (int x = 0; x < flip->width; x++)
            filtered[p][QB_FLIP_CZ][x] += cz2[x];
    }
    flip->kernels->flip_colour(out, (const float *const *)filtered[0],
                               (const float *const *)filtered[1], (size_t)flip->width);
}

static void feature_row(const QbFlip *flip, float *error, int y, int thread)
{
    float *down = scratch_row(flip, thread, ROW_DOWN) + MARGIN;
    QbFlipFeatures features;
    for (int p = 0; p < 2; p++) {
        const QbPlane *luminance = &flip->color[p][QB_FLIP_Y];
        float *out[4]; /* dx, dy, ddx, ddy */
        for (int i = 0; i < 4; i++)
            out[i] = scratch_row(flip, thread, ROW_FEATURE + 4 * p + i);
        filter_down(flip, down, luminance, y, &flip->gauss);
        filter_along(flip, out[0], down, &flip->first);
        filter_along(flip, out[2], down, &flip->second);
        filter_down(flip, down, luminance, y, &flip->first);
        filter_along(flip, out[1], down, &flip->gauss);
        filter_down(flip, down, luminance, y, &flip->second);
        filter_along(flip, out[3], down, &flip->gauss);
        features.dx[p] = out[0], features.dy[p] = out[1];
        features.ddx[p] = out[2], features.ddy[p] = out[3];
    }
    flip->kernels->flip_error(error, &features, (size_t)flip->width);
}

static void flip_rows(int begin, int end, int thread, void *user)
{
    const FlipRows *rows = user;
    const QbFlip *flip = rows->flip;
    float *error = scratch_row(flip, thread, ROWS);
    for (int y = begin; y < end; y++) {
        color_row(flip, error, y, thread);
        feature_row(flip, error, y, thread);
        float *map = rows->map + (size_t)y * (size_t)flip->width;
        for (int x = 0; x < flip->width; x++)
            map[x] = rows->larger && map[x] > error[x] ? map[x] : error[x];
    }
}

void qb_flip_map(float *map, const QbFlip *flip, bool larger)
{
    FlipRows rows = {flip, map, larger};
    qb_pool_run(flip->pool, flip_rows, &rows, flip->height, ROWS_AT_A_TIME);
}

/* ---- life ------------------------------------------------------------------------------ */
QbStatus qb_flip_init(QbFlip *out, const QbNoiseJob *job)
{
    QbStatus status = QB_OK;
    *out = (QbFlip){.width = job->width,
                    .height = job->height,
                    .pool = job->pool,
                    .kernels = job->kernels,
                    .scratch_floats = (size_t)(ROWS + 1) * ((size_t)job->width + 2 * MARGIN)};
    for (int i = 0; !status && i < 2 * QB_FLIP_COLORS; i++)
        status = qb_plane_init(&out->color[i / QB_FLIP_COLORS][i % QB_FLIP_COLORS], job->width,
                               job->height);
    if (!status) {
        out->scratch =
            qb_calloc((size_t)qb_pool_size(job->pool), out->scratch_floats * sizeof *out->scratch);
        status = out->scratch ? QB_OK : QB_ERR_NOMEM;
    }
    if (status) {
        qb_flip_deinit(out);
        return status;
    }
    set_sensitivity(out);
    set_features(out);
    return QB_OK;
}

void qb_flip_deinit(QbFlip *flip)
{
    for (int p = 0; p < 2; p++)
        for (int c = 0; c < QB_FLIP_COLORS; c++)
            qb_plane_deinit(&flip->color[p][c]);
    qb_free(flip->scratch);
    *flip = (QbFlip){0};
}

/* ---- pooling --------------------------------------------------------------------------- */
typedef struct PoolRows {
    QbZoneSums sums;
    const float *map;
} PoolRows;

static void pool_rows(int begin, int end, int thread, void *user)
{
    PoolRows *rows = user;
    (void)thread;
    for (int y = begin; y < end; y++)
        qb_zone_sums_row(&rows->sums, y, rows->map + (size_t)y * (size_t)rows->sums.width);
}

QbStatus qb_flip_pool(const QbNoiseJob *job, const float *map)
{
    PoolRows rows = {.map = map};
    QbMapPlace place = {job->width, job->height, 1, 0};
    QbStatus status = qb_zone_sums_init(&rows.sums, job, &place);
    if (status)
        return status;
    qb_pool_run(job->pool, pool_rows, &rows, job->height, ROWS_AT_A_TIME);
    qb_zone_sums_means(&rows.sums, job);
    qb_zone_sums_deinit(&rows.sums);
    if (job->map && job->map != map)
        memcpy(job->map, map, (size_t)job->width * (size_t)job->height * sizeof *map);
    return QB_OK;
}
