/* stream.c: see stream.h.
 *
 * A tensor is cut into units: a row, or the rows of a head where their order changes. An item is so
 * many units that it has about ITEM_VALUES values; a batch is BATCH_ITEMS items. While the pool
 * reads and encodes the items of one batch, one of its threads writes the batch before it. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/stream.h"

#include "base/error.h"
#include "base/mem.h"
#include "weights/encode.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ITEM_VALUES = 256 << 10, BATCH_ITEMS = 16, UNIT_VALUES_MAX = 4 << 20, ERROR_BYTES = 5376 };

/* How a tensor is cut. */
typedef struct {
    int64_t unit_rows, n_units, item_units, n_items;
    size_t unit_values, row_bytes;
} Cut;

typedef struct {
    uint8_t *data; /* owned */
    size_t size;
} Batch;

typedef struct {
    const QbPlan *plan;
    QbGgufWriter *writer;
    float *scratch; /* owned; [pool size][scratch_values] */
    size_t scratch_values;
    Batch batch[2]; /* [filling]: being encoded; the other: being written */
    int filling;

    const QbPlanTensor *tensor; /* of the batch being encoded */
    Cut cut;
    int64_t first_item;

    pthread_mutex_t mutex; /* of what follows: the failure with the lowest item */
    QbStatus status;
    int failed_item;
    char error[ERROR_BYTES];
} Stream;

static Cut cut_tensor(const QbPlanTensor *t)
{
    Cut cut = {.unit_rows = t->order == QB_ROWS_PLAIN ? 1 : t->head_rows};
    cut.n_units = t->rows / cut.unit_rows;
    cut.unit_values = (size_t)cut.unit_rows * (size_t)t->columns;
    cut.item_units = ITEM_VALUES / (int64_t)cut.unit_values;
    if (cut.item_units < 1)
        cut.item_units = 1;
    if (cut.item_units > cut.n_units)
        cut.item_units = cut.n_units;
    cut.n_items = (cut.n_units + cut.item_units - 1) / cut.item_units;
    cut.row_bytes = (size_t)t->columns / (size_t)qb_type_block_values(t->type) *
                    (size_t)qb_type_block_bytes(t->type);
    return cut;
}

/* The first value of unit u in the checkpoint's tensor. */
static int64_t source_of(const QbPlanTensor *t, const Cut *cut, int64_t unit)
{
    if (t->order >= QB_ROWS_FUSED_QUERY)
        unit = 3 * unit + (t->order - QB_ROWS_FUSED_QUERY);
    return unit * (int64_t)cut->unit_values;
}

/* Which row of a unit as it was becomes row r. */
static int64_t row_of(const QbPlanTensor *t, int64_t r)
{
    return t->order == QB_ROWS_ROTARY ? r % 2 * (t->head_rows / 2) + r / 2 : r;
}

/* An exponent of ones is NaN or infinity. */
static bool all_finite(const float *x, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bad |= ((bits & 0x7f800000u) + 0x00800000u) & 0x80000000u;
    }
    return !bad;
}

static QbStatus encode_unit(uint8_t *out, const QbPlanTensor *t, const Cut *cut, const float *x,
                            int64_t n_units)
{
    bool fits = true;
    if (t->order != QB_ROWS_ROTARY)
        fits = qb_type_encode(out, t->type, x, (size_t)n_units * cut->unit_values);
    else
        for (int64_t r = 0; r < cut->unit_rows && fits; r++)
            fits = qb_type_encode(out + (size_t)r * cut->row_bytes, t->type,
                                  x + row_of(t, r) * t->columns, (size_t)t->columns);
    if (fits)
        return QB_OK;
    return qb_fail(QB_ERR_FORMAT, "%s: tensor %s has a value that %s cannot hold; bf16 and f32 can",
                   t->source->file, t->source->name, qb_type_name(t->type));
}

/* Units that lie side by side in the checkpoint are read in one go. */
static QbStatus encode_item(Stream *s, uint8_t *out, int64_t first, int64_t n, float *x)
{
    const QbPlanTensor *t = s->tensor;
    const Cut *cut = &s->cut;
    int64_t step = t->order == QB_ROWS_PLAIN ? n : 1;
    QbStatus status = QB_OK;
    for (int64_t unit = first; unit < first + n && !status; unit += step) {
        size_t values = (size_t)step * cut->unit_values;
        status = qb_checkpoint_read(x, t->from, t->source, source_of(t, cut, unit), values);
        if (!status && !all_finite(x, values))
            status = qb_fail(QB_ERR_FORMAT, "%s: tensor %s has a value that is not finite",
                             t->source->file, t->source->name);
        if (!status)
            status =
                encode_unit(out + (size_t)(unit - first) * (size_t)cut->unit_rows * cut->row_bytes,
                            t, cut, x, step);
    }
    return status;
}

/* The text of an error belongs to the thread; the first item's is kept for the caller's. */
static void note_failure(Stream *s, QbStatus status, int item)
{
    pthread_mutex_lock(&s->mutex);
    if (!s->status || item < s->failed_item) {
        s->status = status;
        s->failed_item = item;
        snprintf(s->error, sizeof s->error, "%s", qb_last_error());
    }
    pthread_mutex_unlock(&s->mutex);
}

