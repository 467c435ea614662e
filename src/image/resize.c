/* resize.c: Pillow's antialiased bicubic, bit for bit (Pillow 9.4 src/libImaging/Resample.c, from
 * the description in its documentation and the recipe in docs/formats.md).
 *
 * Two passes, first along the rows, then down the columns, each rounded to 8 bits; a pass is left
 * out when its axis keeps its size. Weights have 22 fractional bits. Rows are split over threads;
 * each output byte is computed from the same numbers whichever thread does it. */
// SPDX-License-Identifier: Apache-2.0
#include "image/resize.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    FRACTION_BITS = 22,
    ROWS_AT_ONCE = 8 /* for a thread */
};
static const double FILTER_SUPPORT = 2.0;          /* of the bicubic, in source pixels at scale 1 */
static const size_t MAX_SCRATCH = (size_t)8 << 30; /* bytes; only extreme shapes come near */

/* One axis: the canvas of in pixels is scaled to out, of which begin … begin + count - 1 are
 * wanted. */
typedef struct {
    int in, out, begin, count;
    bool copied; /* in == out: no pass */
    QbResampleAxis table;
    int32_t *first, *n, *weight;
} Axis;

typedef struct {
    const QbKernels *kernels;
    const QbResizeJob *job;
    uint8_t *dst;
    Axis x, y;
    int row_begin, row_end; /* canvas rows that the second pass reads */
    uint8_t *middle;        /* [row_end - row_begin][out_width][3] */
    uint8_t *canvas_rows;   /* [threads][canvas_width][3]; NULL when no row needs one */
    uint8_t *border_row;    /* [out_width][3]: what a row without picture becomes */
} Work;

/* Keys' cubic with a = -0.5. */
static double bicubic(double t)
{
    const double a = -0.5;
    t = fabs(t);
    if (t < 1.0)
        return ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
    if (t < 2.0)
        return (((t - 5.0) * t + 8.0) * t - 4.0) * a;
    return 0.0;
}

static double filter_scale(const Axis *axis)
{
    double scale = (double)axis->in / axis->out;
    return scale < 1.0 ? 1.0 : scale;
}

/* Taps that a position can have. */
static int max_taps(const Axis *axis)
{
    return axis->copied ? 1 : (int)ceil(FILTER_SUPPORT * filter_scale(axis)) * 2 + 1;
}

static void fill_weights(Axis *axis, int index)
{
    double scale = (double)axis->in / axis->out;
    double widening = filter_scale(axis);
    double support = FILTER_SUPPORT * widening;
    double centre = (axis->begin + index + 0.5) * scale;
    int first = (int)(centre - support + 0.5);
    int end = (int)(centre + support + 0.5);
    first = first < 0 ? 0 : first;
    end = end > axis->in ? axis->in : end;
    int32_t *weight = axis->weight + (size_t)index * (size_t)axis->table.max_count;
    double sum = 0.0;
    for (int i = first; i < end; i++)
        sum += bicubic((i - centre + 0.5) * (1.0 / widening));
    for (int i = first; i < end; i++) {
        double w = bicubic((i - centre + 0.5) * (1.0 / widening));
        if (sum != 0.0)
            w *= 1.0 / sum;
        weight[i - first] = (int32_t)(w * (1 << FRACTION_BITS) + (w < 0 ? -0.5 : 0.5));
    }
    axis->first[index] = first;
    axis->n[index] = end - first;
}

static void fill_axis(Axis *axis)
{
    axis->table.first = axis->first;
    axis->table.count = axis->n;
    axis->table.weight = axis->weight;
    for (int i = 0; i < axis->count; i++) {
        if (axis->copied) {
            axis->first[i] = axis->begin + i;
            axis->n[i] = 1;
            axis->weight[i] = 1 << FRACTION_BITS;
        } else {
            fill_weights(axis, i);
        }
    }
}

/* Takes count * size bytes of the scratch memory; the offset may exceed what there is (sizing). */
static bool carve(size_t *offset, size_t *begin, size_t count, size_t size)
{
    size_t bytes;
    *begin = *offset;
    return qb_mul_size(&bytes, count, size) && qb_add_size(offset, *offset, bytes) &&
           qb_add_size(offset, *offset, QB_MEM_ALIGN - 1) &&
           ((*offset &= ~(size_t)(QB_MEM_ALIGN - 1)), true);
}

