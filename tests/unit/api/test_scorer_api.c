/* test_scorer_api.c: the library as a program sees it: <qboost/qboost.h> and nothing else. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/qboost.h>

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One picture, where pictures are wanted. */
#define ONE(image) (const QbImage *[]){image}, 1

#define PICTURE "tests/golden/compact/cat.png"

static QbModel *model;
static QbImage *picture;

static int set_up(void **state)
{
    (void)state;
    return qb_model_open(&model, NULL, NULL) || qb_image_open(&picture, PICTURE, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    qb_image_free(&picture);
    qb_model_close(&model);
    return 0;
}

static QbScorer *new_scorer(const QbScorerOptions *options)
{
    QbScorer *scorer = NULL;
    if (qb_scorer_new(&scorer, model, options))
        fail_msg("%s", qb_last_error());
    return scorer;
}

static QbScore score_of(QbScorer *scorer, const QbImage *image)
{
    QbScore score;
    if (qb_scorer_score_image(&score, scorer, image))
        fail_msg("%s", qb_last_error());
    return score;
}

/* Pixels of image under a mean over (2 radius + 1)^2 of them, or with noise. */
static QbImage *spoiled(const QbImage *image, int radius, int noise)
{
    int w = qb_image_width(image), h = qb_image_height(image);
    const uint8_t *from = qb_image_pixels(image);
    uint8_t *to = malloc((size_t)w * (size_t)h * 3);
    QbImage *out = NULL;
    uint32_t seed = 1;
    assert_non_null(to);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                int sum = 0, n = 0;
                for (int v = y - radius; v <= y + radius; v++)
                    for (int u = x - radius; u <= x + radius; u++)
                        if (v >= 0 && v < h && u >= 0 && u < w) {
                            sum += from[(v * w + u) * 3 + c];
                            n++;
                        }
                seed = seed * 1664525u + 1013904223u;
                int value = sum / n + (noise ? (int)(seed >> 16) % (2 * noise + 1) - noise : 0);
                to[(y * w + x) * 3 + c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
    assert_int_equal(qb_image_new_rgb(&out, to, w, h, (size_t)w * 3), QB_OK);
    free(to);
    return out;
}

static void test_the_embedded_model(void **state)
{
    (void)state;
    assert_string_equal(qb_model_architecture(model), "compact");
    assert_true(strlen(qb_model_name(model)) > 0);
    assert_int_equal(strlen(qb_model_hash(model)), 32);
    for (const char *c = qb_model_hash(model); *c; c++)
        assert_true(isdigit((unsigned char)*c) || (*c >= 'a' && *c <= 'f'));
    assert_true(qb_model_parameter_count(model) > 1000000);
    assert_int_equal(qb_model_decode(model), QB_DECODE_MANAGED);
    int n = 0;
    for (; qb_model_info_key(model, n); n++) {
        assert_true(strlen(qb_model_info_key(model, n)) > 0);
        assert_true(strlen(qb_model_info_value(model, n)) > 0);
        for (int i = 0; i < n; i++)
            assert_string_not_equal(qb_model_info_key(model, i), qb_model_info_key(model, n));
    }
    assert_true(n > 8);
    assert_null(qb_model_info_value(model, n));
}

/* Two opened at a time are two models with the same scores. */
static void test_two_models(void **state)
{
    (void)state;
    QbModel *other = NULL;
    QbScorer *a = new_scorer(NULL), *b = NULL;
    assert_int_equal(qb_model_open(&other, NULL, NULL), QB_OK);
    assert_ptr_not_equal(model, other);
    assert_string_equal(qb_model_hash(model), qb_model_hash(other));
    assert_int_equal(qb_scorer_new(&b, other, NULL), QB_OK);
    QbScore first = score_of(a, picture), second = score_of(b, picture);
    assert_memory_equal(first.logit, second.logit, sizeof first.logit);
    qb_scorer_free(&a);
    qb_scorer_free(&b);
    qb_model_close(&other);
}

static void test_same_picture_same_bits(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer(NULL);
    QbImage *again = NULL;
    QbScore first = score_of(scorer, picture), cached = score_of(scorer, picture);
    assert_memory_equal(first.logit, cached.logit, sizeof first.logit);
    assert_memory_equal(&first.score, &cached.score, sizeof first.score);
    /* The same pixels as another picture, after something else. */
    QbImage *blurred = spoiled(picture, 2, 0);
    score_of(scorer, blurred);
    assert_int_equal(qb_image_new_rgb(&again, qb_image_pixels(picture), qb_image_width(picture),
                                      qb_image_height(picture),
                                      (size_t)qb_image_width(picture) * 3),
                     QB_OK);
    QbScore third = score_of(scorer, again);
    assert_memory_equal(first.logit, third.logit, sizeof first.logit);
    assert_memory_equal(&first.score, &third.score, sizeof first.score);
    assert_memory_equal(first.probability, third.probability, sizeof first.probability);
    qb_image_free(&again);
    qb_image_free(&blurred);
    qb_scorer_free(&scorer);
}

/* What the score is for: worse pictures score lower, by every method. */
static void test_worse_pictures_score_lower(void **state)
{
    (void)state;
    static const char *const methods[] = {"tti", "mpe", "binary"};
    QbImage *blurred = spoiled(picture, 3, 0), *noisy = spoiled(picture, 0, 90);
    for (int i = 0; i < 3; i++) {
        QbScorerOptions options;
        qb_scorer_options_init(&options);
        options.method = methods[i];
        QbScorer *scorer = new_scorer(&options);
        double clean = score_of(scorer, picture).score;
        assert_true(clean > score_of(scorer, blurred).score);
        assert_true(clean > score_of(scorer, noisy).score);
        qb_scorer_free(&scorer);
    }
    qb_image_free(&blurred);
    qb_image_free(&noisy);
}

static void test_what_a_score_holds(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer(NULL);
    QbScore score = score_of(scorer, picture);
    double sum = 0, weighted = 0, entropy = 0;
    int n = qb_scorer_tone_count(scorer);
    for (int t = 0; t < QB_SCORE_MAX_TONES; t++) {
        double p = score.probability[t];
        assert_true(t < n ? p >= 0 && p <= 1 : p == 0);
        sum += p;
        weighted += p * qb_scorer_tone_weight(scorer, t);
        entropy -= p > 0 ? p * log(p) : 0;
    }
    assert_true(fabs(sum - 1) < 1e-12 && fabs(weighted - score.score) < 1e-12);
    assert_true(fabs(entropy / log(n) - score.entropy) < 1e-12);
    assert_true(score.score > 0 && score.score < 1);
    for (int i = qb_scorer_word_count(scorer); i < QB_SCORE_MAX_WORDS; i++)
        assert_true(score.logit[i] == 0);
    qb_scorer_free(&scorer);
}

static void test_what_the_scorer_was_set_to(void **state)
{
    (void)state;
    QbScorerOptions options;
    qb_scorer_options_init(&options);
    options.method = "mpe";
    options.threads = 2;
    options.prompt = "Rate the sharpness of the image.";
    options.temperature = 2;
    options.weights = "1, 0.25, 0";
    QbScorer *scorer = new_scorer(&options);
    static const char *const words[] = {"good",       "high", "fine", "average", "medium",
                                        "acceptable", "poor", "low",  "bad"};
    assert_string_equal(qb_scorer_method(scorer), "mpe");
    assert_string_equal(qb_scorer_prompt(scorer), options.prompt);
    assert_true(qb_scorer_temperature(scorer) == 2);
    assert_int_equal(qb_scorer_threads(scorer), 2);
    assert_int_equal(qb_scorer_tone_count(scorer), 3);
    assert_int_equal(qb_scorer_word_count(scorer), 9);
    for (int i = 0; i < 9; i++) {
        assert_string_equal(qb_scorer_word(scorer, i), words[i]);
        assert_int_equal(qb_scorer_word_tone(scorer, i), i / 3);
        assert_int_equal(qb_scorer_word_pieces(scorer, i), 1);
        assert_true(qb_scorer_word_token(scorer, i) > 2);
    }
    static const double weights[] = {1, 0.25, 0};
    for (int t = 0; t < 3; t++) {
        assert_string_equal(qb_scorer_tone_name(scorer, t), words[3 * t]);
        assert_true(qb_scorer_tone_weight(scorer, t) == weights[t]);
    }
    static const int outside[] = {-1, 9, 1000};
    for (int i = 0; i < 3; i++) {
        assert_null(qb_scorer_word(scorer, outside[i]));
        assert_null(qb_scorer_tone_name(scorer, outside[i]));
        assert_int_equal(qb_scorer_word_tone(scorer, outside[i]), -1);
        assert_int_equal(qb_scorer_word_token(scorer, outside[i]), -1);
        assert_int_equal(qb_scorer_word_pieces(scorer, outside[i]), -1);
        assert_true(qb_scorer_tone_weight(scorer, outside[i]) == 0);
    }
    qb_scorer_free(&scorer);
    scorer = new_scorer(NULL); /* 0 threads: all CPUs */
    assert_int_equal(qb_scorer_threads(scorer), qb_cpu_count());
    qb_scorer_free(&scorer);
}

static void test_answers(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer(NULL);
    const char *answer = NULL;
    char whole[1024];
    assert_int_equal(
        qb_scorer_ask(&answer, scorer, ONE(picture), "Describe the quality of the image.", 40),
        QB_OK);
    assert_true(strlen(answer) > 0 && answer[0] != ' ');
    for (const unsigned char *c = (const unsigned char *)answer; *c; c++)
        assert_true(*c >= 0x20 || *c == '\n'); /* the embedded model knows plain English only */
    assert_true(strlen(answer) < sizeof whole);
    strcpy(whole, answer);
    /* Fewer tokens: the same answer, cut. */
    for (int n = 1; n <= 3; n++) {
        assert_int_equal(
            qb_scorer_ask(&answer, scorer, ONE(picture), "Describe the quality of the image.", n),
            QB_OK);
        assert_memory_equal(answer, whole, strlen(answer));
        assert_true(strlen(answer) <= strlen(whole));
    }
    qb_scorer_free(&scorer);
}

/* Words of the answer that is given are more likely than others. */
static void test_odds_of_words(void **state)
{
    (void)state;
    static const char *const words[] = {"Yes", "poor", "goodness", "good"};
    QbScorer *scorer = new_scorer(NULL);
    QbCandidate odds[4];
    const char *answer;
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(picture), "Is it sharp?", 1), QB_OK);
    assert_int_equal(qb_scorer_candidates(odds, scorer, ONE(picture), "Is it sharp?", words, 4),
                     QB_OK);
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        assert_true(odds[i].log_probability < 0 && odds[i].token >= 0 && odds[i].pieces >= 1);
        sum += i == 2 ? 0 : exp(odds[i].log_probability);
    }
    assert_true(sum < 1);
    assert_int_equal(odds[2].token, odds[3].token); /* told, not refused */
    assert_true(odds[2].pieces > 1 && odds[3].pieces == 1);
    if (!strcmp(answer, "Yes"))
        assert_true(odds[0].log_probability > odds[3].log_probability);
    /* Without a question: where a score is read. */
    QbScore score = score_of(scorer, picture);
    assert_int_equal(
        qb_scorer_candidates(odds, scorer, ONE(picture), NULL, (const char *[]){"good", "poor"}, 2),
        QB_OK);
    double difference = (double)score.logit[0] - (double)score.logit[2];
    assert_true(fabs(odds[0].log_probability - odds[1].log_probability - difference) < 1e-4);
    qb_scorer_free(&scorer);
}

