/* conv_tower.c: EfficientNet-Lite (Tan & Le 2019, arXiv 1905.11946, without
 * squeeze-and-excitation), batch norm folded into the weights.
 *
 *   picture [h, w, 3] -> stem 3x3 / 2, ReLU6 -> inverted residual blocks
 *   of the stages in stat_blocks: mean and standard deviation of every channel, one behind the
 * other */
// SPDX-License-Identifier: Apache-2.0
#include "models/conv_tower.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

enum { MAX_BLOCKS = 256, MAX_CHANNELS = 8192 };

static const float STAT_EPS = 1e-5f; /* docs/models/compact.md, section 2 */

/* Output channels of a tensor, from its slowest dimension. */
static QbStatus out_channels(int *out, const QbLoader *loader, const char *name, int slowest)
{
    const QbGgufTensor *tensor = qb_gguf_find_tensor(loader->gguf, name);
    if (!tensor)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is missing", qb_gguf_name(loader->gguf), name);
    int64_t n = tensor->ne[slowest];
    if (n < 1 || n > MAX_CHANNELS)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s has %lld channels, 1 to %d can be done",
                       qb_gguf_name(loader->gguf), name, (long long)n, MAX_CHANNELS);
    *out = (int)n;
    return QB_OK;
}

/* [out][in][y][x] in the file; the unfolded window has the order (y, x, in). */
static QbStatus load_stem(QbConv *stem, const QbLoader *loader)
{
    enum { KERNEL = 3, IN = 3, K = KERNEL * KERNEL * IN };
    int n;
    const float *source, *bias;
    QbStatus status;
    if ((status = out_channels(&n, loader, "conv.stem.weight", 3)) ||
        (status = qb_load_vector(&source, loader, (size_t)n * K, "conv.stem.weight")) ||
        (status = qb_load_vector(&bias, loader, (size_t)n, "conv.stem.bias")))
        return status;
    float *ordered = qb_store_take(loader->store, (size_t)n * K, sizeof *ordered);
    if (!ordered)
        return QB_ERR_NOMEM;
    for (int o = 0; o < n; o++)
        for (int c = 0; c < IN; c++)
            for (int t = 0; t < KERNEL * KERNEL; t++)
                ordered[o * K + t * IN + c] = source[o * K + c * KERNEL * KERNEL + t];
    *stem = (QbConv){.kernel = KERNEL, .stride = 2, .in_channels = IN};
    return qb_linear_init(&stem->w, loader->store, loader->pool, ordered, QB_WEIGHT_F32, n, K,
                          bias);
}

/* [channel][y][x] in the file; the kernels want [y][x][channel]. */
static QbStatus load_depthwise(QbInvertedResidual *block, const QbLoader *loader, int i)
{
    int taps = block->kernel * block->kernel, n = block->mid_channels;
    const float *source;
    QbStatus status;
    if ((status = qb_load_vector(&source, loader, (size_t)n * (size_t)taps, "conv.blk.%d.dw.weight",
                                 i)) ||
        (status = qb_load_vector(&block->dw_bias, loader, (size_t)n, "conv.blk.%d.dw.bias", i)))
        return status;
    float *ordered = qb_store_take(loader->store, (size_t)n * (size_t)taps, sizeof *ordered);
    if (!ordered)
        return QB_ERR_NOMEM;
    for (int c = 0; c < n; c++)
        for (int t = 0; t < taps; t++)
            ordered[t * n + c] = source[c * taps + t];
    block->dw_weight = ordered;
    return QB_OK;
}

static QbStatus load_block(QbInvertedResidual *block, const QbLoader *loader, int i,
                           int in_channels, int kernel, int stride)
{
    char name[64];
    int n_out = 0;
    QbStatus status;
    *block = (QbInvertedResidual){.kernel = kernel,
                                  .stride = stride,
                                  .in_channels = in_channels,
                                  .mid_channels = in_channels};
    if (kernel < 1 || kernel > 15 || kernel % 2 == 0 || stride < 1 || stride > 2)
        return qb_fail(QB_ERR_FORMAT, "%s: block %d has a kernel of %d and a stride of %d",
                       qb_gguf_name(loader->gguf), i, kernel, stride);
    if (qb_loader_has(loader, "conv.blk.%d.expand.weight", i)) {
        snprintf(name, sizeof name, "conv.blk.%d.expand.weight", i);
        if ((status = out_channels(&block->mid_channels, loader, name, 1)) ||
            (status = qb_load_linear(&block->expand, loader, QB_LOAD_BIAS | QB_LOAD_WIDEN,
                                     block->mid_channels, in_channels, "conv.blk.%d.expand", i)))
            return status;
    }
    snprintf(name, sizeof name, "conv.blk.%d.project.weight", i);
    if ((status = load_depthwise(block, loader, i)) ||
        (status = out_channels(&n_out, loader, name, 1)) ||
        (status = qb_load_linear(&block->project, loader, QB_LOAD_BIAS | QB_LOAD_WIDEN, n_out,
                                 block->mid_channels, "conv.blk.%d.project", i)))
        return status;
    block->add = stride == 1 && n_out == in_channels;
    return QB_OK;
}

