/* mplug_owl2.c: mPLUG-Owl2 checkpoints (Q-Instruct, Q-Align, DeQA-Score, Co-Instruct): CLIP tower
 * with fused query, key and value; visual abstractor; LLaMA decoder with a second set of norms,
 * keys and values for visual positions (multiway.1). Names: X-PLUG/mPLUG-Owl, mPLUG-Owl2. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "convert/names.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

// clang-format off
#define MULTIWAY_NORM(from, to)                                                                    \
    {"layers.%d." from ".multiway.0.weight", "blk.%d." to ".weight", QB_ROLE_EXACT,                \
     {QB_DIM_WIDTH}, 0, 0},                                                                        \
    {"layers.%d." from ".multiway.1.weight", "blk.%d." to "_image.weight", QB_ROLE_EXACT,          \
     {QB_DIM_WIDTH}, 0, 0}
#define MULTIWAY_LINEAR(from, to, order)                                                           \
    {"layers.%d.self_attn." from ".multiway.0.weight", "blk.%d." to ".weight", QB_ROLE_DECODER,    \
     {QB_DIM_KV, QB_DIM_WIDTH}, order, 0},                                                         \
    {"layers.%d.self_attn." from ".multiway.1.weight", "blk.%d." to "_image.weight",               \
     QB_ROLE_DECODER, {QB_DIM_KV, QB_DIM_WIDTH}, order, 0}

static const QbRule decoder_rules[] = {
    MULTIWAY_NORM("input_layernorm", "attn_norm"),
    MULTIWAY_LINEAR("k_proj", "attn_k", QB_ROWS_ROTARY),
    MULTIWAY_LINEAR("v_proj", "attn_v", QB_ROWS_PLAIN),
    QB_LLAMA_SHARED_RULES,
    MULTIWAY_NORM("post_attention_layernorm", "ffn_norm"),
};

#define NORM(from, to, size)                                                                       \
    {from ".weight", to ".weight", QB_ROLE_EXACT, {size}, 0, 0},                                   \
    {from ".bias", to ".bias", QB_ROLE_EXACT, {size}, 0, 0}
#define LINEAR(from, to, rows, columns)                                                            \
    {from ".weight", to ".weight", QB_ROLE_TOWER, {rows, columns}, 0, 0},                          \
    {from ".bias", to ".bias", QB_ROLE_EXACT, {rows}, 0, 0}

static const QbRule tower_end_rules[] = {
    {"embeddings.cls_token", "v.class_embd", QB_ROLE_EXACT, {QB_DIM_TOWER}, 0, 0},
    {"embeddings.patch_embed.weight", "v.patch_embd.weight", QB_ROLE_EXACT,
     {QB_DIM_TOWER, QB_DIM_CHANNELS, QB_DIM_PATCH, QB_DIM_PATCH}, 0, 0},
    {"embeddings.position_embedding", "v.position_embd.weight", QB_ROLE_EXACT,
     {QB_DIM_POSITIONS, QB_DIM_TOWER}, 0, 0},
    NORM("embeddings.pre_layernorm", "v.pre_ln", QB_DIM_TOWER),
    NORM("post_layernorm", "v.post_ln", QB_DIM_TOWER),
};

#define T "encoder.layers.%d."
#define FUSED(to, order)                                                                           \
    {T "self_attn.query_key_value.weight", "v.blk.%d." to ".weight", QB_ROLE_TOWER,                \
     {QB_DIM_TOWER_QKV, QB_DIM_TOWER}, order, 0},                                                  \
    {T "self_attn.query_key_value.bias", "v.blk.%d." to ".bias", QB_ROLE_EXACT,                    \
     {QB_DIM_TOWER_QKV}, order, 0}

static const QbRule tower_layer_rules[] = {
    NORM(T "input_layernorm", "v.blk.%d.ln1", QB_DIM_TOWER),
    FUSED("attn_q", QB_ROWS_FUSED_QUERY),
    FUSED("attn_k", QB_ROWS_FUSED_KEY),
    FUSED("attn_v", QB_ROWS_FUSED_VALUE),
    LINEAR(T "self_attn.dense", "v.blk.%d.attn_out", QB_DIM_TOWER, QB_DIM_TOWER),
    NORM(T "post_attention_layernorm", "v.blk.%d.ln2", QB_DIM_TOWER),
    LINEAR(T "mlp.fc1", "v.blk.%d.ffn_up", QB_DIM_TOWER_FF, QB_DIM_TOWER),
    LINEAR(T "mlp.fc2", "v.blk.%d.ffn_down", QB_DIM_TOWER, QB_DIM_TOWER_FF),
};

static const QbRule abstractor_end_rules[] = {
    {"query_embeds", "a.query.weight", QB_ROLE_EXACT, {QB_DIM_QUERIES, QB_DIM_ABSTRACTOR}, 0, 0},
    LINEAR("visual_fc", "mm.fc", QB_DIM_WIDTH, QB_DIM_ABSTRACTOR),
    {"vit_eos", "mm.eos.weight", QB_ROLE_EXACT, {QB_DIM_WIDTH}, 0, 0},
};

#define A "encoder.layers.%d.crossattention."
#define B "a.blk.%d."
static const QbRule abstractor_layer_rules[] = {
    NORM(A "norm1", B "ln_q", QB_DIM_ABSTRACTOR),
    NORM(A "normk", B "ln_kv", QB_DIM_ABSTRACTOR),
    /* tables that are computed where they are absent */
    {A "attention.q_pos_embed", B "q_pos.weight", QB_ROLE_EXACT,
     {QB_DIM_QUERIES, QB_DIM_ABSTRACTOR}, 0, QB_RULE_OPTIONAL},
    {A "attention.k_pos_embed", B "k_pos.weight", QB_ROLE_EXACT,
     {QB_DIM_POSITIONS, QB_DIM_ABSTRACTOR}, 0, QB_RULE_OPTIONAL},
    LINEAR(A "attention.query", B "attn_q", QB_DIM_ABSTRACTOR, QB_DIM_ABSTRACTOR),
    LINEAR(A "attention.key", B "attn_k", QB_DIM_ABSTRACTOR, QB_DIM_ABSTRACTOR),
    LINEAR(A "attention.value", B "attn_v", QB_DIM_ABSTRACTOR, QB_DIM_ABSTRACTOR),
    LINEAR(A "output.out_proj", B "attn_out", QB_DIM_ABSTRACTOR, QB_DIM_ABSTRACTOR),
    NORM(A "output.norm2", B "ln2", QB_DIM_ABSTRACTOR),
    LINEAR(A "output.mlp.w1", B "ffn_gate", QB_DIM_ABSTRACTOR_FF, QB_DIM_ABSTRACTOR),
    LINEAR(A "output.mlp.w3", B "ffn_up", QB_DIM_ABSTRACTOR_FF, QB_DIM_ABSTRACTOR),
    NORM(A "output.mlp.ffn_ln", B "ffn_ln", QB_DIM_ABSTRACTOR_FF),
    LINEAR(A "output.mlp.w2", B "ffn_down", QB_DIM_ABSTRACTOR, QB_DIM_ABSTRACTOR_FF),
};
// clang-format on

