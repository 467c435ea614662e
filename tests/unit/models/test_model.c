/* test_model.c: opening a model: what is refused and how it is told, files cut short and with
 * flipped bits, failing memory, the hash, the list of facts. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "models/session.h"
#include "tests/unit/models/tiny_model.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <qboost/qboost.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_told(QbStatus got, QbStatus want, const char *a, const char *b, const char *what)
{
    const char *error = qb_last_error();
    if (got != want || !strstr(error, a) || (b && !strstr(error, b)))
        fail_msg("%s: status %d (expected %d), \"%s\" should tell of \"%s\" and \"%s\"", what, got,
                 want, error, a, b ? b : "");
}

static void check_refused(const TinyModel *t, QbStatus want, const char *a, const char *b)
{
    QbModel *model = (QbModel *)1;
    const char *what = t->without ? t->without : t->key ? t->key : t->tensor;
    QbStatus status = tiny_open(&model, t);
    assert_null(model);
    assert_told(status, want, a, b, what);
}

static void test_a_good_model_opens(void **state)
{
    (void)state;
    QbModel *model = NULL;
    if (tiny_open(&model, &(TinyModel){0}))
        fail_msg("%s", qb_last_error());
    assert_string_equal(qb_model_architecture(model), "llava");
    assert_string_equal(qb_model_name(model), "llava");
    assert_int_equal(qb_model_decode(model), QB_DECODE_UPSTREAM);
    int64_t n = 0;
    for (int i = 0; i < qb_gguf_tensor_count(model->gguf); i++)
        n += (int64_t)(qb_gguf_tensor_at(model->gguf, i)->size_bytes / sizeof(float));
    assert_true(qb_model_parameter_count(model) == n);
    qb_model_close(&model);
    assert_null(model);
    qb_model_close(&model);
    qb_model_close(NULL);
}

static void test_info(void **state)
{
    (void)state;
    QbModel *model = NULL;
    assert_int_equal(tiny_open(&model, &(TinyModel){.key = "general.name", .text = "a name"}),
                     QB_OK);
    assert_string_equal(qb_model_name(model), "a name");
    static const char *const order[] = {"name",    "file",         "architecture", "parameters",
                                        "size",    "tensor types", "picture",      "vision tower",
                                        "decoder", "context",      "decode"};
    int n = (int)(sizeof order / sizeof *order);
    for (int i = 0; i < n; i++) {
        assert_string_equal(qb_model_info_key(model, i), order[i]);
        assert_true(strlen(qb_model_info_value(model, i)) > 0);
    }
    assert_null(qb_model_info_key(model, n));
    assert_null(qb_model_info_value(model, n));
    assert_null(qb_model_info_key(model, -1));
    assert_string_equal(qb_model_info_value(model, 0), "a name");
    assert_non_null(
        strstr(qb_model_info_value(model, 8), "2 layers, width 16, 4 heads (2 key heads)"));
    qb_model_close(&model);
}

static void test_missing_tensors(void **state)
{
    (void)state;
    TinyModel good = {0};
    GgufBuild b;
    size_t size;
    tiny_build(&b, &good);
    free(gguf_build_finish(&b, &size));
    assert_true(good.n_tensors > 40);
    for (int i = 0; i < good.n_tensors; i++) {
        TinyModel t = {.without = good.tensors[i]};
        QbModel *model = NULL;
        if (strcmp(t.without, "output.weight")) {
            check_refused(&t, QB_ERR_FORMAT, "missing", t.without);
            continue;
        }
        assert_int_equal(tiny_open(&model, &t), QB_OK); /* the embedding is used for both */
        qb_model_close(&model);
    }
}

static void test_wrong_shapes(void **state)
{
    (void)state;
    check_refused(&(TinyModel){.tensor = "blk.1.attn_k.weight", .rows = 16, .columns = 16},
                  QB_ERR_FORMAT, "blk.1.attn_k.weight is [16, 16]", "expected [8, 16]");
    check_refused(&(TinyModel){.tensor = "blk.0.ffn_down.weight", .rows = 24, .columns = 16},
                  QB_ERR_FORMAT, "blk.0.ffn_down.weight is [24, 16]", "expected [16, 24]");
    check_refused(&(TinyModel){.tensor = "token_embd.weight", .rows = 9, .columns = 16},
                  QB_ERR_FORMAT, "token_embd.weight", "expected [");
    check_refused(&(TinyModel){.tensor = "blk.0.attn_norm.weight", .columns = 15}, QB_ERR_FORMAT,
                  "blk.0.attn_norm.weight has 15", "expected 16");
    check_refused(&(TinyModel){.tensor = "v.position_embd.weight", .rows = 4, .columns = 8},
                  QB_ERR_FORMAT, "v.position_embd.weight has 32", "expected 40");
    check_refused(&(TinyModel){.tensor = "v.blk.0.ffn_up.bias", .columns = 13}, QB_ERR_FORMAT,
                  "v.blk.0.ffn_up.bias", "expected 12");
    check_refused(&(TinyModel){.tensor = "mm.0.weight", .rows = 16, .columns = 16}, QB_ERR_FORMAT,
                  "mm.0.weight", "expected [16, 8]");
    check_refused(
        &(TinyModel){
            .tensor = "blk.0.attn_q.weight", .rows = 8, .columns = 32, .type = QB_TYPE_Q4_0},
        QB_ERR_FORMAT, "blk.0.attn_q.weight is [8, 32]", "expected [16, 16]");
}

