/* checkpoint_plan.h: the tensors of a published model, by name and shape, for make_checkpoint.
 *
 * One list an architecture, in one fixed order whatever the layout: a tensor's random numbers come
 * from its place in that list, so all layouts of one seed hold the same model. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BENCH_CHECKPOINT_PLAN_H
#define QB_BENCH_CHECKPOINT_PLAN_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum PlanDtype { PLAN_F16, PLAN_BF16, PLAN_F32, PLAN_I64 } PlanDtype;

typedef struct PlanTensor {
    char name[160];
    int n_dims;
    int64_t shape[4];
    int64_t n_values;
    PlanDtype dtype;
    float mean, deviation; /* of its normal distribution; PLAN_I64 counts 0, 1, … instead */
    uint64_t key;          /* what its numbers come from, with the seed */
} PlanTensor;

typedef struct Plan {
    PlanTensor *tensors; /* [n] owned */
    int n, capacity;
    uint64_t next_key;
    PlanDtype dtype; /* of what follows */
} Plan;

typedef struct Shape {
    const char *arch, *size;
    int width, ff, layers, heads, kv_heads, vocab; /* decoder */
    int image, patch, v_width, v_ff, v_layers, v_heads;
    int queries, a_layers, a_ff; /* mplug_owl2's abstractor; it has the tower's width and heads */
} Shape;

/* Tiny ones have widths of 256, so that every quantised type can be tried. */
// clang-format off
static const Shape shapes[] = {
    {"llava",      "7b",   4096, 11008, 32, 32, 32, 32000, 336, 14, 1024, 4096, 24, 16,  0, 0,    0},
    {"llava",      "13b",  5120, 13824, 40, 40, 40, 32000, 336, 14, 1024, 4096, 24, 16,  0, 0,    0},
    {"llava",      "tiny",  256,   512,  3,  4,  2,  1536,  56, 14,   64,  128,  3,  4,  0, 0,    0},
    {"mplug_owl2", "7b",   4096, 11008, 32, 32, 32, 32000, 448, 14, 1024, 4096, 24, 16, 64, 6, 2816},
    {"mplug_owl2", "13b",  5120, 13824, 40, 40, 40, 32000, 448, 14, 1024, 4096, 24, 16, 64, 6, 2816},
    {"mplug_owl2", "tiny",  256,   512,  3,  4,  2,  1536,  56, 14,   64,  128,  3,  4,  8, 2,   96},
};

/* How a layout spells LLaVA's parts. */
typedef struct Layout {
    const char *name, *text, *head, *projector, *tower;
    int projector_first, projector_second, filler_rows;
    bool tower_apart, hugging_face;
} Layout;

static const Layout layouts[] = {
    {"original", "model.", "lm_head", "model.mm_projector.",
     "model.vision_tower.vision_tower.vision_model.", 0, 2, 0, false, false},
    {"original-no-tower", "model.", "lm_head", "model.mm_projector.",
     "vision_model.", 0, 2, 0, true, false},
    {"hf-old", "language_model.model.", "language_model.lm_head", "multi_modal_projector.linear_",
     "vision_tower.vision_model.", 1, 2, 64, false, true},
    {"hf-new", "model.language_model.", "lm_head", "model.multi_modal_projector.linear_",
     "model.vision_tower.vision_model.", 1, 2, 64, false, true},
};
// clang-format on

static inline PlanTensor *plan_add(Plan *p, float mean, float deviation, const int64_t *shape,
                                   int n_dims, const char *name, va_list args)
{
    if (p->n == p->capacity) {
        p->capacity = 2 * p->capacity + 64;
        p->tensors = realloc(p->tensors, (size_t)p->capacity * sizeof *p->tensors);
        if (!p->tensors)
            abort();
    }
    PlanTensor *t = &p->tensors[p->n++];
    *t = (PlanTensor){.n_dims = n_dims,
                      .n_values = 1,
                      .dtype = p->dtype,
                      .mean = mean,
                      .deviation = deviation,
                      .key = p->next_key++};
    vsnprintf(t->name, sizeof t->name, name, args);
    for (int i = 0; i < n_dims; i++)
        t->n_values *= t->shape[i] = shape[i];
    return t;
}

/* [rows][columns]; deviation 0: what keeps a product as large as its input, 1 / sqrt(columns). */
static inline void __attribute__((format(printf, 5, 6)))
plan_matrix(Plan *p, double deviation, int64_t rows, int64_t columns, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    plan_add(p, 0, (float)(deviation > 0 ? deviation : 1.0 / sqrt((double)columns)),
             (const int64_t[]){rows, columns}, 2, name, args);
    va_end(args);
}

