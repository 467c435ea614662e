/* tiny_model.h: builds a LLaVA of a few kilobytes with random weights and a vocabulary of chosen
 * words, and lies about any key or tensor of it.
 *
 *     QbModel *model = NULL;
 *     QbStatus status = tiny_open(&model, &(TinyModel){.without = "blk.1.attn_q.weight"});
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_TINY_MODEL_H
#define QB_TESTS_TINY_MODEL_H

#include "models/model.h"
#include "tests/unit/weights/gguf_build.h"

#include <unistd.h>

#ifndef TINY_OWN_SIZES /* or the includer has these */
enum {
    TINY_IMAGE = 8,
    TINY_PATCH = 4,
    TINY_VISION = 8,
    TINY_WIDTH = 16,
    TINY_FF = 24,
    TINY_LAYERS = 2
};
enum { TINY_HEADS = 4, TINY_KV = 8 };
#endif
enum { TINY_IMAGE_TOKENS = 4, TINY_MAX_TOKENS = 700, TINY_MAX_TENSORS = 80 };

/* All zero: a good model. */
typedef struct TinyModel {
    const char *without; /* this key or tensor is left out */
    const char *key; /* this key has the value below that fits its kind, or is added as a text */
    const char *text;
    uint32_t number;
    float real;
    const char *tensor; /* this tensor has this shape and type (f32 is 0) */
    int64_t rows, columns;
    QbType type;
    const char *words; /* separated by spaces; NULL = those of the scoring methods */
    bool no_dummy_prefix, no_bytes, no_space; /* no_space: no piece that is a space alone */
    uint32_t context;                         /* 0 = 64 */
    uint32_t seed;
    float output_gain; /* 0 = 1 */

    const char *tensors[TINY_MAX_TENSORS]; /* filled by tiny_build: the names */
    int n_tensors;
} TinyModel;

static inline bool tiny_same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static inline void tiny_u32(GgufBuild *b, const TinyModel *t, const char *key, uint32_t value)
{
    if (!tiny_same(t->without, key))
        gguf_build_u32(b, key, tiny_same(t->key, key) ? t->number : value);
}

static inline void tiny_f32(GgufBuild *b, const TinyModel *t, const char *key, float value)
{
    if (!tiny_same(t->without, key))
        gguf_build_f32(b, key, tiny_same(t->key, key) ? t->real : value);
}

static inline void tiny_string(GgufBuild *b, const TinyModel *t, const char *key, const char *value)
{
    if (!tiny_same(t->without, key))
        gguf_build_string(b, key, tiny_same(t->key, key) ? t->text : value);
}

static inline void tiny_triple(GgufBuild *b, const TinyModel *t, const char *key, float value)
{
    float values[3] = {value, value, tiny_same(t->key, key) ? t->real : value};
    if (!tiny_same(t->without, key))
        gguf_build_f32s(b, key, values, 3);
}

/* rows = 0: a vector. Matrices: random, of a size that keeps activations near 1; gain: more than
 * that. */
static inline void tiny_tensor(GgufBuild *b, TinyModel *t, const char *name, int64_t rows,
                               int64_t columns, float middle, float gain)
{
    static const char *kept[TINY_MAX_TENSORS]; /* the names outlive the model's description */
    if (!kept[t->n_tensors] || strcmp(kept[t->n_tensors], name))
        kept[t->n_tensors] = strdup(name);
    t->tensors[t->n_tensors] = kept[t->n_tensors];
    t->n_tensors++;
    if (tiny_same(t->without, name))
        return;
    bool lie = tiny_same(t->tensor, name);
    QbType type = lie ? t->type : QB_TYPE_F32;
    if (lie && t->columns) {
        rows = t->rows;
        columns = t->columns;
    }
    int64_t ne[2] = {columns, rows};
    size_t n = (size_t)(columns * (rows ? rows : 1));
    float *x = malloc((n + 1024) * sizeof *x);
    uint32_t state = t->seed * 77u + (uint32_t)t->n_tensors * 1000003u;
    for (size_t i = 0; i < n + 1024; i++) {
        state = state * 1664525u + 1013904223u;
        float random = (float)(int32_t)(state >> 8) * 0x1p-23f - 1.0f;
        x[i] = middle + random * gain;
    }
    gguf_build_tensor(b, name, type, rows ? 2 : 1, ne, x);
    free(x);
}

static inline void tiny_linear(GgufBuild *b, TinyModel *t, const char *name, int64_t n, int64_t k,
                               bool bias)
{
    char full[96];
    snprintf(full, sizeof full, "%s.weight", name);
    tiny_tensor(b, t, full, n, k, 0, k > 12 ? 0.45f : 0.6f);
    snprintf(full, sizeof full, "%s.bias", name);
    if (bias)
        tiny_tensor(b, t, full, 0, n, 0, 0.1f);
}