static void test_missing_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {"general.architecture",
                                       "llava.block_count",
                                       "llava.embedding_length",
                                       "llava.feed_forward_length",
                                       "llava.attention.head_count",
                                       "llava.context_length",
                                       "llava.attention.layer_norm_rms_epsilon",
                                       "clip.vision.image_size",
                                       "clip.vision.patch_size",
                                       "clip.vision.embedding_length",
                                       "clip.vision.feed_forward_length",
                                       "clip.vision.attention.head_count",
                                       "clip.vision.block_count",
                                       "clip.vision.image_mean",
                                       "clip.vision.image_std",
                                       "tokenizer.ggml.model",
                                       "tokenizer.ggml.tokens",
                                       "tokenizer.ggml.scores",
                                       "tokenizer.ggml.token_type"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        check_refused(&(TinyModel){.without = keys[i]}, QB_ERR_FORMAT, keys[i],
                      "/tmp/qboost_tiny_");
    static const char *const optional[] = {"llava.rope.freq_base",
                                           "clip.vision.attention.layer_norm_epsilon",
                                           "qboost.preprocess.fit", "tokenizer.ggml.bos_token_id"};
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        QbModel *model = NULL;
        assert_int_equal(tiny_open(&model, &(TinyModel){.without = optional[i]}), QB_OK);
        qb_model_close(&model);
    }
}

static void test_wrong_texts(void **state)
{
    (void)state;
    check_refused(&(TinyModel){.key = "general.architecture", .text = "mamba"}, QB_ERR_UNSUPPORTED,
                  "\"mamba\"", "compact, llava");
    check_refused(&(TinyModel){.key = "tokenizer.ggml.model", .text = "gpt2"}, QB_ERR_UNSUPPORTED,
                  "\"gpt2\"", "llama");
    check_refused(&(TinyModel){.key = "qboost.template", .text = "USER: {prompt}"}, QB_ERR_FORMAT,
                  "qboost.template", "<image>");
    check_refused(&(TinyModel){.key = "qboost.template", .text = "<image><image>{prompt}"},
                  QB_ERR_FORMAT, "qboost.template", "<image>");
    check_refused(&(TinyModel){.key = "qboost.template", .text = "<image> rate"}, QB_ERR_FORMAT,
                  "qboost.template", "{prompt}");
    check_refused(&(TinyModel){.key = "qboost.preprocess.fit", .text = "stretch"}, QB_ERR_FORMAT,
                  "\"stretch\"", "crop or pad");
    check_refused(&(TinyModel){.key = "qboost.decode", .text = "raw"}, QB_ERR_FORMAT, "\"raw\"",
                  "managed or upstream");
}

static void test_wrong_numbers(void **state)
{
    (void)state;
    static const float bad_epsilon[] = {NAN, INFINITY, 0, -1e-5f, 1, 1e30f};
    for (size_t i = 0; i < sizeof bad_epsilon / sizeof *bad_epsilon; i++) {
        check_refused(
            &(TinyModel){.key = "llava.attention.layer_norm_rms_epsilon", .real = bad_epsilon[i]},
            QB_ERR_FORMAT, "epsilon", NULL);
        check_refused(
            &(TinyModel){.key = "clip.vision.attention.layer_norm_epsilon", .real = bad_epsilon[i]},
            QB_ERR_FORMAT, "epsilon", NULL);
    }
    static const float bad_base[] = {NAN, INFINITY, 0, -10000, 1};
    for (size_t i = 0; i < sizeof bad_base / sizeof *bad_base; i++)
        check_refused(&(TinyModel){.key = "llava.rope.freq_base", .real = bad_base[i]},
                      QB_ERR_FORMAT, "base", NULL);
    static const float bad_std[] = {NAN, INFINITY, 0, -0.5f};
    for (size_t i = 0; i < sizeof bad_std / sizeof *bad_std; i++)
        check_refused(&(TinyModel){.key = "clip.vision.image_std", .real = bad_std[i]},
                      QB_ERR_FORMAT, "image_std", NULL);
    check_refused(&(TinyModel){.key = "clip.vision.image_mean", .real = 2}, QB_ERR_FORMAT,
                  "image_mean", NULL);
    check_refused(&(TinyModel){.key = "clip.vision.image_mean", .real = NAN}, QB_ERR_FORMAT,
                  "image_mean", NULL);
}