static bool carve_axis(Axis *axis, size_t *offset, size_t begin[3])
{
    size_t count = (size_t)axis->count;
    axis->table.max_count = max_taps(axis);
    return carve(offset, &begin[0], count, sizeof(int32_t)) &&
           carve(offset, &begin[1], count, sizeof(int32_t)) &&
           carve(offset, &begin[2], count * sizeof(int32_t), (size_t)axis->table.max_count);
}

static void place_axis(Axis *axis, uint8_t *base, const size_t begin[3])
{
    axis->first = (int32_t *)(void *)(base + begin[0]);
    axis->n = (int32_t *)(void *)(base + begin[1]);
    axis->weight = (int32_t *)(void *)(base + begin[2]);
    fill_axis(axis);
}

/* The rows of the canvas that any wanted output row can read; a little more than needed. */
static void find_rows(Work *w)
{
    const Axis *y = &w->y;
    double scale = (double)y->in / y->out;
    double support = y->copied ? 0.0 : FILTER_SUPPORT * filter_scale(y) + 1.0;
    double begin = floor(y->begin * scale - support);
    double end = ceil((y->begin + y->count) * scale + support);
    w->row_begin = begin < 0 ? 0 : (int)begin;
    w->row_end = end > y->in ? y->in : (int)end;
}

static QbStatus grow(QbResizer *resizer, size_t n_bytes, const QbResizeJob *job)
{
    if (n_bytes <= resizer->scratch_bytes)
        return QB_OK;
    if (n_bytes > MAX_SCRATCH)
        return qb_fail(
            QB_ERR_LIMIT, "scaling %d x %d pixels to %d x %d takes %zu bytes, the limit is %zu",
            job->width, job->height, job->scaled_width, job->scaled_height, n_bytes, MAX_SCRATCH);
    qb_resizer_deinit(resizer);
    resizer->scratch = qb_alloc(n_bytes);
    if (!resizer->scratch)
        return QB_ERR_NOMEM;
    resizer->scratch_bytes = n_bytes;
    return QB_OK;
}

/* Lays tables and buffers out in the scratch memory. */
static QbStatus lay_out(Work *w, QbResizer *resizer)
{
    const QbResizeJob *job = w->job;
    find_rows(w);
    size_t n_rows = (size_t)(w->row_end - w->row_begin);
    size_t n_threads = resizer->pool ? (size_t)qb_pool_size(resizer->pool) : 1;
    size_t canvas_bytes = (size_t)job->canvas_width * 3, row_bytes = (size_t)job->out_width * 3;
    bool bordered = job->canvas_width != job->width || job->canvas_height != job->height;
    size_t offset = 0, x_begin[3], y_begin[3], middle, rows, border;
    if (!carve_axis(&w->x, &offset, x_begin) || !carve_axis(&w->y, &offset, y_begin) ||
        !carve(&offset, &middle, w->y.copied ? 0 : n_rows, row_bytes) ||
        !carve(&offset, &rows, bordered ? n_threads : 0, canvas_bytes) ||
        !carve(&offset, &border, 1, row_bytes))
        offset = SIZE_MAX;
    QbStatus status = grow(resizer, offset, job);
    if (status)
        return status;
    uint8_t *base = resizer->scratch;
    place_axis(&w->x, base, x_begin);
    place_axis(&w->y, base, y_begin);
    w->middle = w->y.copied ? w->dst : base + middle;
    w->canvas_rows = bordered ? base + rows : NULL;
    w->border_row = base + border;
    return QB_OK;
}

static void fill_color(uint8_t *row, int n_pixels, const uint8_t color[3])
{
    for (int x = 0; x < n_pixels; x++)
        memcpy(row + (size_t)x * 3, color, 3);
}

/* First pass of one row of the canvas. */
static void scale_row(const Work *w, uint8_t *out, const uint8_t *row)
{
    if (w->x.copied)
        memcpy(out, row + (size_t)w->x.begin * 3, (size_t)w->x.count * 3);
    else
        w->kernels->resample_row(out, row, &w->x.table, w->x.count);
}

