/* clip_vit.c: the vision transformer of CLIP (Radford et al. 2021, arXiv 2103.00020), pre-norm.
 *
 *   picture -> patches (convolution, no bias); class token in front; + position embedding
 *   LayerNorm
 *   each layer:
 *     x += Wo attention(LN1 x) + bo      all positions see each other
 *     x += fc2 act(fc1 LN2 x)            quick GELU in the published towers
 *   LayerNorm, where the architecture reads the tower's end
 *
 * LLaVA reads the last layer but one without that norm, so the layers behind it are neither loaded
 * nor run; mPLUG-Owl2 reads the end. */
// SPDX-License-Identifier: Apache-2.0
#include "models/clip_vit.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* [out][channel][y][x] in the file; an unfolded window has the order (y, x, channel). */
static QbStatus load_patch(QbClipVit *m, const QbLoader *loader)
{
    int taps = m->patch_size * m->patch_size, k = taps * 3;
    const float *source;
    QbStatus status =
        qb_load_vector(&source, loader, (size_t)m->width * (size_t)k, "v.patch_embd.weight");
    if (status)
        return status;
    float *ordered = qb_store_take(loader->store, (size_t)m->width * (size_t)k, sizeof *ordered);
    if (!ordered)
        return QB_ERR_NOMEM;
    for (int o = 0; o < m->width; o++)
        for (int c = 0; c < 3; c++)
            for (int t = 0; t < taps; t++)
                ordered[(ptrdiff_t)o * k + t * 3 + c] = source[(ptrdiff_t)o * k + c * taps + t];
    return qb_linear_init(&m->patch, loader->store, loader->pool, ordered, QB_WEIGHT_F32, m->width,
                          k, NULL);
}

/* llama.cpp's older converter calls fc1 "ffn_down" and fc2 "ffn_up"; the shapes tell. */
static bool names_swapped(const QbLoader *loader, int width)
{
    const QbGgufTensor *down = qb_gguf_find_tensor(loader->gguf, "v.blk.0.ffn_down.weight");
    return down && down->ne[0] == width && down->ne[1] != width;
}

static QbStatus load_layer(QbClipLayer *l, const QbLoader *loader, const QbClipVit *m, int i)
{
    const char *fc1 = "ffn_up", *fc2 = "ffn_down";
    if (names_swapped(loader, m->width)) {
        fc1 = "ffn_down";
        fc2 = "ffn_up";
    }
    int w = m->width;
    size_t n = (size_t)w;
    QbStatus status;
    (void)((status = qb_load_vector(&l->ln1_w, loader, n, "v.blk.%d.ln1.weight", i)) ||
           (status = qb_load_vector(&l->ln1_b, loader, n, "v.blk.%d.ln1.bias", i)) ||
           (status = qb_load_linear(&l->q, loader, QB_LOAD_BIAS, w, w, "v.blk.%d.attn_q", i)) ||
           (status = qb_load_linear(&l->k, loader, QB_LOAD_BIAS, w, w, "v.blk.%d.attn_k", i)) ||
           (status = qb_load_linear(&l->v, loader, QB_LOAD_BIAS, w, w, "v.blk.%d.attn_v", i)) ||
           (status = qb_load_linear(&l->o, loader, QB_LOAD_BIAS, w, w, "v.blk.%d.attn_out", i)) ||
           (status = qb_load_vector(&l->ln2_w, loader, n, "v.blk.%d.ln2.weight", i)) ||
           (status = qb_load_vector(&l->ln2_b, loader, n, "v.blk.%d.ln2.bias", i)) ||
           (status =
                qb_load_linear(&l->fc1, loader, QB_LOAD_BIAS, m->n_ff, w, "v.blk.%d.%s", i, fc1)) ||
           (status =
                qb_load_linear(&l->fc2, loader, QB_LOAD_BIAS, w, m->n_ff, "v.blk.%d.%s", i, fc2)));
    return status;
}

