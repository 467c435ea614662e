/* clip_names.c: the tensors of CLIP's vision tower (transformers' CLIPVisionModel) and their names
 * in GGUF. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/names.h"

#define LAYER "encoder.layers.%d."
#define NORM(from, to)                                                                     \
    {LAYER from ".weight", "v.blk.%d." to ".weight", QB_ROLE_EXACT, {QB_DIM_TOWER}, 0, 0}, \
    {                                                                                      \
        LAYER from ".bias", "v.blk.%d." to ".bias", QB_ROLE_EXACT, {QB_DIM_TOWER}, 0, 0    \
    }
#define LINEAR(from, to, rows, columns)                                                     \
    {LAYER from ".weight", "v.blk.%d." to ".weight", QB_ROLE_TOWER, {rows, columns}, 0, 0}, \
    {                                                                                       \
        LAYER from ".bias", "v.blk.%d." to ".bias", QB_ROLE_EXACT, {rows}, 0, 0             \
    }

// clang-format off
static const QbRule input_rules[] = {
    {"embeddings.class_embedding", "v.class_embd", QB_ROLE_EXACT, {QB_DIM_TOWER}, 0, 0},
    {"embeddings.patch_embedding.weight", "v.patch_embd.weight", QB_ROLE_EXACT,
     {QB_DIM_TOWER, QB_DIM_CHANNELS, QB_DIM_PATCH, QB_DIM_PATCH}, 0, 0},
    {"embeddings.position_embedding.weight", "v.position_embd.weight", QB_ROLE_EXACT,
     {QB_DIM_POSITIONS, QB_DIM_TOWER}, 0, 0},
    {"pre_layrnorm.weight", "v.pre_ln.weight", QB_ROLE_EXACT, {QB_DIM_TOWER}, 0, 0},
    {"pre_layrnorm.bias", "v.pre_ln.bias", QB_ROLE_EXACT, {QB_DIM_TOWER}, 0, 0},
};

static const QbRule layer_rules[] = {
    NORM("layer_norm1", "ln1"),
    LINEAR("self_attn.q_proj", "attn_q", QB_DIM_TOWER, QB_DIM_TOWER),
    LINEAR("self_attn.k_proj", "attn_k", QB_DIM_TOWER, QB_DIM_TOWER),
    LINEAR("self_attn.v_proj", "attn_v", QB_DIM_TOWER, QB_DIM_TOWER),
    LINEAR("self_attn.out_proj", "attn_out", QB_DIM_TOWER, QB_DIM_TOWER),
    NORM("layer_norm2", "ln2"),
    LINEAR("mlp.fc1", "ffn_up", QB_DIM_TOWER_FF, QB_DIM_TOWER),
    LINEAR("mlp.fc2", "ffn_down", QB_DIM_TOWER, QB_DIM_TOWER_FF),
};
// clang-format on

/* LLaVA reads an inner layer: the norm behind the last one is not used. */
static const char *const ignored[] = {"embeddings.position_ids", "post_layernorm.weight",
                                      "post_layernorm.bias", NULL};

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

void qb_clip_plan_sizes(QbConversion *c)
{
    const QbTowerConfig *t = &c->tower;
    int64_t grid = t->image_size / t->patch_size;
    c->plan.tower_head_dim = t->width / t->n_heads;
    c->plan.dim[QB_DIM_TOWER] = t->width;
    c->plan.dim[QB_DIM_TOWER_FF] = t->n_ff;
    c->plan.dim[QB_DIM_TOWER_QKV] = 3 * (int64_t)t->width;
    c->plan.dim[QB_DIM_CHANNELS] = 3;
    c->plan.dim[QB_DIM_PATCH] = t->patch_size;
    c->plan.dim[QB_DIM_POSITIONS] = grid * grid + 1;
}

QbStatus qb_clip_plan(QbConversion *c, const QbCheckpoint *from, const char *prefix)
{
    qb_clip_plan_sizes(c);
    QbRuleSet inputs = {.from = from,
                        .prefix = prefix,
                        .rules = input_rules,
                        .n_rules = COUNT(input_rules),
                        .ignored = ignored};
    QbRuleSet layers = {.from = from,
                        .prefix = prefix,
                        .rules = layer_rules,
                        .n_rules = COUNT(layer_rules),
                        .n_layers = c->tower_layers,
                        .n_skipped = c->tower.n_layers - c->tower_layers};
    QbStatus status = qb_plan_apply(&c->plan, &inputs);
    return status ? status : qb_plan_apply(&c->plan, &layers);
}

void qb_clip_put_keys(const QbConversion *c, QbGgufWriter *w)
{
    const QbTowerConfig *t = &c->tower;
    qb_gguf_put_bool(w, "clip.use_gelu", t->use_gelu);
    qb_gguf_put_u32(w, "clip.vision.block_count", (uint32_t)c->tower_layers);
    qb_gguf_put_u32(w, "clip.vision.image_size", (uint32_t)t->image_size);
    qb_gguf_put_u32(w, "clip.vision.patch_size", (uint32_t)t->patch_size);
    qb_gguf_put_u32(w, "clip.vision.embedding_length", (uint32_t)t->width);
    qb_gguf_put_u32(w, "clip.vision.feed_forward_length", (uint32_t)t->n_ff);
    qb_gguf_put_u32(w, "clip.vision.attention.head_count", (uint32_t)t->n_heads);
    qb_gguf_put_f32(w, "clip.vision.attention.layer_norm_epsilon", (float)t->norm_eps);
    qb_gguf_put_f32_array(w, "clip.vision.image_mean", c->pixels.mean, 3);
    qb_gguf_put_f32_array(w, "clip.vision.image_std", c->pixels.std, 3);
}
