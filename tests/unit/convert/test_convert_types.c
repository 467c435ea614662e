/* test_convert_types.c: element types by role, the same bytes whatever the threads, dtypes, layouts
 * and shards, keys and manners, progress and stopping. */
// SPDX-License-Identifier: Apache-2.0
#include "models/model.h"
#include "tests/unit/convert/convert_test.h"
#include "weights/encode.h"

static QbType type_of(const QbGguf *gguf, const char *name)
{
    const QbGgufTensor *t = qb_gguf_find_tensor(gguf, name);
    assert_non_null(t);
    return t->type;
}

static void types_go_by_role(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        QbType decoder, embedding, head, tower;
    } all[] = {
        {"f16", QB_TYPE_F16, QB_TYPE_F16, QB_TYPE_F16, QB_TYPE_F16},
        {"bf16", QB_TYPE_BF16, QB_TYPE_BF16, QB_TYPE_BF16, QB_TYPE_BF16},
        {"f32", QB_TYPE_F32, QB_TYPE_F32, QB_TYPE_F32, QB_TYPE_F32},
        {"q8_0", QB_TYPE_Q8_0, QB_TYPE_Q8_0, QB_TYPE_Q8_0, QB_TYPE_Q8_0},
        {"q6_k", QB_TYPE_Q6_K, QB_TYPE_Q8_0, QB_TYPE_Q8_0, QB_TYPE_Q8_0},
        {"q4_k", QB_TYPE_Q4_K, QB_TYPE_Q8_0, QB_TYPE_Q8_0, QB_TYPE_Q8_0},
        {"q4_0", QB_TYPE_Q4_0, QB_TYPE_Q8_0, QB_TYPE_Q8_0, QB_TYPE_Q8_0},
    };
    TinyFolder f;
    TinyOptions o = {.layout = TINY_OWL, .width = 256, .n_ff = 512};
    tiny_folder_make(&f, &o);
    for (int i = 0; i < COUNT(all); i++) {
        convert_ok(&f, convert_options(&f, all[i].name));
        QbGguf *gguf = convert_open(&f);
        assert_int_equal(type_of(gguf, "blk.1.attn_k_image.weight"), all[i].decoder);
        assert_int_equal(type_of(gguf, "blk.0.ffn_down.weight"), all[i].decoder);
        assert_int_equal(type_of(gguf, "token_embd.weight"), all[i].embedding);
        assert_int_equal(type_of(gguf, "output.weight"), all[i].head);
        assert_int_equal(type_of(gguf, "v.blk.0.attn_q.weight"), all[i].tower);
        assert_int_equal(type_of(gguf, "mm.fc.weight"), all[i].tower);
        assert_int_equal(type_of(gguf, "v.patch_embd.weight"), QB_TYPE_F32);
        assert_int_equal(type_of(gguf, "a.query.weight"), QB_TYPE_F32);
        assert_int_equal(type_of(gguf, "blk.0.attn_norm.weight"), QB_TYPE_F32);
        assert_int_equal(type_of(gguf, "v.blk.0.attn_q.bias"), QB_TYPE_F32);
        /* rows of 40 are no whole block of 32 */
        bool exact = all[i].tower == QB_TYPE_F32 || all[i].tower == QB_TYPE_BF16;
        assert_int_equal(type_of(gguf, "a.blk.0.ffn_down.weight"),
                         exact ? all[i].tower : QB_TYPE_F16);
        qb_gguf_close(&gguf);
    }
    for (int i = 0; i < COUNT(all); i++)
        assert_true(qb_convert_type_name(i) && strlen(qb_convert_type_help(i)) > 0);
    assert_null(qb_convert_type_name(COUNT(all)));
    assert_null(qb_convert_type_help(-1));
    tiny_folder_remove(&f);
}

/* Rows of 32 and 56: too short for blocks of 256, and 56 is no multiple of 32. */
static void rows_that_are_no_whole_blocks_stay_finer(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_HF_NEW});
    convert_ok(&f, convert_options(&f, "q4_k"));
    QbGguf *gguf = convert_open(&f);
    assert_int_equal(type_of(gguf, "blk.0.attn_q.weight"), QB_TYPE_Q8_0);
    assert_int_equal(type_of(gguf, "blk.0.ffn_down.weight"), QB_TYPE_F16);
    qb_gguf_close(&gguf);
    QbModel *model = NULL;
    assert_int_equal(qb_model_open(&model, f.out, NULL), QB_OK);
    qb_model_close(&model);
    tiny_folder_remove(&f);
}

