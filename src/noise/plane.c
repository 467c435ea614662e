/* plane.c: planes and their filters; see plane.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/plane.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>

enum { ROWS_AT_A_TIME = 16, MAX_TAPS = 32 };

QbStatus qb_plane_init(QbPlane *out, int width, int height)
{
    size_t n;
    *out = (QbPlane){.width = width, .height = height};
    if (!qb_mul_size(&n, (size_t)width, (size_t)height) || !qb_mul_size(&n, n, sizeof(float)))
        return qb_fail(QB_ERR_LIMIT, "a plane of %d x %d pixels", width, height);
    out->data = qb_alloc(n);
    return out->data ? QB_OK : QB_ERR_NOMEM;
}

void qb_plane_deinit(QbPlane *plane)
{
    qb_free(plane->data);
    *plane = (QbPlane){0};
}

/* ---- luma ------------------------------------------------------------------------------ */
typedef struct LumaRows {
    const QbPlane *out;
    const uint8_t *rgb;
    const QbKernels *kernels;
} LumaRows;

static void luma_rows(int begin, int end, int thread, void *user)
{
    const LumaRows *rows = user;
    size_t width = (size_t)rows->out->width;
    (void)thread;
    rows->kernels->luma_u8(qb_plane_row(rows->out, begin), rows->rgb + (size_t)begin * width * 3,
                           (size_t)(end - begin) * width);
}

QbStatus qb_plane_init_luma(QbPlane *out, const QbImage *image, const QbNoiseJob *job)
{
    QbStatus status = qb_plane_init(out, qb_image_width(image), qb_image_height(image));
    if (status)
        return status;
    LumaRows rows = {out, qb_image_pixels(image), job->kernels};
    qb_pool_run(job->pool, luma_rows, &rows, out->height, ROWS_AT_A_TIME);
    return QB_OK;
}

/* ---- halves ---------------------------------------------------------------------------- */
typedef struct HalvedRows {
    const QbPlane *out, *plane;
    bool zeros;
} HalvedRows;

static void halve_row(float *y, const float *above, const float *below, float weight_below,
                      int width, bool zeros)
{
    for (int i = 0; i < width / 2; i++)
        y[i] = 0.25f *
               (above[2 * i] + above[2 * i + 1] + weight_below * (below[2 * i] + below[2 * i + 1]));
    if (width % 2)
        y[width / 2] =
            (zeros ? 0.25f : 0.5f) * (above[width - 1] + weight_below * below[width - 1]);
}

static void halved_rows(int begin, int end, int thread, void *user)
{
    const HalvedRows *rows = user;
    (void)thread;
    for (int y = begin; y < end; y++) {
        bool last = 2 * y + 1 == rows->plane->height;
        halve_row(qb_plane_row(rows->out, y), qb_plane_row(rows->plane, 2 * y),
                  qb_plane_row(rows->plane, last ? 2 * y : 2 * y + 1),
                  last && rows->zeros ? 0.0f : 1.0f, rows->plane->width, rows->zeros);
    }
}

QbStatus qb_plane_init_halved(QbPlane *out, const QbPlane *plane, bool zeros, QbPool *pool)
{
    QbStatus status = qb_plane_init(out, (plane->width + 1) / 2, (plane->height + 1) / 2);
    if (status)
        return status;
    HalvedRows rows = {out, plane, zeros};
    qb_pool_run(pool, halved_rows, &rows, out->height, ROWS_AT_A_TIME);
    return QB_OK;
}

/* ---- filters --------------------------------------------------------------------------- */
typedef struct FilterRows {
    const QbKernels *kernels;
    const QbPlane *out, *a, *b;
    const float *taps;
    int n_taps;
    float *scratch; /* [threads][scratch_floats] */
    size_t scratch_floats;
    QbMomentRow row;
    void *user;
} FilterRows;

static QbStatus alloc_scratch(FilterRows *rows, const QbNoiseJob *job, size_t n_rows)
{
    size_t floats = n_rows * (size_t)rows->a->width;
    rows->kernels = job->kernels;
    rows->scratch_floats = floats;
    rows->scratch = qb_calloc((size_t)qb_pool_size(job->pool), floats * sizeof(float));
    return rows->scratch ? QB_OK : QB_ERR_NOMEM;
}

