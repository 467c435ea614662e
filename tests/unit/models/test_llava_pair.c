/* test_llava_pair.c: LLaVA-1.5 as llama.cpp has it, a language model and a picture part (mmproj),
 * against what Hugging Face transformers computes with the weights that llama.cpp's own package
 * decodes from the files (tests/golden/llava_pair, recipe there), at every instruction set level.
 */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/models/llava_golden.h"
#include "tests/unit/weights/gguf_build.h"

#include <unistd.h>

#define GOLDEN "tests/golden/llava_pair/"

static json_t *expected; /* one entry a language model */

static int set_up(void **state)
{
    (void)state;
    expected = golden_load(GOLDEN "expected.json");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(expected);
    return 0;
}

static QbStatus open_pair(QbModel **out, const char *model, const char *mmproj)
{
    char path[128];
    QbModelOptions options;
    qb_model_options_init(&options);
    options.mmproj = mmproj;
    snprintf(path, sizeof path, GOLDEN "%s", model);
    return qb_model_open(out, path, &options);
}

static void check_pair(const char *model, const char *mmproj, const json_t *golden,
                       double tolerance, double score_tolerance)
{
    char picture_part[128];
    snprintf(picture_part, sizeof picture_part, GOLDEN "%s", mmproj);
    for (int i = 0; golden_level(i); i++) {
        QbModel *m = NULL;
        assert_int_equal(qb_cpu_set_level(golden_level(i)), QB_OK);
        if (open_pair(&m, model, picture_part))
            fail_msg("%s", qb_last_error());
        assert_string_equal(qb_model_architecture(m), "llava");
        golden_check_prompt(m, golden);
        double worst = golden_check_model(m, golden, tolerance);
        double score = golden_check_scores(m, golden, "llava-eval", score_tolerance);
        printf("%s, %s: within %.2g of transformers, scores within %.2g\n", model, golden_level(i),
               worst, score);
        qb_model_close(&m);
    }
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
}

/* Weights are the same numbers on both sides; what is multiplied with them is rounded to 127 steps
 * of its block's largest. With that at three deviations the rounding is step / sqrt(12) = 0.7 % of
 * a deviation, and so is a product's error. 14 products in a row (two layers of seven) add up to
 * sqrt(14) * 0.7 % = 2.6 %; the worst of thousands is four times that, 10 %, which is 3.5 % of the
 * largest value (three deviations). */
static const double COARSE = 0.05;

static void check_quantised(const char *model, double score_tolerance)
{
    size_t i;
    json_t *golden;
    json_array_foreach(expected, i, golden)
    {
        if (strcmp(json_string_value(json_object_get(golden, "model")), model))
            continue;
        check_pair(model, json_string_value(json_object_get(golden, "mmproj")), golden, COARSE,
                   score_tolerance);
        return;
    }
    fail_msg("%s is not in expected.json", model);
}

/* The same numbers as in the folders of the Hugging Face layouts. */
static void test_f16(void **state)
{
    (void)state;
    json_t *golden = golden_load("tests/golden/llava_hf/expected.json");
    check_pair("f16.gguf", "mmproj-small.gguf", golden, 1e-4, 1e-4);
    json_decref(golden);
}

static void test_q8_0(void **state)
{
    (void)state;
    check_quantised("q8_0.gguf", 0.01);
}

static void test_q4_0(void **state)
{
    (void)state;
    check_quantised("q4_0.gguf", 0.01);
}

static void test_q4_k(void **state)
{
    (void)state;
    check_quantised("q4_k_m.gguf", 0.01);
}

static void test_q5_k(void **state)
{
    (void)state;
    check_quantised("q5_k_m.gguf", 0.01);
}

