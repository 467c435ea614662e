/* test_convert.c: checkpoints of every layout become files that qb_model_open takes, and every
 * value of every tensor is where the network expects it. */
// SPDX-License-Identifier: Apache-2.0
#include "models/model.h"
#include "tests/unit/convert/convert_test.h"

/* Where value (row, column) of the file was in the checkpoint: each order told by its own loops,
 * from the formula in docs/models. */
typedef enum { PLAIN, ROTARY, QUERY, KEY, VALUE } Order;

static int64_t *row_map(Order order, int64_t rows, int heads)
{
    int64_t *map = malloc((size_t)rows * sizeof *map), d = rows / heads;
    for (int64_t r = 0; r < rows; r++)
        map[r] = r;
    for (int h = 0; h < heads && order == ROTARY; h++)
        for (int64_t i = 0; i < d / 2; i++)
            for (int64_t j = 0; j < 2; j++)
                map[h * d + 2 * i + j] = h * d + j * (d / 2) + i;
    for (int h = 0; h < heads && order >= QUERY; h++) /* seen as [heads][3][d] */
        for (int64_t i = 0; i < d; i++)
            map[h * d + i] = (h * 3 + (order - QUERY)) * d + i;
    return map;
}

static void check(const QbGguf *gguf, const char *name, const TinyTensor *source, Order order,
                  int heads)
{
    const QbGgufTensor *t = qb_gguf_find_tensor(gguf, name);
    if (!t)
        fail_msg("%s is not in the file", name);
    assert_int_equal(t->type, QB_TYPE_F32);
    int64_t rows = t->n_dims > 1 ? t->ne[1] * t->ne[2] * t->ne[3] : t->ne[0];
    int64_t columns = t->n_dims > 1 ? t->ne[0] : 1;
    assert_int_equal(rows * columns * (order >= QUERY ? 3 : 1), source->n);
    int64_t *map = row_map(order, rows, heads);
    const float *values = t->data;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            if (values[r * columns + c] != source->values[map[r] * columns + c])
                fail_msg("%s[%d][%d] is %g", name, (int)r, (int)c, (double)values[r * columns + c]);
    free(map);
}

typedef struct {
    const char *name, *source; /* with %d, and then .weight, and .bias where there is one */
    Order order;
    int heads;
    bool bias;
} Pair;

/* The number of tensors checked. */
static int check_layers(const QbGguf *gguf, const TinyFolder *f, const Pair *pair, int n_pairs,
                        int n_layers)
{
    char name[96], source[128], pattern[128];
    int n = 0;
    for (int layer = 0; layer < n_layers; layer++)
        for (int i = 0; i < n_pairs; i++)
            for (int part = 0; part <= pair[i].bias; part++, n++) {
                const char *end = part ? ".bias" : ".weight";
                const char *slot = strstr(pair[i].name, "%d");
                snprintf(name, sizeof name, "%.*s%d%s%s", (int)(slot - pair[i].name), pair[i].name,
                         layer, slot + 2, end);
                snprintf(pattern, sizeof pattern, "%s", pair[i].source);
                slot = strstr(pattern, "%d");
                snprintf(source, sizeof source, "%.*s%d%s%s", (int)(slot - pattern), pattern, layer,
                         slot + 2, strstr(pattern, "pos_embed") ? "" : end);
                check(gguf, name, tiny_find(f, source), pair[i].order, pair[i].heads);
            }
    return n;
}

// clang-format off
static const Pair llama[] = {
    {"blk.%d.attn_norm", "layers.%d.input_layernorm", PLAIN, 1, false},
    {"blk.%d.ffn_norm", "layers.%d.post_attention_layernorm", PLAIN, 1, false},
    {"blk.%d.attn_k", "layers.%d.self_attn.k_proj", ROTARY, TINY_KEY_HEADS, false},
    {"blk.%d.attn_v", "layers.%d.self_attn.v_proj", PLAIN, 1, false},
    {"blk.%d.attn_q", "layers.%d.self_attn.q_proj", ROTARY, TINY_HEADS, false},
    {"blk.%d.attn_output", "layers.%d.self_attn.o_proj", PLAIN, 1, false},
    {"blk.%d.ffn_gate", "layers.%d.mlp.gate_proj", PLAIN, 1, false},
    {"blk.%d.ffn_up", "layers.%d.mlp.up_proj", PLAIN, 1, false},
    {"blk.%d.ffn_down", "layers.%d.mlp.down_proj", PLAIN, 1, false},
};
enum { LLAMA_OWN = 4 }; /* the first ones have two forms in mPLUG-Owl2 */