static void test_the_ways_of_asking(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer(NULL);
    QbMcq choice;
    int n = 0;
    assert_string_equal(qb_scorer_variant(scorer), "");
    assert_string_equal(qb_scorer_fit(scorer), "view");
    assert_non_null(strstr(qb_scorer_template(scorer), "<image>"));
    assert_string_equal(qb_scorer_ask_template(scorer), qb_scorer_template(scorer));
    assert_string_equal(qb_scorer_mcq_layout(scorer), "q-bench");
    for (; qb_variant_name(n); n++) {
        assert_true(strlen(qb_variant_help(n)) > 0);
        assert_false(qb_variant_is_for(n, qb_model_architecture(model)));
    }
    assert_true(n >= 5);
    assert_null(qb_variant_help(n));
    for (n = 0; qb_mcq_layout_name(n); n++)
        assert_true(strlen(qb_mcq_layout_help(n)) > 0);
    assert_int_equal(n, 3);
    assert_null(qb_mcq_layout_help(n));
    /* The embedded model has no letters. */
    assert_int_equal(
        qb_scorer_mcq(&choice, scorer, ONE(picture), "Sharp?", (const char *[]){"yes", "no"}, 2),
        QB_ERR_UNSUPPORTED);
    qb_scorer_free(&scorer);
}