/* The picture part with one key more: which layer's output is read. */
static void write_with_feature_layer(const char *path, const char *source, int32_t layer)
{
    enum { HEADER = 24 };
    QbGguf *gguf = NULL;
    GgufBuild b;
    size_t size;
    assert_int_equal(qb_gguf_open(&gguf, source), QB_OK);
    const uint8_t *bytes = qb_gguf_bytes(gguf, &size);
    const char *name = qb_gguf_tensor_at(gguf, 0)->name;
    GgufBytes first = {0};
    gguf_bytes_add_string(&first, name, strlen(name));
    const uint8_t *end = memmem(bytes, size, first.data, first.size);
    assert_non_null(end);
    gguf_build_init(&b);
    gguf_bytes_add(&b.keys, bytes + HEADER, (size_t)(end - bytes) - HEADER);
    memcpy(&b.n_keys, bytes + 16, 8);
    gguf_build_key(&b, "clip.vision.feature_layer", GGUF_BUILD_ARRAY);
    gguf_bytes_add_number(&b.keys, GGUF_BUILD_I32, 4);
    gguf_bytes_add_number(&b.keys, 1, 8);
    gguf_bytes_add_number(&b.keys, (uint32_t)layer, 4);
    for (int i = 0; i < qb_gguf_tensor_count(gguf); i++) {
        const QbGgufTensor *t = qb_gguf_tensor_at(gguf, i);
        gguf_build_tensor(&b, t->name, t->type, t->n_dims, t->ne, t->data);
    }
    assert_int_equal(gguf_build_write(&b, path), 0);
    free(first.data);
    qb_gguf_close(&gguf);
}

/* The first value of the picture's first token, which tells how many of the tower's layers ran. */
static float first_token(const char *mmproj, const json_t *golden)
{
    QbModel *m = NULL;
    QbSession *session = NULL;
    QbImage *image = NULL;
    float logit, token;
    const int32_t wanted = 5, ids[] = {1, QB_ID_IMAGE};
    const json_t *picture = json_array_get(json_object_get(golden, "pictures"), 0);
    const char *file = json_string_value(json_object_get(picture, "file"));
    const QbSessionOptions options = {.threads = 1, .fit = golden_fit(picture), .has_fit = true};
    if (open_pair(&m, json_string_value(json_object_get(golden, "model")), mmproj))
        fail_msg("%s", qb_last_error());
    assert_int_equal(qb_session_new(&session, m, &options), QB_OK);
    assert_int_equal(qb_image_open(&image, file, NULL), QB_OK);
    assert_int_equal(
        qb_session_eval(&logit, session, ids, 2, &(const QbImage *){image}, 1, &wanted, 1), QB_OK);
    token = qb_session_image_tokens(session, image)[0];
    qb_image_free(&image);
    qb_session_free(&session);
    qb_model_close(&m);
    return token;
}

static void test_feature_layer(void **state)
{
    (void)state;
    char path[] = "/tmp/qboost_test_pair_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    QbModel *m = NULL;
    const json_t *golden = json_array_get(expected, json_array_size(expected) - 1);
    const char *model = json_string_value(json_object_get(golden, "model"));
    assert_string_equal(json_string_value(json_object_get(golden, "mmproj")), "mmproj-wide.gguf");
    static const char whole[] = GOLDEN "mmproj-wide.gguf";
    float token = first_token(whole, golden);
    write_with_feature_layer(path, whole, 23);
    assert_true(first_token(path, golden) == token);
    write_with_feature_layer(path, whole, 24);
    assert_true(first_token(path, golden) != token);
    write_with_feature_layer(path, whole, 25);
    assert_int_equal(open_pair(&m, model, path), QB_ERR_FORMAT);
    assert_non_null(strstr(qb_last_error(), "feature_layer"));
    unlink(path);
}

static void test_halves_are_refused(void **state)
{
    (void)state;
    QbModel *m = NULL;
    assert_true(open_pair(&m, "q8_0.gguf", NULL) < 0);
    assert_non_null(strstr(qb_last_error(), "mmproj"));
    assert_true(open_pair(&m, "mmproj-small.gguf", NULL) < 0);
    assert_non_null(strstr(qb_last_error(), "language model"));
    assert_true(open_pair(&m, "mmproj-small.gguf", GOLDEN "mmproj-small.gguf") < 0);
    assert_true(open_pair(&m, "q8_0.gguf", GOLDEN "q8_0.gguf") < 0);
    /* a projector of another width */
    assert_true(open_pair(&m, "q8_0.gguf", GOLDEN "mmproj-wide.gguf") < 0);
    assert_non_null(strstr(qb_last_error(), "not of the same model"));
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f16),
        cmocka_unit_test(test_q8_0),
        cmocka_unit_test(test_q4_0),
        cmocka_unit_test(test_q4_k),
        cmocka_unit_test(test_q5_k),
        cmocka_unit_test(test_feature_layer),
        cmocka_unit_test(test_halves_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
