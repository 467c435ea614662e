/* band_pass.c: lightness, taken to the band that people see; see band_pass.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/band_pass.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "noise/lightness.h"

#include <math.h>
#include <string.h>

enum { ROWS_AT_ONCE = 8 /* for a thread */ };

static const double PIXELS_PER_DEGREE = 67, FINE_DEGREES = 0.0094, COARSE_DEGREES = 0.094;

static void gaussian(float *taps, int n_taps, double sigma)
{
    double sum = 0, weight[QB_COARSE_TAPS];
    for (int i = 0; i < n_taps; i++) {
        double x = (i - n_taps / 2) / sigma;
        sum += weight[i] = exp(-0.5 * x * x);
    }
    for (int i = 0; i < n_taps; i++)
        taps[i] = (float)(weight[i] / sum);
}

float *qb_band_pass_new_plane(const QbBandPass *b)
{
    return qb_calloc(b->n_pixels, sizeof(float));
}

QbStatus qb_band_pass_init(QbBandPass *out, int width, int height, QbPool *pool)
{
    *out = (QbBandPass){.width = width, .height = height, .pool = pool};
    out->n_pixels = (size_t)width * (size_t)height; /* of two ints: fits */
    qb_kernels_init(&out->kernels, qb_cpu_flags());
    gaussian(out->fine, QB_FINE_TAPS, FINE_DEGREES * PIXELS_PER_DEGREE);
    gaussian(out->coarse, QB_COARSE_TAPS, COARSE_DEGREES * PIXELS_PER_DEGREE);
    size_t row_bytes = ((size_t)width + QB_COARSE_TAPS - 1) * sizeof(float);
    if ((out->between = qb_band_pass_new_plane(out)) &&
        (out->smooth = qb_band_pass_new_plane(out)) &&
        (out->rows = qb_calloc((size_t)qb_pool_size(pool), row_bytes)))
        return QB_OK;
    qb_band_pass_deinit(out);
    return QB_ERR_NOMEM;
}

void qb_band_pass_deinit(QbBandPass *b)
{
    qb_free(b->between);
    qb_free(b->smooth);
    qb_free(b->rows);
    b->between = b->smooth = b->rows = NULL;
}

typedef struct {
    const QbBandPass *b;
    const QbImage *image;
    QbLightnessTable table;
    const float *in, *taps;
    float *out;
    int n_taps;
    bool squared;
} Work;

static void lightness_rows(int begin, int end, int thread, void *user)
{
    const Work *w = user;
    size_t width = (size_t)w->b->width;
    const uint8_t *rgb = qb_image_pixels(w->image) + (size_t)begin * width * 3;
    float *to = w->out + (size_t)begin * width;
    (void)thread;
    for (size_t i = 0; i < (size_t)(end - begin) * width; i++)
        to[i] = qb_lightness_of(&w->table, rgb + i * 3);
}

void qb_band_pass_lightness(const QbBandPass *b, float *plane, const QbImage *image)
{
    Work work = {.b = b, .image = image, .out = plane};
    qb_lightness_table_init(&work.table);
    qb_pool_run(b->pool, lightness_rows, &work, b->height, ROWS_AT_ONCE);
}

/* The window may be wider than the picture. */
static int mirror(int at, int size)
{
    at %= 2 * size;
    at += at < 0 ? 2 * size : 0;
    return at < size ? at : 2 * size - 1 - at;
}

/* between = in, or its square, filtered along the rows. */
static void filter_rows(int begin, int end, int thread, void *user)
{
    const Work *w = user;
    int width = w->b->width, reach = w->n_taps / 2;
    float *row = w->b->rows + (size_t)thread * ((size_t)width + QB_COARSE_TAPS - 1);
    for (int y = begin; y < end; y++) {
        const float *from = w->in + (size_t)y * (size_t)width;
        memcpy(row + reach, from, (size_t)width * sizeof *row);
        for (int i = 1; i <= reach; i++) {
            row[reach - i] = from[mirror(-i, width)];
            row[reach + width - 1 + i] = from[mirror(width - 1 + i, width)];
        }
        if (w->squared)
            for (int x = 0; x < width + 2 * reach; x++)
                row[x] *= row[x];
        w->b->kernels.filter_row(w->b->between + (size_t)y * (size_t)width, row, w->taps, w->n_taps,
                                 (size_t)width);
    }
}

/* out = between filtered down the columns. */
static void filter_columns(int begin, int end, int thread, void *user)
{
    const Work *w = user;
    const float *rows[QB_COARSE_TAPS];
    size_t width = (size_t)w->b->width;
    (void)thread;
    for (int y = begin; y < end; y++) {
        for (int i = 0; i < w->n_taps; i++)
            rows[i] = w->b->between + (size_t)mirror(y - w->n_taps / 2 + i, w->b->height) * width;
        w->b->kernels.filter_column(w->out + (size_t)y * width, rows, w->taps, w->n_taps, width);
    }
}

/* out may be in. */
static void smooth(const QbBandPass *b, float *out, const float *in, bool squared,
                   const float *taps, int n_taps)
{
    Work work = {.b = b, .in = in, .taps = taps, .out = out, .n_taps = n_taps, .squared = squared};
    qb_pool_run(b->pool, filter_rows, &work, b->height, ROWS_AT_ONCE);
    qb_pool_run(b->pool, filter_columns, &work, b->height, ROWS_AT_ONCE);
}

static void subtract_rows(int begin, int end, int thread, void *user)
{
    const Work *w = user;
    size_t width = (size_t)w->b->width;
    (void)thread;
    for (size_t i = (size_t)begin * width; i < (size_t)end * width; i++)
        w->out[i] -= w->in[i];
}

void qb_band_pass_subtract(const QbBandPass *b, float *plane, const float *other)
{
    Work work = {.b = b, .in = other, .out = plane};
    qb_pool_run(b->pool, subtract_rows, &work, b->height, ROWS_AT_ONCE);
}

void qb_band_pass_run(const QbBandPass *b, float *plane)
{
    smooth(b, b->smooth, plane, false, b->coarse, QB_COARSE_TAPS);
    smooth(b, plane, plane, false, b->fine, QB_FINE_TAPS);
    qb_band_pass_subtract(b, plane, b->smooth);
}

void qb_band_pass_energy(const QbBandPass *b, float *energy, const float *plane)
{
    smooth(b, energy, plane, true, b->coarse, QB_COARSE_TAPS);
}