static const Pair multiway[] = {
    {"blk.%d.attn_norm", "layers.%d.input_layernorm.multiway.0", PLAIN, 1, false},
    {"blk.%d.attn_norm_image", "layers.%d.input_layernorm.multiway.1", PLAIN, 1, false},
    {"blk.%d.ffn_norm", "layers.%d.post_attention_layernorm.multiway.0", PLAIN, 1, false},
    {"blk.%d.ffn_norm_image", "layers.%d.post_attention_layernorm.multiway.1", PLAIN, 1, false},
    {"blk.%d.attn_k", "layers.%d.self_attn.k_proj.multiway.0", ROTARY, TINY_KEY_HEADS, false},
    {"blk.%d.attn_k_image", "layers.%d.self_attn.k_proj.multiway.1", ROTARY, TINY_KEY_HEADS,
     false},
    {"blk.%d.attn_v", "layers.%d.self_attn.v_proj.multiway.0", PLAIN, 1, false},
    {"blk.%d.attn_v_image", "layers.%d.self_attn.v_proj.multiway.1", PLAIN, 1, false},
};

static const Pair clip[] = {
    {"v.blk.%d.ln1", "encoder.layers.%d.layer_norm1", PLAIN, 1, true},
    {"v.blk.%d.ln2", "encoder.layers.%d.layer_norm2", PLAIN, 1, true},
    {"v.blk.%d.attn_q", "encoder.layers.%d.self_attn.q_proj", PLAIN, 1, true},
    {"v.blk.%d.attn_k", "encoder.layers.%d.self_attn.k_proj", PLAIN, 1, true},
    {"v.blk.%d.attn_v", "encoder.layers.%d.self_attn.v_proj", PLAIN, 1, true},
    {"v.blk.%d.attn_out", "encoder.layers.%d.self_attn.out_proj", PLAIN, 1, true},
    {"v.blk.%d.ffn_up", "encoder.layers.%d.mlp.fc1", PLAIN, 1, true},
    {"v.blk.%d.ffn_down", "encoder.layers.%d.mlp.fc2", PLAIN, 1, true},
};

static const Pair owl_tower[] = {
    {"v.blk.%d.ln1", "encoder.layers.%d.input_layernorm", PLAIN, 1, true},
    {"v.blk.%d.ln2", "encoder.layers.%d.post_attention_layernorm", PLAIN, 1, true},
    {"v.blk.%d.attn_q", "encoder.layers.%d.self_attn.query_key_value", QUERY, TINY_TOWER_HEADS,
     true},
    {"v.blk.%d.attn_k", "encoder.layers.%d.self_attn.query_key_value", KEY, TINY_TOWER_HEADS,
     true},
    {"v.blk.%d.attn_v", "encoder.layers.%d.self_attn.query_key_value", VALUE, TINY_TOWER_HEADS,
     true},
    {"v.blk.%d.attn_out", "encoder.layers.%d.self_attn.dense", PLAIN, 1, true},
    {"v.blk.%d.ffn_up", "encoder.layers.%d.mlp.fc1", PLAIN, 1, true},
    {"v.blk.%d.ffn_down", "encoder.layers.%d.mlp.fc2", PLAIN, 1, true},
};

static const Pair abstractor[] = {
    {"a.blk.%d.attn_q", "layers.%d.crossattention.attention.query", PLAIN, 1, true},
    {"a.blk.%d.attn_k", "layers.%d.crossattention.attention.key", PLAIN, 1, true},
    {"a.blk.%d.attn_v", "layers.%d.crossattention.attention.value", PLAIN, 1, true},
    {"a.blk.%d.attn_out", "layers.%d.crossattention.output.out_proj", PLAIN, 1, true},
    {"a.blk.%d.ln_q", "layers.%d.crossattention.norm1", PLAIN, 1, true},
    {"a.blk.%d.ln_kv", "layers.%d.crossattention.normk", PLAIN, 1, true},
    {"a.blk.%d.ln2", "layers.%d.crossattention.output.norm2", PLAIN, 1, true},
    {"a.blk.%d.ffn_ln", "layers.%d.crossattention.output.mlp.ffn_ln", PLAIN, 1, true},
    {"a.blk.%d.ffn_gate", "layers.%d.crossattention.output.mlp.w1", PLAIN, 1, true},
    {"a.blk.%d.ffn_up", "layers.%d.crossattention.output.mlp.w3", PLAIN, 1, true},
    {"a.blk.%d.ffn_down", "layers.%d.crossattention.output.mlp.w2", PLAIN, 1, true},
};