static void test_wrong_counts(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t number;
        const char *tell;
    } cases[] = {
        {"llava.attention.head_count", 3, "heads"},
        {"llava.attention.head_count", 16, "heads"}, /* a head of one value has no pairs to turn */
        {"llava.attention.head_count_kv", 3, "key heads"},
        {"llava.attention.head_count_kv", 0, "key heads"},
        {"llava.attention.head_count_kv", 8, "key heads"},
        {"llava.attention.head_count_kv", 0x80000000u, "key heads"},
        {"clip.vision.attention.head_count", 3, "heads"},
        {"clip.vision.patch_size", 3, "patches"},
        {"clip.vision.patch_size", 16, "patches"},
        {"llava.vocab_size", 5, "vocabulary of 5"},
        {"llava.vocab_size", 0xffffffffu, "vocabulary"},
        {"tokenizer.ggml.bos_token_id", 100000, "100000"},
        {"tokenizer.ggml.eos_token_id", 0xffffffffu, "special tokens"},
        {"tokenizer.ggml.unknown_token_id", 100000, "100000"},
        {"llava.context_length", 4, "4 image tokens in a context of 4"},
        {"llava.context_length", 1, "context"},
        {"llava.block_count", 3, "blk.2."},
        {"clip.vision.block_count", 2, "v.blk.1."},
        {"llava.embedding_length", 32, "expected"},
        {"llava.feed_forward_length", 25, "expected"},
        {"clip.vision.image_size", 16, "expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(&(TinyModel){.key = cases[i].key, .number = cases[i].number}, QB_ERR_FORMAT,
                      cases[i].tell, NULL);
    check_refused(&(TinyModel){.key = "llava.rope.dimension_count", .number = 2},
                  QB_ERR_UNSUPPORTED, "rope.dimension_count is 2", "4");
    check_refused(&(TinyModel){.key = "llava.rope.scaling.type", .text = "linear"},
                  QB_ERR_UNSUPPORTED, "rope.scaling.type is \"linear\"", "none");
    static const char *const counts[] = {"llava.block_count",
                                         "llava.embedding_length",
                                         "llava.feed_forward_length",
                                         "llava.attention.head_count",
                                         "llava.context_length",
                                         "clip.vision.image_size",
                                         "clip.vision.patch_size",
                                         "clip.vision.embedding_length",
                                         "clip.vision.feed_forward_length",
                                         "clip.vision.attention.head_count",
                                         "clip.vision.block_count"};
    static const uint32_t wrong[] = {0, 0x7fffffffu, 0x80000000u, 0xffffffffu};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int j = 0; j < 4; j++)
            check_refused(&(TinyModel){.key = counts[i], .number = wrong[j]}, QB_ERR_FORMAT,
                          counts[i], "expected");
}

static void test_a_long_context_is_cut(void **state)
{
    (void)state;
    QbModel *model = NULL;
    assert_int_equal(tiny_open(&model, &(TinyModel){.context = 1 << 24}), QB_OK);
    assert_int_equal(model->arch->decoder(model->weights)->n_context, 8192);
    qb_model_close(&model);
}

/* ---- damaged files -------------------------------------------------------------------------- */