static inline void __attribute__((format(printf, 5, 6)))
plan_vector(Plan *p, double mean, double deviation, int64_t n, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    plan_add(p, (float)mean, (float)deviation, &n, 1, name, args);
    va_end(args);
}

static inline void __attribute__((format(printf, 5, 6)))
plan_shaped(Plan *p, double deviation, const int64_t *shape, int n_dims, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    plan_add(p, 0, (float)deviation, shape, n_dims, name, args);
    va_end(args);
}

/* "<prefix><name>.weight" [n][k] and ".bias" [n]. */
static inline void plan_linear(Plan *p, int n, int k, const char *prefix, const char *name)
{
    plan_matrix(p, 0, n, k, "%s%s.weight", prefix, name);
    plan_vector(p, 0, 0.1, n, "%s%s.bias", prefix, name);
}

static inline void plan_norm(Plan *p, int n, const char *prefix, const char *name)
{
    plan_vector(p, 1, 0.1, n, "%s%s.weight", prefix, name);
    plan_vector(p, 0, 0.1, n, "%s%s.bias", prefix, name);
}

/* The decoder; owl: keys, values and norms twice, for text and picture. old: also what files of
 * early transformers carry along, the rotary frequencies as f32. */
static inline void plan_decoder(Plan *p, const Shape *s, const char *text, const char *head,
                                int filler_rows, bool owl, bool old)
{
    int kv = s->width / s->heads * s->kv_heads, w = s->width, copies = owl ? 2 : 1;
    int rows = s->vocab + filler_rows;
    plan_matrix(p, 1, rows, w, "%sembed_tokens.weight", text);
    for (int i = 0; i < s->layers; i++) {
        char layer[96], part[24] = "";
        snprintf(layer, sizeof layer, "%slayers.%d.", text, i);
        plan_matrix(p, 0, w, w, "%sself_attn.q_proj.weight", layer);
        for (int c = 0; c < copies; c++) {
            if (owl)
                snprintf(part, sizeof part, ".multiway.%d", c);
            plan_matrix(p, 0, kv, w, "%sself_attn.k_proj%s.weight", layer, part);
            plan_matrix(p, 0, kv, w, "%sself_attn.v_proj%s.weight", layer, part);
            plan_vector(p, 1, 0.1, w, "%sinput_layernorm%s.weight", layer, part);
            plan_vector(p, 1, 0.1, w, "%spost_attention_layernorm%s.weight", layer, part);
        }
        plan_matrix(p, 0, w, w, "%sself_attn.o_proj.weight", layer);
        plan_matrix(p, 0, s->ff, w, "%smlp.gate_proj.weight", layer);
        plan_matrix(p, 0, s->ff, w, "%smlp.up_proj.weight", layer);
        plan_matrix(p, 0, w, s->ff, "%smlp.down_proj.weight", layer);
        PlanDtype dtype = p->dtype;
        p->dtype = PLAN_F32;
        if (old)
            plan_vector(p, 0.5, 0.1, w / s->heads / 2, "%sself_attn.rotary_emb.inv_freq", layer);
        p->next_key += !old;
        p->dtype = dtype;
    }
    plan_vector(p, 1, 0.1, w, "%snorm.weight", text);
    plan_matrix(p, 0, rows, w, "%s.weight", head);
}

/* CLIP's tower under Hugging Face's names. */
static inline void plan_clip(Plan *p, const Shape *s, const char *tower)
{
    int grid = s->image / s->patch, w = s->v_width;
    char e[128];
    snprintf(e, sizeof e, "%sembeddings.", tower);
    plan_vector(p, 0, 0.5, w, "%sclass_embedding", e);
    plan_shaped(p, 1.0 / sqrt(3.0 * s->patch * s->patch),
                (const int64_t[]){w, 3, s->patch, s->patch}, 4, "%spatch_embedding.weight", e);
    plan_matrix(p, 0.3, grid * grid + 1, w, "%sposition_embedding.weight", e);
    PlanDtype dtype = p->dtype;
    p->dtype = PLAN_I64;
    plan_shaped(p, 0, (const int64_t[]){1, grid * grid + 1}, 2, "%sposition_ids", e);
    p->dtype = dtype;
    plan_norm(p, w, tower, "pre_layrnorm");
    for (int i = 0; i < s->v_layers; i++) {
        char layer[128];
        static const char *const names[] = {"q_proj", "k_proj", "v_proj", "out_proj"};
        snprintf(layer, sizeof layer, "%sencoder.layers.%d.self_attn.", tower, i);
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            plan_linear(p, w, w, layer, names[j]);
        snprintf(layer, sizeof layer, "%sencoder.layers.%d.", tower, i);
        plan_norm(p, w, layer, "layer_norm1");
        plan_linear(p, s->v_ff, w, layer, "mlp.fc1");
        plan_linear(p, w, s->v_ff, layer, "mlp.fc2");
        plan_norm(p, w, layer, "layer_norm2");
    }
    plan_norm(p, w, tower, "post_layernorm");
}