/* Block by block what encode.h makes of the reordered rows. */
static void blocks_are_those_of_the_rows(void **state)
{
    (void)state;
    TinyFolder f;
    TinyOptions o = {.layout = TINY_HF_OLD, .width = 256, .n_ff = 512};
    tiny_folder_make(&f, &o);
    convert_ok(&f, convert_options(&f, "q4_k"));
    QbGguf *gguf = convert_open(&f);
    const QbGgufTensor *q = qb_gguf_find_tensor(gguf, "blk.1.attn_q.weight");
    const TinyTensor *source = tiny_find(&f, "layers.1.self_attn.q_proj.weight");
    uint8_t row[144];
    assert_non_null(q);
    for (int h = 0; h < TINY_HEADS; h++)
        for (int i = 0; i < 64; i++) {
            const float *x = source->values + (h * 64 + i % 2 * 32 + i / 2) * 256;
            assert_true(qb_type_encode(row, QB_TYPE_Q4_K, x, 256));
            assert_memory_equal(row, (const uint8_t *)q->data + (h * 64 + i) * 144, 144);
        }
    qb_gguf_close(&gguf);
    tiny_folder_remove(&f);
}

static uint8_t *convert_bytes(size_t *size, const TinyOptions *o, const char *type, int threads)
{
    TinyFolder f;
    tiny_folder_make(&f, o);
    QbConvertOptions options = convert_options(&f, type);
    options.threads = threads;
    options.name = "tiny";
    convert_ok(&f, options);
    uint8_t *bytes = tiny_read(size, f.out);
    tiny_folder_remove(&f);
    return bytes;
}

static void check_same(const TinyOptions *a, const TinyOptions *b, const char *type, int threads)
{
    size_t first_size, size;
    uint8_t *first = convert_bytes(&first_size, a, type, 1);
    uint8_t *bytes = convert_bytes(&size, b, type, threads);
    assert_int_equal(size, first_size);
    assert_memory_equal(bytes, first, size);
    free(first);
    free(bytes);
}

static void threads_change_no_byte(void **state)
{
    (void)state;
    static const char *const types[] = {"f16", "q8_0", "q4_k"};
    TinyOptions owl = {.layout = TINY_OWL, .width = 256, .n_ff = 512};
    for (int i = 0; i < COUNT(types); i++)
        for (int threads = 2; threads <= 3; threads++)
            check_same(&owl, &owl, types[i], threads);
}

static void layouts_dtypes_and_shards_change_no_byte(void **state)
{
    (void)state;
    TinyOptions original = {.layout = TINY_ORIGINAL};
    TinyOptions others[] = {{.layout = TINY_ORIGINAL_BARE},
                            {.layout = TINY_HF_OLD},
                            {.layout = TINY_HF_NEW, .dtype = "BF16"},
                            {.layout = TINY_HF_NEW, .dtype = "F16", .shards = 5}};
    for (int i = 0; i < COUNT(others); i++)
        check_same(&original, &others[i], "f16", 2);
}

/* A large tensor goes through in many batches: 40 MiB of 16-bit values. */
static void tensors_of_many_batches_arrive_whole(void **state)
{
    (void)state;
    TinyFolder f;
    TinyOptions o = {.layout = TINY_HF_NEW, .width = 256, .n_ff = 24000, .dtype = "F16"};
    tiny_folder_make(&f, &o);
    convert_ok(&f, convert_options(&f, "f16"));
    QbGguf *gguf = convert_open(&f);
    const QbGgufTensor *t = qb_gguf_find_tensor(gguf, "blk.1.ffn_up.weight");
    const TinyTensor *source = tiny_find(&f, "layers.1.mlp.up_proj.weight");
    float row[256];
    for (int r = 0; r < 24000; r++) {
        qb_type_decode(row, QB_TYPE_F16, (const uint8_t *)t->data + r * 512, 256);
        assert_memory_equal(row, source->values + r * 256, sizeof row);
    }
    qb_gguf_close(&gguf);
    tiny_folder_remove(&f);
}

static void the_file_says_how_it_is_asked(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
    QbConvertOptions o = convert_options(&f, NULL);
    o.name = "OneAlign";
    convert_ok(&f, o);
    QbGguf *gguf = convert_open(&f);
    assert_string_equal(convert_text(gguf, "general.architecture"), "mplug_owl2");
    assert_string_equal(convert_text(gguf, "general.name"), "OneAlign");
    assert_string_equal(convert_text(gguf, "qboost.variant"), "q-align-scorer");
    assert_string_equal(convert_text(gguf, "qboost.template"),
                        "USER: {prompt}\n<image>\nASSISTANT: The quality of the image is");
    assert_string_equal(convert_text(gguf, "qboost.prompt.rate"),
                        "How would you rate the quality of this image?");
    assert_string_equal(convert_text(gguf, "qboost.method"), "levels");
    assert_string_equal(convert_text(gguf, "qboost.decode"), "upstream");
    assert_string_equal(convert_text(gguf, "qboost.preprocess.fit"), "pad");
    assert_string_equal(convert_text(gguf, "qboost.ask.template"),
                        "USER: {prompt}\n{images} ASSISTANT:");
    assert_string_equal(convert_text(gguf, "qboost.ask.join"), "");
    size_t n = 0;
    bool prefix = false;
    assert_int_equal(qb_gguf_get_array_length(&n, gguf, "tokenizer.ggml.tokens"), QB_OK);
    assert_int_equal(n, f.n_tokens);
    assert_int_equal(qb_gguf_get_bool_or(&prefix, gguf, "tokenizer.ggml.add_space_prefix"), QB_OK);
    assert_true(prefix);
    qb_gguf_close(&gguf);
    tiny_folder_remove(&f);
}

