/* conv.c: convolutions in strips of output rows; see conv.h.
 *
 * An inverted residual block is done strip by strip: the input rows a strip needs are expanded,
 * filtered and projected while they are in the cache. Whole expanded maps would be written to
 * memory and read back (38 MB for the second block of EfficientNet-Lite0 at 448 x 896). */
// SPDX-License-Identifier: Apache-2.0
#include "engine/conv.h"

#include <assert.h>
#include <string.h>

enum {
    STRIP_FLOATS = 128 * 1024, /* aim for a strip's expanded rows: what fits in a core's L2 cache */
    CHANNEL_GROUP = 16
};

static int pad_before(int in, int out, int kernel, int stride)
{
    int total = (out - 1) * stride + kernel - in;
    return total > 0 ? total / 2 : 0;
}

static int row_block(const QbConv *conv, int out_width)
{
    int rows = STRIP_FLOATS / (out_width * conv->w.k);
    return rows < 1 ? 1 : rows;
}

/* Output rows of a strip: its expanded input rows fill about STRIP_FLOATS. */
static int strip_rows(const QbInvertedResidual *block, int width)
{
    int in_rows = STRIP_FLOATS / (width * block->mid_channels);
    int rows = (in_rows - block->kernel + block->stride) / block->stride;
    return rows < 2 ? 2 : rows > 64 ? 64 : rows;
}

static size_t expanded_floats(const QbInvertedResidual *block, int width)
{
    int rows = (strip_rows(block, width) - 1) * block->stride + block->kernel;
    return block->expand.packed ? (size_t)rows * (size_t)width * (size_t)block->mid_channels : 0;
}

static size_t filtered_floats(const QbInvertedResidual *block, int width)
{
    return (size_t)strip_rows(block, width) * (size_t)qb_conv_out(width, block->stride) *
           (size_t)block->mid_channels;
}

static size_t aligned(size_t floats)
{
    return (floats + 15) & ~(size_t)15;
}

void qb_ops_want_conv(QbOps *ops, const QbConv *conv, int max_width)
{
    int out_width = qb_conv_out(max_width, conv->stride);
    /* A narrower picture takes more rows a strip, a wider one more floats a row. */
    size_t widest = (size_t)out_width * (size_t)conv->w.k;
    qb_ops_want_scratch(ops, widest > STRIP_FLOATS ? widest : STRIP_FLOATS);
}

void qb_ops_want_inverted_residual(QbOps *ops, const QbInvertedResidual *block, int max_width)
{
    for (int width = 1; width <= max_width; width++)
        qb_ops_want_scratch(ops,
                            aligned(expanded_floats(block, width)) + filtered_floats(block, width));
}

/* ---- full convolution ---------------------------------------------------------------------------
 */

typedef struct {
    const QbOps *ops;
    const QbConv *conv;
    QbIm2col unfold;
    QbMap out;
    QbAct act;
    int rows;
} ConvJob;

static void conv_strips(int begin, int end, int thread, void *user)
{
    const ConvJob *job = user;
    const QbLinear *w = &job->conv->w;
    float *unfolded = qb_ops_scratch(job->ops, thread);
    for (int strip = begin; strip < end; strip++) {
        int first = strip * job->rows;
        int rows = job->out.height - first < job->rows ? job->out.height - first : job->rows;
        for (int row = 0; row < rows; row++)
            job->ops->kernels->im2col_row(unfolded + (ptrdiff_t)row * job->out.width * w->k,
                                          &job->unfold, first + row);
        job->ops->kernels->gemm_f32(&(QbGemm){
            .m = rows * job->out.width,
            .n = w->n,
            .k = w->k,
            .a = unfolded,
            .lda = w->k,
            .packed = w->packed,
            .bias = w->bias,
            .c = job->out.x + (ptrdiff_t)first * job->out.width * w->n,
            .ldc = w->n,
            .act = job->act,
        });
    }
}

void qb_op_conv(const QbOps *ops, const QbConv *conv, QbMap *out, const QbMap *in, QbAct act)
{
    assert(conv->w.type == QB_WEIGHT_F32 && in->channels == conv->in_channels);
    out->height = qb_conv_out(in->height, conv->stride);
    out->width = qb_conv_out(in->width, conv->stride);
    out->channels = conv->w.n;
    ConvJob job = {ops, conv, {0}, *out, act, row_block(conv, out->width)};
    job.unfold = (QbIm2col){
        .x = in->x,
        .height = in->height,
        .width = in->width,
        .channels = in->channels,
        .kernel = conv->kernel,
        .stride = conv->stride,
        .pad_top = pad_before(in->height, out->height, conv->kernel, conv->stride),
        .pad_left = pad_before(in->width, out->width, conv->kernel, conv->stride),
        .out_width = out->width,
        .ldy = conv->w.k,
    };
    assert((size_t)job.rows * (size_t)out->width * (size_t)conv->w.k <= ops->scratch_floats);
    qb_pool_run(ops->pool, conv_strips, &job, (out->height + job.rows - 1) / job.rows, 1);
}

/* ---- inverted residual --------------------------------------------------------------------------
 */

typedef struct {
    const QbOps *ops;
    const QbInvertedResidual *block;
    QbMap in, out;
    int pad_top, pad_left;
    int strip, band; /* output rows of a strip, and of the strips that one thread does in a row */
} ResidualJob;

/* Expanded input rows from … to-1 of the picture, as one thread holds them. */
typedef struct {
    float *x; /* NULL when the block does not expand */
    int from, to;
} ExpandedRows;

/* Makes rows from … to-1 available: those of the strip before that are still wanted are moved to
 * the front, only the others are computed. */