static void write_bytes(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

static void test_the_embedded_file_cut_short(void **state)
{
    (void)state;
    enum { PLACES = 50 };
    size_t size;
    const uint8_t *bytes = qb_embedded_model(&size);
    char path[] = "/tmp/qboost_cut_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    write_bytes(path, bytes, size);
    for (int i = 0; i < PLACES; i++) { /* half of them in the head, half anywhere */
        size_t length = i < PLACES / 2 ? size - 1 - size * (size_t)i / (PLACES / 2)
                                       : (size_t)(PLACES - i) * 911;
        QbModel *model = NULL;
        assert_int_equal(ftruncate(fd, (off_t)length), 0);
        QbStatus status = qb_model_open(&model, path, NULL);
        assert_told(status, QB_ERR_FORMAT, path, NULL, "cut short");
        assert_null(model);
    }
    assert_int_equal(ftruncate(fd, 0), 0);
    QbModel *model = NULL;
    assert_int_equal(qb_model_open(&model, path, NULL), QB_ERR_FORMAT);
    close(fd);
    unlink(path);
    assert_int_equal(qb_model_open(&model, path, NULL), QB_ERR_IO);
    assert_int_equal(qb_model_open(&model, "", NULL), QB_ERR_IO);
    assert_int_equal(qb_model_open(&model, "/tmp", NULL), QB_ERR_IO);
}

/* A flipped bit may go unnoticed, make an error or make nonsense, but no harm. */
static void test_flipped_bits(void **state)
{
    (void)state;
    TinyModel t = {0};
    GgufBuild b;
    size_t size;
    char path[] = "/tmp/qboost_flip_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    tiny_build(&b, &t);
    uint8_t *bytes = gguf_build_finish(&b, &size);
    QbImage *image = tiny_image(9, 11, 1);
    uint32_t seed = 5;
    int opened = 0, refused = 0;
    for (int round = 0; round < 600; round++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = seed % (round % 2 ? size : 1200);
        int bit = (int)(seed >> 27) & 7;
        QbModel *model = NULL;
        QbScorer *scorer = NULL;
        QbScore score;
        QbScorerOptions options;
        qb_scorer_options_init(&options);
        options.threads = 1;
        bytes[at] ^= (uint8_t)(1 << bit);
        write_bytes(path, bytes, size);
        bytes[at] ^= (uint8_t)(1 << bit);
        if (!qb_model_open(&model, path, NULL) && !qb_scorer_new(&scorer, model, &options)) {
            opened++;
            if (!qb_scorer_score_image(&score, scorer, image))
                assert_true(score.score >= 0 && score.score <= 1);
        } else {
            refused++;
        }
        qb_scorer_free(&scorer);
        qb_model_close(&model);
    }
    assert_true(opened > 50 && refused > 50);
    qb_image_free(&image);
    free(bytes);
    unlink(path);
}

static void test_no_memory(void **state)
{
    (void)state;
    char path[] = "/tmp/qboost_tiny_XXXXXX";
    TinyModel t = {0};
    GgufBuild b;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    tiny_build(&b, &t);
    assert_int_equal(gguf_build_write(&b, path), 0);
    QbModel *model = NULL;
    uint64_t before = qb_mem_allocation_count();
    assert_int_equal(qb_model_open(&model, path, NULL), QB_OK);
    uint64_t count = qb_mem_allocation_count() - before;
    qb_model_close(&model);
    for (uint64_t n = 1; n <= count; n++) {
        qb_mem_fail_after(n);
        QbStatus status = qb_model_open(&model, path, NULL);
        qb_mem_fail_after(0);
        if (status != QB_ERR_NOMEM || model)
            fail_msg("allocation %d of %d failed: status %d", (int)n, (int)count, status);
    }
    unlink(path);
}

/* ---- arguments, hash ------------------------------------------------------------------------ */

static void test_options(void **state)
{
    (void)state;
    QbModel *model = NULL;
    QbModelOptions options = {0};
    assert_int_equal(qb_model_open(&model, NULL, &options), QB_ERR_ARG);
    assert_int_equal(qb_model_open(NULL, NULL, NULL), QB_ERR_ARG);
    qb_model_options_init(&options);
    assert_int_equal(options.size, sizeof options);
    options.threads = 3;
    assert_int_equal(qb_model_open(&model, NULL, &options), QB_OK);
    assert_string_equal(qb_model_architecture(model), "compact");
    assert_int_equal(qb_model_decode(model), QB_DECODE_MANAGED);
    qb_model_close(&model);
}

static void *ask_hash(void *user)
{
    return (void *)(uintptr_t)qb_model_hash(user);
}

/* What the program xxh128sum says of the file; without the program, what it said when this was
 * written. */
static void test_hash(void **state)
{
    (void)state;
    static const char file[] = "tests/golden/llava/model.gguf";
    char want[64] = "";
    FILE *pipe = popen("xxh128sum tests/golden/llava/model.gguf 2>/dev/null", "r");
    if (!pipe || fscanf(pipe, "%63s", want) != 1)
        strcpy(want, "434981f13f4f8675c3b1969ef7a5ba2b");
    if (pipe)
        pclose(pipe);
    QbModel *model = NULL;
    assert_int_equal(qb_model_open(&model, file, NULL), QB_OK);
    pthread_t thread[4];
    void *hash[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_hash, model), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], &hash[i]);
        assert_string_equal(hash[i], want);
    }
    qb_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_model_opens),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_missing_tensors),
        cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_missing_keys),
        cmocka_unit_test(test_wrong_texts),
        cmocka_unit_test(test_wrong_numbers),
        cmocka_unit_test(test_wrong_counts),
        cmocka_unit_test(test_a_long_context_is_cut),
        cmocka_unit_test(test_the_embedded_file_cut_short),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