static inline void tiny_norm(GgufBuild *b, TinyModel *t, const char *name, int64_t n, bool bias)
{
    char full[96];
    snprintf(full, sizeof full, "%s.weight", name);
    tiny_tensor(b, t, full, 0, n, 1, 0.2f);
    snprintf(full, sizeof full, "%s.bias", name);
    if (bias)
        tiny_tensor(b, t, full, 0, n, 0, 0.1f);
}

/* <unk>, BOS, EOS, bytes, the space, and of each word every prefix, so that bpe builds it from the
 * left. */
static inline int tiny_vocabulary(GgufBuild *b, const TinyModel *t)
{
    static char text[TINY_MAX_TOKENS][48];
    const char *token[TINY_MAX_TOKENS];
    float score[TINY_MAX_TOKENS];
    int32_t type[TINY_MAX_TOKENS];
    static const char *const special[] = {"<unk>", "<s>", "</s>"};
    int n = 0;
    for (; n < 3; n++) {
        strcpy(text[n], special[n]);
        type[n] = n ? 3 : 2;
    }
    for (int byte = 0; byte < 256 && !t->no_bytes; byte++, n++) {
        snprintf(text[n], sizeof text[n], "<0x%02X>", byte);
        type[n] = 6;
    }
    int first = n;
    const char *word = t->words
                           ? t->words
                           : "good average poor high medium low fine acceptable bad excellent fair "
                             "Rate the quality of image USER: ASSISTANT:";
    while (*word) {
        size_t length = strcspn(word, " ");
        for (size_t l = t->no_space; l <= length; l++) {
            snprintf(text[n], sizeof text[n], "\xe2\x96\x81%.*s", (int)l, word);
            int same = first;
            while (strcmp(text[same], text[n]))
                same++;
            type[n] = 1;
            n += same == n;
            snprintf(text[n], sizeof text[n], "%.1s",
                     l < length ? word + l : "o"); /* the letters alone */
            same = first;
            while (strcmp(text[same], text[n]))
                same++;
            type[n] = 1;
            n += same == n;
        }
        word += length + strspn(word + length, " ");
    }
    for (int i = 0; i < n; i++) {
        token[i] = text[i];
        score[i] = i < first ? 0.0f : -(float)i;
    }
    if (!tiny_same(t->without, "tokenizer.ggml.tokens"))
        gguf_build_strings(b, "tokenizer.ggml.tokens", token, (size_t)n);
    if (!tiny_same(t->without, "tokenizer.ggml.scores"))
        gguf_build_f32s(b, "tokenizer.ggml.scores", score, (size_t)n);
    if (!tiny_same(t->without, "tokenizer.ggml.token_type"))
        gguf_build_i32s(b, "tokenizer.ggml.token_type", type, (size_t)n);
    gguf_build_bool(b, "tokenizer.ggml.add_space_prefix", !t->no_dummy_prefix);
    return n;
}

static inline void tiny_vision(GgufBuild *b, TinyModel *t)
{
    static const char *const linear[] = {"attn_q", "attn_k", "attn_v", "attn_out"};
    char name[64];
    tiny_tensor(b, t, "v.patch_embd.weight", TINY_VISION, TINY_PATCH * TINY_PATCH * 3, 0, 0.25f);
    tiny_tensor(b, t, "v.class_embd", 0, TINY_VISION, 0, 1);
    tiny_tensor(b, t, "v.position_embd.weight", 1 + TINY_IMAGE_TOKENS, TINY_VISION, 0, 0.5f);
    tiny_norm(b, t, "v.pre_ln", TINY_VISION, true);
    tiny_norm(b, t, "v.blk.0.ln1", TINY_VISION, true);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "v.blk.0.%s", linear[i]);
        tiny_linear(b, t, name, TINY_VISION, TINY_VISION, true);
    }
    tiny_norm(b, t, "v.blk.0.ln2", TINY_VISION, true);
    tiny_linear(b, t, "v.blk.0.ffn_up", 12, TINY_VISION, true);
    tiny_linear(b, t, "v.blk.0.ffn_down", TINY_VISION, 12, true);
    tiny_linear(b, t, "mm.0", TINY_WIDTH, TINY_VISION, true);
    tiny_linear(b, t, "mm.2", TINY_WIDTH, TINY_WIDTH, true);
}