static const char *const tower_ignored[] = {"embeddings.position_ids", NULL};

static QbStatus need_bool(const QbConfigNode *node, const char *key, bool want)
{
    bool value = want;
    QbStatus status = qb_config_bool(&value, node, key);
    if (!status && value != want)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: %s%s is %s; only %s can be converted", node->file,
                       node->prefix, key, value ? "true" : "false", want ? "true" : "false");
    return status;
}

static QbStatus read_abstractor(QbConversion *c, const QbConfigNode *node)
{
    QbAbstractorConfig *a = &c->abstractor;
    *a = (QbAbstractorConfig){.n_layers = 6,
                              .n_heads = 16,
                              .width = c->tower.width,
                              .n_ff = 2816,
                              .n_queries = 64,
                              .norm_eps = 1e-6};
    int grid = c->tower.image_size / c->tower.patch_size, encoder_width = c->tower.width;
    QbStatus status;
    if ((status = qb_config_int(&a->n_layers, node, "num_hidden_layers", 1, 512)) ||
        (status = qb_config_int(&a->n_heads, node, "num_attention_heads", 1, 1024)) ||
        (status = qb_config_int(&a->width, node, "hidden_size", 1, 16384)) ||
        (status = qb_config_int(&a->n_ff, node, "intermediate_size", 1, 65536)) ||
        (status = qb_config_int(&a->n_queries, node, "num_learnable_queries", 1, 4096)) ||
        (status = qb_config_real(&a->norm_eps, node, "layer_norm_eps", 0, 1)) ||
        (status = qb_config_int(&encoder_width, node, "encoder_hidden_size", 1, 16384)) ||
        (status = qb_config_int(&grid, node, "grid_size", 1, 4096)) ||
        (status = need_bool(node, "use_cls_token", true)) ||
        (status = need_bool(node, "add_v2t_pos_emb", false)))
        return status;
    if (a->width != c->tower.width || encoder_width != c->tower.width || a->width % a->n_heads ||
        grid != c->tower.image_size / c->tower.patch_size)
        return qb_fail(QB_ERR_FORMAT,
                       "%s: %shidden_size %d, encoder_hidden_size %d, %d heads, grid_size %d do "
                       "not go with a vision tower %d wide with %d patches a side",
                       node->file, node->prefix, a->width, encoder_width, a->n_heads, grid,
                       c->tower.width, c->tower.image_size / c->tower.patch_size);
    return QB_OK;
}

