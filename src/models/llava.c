/* llava.c: LLaVA-1.5 (Liu et al. 2023, arXiv 2310.03744) in one GGUF file,
 *
 *   picture, 336 x 336 -> CLIP ViT, all but the last layer -> patches without the class token
 *   -> Linear, GELU, Linear -> image tokens -> LLaMA decoder
 *
 * or in llama.cpp's pair of files, a LLaMA and a picture part ("mmproj").
 * Keys: llava.* for the decoder, clip.vision.* for the tower (block_count = layers to run),
 * qboost.preprocess.fit = "crop" or "pad". Tensors: GGUF's LLaMA names, v.*, mm.0.*, mm.2.*. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/time.h"
#include "models/arch.h"
#include "models/clip_picture.h"
#include "models/clip_vit.h"

typedef struct {
    QbClipPicture picture;
    QbClipVit tower;
    QbLinear mm0; /* [n_embd][width] with bias */
    QbLinear mm2; /* [n_embd][n_embd] with bias */
    QbLlama decoder;
} Llava;

typedef struct {
    uint8_t *square; /* [image_size][image_size][3] */
    QbClipVitState tower;
    float *hidden; /* [grid * grid][n_embd] */
} LlavaState;

/* LLaVA-1.5 reads the output of CLIP-L's layer 23 of 24. llama.cpp's newer files say so or end
 * there; older ones have all layers. */
static QbStatus cut_tower(QbClipVit *tower, const QbGguf *mmproj)
{
    enum { CLIP_L_LAYERS = 24 };
    int32_t layer = tower->n_layers == CLIP_L_LAYERS ? CLIP_L_LAYERS - 1 : tower->n_layers;
    if (qb_gguf_has_key(mmproj, "clip.vision.feature_layer")) {
        QbStatus status = qb_gguf_copy_i32_array(&layer, 1, mmproj, "clip.vision.feature_layer");
        if (status)
            return status;
    }
    if (layer < 1 || layer > tower->n_layers)
        return qb_fail(QB_ERR_FORMAT, "%s: clip.vision.feature_layer is %d of %d layers",
                       qb_gguf_name(mmproj), layer, tower->n_layers);
    tower->n_layers = layer;
    return QB_OK;
}

/* Files of different models are told before gigabytes are packed. */
static QbStatus check_widths(const QbLoader *loader, const char *decoder_name)
{
    int n_embd;
    QbStatus status = qb_load_int(&n_embd, loader, 1, INT32_MAX, decoder_name, "embedding_length");
    const QbGgufTensor *projector = qb_gguf_find_tensor(loader->vision, "mm.2.weight");
    if (status || loader->vision == loader->gguf || !projector || projector->ne[1] == n_embd)
        return status;
    return qb_fail(QB_ERR_FORMAT,
                   "%s: makes image tokens of %lld values, %s takes %d: the two files are not of "
                   "the same model",
                   qb_gguf_name(loader->vision), (long long)projector->ne[1],
                   qb_gguf_name(loader->gguf), n_embd);
}

static QbStatus llava_load(void **out, const QbLoader *loader)
{
    Llava *m = qb_store_take(loader->store, 1, sizeof *m);
    if (!m)
        return QB_ERR_NOMEM;
    *m = (Llava){0};
    QbLoader vision = *loader;
    vision.gguf = loader->vision;
    const char *decoder_name; /* "llava", or "llama" in a pair */
    QbStatus status;
    if ((status = qb_clip_vit_load(&m->tower, &vision)) ||
        (vision.gguf != loader->gguf && (status = cut_tower(&m->tower, vision.gguf))) ||
        (status = qb_clip_picture_load(&m->picture, &vision, m->tower.image_size)) ||
        (status = qb_gguf_get_string(&decoder_name, loader->gguf, "general.architecture")) ||
        (status = check_widths(loader, decoder_name)) ||
        (status = qb_llama_load(&m->decoder, loader, decoder_name, 1, 0)))
        return status;
    int n_embd = m->decoder.n_embd, n_tokens = m->tower.grid * m->tower.grid;
    if (n_tokens >= m->decoder.n_context)
        return qb_fail(QB_ERR_FORMAT, "%s: %d image tokens in a context of %d",
                       qb_gguf_name(loader->gguf), n_tokens, m->decoder.n_context);
    if ((status = qb_load_linear(&m->mm0, &vision, QB_LOAD_BIAS, n_embd, m->tower.width, "mm.0")) ||
        (status = qb_load_linear(&m->mm2, &vision, QB_LOAD_BIAS, n_embd, n_embd, "mm.2")))
        return status;
    *out = m;
    return QB_OK;
}

