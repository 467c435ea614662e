/* mplug_owl2.c: mPLUG-Owl2 (Ye et al. 2023, arXiv 2311.04257), the network of Q-Instruct, Q-Align,
 * DeQA-Score and Co-Instruct, in one GGUF file.
 *
 *   picture, 448 x 448 -> CLIP ViT, all layers, LayerNorm -> class token and patches
 *   -> visual abstractor -> Linear -> image tokens, and a learned one behind them
 *   -> LLaMA decoder whose norms, keys and values are of two sets: text's and pictures'
 *
 * Keys: mplug_owl2.* for the decoder and the abstractor, clip.vision.* for the tower. Tensors:
 * docs/models/mplug_owl2.md. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/time.h"
#include "models/arch.h"
#include "models/clip_picture.h"
#include "models/clip_vit.h"
#include "models/visual_abstractor.h"

#include <string.h>

typedef struct {
    QbClipPicture picture;
    QbClipVit tower;
    QbAbstractor abstractor;
    QbLinear fc;      /* [n_embd][width] with bias */
    const float *eos; /* [n_embd]: the last token of every picture */
    QbLlama decoder;
} Owl;

typedef struct {
    uint8_t *square; /* [image_size][image_size][3] */
    QbClipVitState tower;
    QbAbstractorState abstractor;
} OwlState;

static int owl_image_token_count(const void *weights)
{
    return ((const Owl *)weights)->abstractor.n_queries + 1;
}

static QbStatus owl_load(void **out, const QbLoader *loader)
{
    Owl *m = qb_store_take(loader->store, 1, sizeof *m);
    if (!m)
        return QB_ERR_NOMEM;
    *m = (Owl){0};
    QbStatus status;
    if ((status = qb_clip_vit_load(&m->tower, loader)) ||
        (status = qb_clip_vit_load_post_norm(&m->tower, loader)) ||
        (status = qb_clip_picture_load(&m->picture, loader, m->tower.image_size)) ||
        (status = qb_abstractor_load(&m->abstractor, loader, "mplug_owl2", m->tower.width,
                                     m->tower.grid)) ||
        (status = qb_llama_load(&m->decoder, loader, "mplug_owl2", 2, 0)))
        return status;
    int n_embd = m->decoder.n_embd, n_tokens = owl_image_token_count(m);
    if (n_tokens >= m->decoder.n_context)
        return qb_fail(QB_ERR_FORMAT, "%s: %d image tokens in a context of %d",
                       qb_gguf_name(loader->gguf), n_tokens, m->decoder.n_context);
    if ((status = qb_load_linear(&m->fc, loader, QB_LOAD_BIAS, n_embd, m->tower.width, "mm.fc")) ||
        (status = qb_load_vector(&m->eos, loader, (size_t)n_embd, "mm.eos.weight")))
        return status;
    *out = m;
    return QB_OK;
}

static const QbLlama *owl_decoder(const void *weights)
{
    return &((const Owl *)weights)->decoder;
}

static QbFit owl_fit(const void *weights)
{
    return ((const Owl *)weights)->picture.fit;
}

static void owl_describe(QbInfo *info, const void *weights)
{
    const Owl *m = weights;
    qb_info_add(info, "picture", "%d x %d, bicubic as Pillow's", m->tower.image_size,
                m->tower.image_size);
    qb_info_add(info, "vision tower",
                "CLIP ViT, %d layers, width %d, patches of %d; abstractor, %d layers -> %d tokens",
                m->tower.n_layers, m->tower.width, m->tower.patch_size, m->abstractor.n_layers,
                owl_image_token_count(m));
}

static void owl_layout(void *state, QbOps *ops, QbArena *arena, const void *weights)
{
    OwlState *s = state;
    const Owl *m = weights;
    size_t pixels = (size_t)m->tower.image_size * (size_t)m->tower.image_size;
    s->square = qb_arena_take(arena, pixels * 3, 1);
    qb_clip_vit_layout(&s->tower, ops, arena, &m->tower);
    qb_abstractor_layout(&s->abstractor, ops, arena, &m->abstractor);
    qb_ops_want_linear(ops, &m->fc, m->abstractor.n_queries);
}

static QbStatus owl_encode(float *tokens, double *preprocess_ms, void *state, const QbOps *ops,
                           QbResizer *resizer, const void *weights, const QbImage *image, QbFit fit)
{
    OwlState *s = state;
    const Owl *m = weights;
    double start = qb_now_ms();
    QbStatus status =
        qb_clip_picture_make(s->tower.picture, s->square, ops, resizer, &m->picture, image, fit);
    if (status)
        return status;
    *preprocess_ms = qb_now_ms() - start;

    const QbRows none = {0};
    int n = m->abstractor.n_queries, n_embd = m->decoder.n_embd;
    qb_clip_vit_forward(&s->tower, ops, &m->tower);
    qb_abstractor_forward(&s->abstractor, ops, &m->abstractor, s->tower.x);
    qb_op_linear(ops, &m->fc, tokens, n_embd, (QbRows){s->abstractor.x, m->abstractor.width}, n,
                 QB_ACT_NONE, none);
    memcpy(tokens + (ptrdiff_t)n * n_embd, m->eos, (size_t)n_embd * sizeof *tokens);
    return QB_OK;
}

const QbModelArch qb_arch_mplug_owl2 = {
    .name = "mplug_owl2",
    .help = "mPLUG-Owl2: CLIP ViT, visual abstractor, modality-adaptive LLaMA decoder",
    .load = owl_load,
    .decoder = owl_decoder,
    .fits = QB_CLIP_FITS,
    .fit = owl_fit,
    .image_token_count = owl_image_token_count,
    .describe = owl_describe,
    .state_bytes = sizeof(OwlState),
    .layout = owl_layout,
    .encode = owl_encode,
};