/* Item 0 writes the batch before; the others encode. */
static void do_items(int begin, int end, int thread, void *user)
{
    Stream *s = user;
    Batch *ready = &s->batch[!s->filling];
    for (int item = begin; item < end; item++) {
        QbStatus status = QB_OK;
        if (item == 0) {
            if (ready->size)
                status = qb_gguf_writer_data(s->writer, ready->data, ready->size);
        } else {
            int64_t first = (s->first_item + item - 1) * s->cut.item_units;
            int64_t n = s->cut.n_units - first;
            size_t item_bytes = (size_t)(s->cut.item_units * s->cut.unit_rows) * s->cut.row_bytes;
            status = encode_item(s, s->batch[s->filling].data + (size_t)(item - 1) * item_bytes,
                                 first, n < s->cut.item_units ? n : s->cut.item_units,
                                 s->scratch + (size_t)thread * s->scratch_values);
        }
        if (status)
            note_failure(s, status, item);
    }
}

/* Encodes n_items items (0: only writes what is waiting) and gives the buffers their next turn. */
static QbStatus run_batch(Stream *s, QbPool *pool, int n_items, size_t size)
{
    s->batch[s->filling].size = size;
    qb_pool_run(pool, do_items, s, n_items + 1, 1);
    if (s->status)
        return qb_fail(s->status, "%s", s->error);
    s->batch[!s->filling].size = 0;
    s->filling = !s->filling;
    return QB_OK;
}

static QbStatus report(int64_t done, int64_t total, const char *name,
                       const QbConvertOptions *options)
{
    if (options->progress && options->progress(done, total, name, options->user))
        return qb_fail(QB_ERR_CANCELLED, "the conversion was stopped");
    return QB_OK;
}

static QbStatus stream_tensor(Stream *s, QbPool *pool, int64_t *done, int64_t total,
                              const QbConvertOptions *options)
{
    int64_t unit_bytes = s->cut.unit_rows * (int64_t)s->cut.row_bytes;
    QbStatus status = QB_OK;
    for (int64_t item = 0; item < s->cut.n_items && !status; item += BATCH_ITEMS) {
        int64_t n = s->cut.n_items - item, first_unit = item * s->cut.item_units;
        if (n > BATCH_ITEMS)
            n = BATCH_ITEMS;
        int64_t units = n * s->cut.item_units;
        if (units > s->cut.n_units - first_unit)
            units = s->cut.n_units - first_unit;
        s->first_item = item;
        status = report(*done, total, s->tensor->name, options);
        if (!status)
            status = run_batch(s, pool, (int)n, (size_t)(units * unit_bytes));
        *done += units * unit_bytes;
    }
    return status;
}

/* Room for the largest item a thread, and for the largest batch twice. */
static QbStatus allocate(Stream *s, int n_threads)
{
    size_t batch_bytes = 0;
    for (int i = 0; i < s->plan->n; i++) {
        const QbPlanTensor *t = &s->plan->tensors[i];
        Cut cut = cut_tensor(t);
        if (cut.unit_values > UNIT_VALUES_MAX)
            return qb_fail(QB_ERR_LIMIT, "%s: tensor %s has heads of %lld rows of %lld values",
                           t->source->file, t->source->name, (long long)cut.unit_rows,
                           (long long)t->columns);
        int64_t items = cut.n_items < BATCH_ITEMS ? cut.n_items : BATCH_ITEMS;
        size_t values = (size_t)cut.item_units * cut.unit_values;
        size_t bytes = (size_t)(items * cut.item_units * cut.unit_rows) * cut.row_bytes;
        if (values > s->scratch_values)
            s->scratch_values = values;
        if (bytes > batch_bytes)
            batch_bytes = bytes;
    }
    s->scratch_values = (s->scratch_values + 15) / 16 * 16;
    s->scratch = qb_calloc((size_t)n_threads, s->scratch_values * sizeof *s->scratch);
    s->batch[0].data = qb_alloc(batch_bytes);
    s->batch[1].data = qb_alloc(batch_bytes);
    return s->scratch && s->batch[0].data && s->batch[1].data ? QB_OK : QB_ERR_NOMEM;
}

QbStatus qb_stream_tensors(const QbPlan *plan, QbGgufWriter *writer, QbPool *pool,
                           const QbConvertOptions *options)
{
    Stream *s = qb_calloc(1, sizeof *s);
    if (!s)
        return QB_ERR_NOMEM;
    s->plan = plan;
    s->writer = writer;
    pthread_mutex_init(&s->mutex, NULL);
    int64_t done = 0, total = qb_gguf_writer_total_bytes(writer);
    QbStatus status = allocate(s, qb_pool_size(pool));
    for (int i = 0; i < plan->n && !status; i++) {
        s->tensor = &plan->tensors[i];
        s->cut = cut_tensor(s->tensor);
        status = stream_tensor(s, pool, &done, total, options);
    }
    if (!status)
        status = run_batch(s, pool, 0, 0);
    if (!status && plan->n)
        status = report(done, total, plan->tensors[plan->n - 1].name, options);
    qb_free(s->scratch);
    qb_free(s->batch[0].data);
    qb_free(s->batch[1].data);
    pthread_mutex_destroy(&s->mutex);
    qb_free(s);
    return status;
}