static void test_null_arguments(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer(NULL), *other = (QbScorer *)1;
    QbScore score;
    QbImage *image = NULL;
    const char *answer = "x";
    assert_int_equal(qb_model_open(NULL, NULL, NULL), QB_ERR_ARG);
    assert_int_equal(qb_scorer_new(NULL, model, NULL), QB_ERR_ARG);
    assert_int_equal(qb_scorer_new(&other, NULL, NULL), QB_ERR_ARG);
    assert_int_equal(qb_scorer_score_image(NULL, scorer, picture), QB_ERR_ARG);
    assert_int_equal(qb_scorer_score_image(&score, NULL, picture), QB_ERR_ARG);
    assert_int_equal(qb_scorer_score_image(&score, scorer, NULL), QB_ERR_ARG);
    assert_int_equal(qb_scorer_ask(NULL, scorer, ONE(picture), "x", 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_ask(&answer, NULL, ONE(picture), "x", 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(NULL), "x", 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(picture), NULL, 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(picture), "x", 0), QB_ERR_ARG);
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(picture), "x", -1), QB_ERR_ARG);
    assert_int_equal(qb_cpu_set_level(NULL), QB_ERR_ARG);
    assert_int_equal(qb_image_new_rgb(&image, NULL, 1, 1, 3), QB_ERR_ARG);
    assert_true(strlen(qb_last_error()) > 0);
    qb_scorer_free(&scorer);
    assert_null(scorer);
    qb_scorer_free(&scorer);
    qb_scorer_free(NULL);
    qb_model_close(NULL);
    qb_image_free(NULL);
    qb_image_free(&image);
}