static const QbLlama *llava_decoder(const void *weights)
{
    return &((const Llava *)weights)->decoder;
}

static QbFit llava_fit(const void *weights)
{
    return ((const Llava *)weights)->picture.fit;
}

static int llava_image_token_count(const void *weights)
{
    const Llava *m = weights;
    return m->tower.grid * m->tower.grid;
}

static void llava_describe(QbInfo *info, const void *weights)
{
    const Llava *m = weights;
    qb_info_add(info, "picture", "%d x %d, bicubic as Pillow's", m->tower.image_size,
                m->tower.image_size);
    qb_info_add(info, "vision tower", "CLIP ViT, %d layers, width %d, patches of %d -> %d tokens",
                m->tower.n_layers, m->tower.width, m->tower.patch_size,
                m->tower.grid * m->tower.grid);
}

static void llava_layout(void *state, QbOps *ops, QbArena *arena, const void *weights)
{
    LlavaState *s = state;
    const Llava *m = weights;
    size_t pixels = (size_t)m->tower.image_size * (size_t)m->tower.image_size;
    int n_tokens = m->tower.grid * m->tower.grid;
    s->square = qb_arena_take(arena, pixels * 3, 1);
    qb_clip_vit_layout(&s->tower, ops, arena, &m->tower);
    s->hidden = qb_arena_take(arena, (size_t)n_tokens * (size_t)m->decoder.n_embd, sizeof(float));
    qb_ops_want_linear(ops, &m->mm0, n_tokens);
    qb_ops_want_linear(ops, &m->mm2, n_tokens);
}

static QbStatus llava_encode(float *tokens, double *preprocess_ms, void *state, const QbOps *ops,
                             QbResizer *resizer, const void *weights, const QbImage *image,
                             QbFit fit)
{
    LlavaState *s = state;
    const Llava *m = weights;
    double start = qb_now_ms();
    QbStatus status =
        qb_clip_picture_make(s->tower.picture, s->square, ops, resizer, &m->picture, image, fit);
    if (status)
        return status;
    *preprocess_ms = qb_now_ms() - start;

    int n_tokens = m->tower.grid * m->tower.grid, n_embd = m->decoder.n_embd, w = m->tower.width;
    const QbRows none = {0};
    qb_clip_vit_forward(&s->tower, ops, &m->tower);
    qb_op_linear(ops, &m->mm0, s->hidden, n_embd, (QbRows){s->tower.x + w, w}, n_tokens,
                 QB_ACT_GELU, none);
    qb_op_linear(ops, &m->mm2, tokens, n_embd, (QbRows){s->hidden, n_embd}, n_tokens, QB_ACT_NONE,
                 none);
    return QB_OK;
}

const QbModelArch qb_arch_llava = {
    .name = "llava",
    .help = "LLaVA-1.5: CLIP ViT, two-layer projector, LLaMA decoder",
    .decoder_name = "llama",
    .load = llava_load,
    .decoder = llava_decoder,
    .fits = QB_CLIP_FITS,
    .fit = llava_fit,
    .image_token_count = llava_image_token_count,
    .describe = llava_describe,
    .state_bytes = sizeof(LlavaState),
    .layout = llava_layout,
    .encode = llava_encode,
};