static QbStatus owl_read_config(QbConversion *c)
{
    QbConfigNode root = qb_config_root(&c->config), visual, tower, abstractor;
    QbStatus status;
    if ((status = qb_decoder_config_read(&c->decoder, &root, 1e-6)) ||
        (status = qb_config_child(&visual, &root, "visual_config", "visual_config.")) ||
        (status =
             qb_config_child(&tower, &visual, "visual_model", "visual_config.visual_model.")) ||
        (status = qb_config_child(&abstractor, &visual, "visual_abstractor",
                                  "visual_config.visual_abstractor.")) ||
        (status = qb_tower_config_read(&c->tower, &tower, 448, 1e-6)) ||
        (status = need_bool(&tower, "use_cls_token", true)) ||
        (status = need_bool(&tower, "use_post_layernorm", true)))
        return status;
    c->tower_layers = c->tower.n_layers;
    c->tower.use_gelu = false; /* upstream has quick GELU, whatever hidden_act says */
    return read_abstractor(c, &abstractor);
}

/* DeQA-Score's training writes its level words into config.json; the others leave no trace. */
static const char *owl_guess_preset(const QbConversion *c)
{
    QbConfigNode root = qb_config_root(&c->config);
    return qb_config_has(&root, "level_ids") || qb_config_has(&root, "level_prefix") ? "deqa"
                                                                                     : NULL;
}

static QbStatus owl_plan(QbConversion *c)
{
    qb_clip_plan_sizes(c);
    c->plan.dim[QB_DIM_QUERIES] = c->abstractor.n_queries;
    c->plan.dim[QB_DIM_ABSTRACTOR] = c->abstractor.width;
    c->plan.dim[QB_DIM_ABSTRACTOR_FF] = c->abstractor.n_ff;
    QbStatus status = qb_llama_plan_ends(c, "model.", "");
    static const char tower[] = "model.vision_model.", abstractor[] = "model.visual_abstractor.";
    QbRuleSet sets[] = {
        {c->checkpoint, tower, tower_end_rules, COUNT(tower_end_rules), 0, 0, tower_ignored},
        {c->checkpoint, tower, tower_layer_rules, COUNT(tower_layer_rules), c->tower.n_layers, 0,
         NULL},
        {c->checkpoint, abstractor, abstractor_end_rules, COUNT(abstractor_end_rules), 0, 0, NULL},
        {c->checkpoint, abstractor, abstractor_layer_rules, COUNT(abstractor_layer_rules),
         c->abstractor.n_layers, 0, NULL},
        {c->checkpoint, "model.", decoder_rules, COUNT(decoder_rules), c->decoder.n_layers, 0,
         NULL},
    };
    for (int i = 0; i < COUNT(sets) && !status; i++)
        status = qb_plan_apply(&c->plan, &sets[i]);
    return status;
}

static void owl_put_keys(const QbConversion *c, QbGgufWriter *w)
{
    const QbAbstractorConfig *a = &c->abstractor;
    qb_gguf_put_u32(w, "mplug_owl2.abstractor.block_count", (uint32_t)a->n_layers);
    qb_gguf_put_u32(w, "mplug_owl2.abstractor.embedding_length", (uint32_t)a->width);
    qb_gguf_put_u32(w, "mplug_owl2.abstractor.feed_forward_length", (uint32_t)a->n_ff);
    qb_gguf_put_u32(w, "mplug_owl2.abstractor.query_count", (uint32_t)a->n_queries);
    qb_gguf_put_u32(w, "mplug_owl2.abstractor.attention.head_count", (uint32_t)a->n_heads);
    qb_gguf_put_f32(w, "mplug_owl2.abstractor.layer_norm_epsilon", (float)a->norm_eps);
}

const QbConvertArch qb_convert_mplug_owl2 = {
    .name = "mplug_owl2",
    .model_types = {"mplug_owl2"},
    .read_config = owl_read_config,
    .guess_preset = owl_guess_preset,
    .plan = owl_plan,
    .put_keys = owl_put_keys,
};