static QbStatus load_shape(QbClipVit *m, const QbLoader *loader)
{
    bool use_gelu = false;
    m->norm_eps = 1e-5f; /* CLIP's default; published files leave it out */
    QbStatus status;
    if ((status = qb_load_int(&m->image_size, loader, 1, 4096, "clip.vision", "image_size")) ||
        (status = qb_load_int(&m->patch_size, loader, 1, 256, "clip.vision", "patch_size")) ||
        (status = qb_load_int(&m->width, loader, 1, 16384, "clip.vision", "embedding_length")) ||
        (status = qb_load_int(&m->n_ff, loader, 1, 65536, "clip.vision", "feed_forward_length")) ||
        (status =
             qb_load_int(&m->n_heads, loader, 1, 1024, "clip.vision", "attention.head_count")) ||
        (status = qb_load_int(&m->n_layers, loader, 1, 512, "clip.vision", "block_count")) ||
        (status = qb_gguf_get_f32_or(&m->norm_eps, loader->gguf,
                                     "clip.vision.attention.layer_norm_epsilon")) ||
        (status = qb_gguf_get_bool_or(&use_gelu, loader->gguf, "clip.use_gelu")))
        return status;
    if (m->image_size < m->patch_size || m->image_size % m->patch_size || m->width % m->n_heads ||
        !(m->norm_eps > 0 && m->norm_eps < 1))
        return qb_fail(
            QB_ERR_FORMAT,
            "%s: a picture of %d in patches of %d, %d values in %d heads, norm epsilon %g",
            qb_gguf_name(loader->gguf), m->image_size, m->patch_size, m->width, m->n_heads,
            (double)m->norm_eps);
    m->grid = m->image_size / m->patch_size;
    m->act = use_gelu ? QB_ACT_GELU : QB_ACT_QUICK_GELU;
    return QB_OK;
}

QbStatus qb_clip_vit_load(QbClipVit *m, const QbLoader *loader)
{
    *m = (QbClipVit){0};
    QbStatus status = load_shape(m, loader);
    if (status)
        return status;
    size_t width = (size_t)m->width, positions = (size_t)m->grid * (size_t)m->grid + 1;
    (void)((status = load_patch(m, loader)) ||
           (status = qb_load_vector(&m->class_embedding, loader, width, "v.class_embd")) ||
           (status = qb_load_vector(&m->position_embedding, loader, positions * width,
                                    "v.position_embd.weight")) ||
           (status = qb_load_vector(&m->pre_ln_w, loader, width, "v.pre_ln.weight")) ||
           (status = qb_load_vector(&m->pre_ln_b, loader, width, "v.pre_ln.bias")));
    if (status)
        return status;
    m->layers = qb_store_take(loader->store, (size_t)m->n_layers, sizeof *m->layers);
    if (!m->layers)
        return QB_ERR_NOMEM;
    for (int i = 0; i < m->n_layers && !status; i++)
        status = load_layer(&m->layers[i], loader, m, i);
    return status;
}

QbStatus qb_clip_vit_load_post_norm(QbClipVit *m, const QbLoader *loader)
{
    size_t width = (size_t)m->width;
    QbStatus status = qb_load_vector(&m->post_ln_w, loader, width, "v.post_ln.weight");
    return status ? status : qb_load_vector(&m->post_ln_b, loader, width, "v.post_ln.bias");
}

void qb_clip_vit_layout(QbClipVitState *s, QbOps *ops, QbArena *arena, const QbClipVit *m)
{
    size_t patches = (size_t)m->grid * (size_t)m->grid, rows = patches + 1;
    size_t pixels = (size_t)m->image_size * (size_t)m->image_size;
    size_t row_bytes = (size_t)m->width * sizeof(float);
    s->picture = qb_arena_take(arena, pixels * 3, sizeof(float));
    s->patches = qb_arena_take(arena, pixels * 3, sizeof(float));
    float **maps[] = {&s->x, &s->h, &s->q, &s->k, &s->v, &s->attn};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        *maps[i] = qb_arena_take(arena, rows, row_bytes);
    s->ff = qb_arena_take(arena, rows * (size_t)m->n_ff, sizeof(float));
    qb_ops_want_attention(ops, (int)rows);
    for (int i = 0; i < m->n_layers; i++) {
        const QbClipLayer *l = &m->layers[i];
        const QbLinear *all[] = {&l->q, &l->k, &l->v, &l->o, &l->fc1, &l->fc2};
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            qb_ops_want_linear(ops, all[j], (int)rows);
    }
}

