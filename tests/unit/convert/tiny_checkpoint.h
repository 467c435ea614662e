/* tiny_checkpoint.h: published checkpoints of a few kilobytes, made on the spot: a folder with
 * config.json, tokenizer.model and safetensors, in every layout, and lies about any part of it.
 * Values are multiples of 1/128 below 1, the same whatever the layout: a function of the tensor's
 * place in the network. Memory is malloc's, so that it does not count in tests that make the
 * library's allocations fail.
 *
 *     TinyFolder f;
 *     tiny_folder_make(&f, &(TinyOptions){.layout = TINY_HF_NEW});
 *     qb_convert(f.path, f.out, NULL);
 *     tiny_folder_remove(&f);
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_TINY_CHECKPOINT_H
#define QB_TESTS_TINY_CHECKPOINT_H

#include "tests/unit/convert/tiny_network.h"

/* ---- files ------------------------------------------------------------------------------------
 */

static inline void tiny_write(const char *folder, const char *name, const void *data, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fwrite(data, 1, size, file) == size);
    fclose(file);
}

static inline void tiny_write_text(const char *folder, const char *name, const char *text)
{
    tiny_write(folder, name, text, strlen(text));
}

/* The whole file; *size. The caller's: free. */
static inline uint8_t *tiny_read(size_t *size, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is not there", path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = NULL;
    assert_int_equal(posix_memalign((void **)&data, 64, *size + 1), 0);
    assert_true(fread(data, 1, *size, file) == *size);
    fclose(file);
    return data;
}

