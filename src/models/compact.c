/* compact.c: the embedded model (docs/models/compact.md).
 *
 *   picture, short side 448 -> convolutional tower -> statistics of its stages [n_stats]
 *   -> linear attributes [n_attr] -> linear image tokens [n_tokens][n_embd] -> LLaMA decoder */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/time.h"
#include "models/arch.h"
#include "models/conv_tower.h"

#include <stdio.h>

typedef struct {
    QbPreprocess view;
    QbPixelScale pixels;
    QbConvTower tower;
    int n_attributes, n_tokens;
    QbLinear attributes; /* [n_attributes][n_stats] */
    QbLinear tokens;     /* [n_tokens * n_embd][n_attributes] */
    QbLlama decoder;
} Compact;

typedef struct {
    uint8_t *view; /* [height][width][3] */
    QbConvTowerState tower;
    float *attributes; /* [n_attributes] */
} CompactState;

static QbStatus load_view(Compact *m, const QbLoader *loader)
{
    QbStatus status;
    m->view.fit = QB_FIT_VIEW;
    (void)((status =
                qb_load_int(&m->view.image_size, loader, 16, 4096, "compact", "view.short_side")) ||
           (status = qb_load_int(&m->view.max_long_side, loader, m->view.image_size, 8192,
                                 "compact", "view.max_long_side")) ||
           (status = qb_load_int(&m->view.min_side, loader, 1, m->view.image_size, "compact",
                                 "view.min_side")) ||
           (status = qb_load_pixel_scale(&m->pixels, loader, "compact")));
    return status;
}

static QbStatus compact_load(void **out, const QbLoader *loader)
{
    Compact *m = qb_store_take(loader->store, 1, sizeof *m);
    if (!m)
        return QB_ERR_NOMEM;
    *m = (Compact){0};
    QbStatus status;
    int flags = QB_LOAD_BIAS | QB_LOAD_WIDEN;
    if ((status = load_view(m, loader)) ||
        (status = qb_load_int(&m->n_attributes, loader, 1, 4096, "compact",
                              "projector.attribute_count")) ||
        (status = qb_load_int(&m->n_tokens, loader, 1, 4096, "compact", "projector.token_count")) ||
        (status = qb_conv_tower_load(&m->tower, loader, "compact")) ||
        (status = qb_llama_load(&m->decoder, loader, "compact", 1, QB_LOAD_WIDEN)) ||
        (status = qb_load_linear(&m->attributes, loader, flags, m->n_attributes, m->tower.n_stats,
                                 "proj.attr")) ||
        (status = qb_load_linear(&m->tokens, loader, flags, m->n_tokens * m->decoder.n_embd,
                                 m->n_attributes, "proj.token")))
        return status;
    if (m->n_tokens >= m->decoder.n_context)
        return qb_fail(QB_ERR_FORMAT, "%s: %d image tokens in a context of %d",
                       qb_gguf_name(loader->gguf), m->n_tokens, m->decoder.n_context);
    *out = m;
    return QB_OK;
}

static const QbLlama *compact_decoder(const void *weights)
{
    return &((const Compact *)weights)->decoder;
}

static QbFit compact_fit(const void *weights)
{
    return ((const Compact *)weights)->view.fit;
}

static int compact_image_token_count(const void *weights)
{
    return ((const Compact *)weights)->n_tokens;
}

static void compact_describe(QbInfo *info, const void *weights)
{
    const Compact *m = weights;
    qb_info_add(info, "picture", "short side %d, long side up to %d, bicubic as Pillow's",
                m->view.image_size, m->view.max_long_side);
    qb_info_add(info, "vision tower",
                "EfficientNet-Lite, %d blocks, %d statistics -> %d attributes -> %d tokens",
                m->tower.n_blocks, m->tower.n_stats, m->n_attributes, m->n_tokens);
}

static void compact_layout(void *state, QbOps *ops, QbArena *arena, const void *weights)
{
    CompactState *s = state;
    const Compact *m = weights;
    size_t pixels = (size_t)m->view.image_size * (size_t)m->view.max_long_side;
    s->view = qb_arena_take(arena, pixels * 3, 1);
    qb_conv_tower_layout(&s->tower, ops, arena, &m->tower, m->view.image_size,
                         m->view.max_long_side);
    s->attributes = qb_arena_take(arena, (size_t)m->n_attributes, sizeof(float));
}

typedef struct {
    const QbOps *ops;
    const Compact *m;
    CompactState *s;
    int width;
} NormalizeJob;

static void normalize_rows(int begin, int end, int thread, void *user)
{
    (void)thread;
    const NormalizeJob *job = user;
    ptrdiff_t offset = (ptrdiff_t)begin * job->width * 3;
    job->ops->kernels->normalize_u8(job->s->tower.picture.x + offset, job->s->view + offset,
                                    (size_t)(end - begin) * (size_t)job->width, job->m->pixels.gain,
                                    job->m->pixels.offset);
}

static QbStatus compact_encode(float *tokens, double *preprocess_ms, void *state, const QbOps *ops,
                               QbResizer *resizer, const void *weights, const QbImage *image,
                               QbFit fit)
{
    (void)fit;
    CompactState *s = state;
    const Compact *m = weights;
    double start = qb_now_ms();
    int width, height;
    qb_preprocess_size(&width, &height, &m->view, image->width, image->height);
    QbStatus status = qb_preprocess_rgb(resizer, s->view, &m->view, image);
    if (status)
        return status;
    s->tower.picture.width = width;
    s->tower.picture.height = height;
    s->tower.picture.channels = 3;
    NormalizeJob job = {ops, m, s, width};
    qb_pool_run(ops->pool, normalize_rows, &job, height, 16);
    *preprocess_ms = qb_now_ms() - start;

    const QbRows none = {0};
    qb_conv_tower_forward(&s->tower, ops, &m->tower);
    qb_op_linear(ops, &m->attributes, s->attributes, m->n_attributes,
                 (QbRows){s->tower.stats, m->tower.n_stats}, 1, QB_ACT_NONE, none);
    qb_op_linear(ops, &m->tokens, tokens, m->tokens.n, (QbRows){s->attributes, m->n_attributes}, 1,
                 QB_ACT_NONE, none);
    return QB_OK;
}

const QbModelArch qb_arch_compact = {
    .name = "compact",
    .help = "qboost's own small model: convolutional tower, LLaMA decoder",
    .load = compact_load,
    .decoder = compact_decoder,
    .fits = 1 << QB_FIT_VIEW,
    .fit = compact_fit,
    .image_token_count = compact_image_token_count,
    .describe = compact_describe,
    .state_bytes = sizeof(CompactState),
    .layout = compact_layout,
    .encode = compact_encode,
};
