/* tiny_network.h: the tensors of tiny_checkpoint.h, under the names of every layout. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_TINY_NETWORK_H
#define QB_TESTS_TINY_NETWORK_H

#include "tests/unit/convert/tiny_options.h"

/* Of a tensor's place: a name that all layouts share. */
static inline float tiny_value(const char *place, int seed, int64_t i)
{
    uint64_t state = 1469598103934665603u + (uint64_t)seed;
    for (const char *at = place; *at; at++)
        state = (state ^ (uint8_t)*at) * 1099511628211u;
    state = (state ^ (uint64_t)i) * 0x9e3779b97f4a7c15u;
    state ^= state >> 29;
    state *= 0xbf58476d1ce4e5b9u;
    return (float)((int)(state >> 40 & 255) - 127) / 128.0f;
}

static inline bool tiny_is(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

/* prefix + name is the tensor's name in the file, name its place. */
static inline void tiny_add(TinyFolder *f, const char *prefix, const char *name, int n_dims,
                            int64_t a, int64_t b, int64_t c, int64_t d)
{
    const TinyOptions *o = f->options;
    TinyTensor *t = &f->tensor[f->n];
    const int64_t shape[4] = {a, b, c, d};
    assert_true(f->n < TINY_MAX_TENSORS);
    snprintf(t->name, sizeof t->name, "%s%s", prefix, name);
    if (tiny_is(o->without, t->name))
        return;
    t->dtype = o->dtype ? o->dtype : "F32";
    t->n_dims = n_dims;
    t->n = 1;
    for (int i = 0; i < n_dims; i++)
        t->n *= t->shape[i] = shape[i];
    if (tiny_is(o->reshape, t->name)) {
        t->shape[0] = shape[1];
        t->shape[1] = shape[0];
    }
    if (tiny_is(o->integers, t->name))
        t->dtype = "I32";
    t->values = malloc((size_t)t->n * sizeof *t->values);
    char place[96]; /* the projector's two matrices have other names in each layout */
    bool linear = !strncmp(name, "linear_", 7);
    snprintf(place, sizeof place, "%s%s", linear ? name[7] == '1' ? "0" : "2" : "",
             linear ? name + 8 : name);
    for (int64_t i = 0; i < t->n; i++)
        t->values[i] = tiny_value(place, o->seed, i);
    if (tiny_is(o->spoil, t->name))
        t->values[t->n - 1] = o->large != 0 ? o->large : (float)NAN;
    f->n++;
}

static inline void tiny_linear(TinyFolder *f, const char *prefix, const char *name, int64_t rows,
                               int64_t columns, bool bias)
{
    char full[128];
    snprintf(full, sizeof full, "%s.weight", name);
    tiny_add(f, prefix, full, columns ? 2 : 1, rows, columns, 1, 1);
    snprintf(full, sizeof full, "%s.bias", name);
    if (bias)
        tiny_add(f, prefix, full, 1, rows, 1, 1, 1);
}

/* name with %d. */
static inline void tiny_layer(TinyFolder *f, const char *prefix, const char *name, int layer,
                              int64_t rows, int64_t columns, bool bias)
{
    char full[96];
    const char *slot = strstr(name, "%d");
    snprintf(full, sizeof full, "%.*s%d%s", (int)(slot - name), name, layer, slot + 2);
    tiny_linear(f, prefix, full, rows, columns, bias);
}

static inline void tiny_decoder(TinyFolder *f, const char *prefix, const char *head_prefix)
{
    bool owl = f->options->layout == TINY_OWL;
    int64_t w = f->width, kv = w / TINY_HEADS * TINY_KEY_HEADS;
    tiny_linear(f, prefix, "embed_tokens", f->n_vocab, w, false);
    for (int i = 0; i < TINY_LAYERS; i++) {
        tiny_layer(f, prefix, "layers.%d.self_attn.q_proj", i, w, w, false);
        tiny_layer(f, prefix, "layers.%d.self_attn.o_proj", i, w, w, false);
        tiny_layer(f, prefix, "layers.%d.mlp.gate_proj", i, f->n_ff, w, false);
        tiny_layer(f, prefix, "layers.%d.mlp.up_proj", i, f->n_ff, w, false);
        tiny_layer(f, prefix, "layers.%d.mlp.down_proj", i, w, f->n_ff, false);
        for (int way = 0; way <= owl; way++) {
            static const struct {
                const char *plain, *multiway[2];
                bool matrix;
            } all[] = {
                {"layers.%d.self_attn.k_proj",
                 {"layers.%d.self_attn.k_proj.multiway.0", "layers.%d.self_attn.k_proj.multiway.1"},
                 true},
                {"layers.%d.self_attn.v_proj",
                 {"layers.%d.self_attn.v_proj.multiway.0", "layers.%d.self_attn.v_proj.multiway.1"},
                 true},
                {"layers.%d.input_layernorm",
                 {"layers.%d.input_layernorm.multiway.0", "layers.%d.input_layernorm.multiway.1"},
                 false},
                {"layers.%d.post_attention_layernorm",
                 {"layers.%d.post_attention_layernorm.multiway.0",
                  "layers.%d.post_attention_layernorm.multiway.1"},
                 false},
            };
            for (int j = 0; j < 4; j++)
                tiny_layer(f, prefix, owl ? all[j].multiway[way] : all[j].plain, i,
                           all[j].matrix ? kv : w, all[j].matrix ? w : 0, false);
        }
    }
    tiny_linear(f, prefix, "norm", w, 0, false);
    tiny_linear(f, head_prefix, "lm_head", f->n_vocab, w, false);
}

static inline void tiny_clip(TinyFolder *f, const char *prefix)
{
    tiny_add(f, prefix, "embeddings.class_embedding", 1, TINY_TOWER, 1, 1, 1);
    tiny_add(f, prefix, "embeddings.patch_embedding.weight", 4, TINY_TOWER, 3, TINY_PATCH,
             TINY_PATCH);
    tiny_linear(f, prefix, "embeddings.position_embedding", TINY_POSITIONS, TINY_TOWER, false);
    tiny_linear(f, prefix, "pre_layrnorm", TINY_TOWER, 0, true);
    tiny_linear(f, prefix, "post_layernorm", TINY_TOWER, 0, true);
    for (int i = 0; i < TINY_TOWER_LAYERS; i++) {
        tiny_layer(f, prefix, "encoder.layers.%d.layer_norm1", i, TINY_TOWER, 0, true);
        tiny_layer(f, prefix, "encoder.layers.%d.layer_norm2", i, TINY_TOWER, 0, true);
        static const char *const square[] = {
            "encoder.layers.%d.self_attn.q_proj", "encoder.layers.%d.self_attn.k_proj",
            "encoder.layers.%d.self_attn.v_proj", "encoder.layers.%d.self_attn.out_proj"};
        for (int j = 0; j < 4; j++)
            tiny_layer(f, prefix, square[j], i, TINY_TOWER, TINY_TOWER, true);
        tiny_layer(f, prefix, "encoder.layers.%d.mlp.fc1", i, TINY_TOWER_FF, TINY_TOWER, true);
        tiny_layer(f, prefix, "encoder.layers.%d.mlp.fc2", i, TINY_TOWER, TINY_TOWER_FF, true);
    }
}

static inline void tiny_owl_tower(TinyFolder *f)
{
    static const char p[] = "model.vision_model.";
    tiny_add(f, p, "embeddings.cls_token", 3, 1, 1, TINY_TOWER, 1);
    tiny_add(f, p, "embeddings.position_embedding", 3, 1, TINY_POSITIONS, TINY_TOWER, 1);
    tiny_add(f, p, "embeddings.patch_embed.weight", 4, TINY_TOWER, 3, TINY_PATCH, TINY_PATCH);
    tiny_linear(f, p, "embeddings.pre_layernorm", TINY_TOWER, 0, true);
    tiny_linear(f, p, "post_layernorm", TINY_TOWER, 0, true);
    for (int i = 0; i < TINY_TOWER_LAYERS; i++) {
        tiny_layer(f, p, "encoder.layers.%d.input_layernorm", i, TINY_TOWER, 0, true);
        tiny_layer(f, p, "encoder.layers.%d.post_attention_layernorm", i, TINY_TOWER, 0, true);
        tiny_layer(f, p, "encoder.layers.%d.self_attn.query_key_value", i, 3 * TINY_TOWER,
                   TINY_TOWER, true);
        tiny_layer(f, p, "encoder.layers.%d.self_attn.dense", i, TINY_TOWER, TINY_TOWER, true);
        tiny_layer(f, p, "encoder.layers.%d.mlp.fc1", i, TINY_TOWER_FF, TINY_TOWER, true);
        tiny_layer(f, p, "encoder.layers.%d.mlp.fc2", i, TINY_TOWER, TINY_TOWER_FF, true);
    }
}

static inline void tiny_owl_abstractor(TinyFolder *f)
{
    static const char p[] = "model.visual_abstractor.";
    static const char cross[] = "model.visual_abstractor.encoder.layers.";
    tiny_add(f, p, "query_embeds", 3, 1, TINY_QUERIES, TINY_TOWER, 1);
    tiny_add(f, p, "vit_eos", 3, 1, 1, f->width, 1);
    tiny_linear(f, p, "visual_fc", f->width, TINY_TOWER, true);
    for (int i = 0; i < TINY_ABSTRACTOR_LAYERS; i++) {
        char name[96];
        static const char *const square[] = {
            "%d.crossattention.attention.query", "%d.crossattention.attention.key",
            "%d.crossattention.attention.value", "%d.crossattention.output.out_proj"};
        static const char *const norm[] = {"%d.crossattention.norm1", "%d.crossattention.normk",
                                           "%d.crossattention.output.norm2"};
        for (int j = 0; j < 4; j++)
            tiny_layer(f, cross, square[j], i, TINY_TOWER, TINY_TOWER, true);
        for (int j = 0; j < 3; j++)
            tiny_layer(f, cross, norm[j], i, TINY_TOWER, 0, true);
        tiny_layer(f, cross, "%d.crossattention.output.mlp.w1", i, TINY_ABSTRACTOR_FF, TINY_TOWER,
                   true);
        tiny_layer(f, cross, "%d.crossattention.output.mlp.w3", i, TINY_ABSTRACTOR_FF, TINY_TOWER,
                   true);
        tiny_layer(f, cross, "%d.crossattention.output.mlp.w2", i, TINY_TOWER, TINY_ABSTRACTOR_FF,
                   true);
        tiny_layer(f, cross, "%d.crossattention.output.mlp.ffn_ln", i, TINY_ABSTRACTOR_FF, 0, true);
        if (f->options->no_positions)
            continue;
        snprintf(name, sizeof name, "%d.crossattention.attention.q_pos_embed", i);
        tiny_add(f, cross, name, 2, TINY_QUERIES, TINY_TOWER, 1, 1);
        snprintf(name, sizeof name, "%d.crossattention.attention.k_pos_embed", i);
        tiny_add(f, cross, name, 2, TINY_POSITIONS, TINY_TOWER, 1, 1);
    }
}

static inline void tiny_network(TinyFolder *f)
{
    static const char linear_1[] = "linear_1", linear_2[] = "linear_2";
    const char *projector = "model.mm_projector.", *first = "0", *second = "2";
    switch (f->options->layout) {
    case TINY_HF_OLD:
        projector = "multi_modal_projector.", first = linear_1, second = linear_2;
        tiny_decoder(f, "language_model.model.", "language_model.");
        tiny_clip(f, "vision_tower.vision_model.");
        break;
    case TINY_HF_NEW:
        projector = "model.multi_modal_projector.", first = linear_1, second = linear_2;
        tiny_decoder(f, "model.language_model.", "");
        tiny_clip(f, "model.vision_tower.vision_model.");
        break;
    case TINY_OWL:
        tiny_decoder(f, "model.", "");
        tiny_owl_tower(f);
        tiny_owl_abstractor(f);
        return;
    default:
        tiny_decoder(f, "model.", "");
        if (f->options->layout == TINY_ORIGINAL)
            tiny_clip(f, "model.vision_tower.vision_tower.vision_model.");
        tiny_add(f, "model.layers.0.", "self_attn.rotary_emb.inv_freq", 1, 4, 1, 1, 1);
    }
    tiny_linear(f, projector, first, f->width, TINY_TOWER, true);
    tiny_linear(f, projector, second, f->width, f->width, true);
}

#endif