static const Pair positions[] = {
    {"a.blk.%d.q_pos", "layers.%d.crossattention.attention.q_pos_embed", PLAIN, 1, false},
    {"a.blk.%d.k_pos", "layers.%d.crossattention.attention.k_pos_embed", PLAIN, 1, false},
};

static const char *const ends[][2] = {
    {"token_embd.weight", "embed_tokens.weight"},
    {"output.weight", "lm_head.weight"},
    {"v.patch_embd.weight", "embeddings.patch_embedding.weight"},
    {"v.class_embd", "embeddings.class_embedding"},
    {"v.position_embd.weight", "embeddings.position_embedding.weight"},
    {"v.pre_ln.weight", "pre_layrnorm.weight"},
    {"v.pre_ln.bias", "pre_layrnorm.bias"},
};

static const char *const owl_ends[][2] = {
    {"token_embd.weight", "embed_tokens.weight"},
    {"output.weight", "lm_head.weight"},
    {"v.patch_embd.weight", "embeddings.patch_embed.weight"},
    {"v.class_embd", "embeddings.cls_token"},
    {"v.position_embd.weight", "embeddings.position_embedding"},
    {"v.pre_ln.weight", "embeddings.pre_layernorm.weight"},
    {"v.pre_ln.bias", "embeddings.pre_layernorm.bias"},
    {"v.post_ln.weight", "vision_model.post_layernorm.weight"},
    {"v.post_ln.bias", "vision_model.post_layernorm.bias"},
    {"a.query.weight", "query_embeds"},
    {"mm.fc.weight", "visual_fc.weight"},
    {"mm.fc.bias", "visual_fc.bias"},
    {"mm.eos.weight", "vit_eos"},
    {"output_norm.weight", "model.norm.weight"},
};
// clang-format on

static void check_opens(const TinyFolder *f, const char *architecture)
{
    QbModel *model = NULL;
    if (qb_model_open(&model, f->out, NULL))
        fail_msg("%s", qb_last_error());
    assert_string_equal(qb_model_architecture(model), architecture);
    qb_model_close(&model);
}

static void check_llava(TinyLayout layout, const char *dtype)
{
    TinyFolder f;
    TinyOptions o = {.layout = layout, .dtype = dtype};
    tiny_folder_make(&f, &o);
    convert_ok(&f, convert_options(&f, "f32"));
    QbGguf *gguf = convert_open(&f);
    int n = check_layers(gguf, &f, llama, COUNT(llama), TINY_LAYERS);
    for (int i = 0; i < 2; i++, n++)
        check(gguf, ends[i][0], tiny_find(&f, ends[i][1]), PLAIN, 1);
    static TinyFolder tower; /* the same, in a folder of its own */
    if (f.tower[0]) {
        tower = (TinyFolder){.options = &o};
        tiny_clip(&tower, "");
    }
    const TinyFolder *t = f.tower[0] ? &tower : &f;
    for (int i = 2; i < COUNT(ends); i++, n++)
        check(gguf, ends[i][0], tiny_find(t, ends[i][1]), PLAIN, 1);
    n += check_layers(gguf, t, clip, COUNT(clip), TINY_TOWER_LAYERS - 1);
    bool hf = layout == TINY_HF_OLD || layout == TINY_HF_NEW;
    check(gguf, "mm.0.weight", tiny_find(&f, hf ? "linear_1.weight" : "0.weight"), PLAIN, 1);
    check(gguf, "mm.0.bias", tiny_find(&f, hf ? "linear_1.bias" : "0.bias"), PLAIN, 1);
    check(gguf, "mm.2.weight", tiny_find(&f, hf ? "linear_2.weight" : "2.weight"), PLAIN, 1);
    check(gguf, "mm.2.bias", tiny_find(&f, hf ? "linear_2.bias" : "2.bias"), PLAIN, 1);
    check(gguf, "output_norm.weight", tiny_find(&f, "norm.weight"), PLAIN, 1);
    assert_int_equal(qb_gguf_tensor_count(gguf), n + 5);
    uint32_t count = 0;
    assert_int_equal(qb_gguf_get_u32(&count, gguf, "clip.vision.block_count"), QB_OK);
    assert_int_equal(count, TINY_TOWER_LAYERS - 1);
    assert_int_equal(qb_gguf_get_u32(&count, gguf, "llava.vocab_size"), QB_OK);
    assert_int_equal(count, f.n_vocab);
    qb_gguf_close(&gguf);
    check_opens(&f, "llava");
    tiny_free_tensors(&tower);
    tiny_folder_remove(&f);
}

