/* llama_names.c: the LLaMA decoder's tensors (transformers' LlamaForCausalLM) and their names in
 * GGUF. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "convert/names.h"

#include <stdio.h>

enum { MAX_VOCAB = 1 << 20 };

// clang-format off
static const QbRule layer_rules[] = {
    {"layers.%d.input_layernorm.weight", "blk.%d.attn_norm.weight", QB_ROLE_EXACT,
     {QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},
    QB_LLAMA_SHARED_RULES,
    {"layers.%d.self_attn.k_proj.weight", "blk.%d.attn_k.weight", QB_ROLE_DECODER,
     {QB_DIM_KV, QB_DIM_WIDTH}, QB_ROWS_ROTARY, 0},
    {"layers.%d.self_attn.v_proj.weight", "blk.%d.attn_v.weight", QB_ROLE_DECODER,
     {QB_DIM_KV, QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},
    {"layers.%d.post_attention_layernorm.weight", "blk.%d.ffn_norm.weight", QB_ROLE_EXACT,
     {QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},
};

static const QbRule end_rules[] = {
    {"embed_tokens.weight", "token_embd.weight", QB_ROLE_EMBEDDING,
     {QB_DIM_VOCAB, QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},
    {"norm.weight", "output_norm.weight", QB_ROLE_EXACT, {QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},
};

static const QbRule head_rules[] = {
    {"lm_head.weight", "output.weight", QB_ROLE_HEAD,
     {QB_DIM_VOCAB, QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},
};
// clang-format on

const char *const qb_llama_ignored[] = {"layers.*.self_attn.rotary_emb.inv_freq",
                                        "rotary_emb.inv_freq", NULL};
static const char *const tied_head[] = {"lm_head.weight", NULL};

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* Files in the Hugging Face layout have more rows than tokens (filler); never fewer. */
static QbStatus find_vocabulary(QbConversion *c, const char *prefix)
{
    char name[128], got[128];
    snprintf(name, sizeof name, "%sembed_tokens.weight", prefix);
    const QbCheckpointTensor *t = qb_checkpoint_find(c->checkpoint, name);
    if (!t)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is missing", c->folder, name);
    if (t->n_dims == 2 && t->shape[0] >= c->n_tokens && t->shape[0] <= MAX_VOCAB) {
        c->plan.dim[QB_DIM_VOCAB] = t->shape[0];
        return QB_OK;
    }
    qb_shape_text(got, sizeof got, t->shape, t->n_dims);
    return qb_fail(
        QB_ERR_FORMAT,
        "%s: tensor %s is %s, expected [%d or more, %d] for the tokens of tokenizer.model", t->file,
        name, got, c->n_tokens, c->decoder.width);
}

QbStatus qb_llama_plan_ends(QbConversion *c, const char *prefix, const char *head_prefix)
{
    const QbDecoderConfig *d = &c->decoder;
    c->plan.head_dim = d->width / d->n_heads;
    c->plan.dim[QB_DIM_WIDTH] = d->width;
    c->plan.dim[QB_DIM_FF] = d->n_ff;
    c->plan.dim[QB_DIM_KV] = d->n_kv_heads * c->plan.head_dim;
    QbRuleSet ends = {.from = c->checkpoint,
                      .prefix = prefix,
                      .rules = end_rules,
                      .n_rules = COUNT(end_rules),
                      .ignored = qb_llama_ignored};
    QbRuleSet head = {.from = c->checkpoint,
                      .prefix = head_prefix,
                      .rules = head_rules,
                      .n_rules = d->tied ? 0 : COUNT(head_rules),
                      .ignored = d->tied ? tied_head : NULL};
    QbStatus status = find_vocabulary(c, prefix);
    if (!status)
        status = qb_plan_apply(&c->plan, &ends);
    return status ? status : qb_plan_apply(&c->plan, &head);
}

QbStatus qb_llama_plan_layers(QbConversion *c, const char *prefix)
{
    QbRuleSet set = {.from = c->checkpoint,
                     .prefix = prefix,
                     .rules = layer_rules,
                     .n_rules = COUNT(layer_rules),
                     .n_layers = c->decoder.n_layers};
    return qb_plan_apply(&c->plan, &set);
}

static void put(QbGgufWriter *w, const char *arch, const char *name, int64_t value)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", arch, name);
    qb_gguf_put_u32(w, key, (uint32_t)value);
}

void qb_llama_put_keys(const QbConversion *c, QbGgufWriter *w, const char *arch)
{
    const QbDecoderConfig *d = &c->decoder;
    char key[96];
    put(w, arch, "block_count", d->n_layers);
    put(w, arch, "context_length", d->n_context);
    put(w, arch, "embedding_length", d->width);
    put(w, arch, "feed_forward_length", d->n_ff);
    put(w, arch, "vocab_size", c->plan.dim[QB_DIM_VOCAB]);
    put(w, arch, "attention.head_count", d->n_heads);
    put(w, arch, "attention.head_count_kv", d->n_kv_heads);
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", arch);
    qb_gguf_put_f32(w, key, (float)d->norm_eps);
    snprintf(key, sizeof key, "%s.rope.freq_base", arch);
    qb_gguf_put_f32(w, key, (float)d->rope_base);
}