/* CLIP's constants, unless the folder has its own. */
static void pixels_come_from_the_folder(void **state)
{
    (void)state;
    TinyFolder f;
    float mean[3];
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_HF_NEW});
    convert_ok(&f, convert_options(&f, NULL));
    QbGguf *gguf = convert_open(&f);
    assert_int_equal(qb_gguf_copy_f32_array(mean, 3, gguf, "clip.vision.image_mean"), QB_OK);
    assert_true(mean[0] == 0.48145466f);
    const char *name = strrchr(f.path, '/') + 1;
    assert_string_equal(convert_text(gguf, "general.name"), name);
    qb_gguf_close(&gguf);
    tiny_write_text(f.path, "preprocessor_config.json",
                    "{\"image_mean\": [0.5, 0.25, 0.125], \"image_std\": [0.5, 0.5, 0.5], "
                    "\"crop_size\": {\"height\": 8, \"width\": 8}, \"resample\": 3}");
    convert_ok(&f, convert_options(&f, NULL));
    gguf = convert_open(&f);
    assert_int_equal(qb_gguf_copy_f32_array(mean, 3, gguf, "clip.vision.image_mean"), QB_OK);
    assert_true(mean[0] == 0.5f && mean[1] == 0.25f && mean[2] == 0.125f);
    qb_gguf_close(&gguf);
    tiny_folder_remove(&f);
}

static void names_are_utf8(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){0});
    QbConvertOptions o = convert_options(&f, NULL);
    o.name = "caf\xc3\xa9 \xff\xc3";
    convert_ok(&f, o);
    QbGguf *gguf = convert_open(&f);
    assert_string_equal(convert_text(gguf, "general.name"), "caf\xc3\xa9 ??");
    qb_gguf_close(&gguf);
    tiny_folder_remove(&f);
}

static void a_tied_head_is_left_out(void **state)
{
    (void)state;
    TinyFolder f;
    TinyOptions o = {.config = "\"tie_word_embeddings\": true,", .without = "lm_head.weight"};
    for (int with_head = 0; with_head < 2; with_head++) {
        tiny_folder_make(&f, &o);
        convert_ok(&f, convert_options(&f, NULL));
        QbGguf *gguf = convert_open(&f);
        assert_null(qb_gguf_find_tensor(gguf, "output.weight"));
        qb_gguf_close(&gguf);
        QbModel *model = NULL;
        assert_int_equal(qb_model_open(&model, f.out, NULL), QB_OK);
        qb_model_close(&model);
        tiny_folder_remove(&f);
        o.without = NULL;
    }
}

typedef struct {
    int calls, stop_at;
    int64_t last, total;
} Progress;

static int count_progress(int64_t done, int64_t total, const char *tensor, void *user)
{
    Progress *p = user;
    assert_true(done >= p->last && done <= total && tensor[0]);
    p->last = done;
    p->total = total;
    return ++p->calls == p->stop_at;
}

static void progress_ends_at_the_total_and_can_stop(void **state)
{
    (void)state;
    TinyFolder f;
    Progress p = {0};
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
    QbConvertOptions o = convert_options(&f, NULL);
    o.progress = count_progress;
    o.user = &p;
    convert_ok(&f, o);
    assert_true(p.calls > 20 && p.last == p.total);
    unlink(f.out);
    int calls = p.calls;
    for (int at = 1; at <= calls; at += calls - 1) { /* the first and the last */
        p = (Progress){.stop_at = at};
        convert_fails(&f, o, QB_ERR_CANCELLED, "stopped", "");
    }
    tiny_folder_remove(&f);
}

static void an_older_file_survives_a_failure(void **state)
{
    (void)state;
    TinyFolder f;
    Progress p = {.stop_at = 9};
    tiny_folder_make(&f, &(TinyOptions){0});
    tiny_write_text(f.path, "out.gguf", "old");
    QbConvertOptions o = convert_options(&f, NULL);
    o.progress = count_progress;
    o.user = &p;
    convert_fails(&f, o, QB_ERR_CANCELLED, "stopped", "");
    size_t size;
    uint8_t *old = tiny_read(&size, f.out);
    assert_int_equal(size, 3);
    assert_memory_equal(old, "old", 3);
    free(old);
    tiny_folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_go_by_role),
        cmocka_unit_test(rows_that_are_no_whole_blocks_stay_finer),
        cmocka_unit_test(blocks_are_those_of_the_rows),
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(layouts_dtypes_and_shards_change_no_byte),
        cmocka_unit_test(tensors_of_many_batches_arrive_whole),
        cmocka_unit_test(the_file_says_how_it_is_asked),
        cmocka_unit_test(pixels_come_from_the_folder),
        cmocka_unit_test(names_are_utf8),
        cmocka_unit_test(a_tied_head_is_left_out),
        cmocka_unit_test(progress_ends_at_the_total_and_can_stop),
        cmocka_unit_test(an_older_file_survives_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