/* rest: the decoder and the projector; tower: where to put the tower (the same as rest, or its own
 * folder's). */
static inline void plan_llava(Plan *rest, Plan *tower, const Shape *s, const Layout *l, bool old)
{
    char first[64], second[64];
    snprintf(first, sizeof first, "%s%d", l->projector, l->projector_first);
    snprintf(second, sizeof second, "%s%d", l->projector, l->projector_second);
    plan_decoder(rest, s, l->text, l->head, l->filler_rows, false, old);
    plan_linear(rest, s->width, s->v_width, first, "");
    plan_linear(rest, s->width, s->width, second, "");
    tower->next_key = rest->next_key;
    plan_clip(tower, s, l->tower);
}

static inline void plan_owl_tower(Plan *p, const Shape *s)
{
    static const char tower[] = "model.vision_model.";
    int grid = s->image / s->patch, w = s->v_width;
    plan_shaped(p, 0.5, (const int64_t[]){1, 1, w}, 3, "%sembeddings.cls_token", tower);
    plan_shaped(p, 0.3, (const int64_t[]){1, grid * grid + 1, w}, 3,
                "%sembeddings.position_embedding", tower);
    plan_shaped(p, 1.0 / sqrt(3.0 * s->patch * s->patch),
                (const int64_t[]){w, 3, s->patch, s->patch}, 4, "%sembeddings.patch_embed.weight",
                tower);
    plan_norm(p, w, tower, "embeddings.pre_layernorm");
    for (int i = 0; i < s->v_layers; i++) {
        char layer[96];
        snprintf(layer, sizeof layer, "%sencoder.layers.%d.", tower, i);
        plan_norm(p, w, layer, "input_layernorm");
        plan_linear(p, 3 * w, w, layer, "self_attn.query_key_value");
        plan_linear(p, w, w, layer, "self_attn.dense");
        plan_norm(p, w, layer, "post_attention_layernorm");
        plan_linear(p, s->v_ff, w, layer, "mlp.fc1");
        plan_linear(p, w, s->v_ff, layer, "mlp.fc2");
    }
    plan_norm(p, w, tower, "post_layernorm");
}

static inline void plan_owl_abstractor(Plan *p, const Shape *s)
{
    static const char abstractor[] = "model.visual_abstractor.";
    int grid = s->image / s->patch, w = s->v_width;
    plan_shaped(p, 1, (const int64_t[]){1, s->queries, w}, 3, "%squery_embeds", abstractor);
    plan_shaped(p, 1, (const int64_t[]){1, 1, s->width}, 3, "%svit_eos", abstractor);
    plan_linear(p, s->width, w, abstractor, "visual_fc");
    for (int i = 0; i < s->a_layers; i++) {
        char layer[128];
        snprintf(layer, sizeof layer, "%sencoder.layers.%d.crossattention.", abstractor, i);
        plan_linear(p, w, w, layer, "attention.query");
        plan_linear(p, w, w, layer, "attention.key");
        plan_linear(p, w, w, layer, "attention.value");
        plan_matrix(p, 0.5, s->queries, w, "%sattention.q_pos_embed", layer);
        plan_matrix(p, 0.5, grid * grid + 1, w, "%sattention.k_pos_embed", layer);
        plan_norm(p, w, layer, "norm1");
        plan_norm(p, w, layer, "normk");
        plan_norm(p, w, layer, "output.norm2");
        plan_linear(p, w, w, layer, "output.out_proj");
        plan_linear(p, s->a_ff, w, layer, "output.mlp.w1");
        plan_linear(p, s->a_ff, w, layer, "output.mlp.w3");
        plan_linear(p, w, s->a_ff, layer, "output.mlp.w2");
        plan_norm(p, s->a_ff, layer, "output.mlp.ffn_ln");
    }
}

static inline void plan_owl(Plan *p, const Shape *s, bool old)
{
    plan_decoder(p, s, "model.", "lm_head", 0, true, old);
    plan_owl_tower(p, s);
    plan_owl_abstractor(p, s);
}

#endif