static void original_with_the_tower_inside(void **state)
{
    (void)state;
    check_llava(TINY_ORIGINAL, "F32");
}

static void original_and_a_tower_folder(void **state)
{
    (void)state;
    check_llava(TINY_ORIGINAL_BARE, "F16");
}

static void llava_hf_older(void **state)
{
    (void)state;
    check_llava(TINY_HF_OLD, "BF16");
}

static void llava_hf_newer(void **state)
{
    (void)state;
    check_llava(TINY_HF_NEW, "F16");
}

static void check_owl(bool no_positions, int shards)
{
    TinyFolder f;
    tiny_folder_make(
        &f, &(TinyOptions){.layout = TINY_OWL, .no_positions = no_positions, .shards = shards});
    convert_ok(&f, convert_options(&f, "f32"));
    QbGguf *gguf = convert_open(&f);
    int n = check_layers(gguf, &f, llama + LLAMA_OWN, COUNT(llama) - LLAMA_OWN, TINY_LAYERS);
    n += check_layers(gguf, &f, multiway, COUNT(multiway), TINY_LAYERS);
    n += check_layers(gguf, &f, owl_tower, COUNT(owl_tower), TINY_TOWER_LAYERS);
    n += check_layers(gguf, &f, abstractor, COUNT(abstractor), TINY_ABSTRACTOR_LAYERS);
    if (!no_positions)
        n += check_layers(gguf, &f, positions, COUNT(positions), TINY_ABSTRACTOR_LAYERS);
    for (int i = 0; i < COUNT(owl_ends); i++, n++)
        check(gguf, owl_ends[i][0], tiny_find(&f, owl_ends[i][1]), PLAIN, 1);
    assert_int_equal(qb_gguf_tensor_count(gguf), n);
    static const struct {
        const char *key;
        uint32_t value;
    } keys[] = {{"mplug_owl2.block_count", TINY_LAYERS},
                {"mplug_owl2.attention.head_count", TINY_HEADS},
                {"mplug_owl2.attention.head_count_kv", TINY_KEY_HEADS},
                {"clip.vision.block_count", TINY_TOWER_LAYERS},
                {"mplug_owl2.abstractor.block_count", TINY_ABSTRACTOR_LAYERS},
                {"mplug_owl2.abstractor.embedding_length", TINY_TOWER},
                {"mplug_owl2.abstractor.feed_forward_length", TINY_ABSTRACTOR_FF},
                {"mplug_owl2.abstractor.query_count", TINY_QUERIES},
                {"mplug_owl2.abstractor.attention.head_count", TINY_TOWER_HEADS}};
    for (int i = 0; i < COUNT(keys); i++) {
        uint32_t value = 0;
        assert_int_equal(qb_gguf_get_u32(&value, gguf, keys[i].key), QB_OK);
        assert_int_equal(value, keys[i].value);
    }
    qb_gguf_close(&gguf);
    check_opens(&f, "mplug_owl2");
    tiny_folder_remove(&f);
}

static void mplug_owl2(void **state)
{
    (void)state;
    check_owl(false, 0);
}

static void mplug_owl2_in_shards_without_positions(void **state)
{
    (void)state;
    check_owl(true, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original_with_the_tower_inside),
        cmocka_unit_test(original_and_a_tower_folder),
        cmocka_unit_test(llava_hf_older),
        cmocka_unit_test(llava_hf_newer),
        cmocka_unit_test(mplug_owl2),
        cmocka_unit_test(mplug_owl2_in_shards_without_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