static QbStatus load_blocks(QbConvTower *tower, const QbLoader *loader, const char *prefix)
{
    int32_t kernel[MAX_BLOCKS], stride[MAX_BLOCKS];
    char key[2][64];
    size_t n = (size_t)tower->n_blocks;
    snprintf(key[0], sizeof key[0], "%s.conv.kernel", prefix);
    snprintf(key[1], sizeof key[1], "%s.conv.stride", prefix);
    QbStatus status;
    if ((status = qb_gguf_copy_i32_array(kernel, n, loader->gguf, key[0])) ||
        (status = qb_gguf_copy_i32_array(stride, n, loader->gguf, key[1])))
        return status;
    tower->blocks = qb_store_take(loader->store, n, sizeof *tower->blocks);
    if (!tower->blocks)
        return QB_ERR_NOMEM;
    int channels = tower->stem.w.n;
    for (int i = 0; i < tower->n_blocks && !status; i++) {
        status = load_block(&tower->blocks[i], loader, i, channels, kernel[i], stride[i]);
        channels = tower->blocks[i].project.n;
    }
    return status;
}

static int stage_channels(const QbConvTower *tower, int stage)
{
    return stage < 0 ? tower->stem.w.n : tower->blocks[stage].project.n;
}

static QbStatus load_stat_blocks(QbConvTower *tower, const QbLoader *loader, const char *prefix)
{
    const char *file = qb_gguf_name(loader->gguf);
    char key[64];
    size_t n;
    snprintf(key, sizeof key, "%s.conv.stat_blocks", prefix);
    QbStatus status = qb_gguf_get_array_length(&n, loader->gguf, key);
    if (status)
        return status;
    if (n < 1 || n > MAX_BLOCKS)
        return qb_fail(QB_ERR_FORMAT, "%s: %s has %zu entries", file, key, n);
    tower->stat_blocks = qb_store_take(loader->store, n, sizeof *tower->stat_blocks);
    if (!tower->stat_blocks)
        return QB_ERR_NOMEM;
    if ((status = qb_gguf_copy_i32_array(tower->stat_blocks, n, loader->gguf, key)))
        return status;
    tower->n_stat_blocks = (int)n;
    for (int i = 0; i < (int)n; i++) {
        int stage = tower->stat_blocks[i];
        if (stage < -1 || stage >= tower->n_blocks || (i > 0 && stage <= tower->stat_blocks[i - 1]))
            return qb_fail(QB_ERR_FORMAT, "%s: %s[%d] is %d, expected ascending numbers below %d",
                           file, key, i, stage, tower->n_blocks);
        tower->n_stats += 2 * stage_channels(tower, stage);
    }
    return QB_OK;
}

QbStatus qb_conv_tower_load(QbConvTower *tower, const QbLoader *loader, const char *prefix)
{
    *tower = (QbConvTower){0};
    char key[64];
    snprintf(key, sizeof key, "%s.conv.padding", prefix);
    const char *padding = "same";
    QbStatus status = qb_gguf_get_string_or(&padding, loader->gguf, key);
    if (!status && strcmp(padding, "same"))
        status = qb_fail(QB_ERR_UNSUPPORTED, "%s: %s is \"%s\", only \"same\" can be done",
                         qb_gguf_name(loader->gguf), key, padding);
    (void)(status ||
           (status =
                qb_load_int(&tower->n_blocks, loader, 1, MAX_BLOCKS, prefix, "conv.block_count")) ||
           (status = load_stem(&tower->stem, loader)) ||
           (status = load_blocks(tower, loader, prefix)) ||
           (status = load_stat_blocks(tower, loader, prefix)));
    return status;
}

/* The largest map that any stage reads or writes, for a picture of the largest size. */
void qb_conv_tower_layout(QbConvTowerState *state, QbOps *ops, QbArena *arena,
                          const QbConvTower *tower, int max_short_side, int max_long_side)
{
    int a = qb_conv_out(max_short_side, 2), b = qb_conv_out(max_long_side, 2);
    size_t largest = (size_t)a * (size_t)b * (size_t)tower->stem.w.n;
    qb_ops_want_conv(ops, &tower->stem, max_long_side);
    for (int i = 0; i < tower->n_blocks; i++) {
        const QbInvertedResidual *block = &tower->blocks[i];
        qb_ops_want_inverted_residual(ops, block, b);
        a = qb_conv_out(a, block->stride);
        b = qb_conv_out(b, block->stride);
        size_t map = (size_t)a * (size_t)b * (size_t)block->project.n;
        largest = map > largest ? map : largest;
    }
    state->picture.x =
        qb_arena_take(arena, (size_t)max_short_side * (size_t)max_long_side * 3, sizeof(float));
    state->maps[0] = qb_arena_take(arena, largest, sizeof(float));
    state->maps[1] = qb_arena_take(arena, largest, sizeof(float));
    state->stats = qb_arena_take(arena, (size_t)tower->n_stats, sizeof(float));
}

void qb_conv_tower_forward(QbConvTowerState *state, const QbOps *ops, const QbConvTower *tower)
{
    QbMap in = state->picture, out = {.x = state->maps[0]};
    float *stats = state->stats;
    int next_stat = 0;
    for (int stage = -1; stage < tower->n_blocks; stage++) {
        if (stage < 0)
            qb_op_conv(ops, &tower->stem, &out, &in, QB_ACT_RELU6);
        else
            qb_op_inverted_residual(ops, &tower->blocks[stage], &out, &in);
        if (next_stat < tower->n_stat_blocks && tower->stat_blocks[next_stat] == stage) {
            qb_op_channel_mean_std(ops, stats, &out, STAT_EPS);
            stats += 2 * out.channels;
            next_stat++;
        }
        in = out;
        out.x = out.x == state->maps[0] ? state->maps[1] : state->maps[0];
    }
}