/* Items are canvas rows from row_begin on. */
static void first_pass(int begin, int end, int thread, void *user)
{
    const Work *w = user;
    const QbResizeJob *job = w->job;
    size_t row_bytes = (size_t)job->out_width * 3;
    size_t canvas_bytes = (size_t)job->canvas_width * 3;
    uint8_t *canvas_row = w->canvas_rows ? w->canvas_rows + (size_t)thread * canvas_bytes : NULL;
    bool wider = job->canvas_width != job->width;
    if (wider)
        fill_color(canvas_row, job->canvas_width, job->color);
    for (int i = begin; i < end; i++) {
        int y = w->row_begin + i - job->top;
        uint8_t *out = w->middle + (size_t)i * row_bytes;
        if (y < 0 || y >= job->height) {
            memcpy(out, w->border_row, row_bytes);
            continue;
        }
        const uint8_t *row = job->src + (size_t)y * (size_t)job->width * 3;
        if (wider) {
            memcpy(canvas_row + (size_t)job->left * 3, row, (size_t)job->width * 3);
            row = canvas_row;
        }
        scale_row(w, out, row);
    }
}

/* Items are output rows. */
static void second_pass(int begin, int end, int thread, void *user)
{
    (void)thread;
    const Work *w = user;
    size_t row_bytes = (size_t)w->job->out_width * 3;
    for (int y = begin; y < end; y++)
        w->kernels->resample_column(w->dst + (size_t)y * row_bytes, w->middle, row_bytes, row_bytes,
                                    &w->y.table, y);
}

static void run(const QbResizer *resizer, QbPoolTask task, Work *w, int n_items)
{
    if (resizer->pool)
        qb_pool_run(resizer->pool, task, w, n_items, ROWS_AT_ONCE);
    else
        task(0, n_items, 0, w);
}

static bool is_sound(const QbResizeJob *j)
{
    return j->width >= 1 && j->height >= 1 && j->left >= 0 && j->top >= 0 &&
           j->width <= j->canvas_width - j->left && j->height <= j->canvas_height - j->top &&
           j->window_left >= 0 && j->window_top >= 0 && j->out_width >= 1 && j->out_height >= 1 &&
           j->out_width <= j->scaled_width - j->window_left &&
           j->out_height <= j->scaled_height - j->window_top && j->canvas_width <= INT32_MAX / 8 &&
           j->canvas_height <= INT32_MAX / 8;
}

QbStatus qb_resize_window(QbResizer *resizer, uint8_t *dst, const QbResizeJob *job)
{
    if (!is_sound(job))
        return qb_fail(QB_ERR_ARG, "cannot scale %d x %d pixels to %d x %d", job->width,
                       job->height, job->scaled_width, job->scaled_height);
    Work w = {
        .kernels = resizer->kernels,
        .job = job,
        .dst = dst,
        .x = {job->canvas_width, job->scaled_width, job->window_left, job->out_width,
              .copied = job->canvas_width == job->scaled_width},
        .y = {job->canvas_height, job->scaled_height, job->window_top, job->out_height,
              .copied = job->canvas_height == job->scaled_height},
    };
    QbStatus status = lay_out(&w, resizer);
    if (status)
        return status;
    if (w.canvas_rows) {
        fill_color(w.canvas_rows, job->canvas_width, job->color);
        scale_row(&w, w.border_row, w.canvas_rows);
    }
    /* The second pass counts its rows from row_begin. */
    for (int i = 0; i < w.y.count; i++)
        w.y.first[i] -= w.row_begin;
    run(resizer, first_pass, &w, w.row_end - w.row_begin);
    if (!w.y.copied)
        run(resizer, second_pass, &w, job->out_height);
    return QB_OK;
}

QbStatus qb_resize_rgb(QbResizer *resizer, uint8_t *dst, int out_width, int out_height,
                       const uint8_t *src, int width, int height)
{
    QbResizeJob job = {
        .src = src,
        .width = width,
        .height = height,
        .canvas_width = width,
        .canvas_height = height,
        .scaled_width = out_width,
        .scaled_height = out_height,
        .out_width = out_width,
        .out_height = out_height,
    };
    return qb_resize_window(resizer, dst, &job);
}

void qb_resizer_deinit(QbResizer *resizer)
{
    qb_free(resizer->scratch);
    resizer->scratch = NULL;
    resizer->scratch_bytes = 0;
}