static inline int tiny_remove_one(const char *path, const struct stat *info, int kind,
                                  struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

/* ---- tokenizer.model: ModelProto, TrainerSpec and NormalizerSpec of SentencePiece --------------
 */

static inline size_t tiny_piece(uint8_t *out, const char *text, float score, int type)
{
    uint8_t length = (uint8_t)strlen(text);
    size_t n = 0;
    out[n++] = 0x0a; /* field 1 of the model: a piece */
    out[n++] = (uint8_t)(2 + length + 5 + 2);
    out[n++] = 0x0a;
    out[n++] = length;
    memcpy(out + n, text, length);
    n += length;
    out[n++] = 0x15; /* field 2: a float */
    memcpy(out + n, &score, 4);
    n += 4;
    out[n++] = 0x18; /* field 3: the type */
    out[n++] = (uint8_t)type;
    return n;
}

/* BPE with byte fallback or without, <unk> <s> </s> = 0 1 2, no normalisation. */
static inline int tiny_tokenizer(const char *folder, const TinyOptions *o)
{
    static const char *const special[] = {"<unk>", "<s>", "</s>"};
    static uint8_t data[16384];
    char text[16];
    size_t n = 0;
    int count = 3, words = o->n_words ? o->n_words : 20;
    for (int i = 0; i < 3; i++)
        n += tiny_piece(data + n, special[i], 0, i ? 3 : 2);
    for (int byte = 0; byte < 256 && !o->no_bytes; byte++, count++) {
        snprintf(text, sizeof text, "<0x%02X>", byte);
        n += tiny_piece(data + n, text, 0, 6);
    }
    for (int i = 0; i < words; i++, count++) { /* "▁", then letters and numbers */
        snprintf(text, sizeof text, "\xe2\x96\x81%.*s%.*d", i ? 1 : 0, "a", i ? 1 : 0, i);
        n += tiny_piece(data + n, text, -(float)i, 1);
    }
    const uint8_t trainer[] = {0x12, 13,   0x18, 2,    0x98, 0x02, (uint8_t)!o->no_bytes,
                               0xc0, 0x02, 0,    0xc8, 0x02, 1,    0xd0,
                               0x02, 2};
    memcpy(data + n, trainer, sizeof trainer);
    data[n + 1] = (uint8_t)(sizeof trainer - 2);
    n += sizeof trainer;
    const uint8_t normalizer[] = {0x1a, 14,  0x0a, 8,   'i',  'd', 'e',  'n',
                                  't',  'i', 't',  'y', 0x18, 1,   0x20, 0};
    memcpy(data + n, normalizer, sizeof normalizer);
    n += sizeof normalizer;
    tiny_write(folder, "tokenizer.model", data, n);
    return count;
}

/* ---- config.json -------------------------------------------------------------------------------
 */

/* "hidden_size": … of the decoder. */
static inline int tiny_decoder_config(char *out, size_t size, const TinyFolder *f)
{
    return snprintf(out, size,
                    "\"hidden_size\": %d, \"intermediate_size\": %d, \"num_hidden_layers\": %d, "
                    "\"num_attention_heads\": %d, \"num_key_value_heads\": %d, "
                    "\"vocab_size\": %d, \"rms_norm_eps\": 1e-05, \"rope_theta\": 10000.0, "
                    "\"rope_scaling\": null, \"hidden_act\": \"silu\", "
                    "\"max_position_embeddings\": 2048",
                    f->width, f->n_ff, TINY_LAYERS, TINY_HEADS, TINY_KEY_HEADS, f->n_vocab);
}

static inline int tiny_tower_config(char *out, size_t size)
{
    return snprintf(out, size,
                    "{\"hidden_size\": %d, \"intermediate_size\": %d, \"num_hidden_layers\": %d, "
                    "\"num_attention_heads\": %d, \"image_size\": %d, \"patch_size\": %d, "
                    "\"hidden_act\": \"quick_gelu\"}",
                    TINY_TOWER, TINY_TOWER_FF, TINY_TOWER_LAYERS, TINY_TOWER_HEADS,
                    TINY_GRID * TINY_PATCH, TINY_PATCH);
}

static inline void tiny_config(TinyFolder *f)
{
    char text[4096], decoder[1024], tower[512];
    const TinyOptions *o = f->options;
    const char *extra = o->config ? o->config : "";
    tiny_decoder_config(decoder, sizeof decoder, f);
    tiny_tower_config(tower, sizeof tower);
    if (o->layout == TINY_OWL)
        snprintf(text, sizeof text,
                 "{%s \"model_type\": \"mplug_owl2\", %s, \"visual_config\": {\"visual_model\": "
                 "%s, \"visual_abstractor\": {\"num_learnable_queries\": %d, \"hidden_size\": %d, "
                 "\"num_hidden_layers\": %d, \"num_attention_heads\": %d, \"intermediate_size\": "
                 "%d, \"encoder_hidden_size\": %d, \"grid_size\": null}}}",
                 extra, decoder, tower, TINY_QUERIES, TINY_TOWER, TINY_ABSTRACTOR_LAYERS,
                 TINY_TOWER_HEADS, TINY_ABSTRACTOR_FF, TINY_TOWER);
    else if (o->layout == TINY_HF_OLD || o->layout == TINY_HF_NEW)
        snprintf(text, sizeof text,
                 "{%s \"model_type\": \"llava\", \"text_config\": {\"model_type\": \"llama\", %s}, "
                 "\"vision_config\": %s, \"vision_feature_layer\": -2, "
                 "\"vision_feature_select_strategy\": \"default\", \"projector_hidden_act\": "
                 "\"gelu\"}",
                 extra, decoder, tower);
    else
        snprintf(text, sizeof text,
                 "{%s \"model_type\": \"llava\", %s, \"mm_vision_tower\": "
                 "\"openai/clip-vit-large-patch14-336\", \"mm_vision_select_layer\": -2, "
                 "\"mm_hidden_size\": %d, \"mm_projector_type\": \"mlp2x_gelu\"%s%s}",
                 extra, decoder, TINY_TOWER,
                 o->layout == TINY_ORIGINAL ? ", \"vision_config\": " : "",
                 o->layout == TINY_ORIGINAL ? tower : "");
    tiny_write_text(f->path, "config.json", o->text ? o->text : text);
    if (o->layout == TINY_ORIGINAL_BARE) {
        snprintf(text, sizeof text, "{\"model_type\": \"clip\", \"vision_config\": %s}", tower);
        tiny_write_text(f->tower, "config.json", text);
    }
}

/* ---- safetensors -------------------------------------------------------------------------------
 */

/* Value i of t in its own type: multiples of 1/128 below 1 are exact in all of them. */
static inline size_t tiny_store(uint8_t *out, const TinyTensor *t, int64_t i)
{
    uint32_t bits;
    memcpy(&bits, &t->values[i], 4);
    if (!strcmp(t->dtype, "BF16")) {
        memcpy(out, (uint8_t *)&bits + 2, 2);
        return 2;
    }
    if (!strcmp(t->dtype, "F16")) {
        uint16_t half = (uint16_t)(bits >> 16 & 0x8000);
        if (t->values[i] != 0)
            half |= (uint16_t)((((bits >> 23 & 255) - 112) << 10) | (bits >> 13 & 1023));
        memcpy(out, &half, 2);
        return 2;
    }
    memcpy(out, &bits, 4);
    return 4;
}

/* Tensors first … end - 1. */
static inline void tiny_safetensors(const char *folder, const char *name, const TinyTensor *tensor,
                                    int first, int end)
{
    size_t header_size = 65536 + (size_t)(end - first) * 256, used = 8, offset = 0, total = 0;
    for (int i = first; i < end; i++)
        total += (size_t)tensor[i].n * 4;
    uint8_t *data = calloc(header_size + total, 1);
    char *header = (char *)data;
    for (int i = first; i < end; i++) {
        const TinyTensor *t = &tensor[i];
        size_t size = (size_t)t->n * (t->dtype[0] == 'B' || !strcmp(t->dtype, "F16") ? 2 : 4);
        used += (size_t)snprintf(header + used, header_size - used,
                                 "%c\"%s\":{\"dtype\":\"%s\",\"shape\":[", i == first ? '{' : ',',
                                 t->name, t->dtype);
        for (int d = 0; d < t->n_dims; d++)
            used += (size_t)snprintf(header + used, header_size - used, "%s%lld", d ? "," : "",
                                     (long long)t->shape[d]);
        used += (size_t)snprintf(header + used, header_size - used, "],\"data_offsets\":[%zu,%zu]}",
                                 offset, offset + size);
        offset += size;
    }
    header[used++] = '}';
    uint64_t length = used - 8;
    memcpy(data, &length, 8);
    for (int i = first; i < end; i++)
        for (int64_t j = 0; j < tensor[i].n; j++)
            used += tiny_store(data + used, &tensor[i], j);
    tiny_write(folder, name, data, used);
    free(data);
}

/* One file, or shards with their index. */
static inline void tiny_weights(TinyFolder *f)
{
    int shards = f->options->shards;
    if (!shards) {
        tiny_safetensors(f->path, "model.safetensors", f->tensor, 0, f->n);
        return;
    }
    char *index = malloc(65536), name[64];
    size_t used = (size_t)sprintf(index, "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {");
    for (int s = 0; s < shards; s++) {
        int first = f->n * s / shards, end = f->n * (s + 1) / shards;
        snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", s + 1, shards);
        for (int i = first; i < end; i++)
            used += (size_t)sprintf(index + used, "%s\"%s\": \"%s\"", i ? ", " : "",
                                    f->tensor[i].name, name);
        if (!tiny_is(f->options->without, name))
            tiny_safetensors(f->path, name, f->tensor, first, end);
    }
    sprintf(index + used, "}}");
    tiny_write_text(f->path, "model.safetensors.index.json", index);
    free(index);
}

static inline void tiny_free_tensors(TinyFolder *f)
{
    for (int i = 0; i < f->n; i++)
        free(f->tensor[i].values);
    f->n = 0;
}

/* openai/clip-vit-large-patch14-336 in small: the tower, and what else that folder has. */
static inline void tiny_tower_folder(TinyFolder *f)
{
    static TinyFolder t;
    t = (TinyFolder){.options = f->options};
    tiny_clip(&t, "vision_model.");
    tiny_add(&t, "", "logit_scale", 0, 1, 1, 1, 1);
    tiny_add(&t, "", "text_model.encoder.layers.0.mlp.fc1.bias", 1, 4, 1, 1, 1);
    tiny_add(&t, "", "visual_projection.weight", 2, 4, TINY_TOWER, 1, 1);
    tiny_add(&t, "", "text_projection.weight", 2, 4, 4, 1, 1);
    tiny_safetensors(f->tower, "model.safetensors", t.tensor, 0, t.n);
    tiny_free_tensors(&t);
}

/* ---- the folder --------------------------------------------------------------------------------
 */

/* f->tensor stays filled, for comparisons, until tiny_folder_remove. */
static inline void tiny_folder_make(TinyFolder *f, const TinyOptions *options)
{
    *f = (TinyFolder){.options = options};
    strcpy(f->path, "/tmp/qboost-convert-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(f->out, sizeof f->out, "%s/out.gguf", f->path);
    f->width = options->width ? options->width : 32;
    f->n_ff = options->n_ff ? options->n_ff : 56;
    f->n_tokens = tiny_tokenizer(f->path, options);
    f->n_vocab = f->n_tokens + TINY_FILLER;
    if (options->layout == TINY_ORIGINAL_BARE) {
        snprintf(f->tower, sizeof f->tower, "%s/tower", f->path);
        assert_int_equal(mkdir(f->tower, 0777), 0);
        tiny_tower_folder(f);
    }
    tiny_config(f);
    tiny_network(f);
    if (options->add)
        tiny_add(f, "", options->add, 1, 1, 1, 1, 1);
    tiny_weights(f);
    if (options->without && strchr(options->without, '.')) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", f->path, options->without);
        unlink(path);
    }
}

static inline void tiny_folder_remove(TinyFolder *f)
{
    tiny_free_tensors(f);
    nftw(f->path, tiny_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* How many names lie in the folder. */
static inline int tiny_file_count(const TinyFolder *f)
{
    int n = 0;
    DIR *folder = opendir(f->path);
    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

/* By its name without the layout's prefix: the one that ends in it. */
static inline const TinyTensor *tiny_find(const TinyFolder *f, const char *end)
{
    for (int i = 0; i < f->n; i++) {
        size_t length = strlen(f->tensor[i].name), wanted = strlen(end);
        if (length >= wanted && !strcmp(f->tensor[i].name + length - wanted, end) &&
            (length == wanted || f->tensor[i].name[length - wanted - 1] == '.'))
            return &f->tensor[i];
    }
    fail_msg("no tensor ends in %s", end);
    return NULL;
}

#endif