/* A failed open or new leaves NULL behind, so that freeing is always right. */
static void test_failures_leave_null(void **state)
{
    (void)state;
    QbScorer *scorer = (QbScorer *)1;
    QbModel *other = (QbModel *)1;
    QbScorerOptions options = {0};
    assert_int_equal(qb_scorer_new(&scorer, model, &options), QB_ERR_ARG);
    assert_null(scorer);
    qb_scorer_options_init(&options);
    assert_int_equal(options.size, sizeof options);
    options.size--;
    scorer = (QbScorer *)1;
    assert_int_equal(qb_scorer_new(&scorer, model, &options), QB_ERR_ARG);
    assert_null(scorer);
    assert_non_null(strstr(qb_last_error(), "qb_scorer_options_init"));
    scorer = (QbScorer *)1;
    assert_int_equal(qb_scorer_new(&scorer, NULL, NULL), QB_ERR_ARG);
    assert_null(scorer);
    qb_scorer_options_init(&options);
    options.threads = 1000000;
    scorer = (QbScorer *)1;
    assert_int_equal(qb_scorer_new(&scorer, model, &options), QB_ERR_ARG);
    assert_null(scorer);
    assert_int_equal(qb_model_open(&other, "/nothing/there.gguf", NULL), QB_ERR_IO);
    assert_null(other);
    assert_non_null(strstr(qb_last_error(), "/nothing/there.gguf"));
}

/* Levels chosen before a model is opened. */
static void test_levels_agree(void **state)
{
    (void)state;
    static const char *const levels[] = {"ref", "avx2", "avx512"};
    QbScorer *best = new_scorer(NULL);
    double want = score_of(best, picture).score;
    for (int i = 0; i < 3; i++) {
        QbModel *m = NULL;
        QbScorer *scorer = NULL;
        QbStatus status = qb_cpu_set_level(levels[i]);
        assert_true(status == QB_OK || status == QB_ERR_UNSUPPORTED);
        if (status)
            continue;
        assert_int_equal(qb_model_open(&m, NULL, NULL), QB_OK);
        assert_int_equal(qb_scorer_new(&scorer, m, NULL), QB_OK);
        assert_true(fabs(score_of(scorer, picture).score - want) < 1e-3);
        qb_scorer_free(&scorer);
        qb_model_close(&m);
    }
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
    qb_scorer_free(&best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_embedded_model),
        cmocka_unit_test(test_two_models),
        cmocka_unit_test(test_same_picture_same_bits),
        cmocka_unit_test(test_worse_pictures_score_lower),
        cmocka_unit_test(test_what_a_score_holds),
        cmocka_unit_test(test_what_the_scorer_was_set_to),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_odds_of_words),
        cmocka_unit_test(test_the_ways_of_asking),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_failures_leave_null),
        cmocka_unit_test(test_levels_agree),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