static void window_rows(const float **out, const QbPlane *plane, int y, int n_taps)
{
    for (int t = 0; t < n_taps; t++)
        out[t] = qb_plane_row(plane, y + t);
}

static void decimated_rows(int begin, int end, int thread, void *user)
{
    const FilterRows *rows = user;
    const float *window[MAX_TAPS];
    size_t width = (size_t)rows->a->width, n = width - (size_t)rows->n_taps + 1;
    float *down = rows->scratch + (size_t)thread * rows->scratch_floats, *across = down + width;
    for (int y = begin; y < end; y++) {
        window_rows(window, rows->a, 2 * y, rows->n_taps);
        rows->kernels->filter_column(down, window, rows->taps, rows->n_taps, width);
        rows->kernels->filter_row(across, down, rows->taps, rows->n_taps, n);
        float *out = qb_plane_row(rows->out, y);
        for (int x = 0; x < rows->out->width; x++)
            out[x] = across[2 * x];
    }
}

QbStatus qb_plane_init_decimated(QbPlane *out, const QbPlane *plane, const float *taps, int n_taps,
                                 const QbNoiseJob *job)
{
    FilterRows rows = {.out = out, .a = plane, .taps = taps, .n_taps = n_taps};
    QbStatus status =
        qb_plane_init(out, (plane->width - n_taps) / 2 + 1, (plane->height - n_taps) / 2 + 1);
    if (status || (status = alloc_scratch(&rows, job, 2)))
        return status;
    qb_pool_run(job->pool, decimated_rows, &rows, out->height, ROWS_AT_A_TIME);
    qb_free(rows.scratch);
    return QB_OK;
}

static QbMoments moment_rows(float *scratch, size_t width)
{
    QbMoments moments;
    for (int r = 0; r < QB_MOMENTS; r++)
        moments.row[r] = scratch + (size_t)r * width;
    return moments;
}

static void moments_rows(int begin, int end, int thread, void *user)
{
    const FilterRows *rows = user;
    const float *a[MAX_TAPS], *b[MAX_TAPS];
    size_t width = (size_t)rows->a->width, n = width - (size_t)rows->n_taps + 1;
    float *scratch = rows->scratch + (size_t)thread * rows->scratch_floats;
    QbMoments down = moment_rows(scratch, width);
    QbMoments across = moment_rows(scratch + QB_MOMENTS * width, width);
    for (int y = begin; y < end; y++) {
        window_rows(a, rows->a, y, rows->n_taps);
        window_rows(b, rows->b, y, rows->n_taps);
        rows->kernels->moments_column(&down, a, b, rows->taps, rows->n_taps, width);
        rows->kernels->moments_row(&across, &down, rows->taps, rows->n_taps, n);
        rows->row(&across, y, n, scratch + 2 * QB_MOMENTS * width, rows->user);
    }
}

QbStatus qb_plane_moments(const QbNoiseJob *job, const QbPlane *a, const QbPlane *b,
                          const float *taps, int n_taps, QbMomentRow row, void *user)
{
    FilterRows rows = {.a = a, .b = b, .taps = taps, .n_taps = n_taps, .row = row, .user = user};
    QbStatus status = alloc_scratch(&rows, job, 2 * QB_MOMENTS + 2);
    if (status)
        return status;
    qb_pool_run(job->pool, moments_rows, &rows, a->height - n_taps + 1, ROWS_AT_A_TIME);
    qb_free(rows.scratch);
    return QB_OK;
}

void qb_gaussian_taps(float *taps, int n_taps, double sigma)
{
    double sum = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int t = 0; t < n_taps; t++) {
            double x = t - (n_taps - 1) / 2.0, weight = exp(-x * x / (2 * sigma * sigma));
            if (pass == 0)
                sum += weight;
            else
                taps[t] = (float)(weight / sum);
        }
    }
}