typedef struct {
    const QbOps *ops;
    QbIm2col unfold;
    float *patches;
} PatchJob;

static void unfold_rows(int begin, int end, int thread, void *user)
{
    (void)thread;
    const PatchJob *job = user;
    for (int row = begin; row < end; row++)
        job->ops->kernels->im2col_row(job->patches +
                                          (ptrdiff_t)row * job->unfold.out_width * job->unfold.ldy,
                                      &job->unfold, row);
}

static void embed(QbClipVitState *s, const QbOps *ops, const QbClipVit *m)
{
    int k = m->patch.k, n = m->grid * m->grid, w = m->width;
    PatchJob job = {ops,
                    {.x = s->picture,
                     .height = m->image_size,
                     .width = m->image_size,
                     .channels = 3,
                     .kernel = m->patch_size,
                     .stride = m->patch_size,
                     .out_width = m->grid,
                     .ldy = k},
                    s->patches};
    qb_pool_run(ops->pool, unfold_rows, &job, m->grid, 1);
    const float *positions = m->position_embedding;
    for (int c = 0; c < w; c++)
        s->h[c] = m->class_embedding[c] + positions[c];
    qb_op_linear(ops, &m->patch, s->h + w, w, (QbRows){s->patches, k}, n, QB_ACT_NONE,
                 (QbRows){positions + w, w});
    qb_op_layer_norm(ops, s->x, s->h, m->pre_ln_w, m->pre_ln_b, n + 1, w, m->norm_eps);
}

static void layer_forward(QbClipVitState *s, const QbOps *ops, const QbClipVit *m,
                          const QbClipLayer *l)
{
    const QbRows none = {0};
    int n = m->grid * m->grid + 1, w = m->width;
    int head_dim = w / m->n_heads;
    QbRows h = {s->h, w}, x = {s->x, w};
    qb_op_layer_norm(ops, s->h, s->x, l->ln1_w, l->ln1_b, n, w, m->norm_eps);
    qb_op_linear(ops, &l->q, s->q, w, h, n, QB_ACT_NONE, none);
    qb_op_linear(ops, &l->k, s->k, w, h, n, QB_ACT_NONE, none);
    qb_op_linear(ops, &l->v, s->v, w, h, n, QB_ACT_NONE, none);
    qb_op_attention(ops, &(QbAttentionLayer){
                             .q = {s->q, w},
                             .k = {s->k, w},
                             .v = {s->v, w},
                             .y = s->attn,
                             .ldy = w,
                             .n_query = n,
                             .n_key = n,
                             .n_heads = m->n_heads,
                             .n_kv_heads = m->n_heads,
                             .head_dim = head_dim,
                             .first_visible = -1,
                             .scale = 1.0f / sqrtf((float)head_dim),
                         });
    qb_op_linear(ops, &l->o, s->x, w, (QbRows){s->attn, w}, n, QB_ACT_NONE, x);
    qb_op_layer_norm(ops, s->h, s->x, l->ln2_w, l->ln2_b, n, w, m->norm_eps);
    qb_op_linear(ops, &l->fc1, s->ff, m->n_ff, h, n, m->act, none);
    qb_op_linear(ops, &l->fc2, s->x, w, (QbRows){s->ff, m->n_ff}, n, QB_ACT_NONE, x);
}

void qb_clip_vit_forward(QbClipVitState *s, const QbOps *ops, const QbClipVit *m)
{
    embed(s, ops, m);
    for (int i = 0; i < m->n_layers; i++)
        layer_forward(s, ops, m, &m->layers[i]);
    if (m->post_ln_w)
        qb_op_layer_norm(ops, s->x, s->x, m->post_ln_w, m->post_ln_b, m->grid * m->grid + 1,
                         m->width, m->norm_eps);
}