static const float *expand_rows(const ResidualJob *job, ExpandedRows *held, int from, int to)
{
    const QbInvertedResidual *block = job->block;
    int width = job->in.width;
    if (!held->x)
        return job->in.x + (ptrdiff_t)from * width * job->in.channels;
    ptrdiff_t row_floats = (ptrdiff_t)width * block->mid_channels;
    int kept = held->to > from ? held->to - from : 0;
    memmove(held->x, held->x + (from - held->from) * (kept ? row_floats : 0),
            (size_t)kept * (size_t)row_floats * sizeof *held->x);
    job->ops->kernels->gemm_f32(&(QbGemm){
        .m = (to - from - kept) * width,
        .n = block->mid_channels,
        .k = block->in_channels,
        .a = job->in.x + (ptrdiff_t)(from + kept) * width * job->in.channels,
        .lda = block->in_channels,
        .packed = block->expand.packed,
        .bias = block->expand.bias,
        .c = held->x + kept * row_floats,
        .ldc = block->mid_channels,
        .act = QB_ACT_RELU6,
    });
    held->from = from;
    held->to = to;
    return held->x;
}

static void residual_strip(const ResidualJob *job, ExpandedRows *held, float *filtered, int first,
                           int rows)
{
    const QbInvertedResidual *block = job->block;
    const QbKernels *kernels = job->ops->kernels;
    int from = first * block->stride - job->pad_top;
    int to = from + (rows - 1) * block->stride + block->kernel;
    int top = from < 0 ? -from : 0; /* rows of zeros above the picture */
    from += top;
    if (to > job->in.height)
        to = job->in.height;
    QbDepthwise filter = {
        .x = expand_rows(job, held, from, to),
        .height = to - from,
        .width = job->in.width,
        .channels = block->mid_channels,
        .weight = block->dw_weight,
        .bias = block->dw_bias,
        .kernel = block->kernel,
        .stride = block->stride,
        .pad_top = top,
        .pad_left = job->pad_left,
        .out_width = job->out.width,
        .y = filtered,
        .act = QB_ACT_RELU6,
    };
    for (int row = 0; row < rows; row++)
        kernels->depthwise_row(&filter, row);
    ptrdiff_t out_offset = (ptrdiff_t)first * job->out.width * job->out.channels;
    kernels->gemm_f32(&(QbGemm){
        .m = rows * job->out.width,
        .n = job->out.channels,
        .k = block->mid_channels,
        .a = filtered,
        .lda = block->mid_channels,
        .packed = block->project.packed,
        .bias = block->project.bias,
        .residual = block->add ? job->in.x + out_offset : NULL,
        .ldr = job->out.channels,
        .c = job->out.x + out_offset,
        .ldc = job->out.channels,
    });
}

static void residual_bands(int begin, int end, int thread, void *user)
{
    const ResidualJob *job = user;
    float *scratch = qb_ops_scratch(job->ops, thread);
    float *filtered = scratch + aligned(expanded_floats(job->block, job->in.width));
    for (int band = begin; band < end; band++) {
        ExpandedRows held = {.x = job->block->expand.packed ? scratch : NULL};
        int last = (band + 1) * job->band;
        if (last > job->out.height)
            last = job->out.height;
        for (int first = band * job->band; first < last; first += job->strip)
            residual_strip(job, &held, filtered, first,
                           last - first < job->strip ? last - first : job->strip);
    }
}

void qb_op_inverted_residual(const QbOps *ops, const QbInvertedResidual *block, QbMap *out,
                             const QbMap *in)
{
    assert(in->channels == block->in_channels);
    out->height = qb_conv_out(in->height, block->stride);
    out->width = qb_conv_out(in->width, block->stride);
    out->channels = block->project.n;
    assert(aligned(expanded_floats(block, in->width)) + filtered_floats(block, in->width) <=
           ops->scratch_floats);
    ResidualJob job = {
        .ops = ops,
        .block = block,
        .in = *in,
        .out = *out,
        .pad_top = pad_before(in->height, out->height, block->kernel, block->stride),
        .pad_left = pad_before(in->width, out->width, block->kernel, block->stride),
        .strip = strip_rows(block, in->width),
    };
    /* One band a thread: every band computes its first rows anew. */
    int n_bands = qb_pool_size(ops->pool);
    job.band = (out->height + n_bands - 1) / n_bands;
    qb_pool_run(ops->pool, residual_bands, &job, (out->height + job.band - 1) / job.band, 1);
}

/* ---- statistics ---------------------------------------------------------------------------------
 */

typedef struct {
    const QbOps *ops;
    const QbMap *map;
    float *mean_std;
    float eps;
} StatsJob;

static void stats_groups(int begin, int end, int thread, void *user)
{
    (void)thread;
    const StatsJob *job = user;
    const QbMap *map = job->map;
    for (int group = begin; group < end; group++) {
        int channel = group * CHANNEL_GROUP;
        int n = map->channels - channel < CHANNEL_GROUP ? map->channels - channel : CHANNEL_GROUP;
        job->ops->kernels->channel_mean_std(
            job->mean_std + channel, job->mean_std + map->channels + channel, map->x + channel,
            (size_t)map->height * (size_t)map->width, map->channels, n, job->eps);
    }
}

void qb_op_channel_mean_std(const QbOps *ops, float *mean_std, const QbMap *map, float eps)
{
    StatsJob job = {ops, map, mean_std, eps};
    qb_pool_run(ops->pool, stats_groups, &job, (map->channels + CHANNEL_GROUP - 1) / CHANNEL_GROUP,
                1);
}
