/* test_compact.c: the embedded model against what PyTorch computed from the same file
 * (tests/golden/compact, recipe there): token ids, the view's pixels, image tokens, logits,
 * answers; at every instruction set level, and for several numbers of threads to the bit. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "base/mem.h"
#include "models/session.h"
#include "score/prompt.h"

#include <jansson.h>
#include <math.h>
#include <qboost/qboost.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One picture, where pictures are wanted. */
#define ONE(image) (const QbImage *[]){image}, 1

#define GOLDEN "tests/golden/compact/"

static json_t *expected;
static QbModel *model;

static int set_up(void **state)
{
    (void)state;
    json_error_t error;
    expected = json_load_file(GOLDEN "expected.json", 0, &error);
    return !expected || qb_model_open(&model, NULL, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(expected);
    qb_model_close(&model);
    return 0;
}

static uint32_t crc32_of(const uint8_t *data, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static QbImage *open_picture(const json_t *picture)
{
    char path[256];
    QbImage *image = NULL;
    snprintf(path, sizeof path, GOLDEN "%s", json_string_value(json_object_get(picture, "file")));
    if (qb_image_open(&image, path, NULL))
        fail_msg("%s", qb_last_error());
    return image;
}

/* The goldens belong to one file; a new model needs new goldens. */
static void test_goldens_fit_the_model(void **state)
{
    (void)state;
    size_t size;
    const uint8_t *bytes = qb_embedded_model(&size);
    assert_int_equal(crc32_of(bytes, size),
                     (uint32_t)json_integer_value(json_object_get(expected, "gguf_crc32")));
}

static void assert_ids(const json_t *want, const int32_t *got, int n, const char *what)
{
    if ((int)json_array_size(want) != n)
        fail_msg("%s: %d ids, expected %zu", what, n, json_array_size(want));
    for (int i = 0; i < n; i++)
        if (json_integer_value(json_array_get(want, (size_t)i)) != got[i])
            fail_msg("%s: id %d is %d", what, i, got[i]);
}

static QbStatus rate_prompt(QbIds *out, const QbModel *m)
{
    QbTemplate plain = qb_template_plain(m->manners.prompt_template);
    return qb_prompt_ids(out, m->tokenizer, &plain, m->manners.rate_prompt, 1);
}

static void test_token_ids(void **state)
{
    (void)state;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(expected, "tokenizer"), i, row)
    {
        json_t *text = json_object_get(row, "text");
        int32_t *ids = NULL;
        int n;
        assert_int_equal(qb_tokenizer_encode(&ids, &n, model->tokenizer, json_string_value(text),
                                             json_string_length(text)),
                         QB_OK);
        assert_ids(json_object_get(row, "ids"), ids, n, json_string_value(text));
        qb_free(ids);
    }
    QbIds prompt;
    assert_int_equal(rate_prompt(&prompt, model), QB_OK);
    int image = 0;
    while (prompt.id[image] != QB_ID_IMAGE)
        image++;
    assert_ids(json_object_get(expected, "ids_before_image"), prompt.id, image,
               "before the picture");
    assert_ids(json_object_get(expected, "ids_after_image"), prompt.id + image + 1,
               prompt.n - image - 1, "after the picture");
    qb_ids_deinit(&prompt);
    const char *word;
    json_object_foreach(json_object_get(expected, "words"), word, row)
    {
        int32_t id;
        int pieces;
        assert_int_equal(qb_word_id(&id, &pieces, model->tokenizer, word), QB_OK);
        assert_int_equal(id, json_integer_value(row));
        assert_int_equal(pieces, 1);
    }
}

static void test_view_pixels(void **state)
{
    (void)state;
    size_t i;
    json_t *picture;
    QbResizer resizer = {.kernels = &model->kernels};
    const QbPreprocess view = {
        .fit = QB_FIT_VIEW, .image_size = 448, .max_long_side = 896, .min_side = 64};
    json_array_foreach(json_object_get(expected, "pictures"), i, picture)
    {
        QbImage *image = open_picture(picture);
        int width, height;
        qb_preprocess_size(&width, &height, &view, image->width, image->height);
        assert_int_equal(width, json_integer_value(json_object_get(picture, "view_width")));
        assert_int_equal(height, json_integer_value(json_object_get(picture, "view_height")));
        uint8_t *pixels = qb_alloc((size_t)width * (size_t)height * 3);
        assert_int_equal(qb_preprocess_rgb(&resizer, pixels, &view, image), QB_OK);
        assert_int_equal(crc32_of(pixels, (size_t)width * (size_t)height * 3),
                         (uint32_t)json_integer_value(json_object_get(picture, "view_crc32")));
        qb_free(pixels);
        qb_image_free(&image);
    }
    qb_resizer_deinit(&resizer);
}

static double compare(const json_t *want, const float *got, double tolerance, const char *what)
{
    double worst = 0;
    for (size_t i = 0; i < json_array_size(want); i++) {
        double difference = fabs(json_number_value(json_array_get(want, i)) - (double)got[i]);
        worst = !(difference <= worst) ? difference : worst;
    }
    if (!(worst <= tolerance))
        fail_msg("%s differs by %g, %g is allowed", what, worst, tolerance);
    return worst;
}

static void check_pictures(const char *level)
{
    assert_int_equal(qb_cpu_set_level(level), QB_OK);
    QbModel *m = NULL;
    QbSession *session = NULL;
    assert_int_equal(qb_model_open(&m, NULL, NULL), QB_OK);
    assert_int_equal(qb_session_new(&session, m, &(QbSessionOptions){.threads = 2}), QB_OK);
    int n_vocab = m->arch->decoder(m->weights)->n_vocab;
    float *logits = qb_calloc((size_t)n_vocab, sizeof *logits);
    QbIds prompt;
    assert_int_equal(rate_prompt(&prompt, m), QB_OK);
    double worst_token = 0, worst_logit = 0;
    size_t i;
    json_t *picture;
    json_array_foreach(json_object_get(expected, "pictures"), i, picture)
    {
        QbImage *image = open_picture(picture);
        assert_int_equal(qb_session_eval(logits, session, prompt.id, prompt.n,
                                         &(const QbImage *){image}, 1, NULL, 0),
                         QB_OK);
        worst_token = fmax(worst_token, compare(json_object_get(picture, "image_tokens"),
                                                qb_session_image_tokens(session, image), 1e-3,
                                                "an image token"));
        worst_logit = fmax(
            worst_logit, compare(json_object_get(picture, "rate_logits"), logits, 1e-3, "a logit"));
        qb_image_free(&image);
    }
    printf("%s: image tokens within %.2g, logits within %.2g of PyTorch\n", level, worst_token,
           worst_logit);
    qb_ids_deinit(&prompt);
    qb_free(logits);
    qb_session_free(&session);
    qb_model_close(&m);
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
}

static void test_logits_ref(void **state)
{
    (void)state;
    check_pictures("ref");
}

static void test_logits_avx2(void **state)
{
    (void)state;
    if (!(qb_cpu_detect() & QB_CPU_AVX2))
        skip();
    check_pictures("avx2");
}

static void test_logits_avx512(void **state)
{
    (void)state;
    if (!(qb_cpu_detect() & QB_CPU_AVX512))
        skip();
    check_pictures("avx512");
}

static void test_answers(void **state)
{
    (void)state;
    QbScorer *scorer = NULL;
    assert_int_equal(qb_scorer_new(&scorer, model, NULL), QB_OK);
    size_t i, j;
    json_t *picture, *answer;
    json_array_foreach(json_object_get(expected, "pictures"), i, picture)
    {
        QbImage *image = open_picture(picture);
        json_array_foreach(json_object_get(picture, "answers"), j, answer)
        {
            const char *text;
            const char *question = json_string_value(json_object_get(answer, "prompt"));
            assert_int_equal(qb_scorer_ask(&text, scorer, ONE(image), question, 48), QB_OK);
            assert_string_equal(text, json_string_value(json_object_get(answer, "text")));
        }
        qb_image_free(&image);
    }
    qb_scorer_free(&scorer);
}

static void test_threads_do_not_change_a_bit(void **state)
{
    (void)state;
    json_t *picture = json_array_get(json_object_get(expected, "pictures"), 2);
    QbImage *image = open_picture(picture);
    QbScore first = {0};
    for (int threads = 1; threads <= 5; threads++) {
        QbScorer *scorer = NULL;
        QbScore score = {0};
        QbScorerOptions options;
        qb_scorer_options_init(&options);
        options.threads = threads;
        options.method = "mpe";
        assert_int_equal(qb_scorer_new(&scorer, model, &options), QB_OK);
        assert_int_equal(qb_scorer_score_image(&score, scorer, image), QB_OK);
        if (threads == 1)
            first = score;
        assert_memory_equal(&score.score, &first.score, sizeof score.score);
        assert_memory_equal(score.logit, first.logit, sizeof score.logit);
        qb_scorer_free(&scorer);
    }
    qb_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens_fit_the_model),
        cmocka_unit_test(test_token_ids),
        cmocka_unit_test(test_view_pixels),
        cmocka_unit_test(test_logits_ref),
        cmocka_unit_test(test_logits_avx2),
        cmocka_unit_test(test_logits_avx512),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_threads_do_not_change_a_bit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