static inline void tiny_decoder(GgufBuild *b, TinyModel *t, int n_vocab)
{
    static const struct {
        const char *name;
        int n, k; /* k = 0: a norm */
    } parts[] = {{"attn_norm", TINY_WIDTH, 0},
                 {"attn_q", TINY_WIDTH, TINY_WIDTH},
                 {"attn_k", TINY_KV, TINY_WIDTH},
                 {"attn_v", TINY_KV, TINY_WIDTH},
                 {"attn_output", TINY_WIDTH, TINY_WIDTH},
                 {"ffn_norm", TINY_WIDTH, 0},
                 {"ffn_gate", TINY_FF, TINY_WIDTH},
                 {"ffn_up", TINY_FF, TINY_WIDTH},
                 {"ffn_down", TINY_WIDTH, TINY_FF}};
    char name[64];
    tiny_tensor(b, t, "token_embd.weight", n_vocab, TINY_WIDTH, 0, 1.5f);
    for (int i = 0; i < TINY_LAYERS; i++)
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++) {
            snprintf(name, sizeof name, "blk.%d.%s", i, parts[j].name);
            if (parts[j].k)
                tiny_linear(b, t, name, parts[j].n, parts[j].k, false);
            else
                tiny_norm(b, t, name, parts[j].n, false);
        }
    tiny_norm(b, t, "output_norm", TINY_WIDTH, false);
    tiny_tensor(b, t, "output.weight", n_vocab, TINY_WIDTH, 0,
                0.6f * (t->output_gain > 0 ? t->output_gain : 1));
}

/* Keys that a file need not have are left out unless t->key names one. */
static inline void tiny_build(GgufBuild *b, TinyModel *t)
{
    t->n_tensors = 0;
    gguf_build_init(b);
    tiny_string(b, t, "general.architecture", "llava");
    tiny_u32(b, t, "llava.block_count", TINY_LAYERS);
    tiny_u32(b, t, "llava.embedding_length", TINY_WIDTH);
    tiny_u32(b, t, "llava.feed_forward_length", TINY_FF);
    tiny_u32(b, t, "llava.attention.head_count", TINY_HEADS);
    tiny_u32(b, t, "llava.attention.head_count_kv", TINY_KV / (TINY_WIDTH / TINY_HEADS));
    tiny_u32(b, t, "llava.context_length", t->context ? t->context : 64);
    tiny_f32(b, t, "llava.attention.layer_norm_rms_epsilon", 1e-5f);
    tiny_f32(b, t, "llava.rope.freq_base", 10000);
    tiny_u32(b, t, "clip.vision.image_size", TINY_IMAGE);
    tiny_u32(b, t, "clip.vision.patch_size", TINY_PATCH);
    tiny_u32(b, t, "clip.vision.embedding_length", TINY_VISION);
    tiny_u32(b, t, "clip.vision.feed_forward_length", 12);
    tiny_u32(b, t, "clip.vision.attention.head_count", 2);
    tiny_u32(b, t, "clip.vision.block_count", 1);
    tiny_f32(b, t, "clip.vision.attention.layer_norm_epsilon", 1e-5f);
    tiny_triple(b, t, "clip.vision.image_mean", 0.5f);
    tiny_triple(b, t, "clip.vision.image_std", 0.25f);
    tiny_string(b, t, "qboost.preprocess.fit", "crop");
    tiny_string(b, t, "tokenizer.ggml.model", "llama");
    tiny_u32(b, t, "tokenizer.ggml.bos_token_id", 1);
    tiny_u32(b, t, "tokenizer.ggml.eos_token_id", 2);
    tiny_u32(b, t, "tokenizer.ggml.unknown_token_id", 0);
    static const char *const texts[] = {
        "qboost.template", "qboost.prompt.rate",  "qboost.method",          "qboost.decode",
        "qboost.variant",  "qboost.ask.template", "qboost.ask.image",       "qboost.ask.images",
        "qboost.ask.join", "general.name",        "llava.rope.scaling.type"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (tiny_same(t->key, texts[i]))
            gguf_build_string(b, t->key, t->text);
    static const char *const numbers[] = {"llava.rope.dimension_count", "llava.vocab_size"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (tiny_same(t->key, numbers[i]))
            gguf_build_u32(b, t->key, t->number);
    int n_vocab = tiny_vocabulary(b, t);
    tiny_vision(b, t);
    tiny_decoder(b, t, n_vocab);
}

/* Written to a temporary file, which has no name any more when this returns. */
static inline QbStatus tiny_open(QbModel **out, const TinyModel *description)
{
    char path[] = "/tmp/qboost_tiny_XXXXXX";
    TinyModel t = *description;
    GgufBuild b;
    int fd = mkstemp(path);
    tiny_build(&b, &t);
    if (fd < 0 || close(fd) || gguf_build_write(&b, path))
        abort();
    QbStatus status = qb_model_open(out, path, NULL);
    unlink(path);
    return status;
}

/* Random pixels. */
static inline QbImage *tiny_image(int width, int height, uint32_t seed)
{
    QbImage *image = NULL;
    uint8_t *rgb = malloc((size_t)width * (size_t)height * 3);
    for (int i = 0; i < width * height * 3; i++) {
        seed = seed * 1664525u + 1013904223u;
        rgb[i] = (uint8_t)(seed >> 24);
    }
    if (qb_image_new_rgb(&image, rgb, width, height, (size_t)width * 3))
        abort();
    free(rgb);
    return image;
}

#endif
