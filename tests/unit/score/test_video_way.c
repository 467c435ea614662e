/* test_video_way.c: how a scorer for videos asks: frames by the ensemble, clips in one prompt; the
 * words of all methods from one run; comparing two pictures. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "models/session.h"
#include "score/scorer.h"
#include "tests/unit/models/tiny_model.h"

#include <math.h>
#include <qboost/qboost.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { N_IMAGES = 5 };

static QbModel *plain, *align, *pairs; /* the same weights, asked in different ways */
static QbImage *images[N_IMAGES];

static const QbImage *const *pictures(void)
{
    return (const QbImage *const *)images;
}

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < N_IMAGES; i++)
        images[i] = tiny_image(12 + i * 5, 23 - i, (uint32_t)i);
    const char *words =
        "good average poor high medium low fine acceptable bad excellent fair first "
        "second The quality of the video is image";
    return tiny_open(&plain, &(TinyModel){.words = words, .context = 512}) ||
           tiny_open(&align, &(TinyModel){.words = words,
                                          .context = 512,
                                          .key = "qboost.variant",
                                          .text = "q-align-scorer"}) ||
           tiny_open(&pairs, &(TinyModel){.words = words,
                                          .context = 512,
                                          .key = "qboost.variant",
                                          .text = "co-instruct"});
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_IMAGES; i++)
        qb_image_free(&images[i]);
    qb_model_close(&plain);
    qb_model_close(&align);
    qb_model_close(&pairs);
    return 0;
}

static QbScorerOptions for_video(const char *way)
{
    QbScorerOptions options;
    qb_scorer_options_init(&options);
    options.threads = 1;
    options.video = way;
    return options;
}

static QbScorer *open_scorer(const QbModel *model, const QbScorerOptions *options)
{
    QbScorer *scorer = NULL;
    if (qb_scorer_new(&scorer, model, options))
        fail_msg("%s", qb_last_error());
    return scorer;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void check_way(const QbModel *model, QbScorerOptions options, const char *way,
                      const char *method)
{
    QbScorer *scorer = open_scorer(model, &options);
    assert_string_equal(qb_scorer_video(scorer), way);
    assert_string_equal(qb_scorer_method(scorer), method);
    qb_scorer_free(&scorer);
}

static void test_frames_are_read_by_the_ensemble(void **state)
{
    (void)state;
    check_way(plain, for_video(NULL), "", "tti");
    check_way(plain, for_video("frames"), "frames", "mpe");
    check_way(plain, for_video("auto"), "frames", "mpe");
    QbScorerOptions named = for_video("frames");
    named.method = "tti";
    check_way(plain, named, "frames", "tti"); /* a wish is a wish */
    named.method = "levels";
    check_way(plain, named, "frames", "levels");
    named = for_video("frames");
    named.variant = "llava-eval";
    check_way(plain, named, "frames", "mpe");
    named.tones = "good / poor";
    check_way(plain, named, "frames", "custom");
}

static void test_what_models_were_taught(void **state)
{
    (void)state;
    QbScorer *scorer = NULL;
    QbScorerOptions options = for_video("clip");
    assert_int_equal(qb_scorer_new(&scorer, plain, &options), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "as a whole"));
    options = for_video("movie");
    assert_int_equal(qb_scorer_new(&scorer, plain, &options), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "\"movie\" (frames, clip, auto)"));
    scorer = open_scorer(
        align, &(QbScorerOptions){.size = sizeof(QbScorerOptions), .threads = 1, .video = "auto"});
    assert_string_equal(qb_scorer_video(scorer), "clip");
    assert_string_equal(qb_scorer_prompt(scorer), "How would you rate the quality of this video?");
    qb_scorer_free(&scorer);
    options = for_video("frames");
    scorer = open_scorer(align, &options);
    assert_string_equal(qb_scorer_video(scorer), "frames");
    assert_int_equal(qb_scorer_max_frames(scorer), 0);
    QbScore score;
    assert_int_equal(qb_scorer_score_clip(&score, scorer, pictures(), 2), QB_ERR_ARG);
    qb_scorer_free(&scorer);
}

/* ---- clips ----------------------------------------------------------------------------------- */

/* The same tokens put together by hand: the pictures stand side by side. */
static void clip_logits(float *logits, const QbScorer *s, int n)
{
    QbSession *session = NULL;
    int32_t ids[512];
    int n_ids = 0;
    assert_int_equal(qb_session_new(&session, s->model, &(QbSessionOptions){.threads = 1}), QB_OK);
    for (int i = 0; i < s->prompt.n; i++) {
        int copies = s->prompt.id[i] == QB_ID_IMAGE ? n : 1;
        while (copies--)
            ids[n_ids++] = s->prompt.id[i];
    }
    if (qb_session_eval(logits, session, ids, n_ids, pictures(), n, s->word_id, s->n_words))
        fail_msg("%s", qb_last_error());
    qb_session_free(&session);
}

static void test_clip_is_one_prompt(void **state)
{
    (void)state;
    QbScorerOptions options = for_video("clip");
    QbScorer *scorer = open_scorer(align, &options);
    for (int n = 1; n <= N_IMAGES; n++) {
        QbScore score;
        float want[QB_SCORE_MAX_WORDS];
        if (qb_scorer_score_clip(&score, scorer, pictures(), n))
            fail_msg("%s", qb_last_error());
        clip_logits(want, scorer, n);
        assert_memory_equal(score.logit, want, (size_t)qb_scorer_word_count(scorer) * sizeof *want);
        double logits[QB_SCORE_MAX_WORDS];
        for (int i = 0; i < qb_scorer_word_count(scorer); i++)
            logits[i] = (double)want[i];
        QbScore again;
        assert_int_equal(qb_scorer_score_logits(&again, scorer, logits), QB_OK);
        assert_true(again.score == score.score);
    }
    qb_scorer_free(&scorer);
}

static void test_clip_ends_with_the_context(void **state)
{
    (void)state;
    QbScorerOptions options = for_video("clip");
    QbScorer *scorer = open_scorer(align, &options);
    enum { MANY = 200 };
    const QbImage *many[MANY];
    for (int i = 0; i < MANY; i++)
        many[i] = images[i % N_IMAGES];
    int most = qb_scorer_max_frames(scorer);
    assert_in_range(most, 2, MANY - 1);
    QbScore score = {.score = -5};
    assert_int_equal(qb_scorer_score_clip(&score, scorer, many, most), QB_OK);
    score.score = -5;
    assert_int_equal(qb_scorer_score_clip(&score, scorer, many, most + 1), QB_ERR_LIMIT);
    assert_int_equal(qb_scorer_score_clip(&score, scorer, many, 0), QB_ERR_ARG);
    many[1] = NULL;
    assert_int_equal(qb_scorer_score_clip(&score, scorer, many, 3), QB_ERR_ARG);
    assert_true(score.score == -5);
    qb_scorer_free(&scorer);
}

/* ---- all methods from one run -----------------------------------------------------------------
 */

static void test_all_methods_at_once(void **state)
{
    (void)state;
    QbScorerOptions options = for_video(NULL);
    options.all_methods = true;
    options.method = "binary";
    QbScorer *all = open_scorer(plain, &options);
    QbScore score;
    double logits[QB_SCORE_MAX_WORDS];
    assert_int_equal(qb_scorer_word_count(all), 11);
    assert_int_equal(qb_scorer_word_tone(all, 1), 1);
    assert_int_equal(qb_scorer_word_tone(all, 2), -1);
    assert_int_equal(qb_scorer_score_image(&score, all, images[0]), QB_OK);
    for (int i = 0; i < 11; i++)
        logits[i] = (double)score.logit[i];
    for (int m = 0; qb_method_name(m); m++) {
        QbScore want, got = {0};
        QbScorerOptions one = for_video(NULL);
        one.method = qb_method_name(m);
        QbScorer *alone = open_scorer(plain, &one);
        assert_int_equal(qb_scorer_score_image(&want, alone, images[0]), QB_OK);
        assert_int_equal(qb_scorer_apply_method(&got, all, m, logits), QB_OK);
        assert_true(got.score == want.score);
        assert_true(got.entropy == want.entropy);
        qb_scorer_free(&alone);
    }
    assert_int_equal(qb_scorer_apply_method(&score, all, 99, logits), QB_ERR_ARG);
    logits[0] = NAN;
    assert_int_equal(qb_scorer_apply_method(&score, all, 0, logits), QB_ERR_ARG);
    qb_scorer_free(&all);
}

static void test_methods_that_a_model_has_no_words_for(void **state)
{
    (void)state;
    QbModel *small = NULL;
    assert_int_equal(tiny_open(&small, &(TinyModel){.words = "good average poor"}), QB_OK);
    QbScorerOptions options = for_video(NULL);
    options.all_methods = true;
    QbScorer *scorer = open_scorer(small, &options);
    QbScore score;
    double logits[QB_SCORE_MAX_WORDS] = {3, 2, 1};
    assert_int_equal(qb_scorer_word_count(scorer), 3);
    int n_can = 0;
    for (int m = 0; qb_method_name(m); m++) {
        QbStatus status = qb_scorer_apply_method(&score, scorer, m, logits);
        assert_true(status == QB_OK || status == QB_ERR_UNSUPPORTED);
        n_can += status == QB_OK;
    }
    assert_int_equal(n_can, 2); /* tti and binary */
    qb_scorer_free(&scorer);
    uint64_t before = qb_mem_allocation_count();
    scorer = open_scorer(plain, &options);
    uint64_t count = qb_mem_allocation_count() - before;
    qb_scorer_free(&scorer);
    for (uint64_t n = 1; n <= count; n++) {
        qb_mem_fail_after(n);
        QbStatus status = qb_scorer_new(&scorer, plain, &options);
        qb_mem_fail_after(0);
        assert_int_equal(status, QB_ERR_NOMEM);
        assert_null(scorer);
    }
    qb_model_close(&small);
}

/* ---- comparing --------------------------------------------------------------------------------
 */

static QbScore made_of(double good, double average, double poor)
{
    return (QbScore){.score = good + average / 2, .probability = {good, average, poor}};
}

static double p_first(const QbScorer *scorer, QbScore a, QbScore b)
{
    QbComparison c;
    if (qb_compare_scores(&c, scorer, &a, &b))
        fail_msg("%s", qb_last_error());
    assert_true(c.p_first >= 0 && c.p_first <= 1);
    return c.p_first;
}

static void test_compare_scores(void **state)
{
    (void)state;
    QbScorerOptions options = for_video(NULL);
    QbScorer *s = open_scorer(plain, &options);
    QbScore good = made_of(0.8, 0.15, 0.05), bad = made_of(0.1, 0.3, 0.6);
    double v1 = 0.8 * 0.125 * 0.125 + 0.15 * 0.375 * 0.375 + 0.05 * 0.875 * 0.875;
    double v2 = 0.1 * 0.75 * 0.75 + 0.3 * 0.25 * 0.25 + 0.6 * 0.25 * 0.25;
    double want = 0.5 * (1 + erf(0.625 / sqrt(v1 + v2) / sqrt(2.0)));
    assert_true(fabs(p_first(s, good, bad) - want) < 1e-12);
    assert_true(fabs(p_first(s, good, bad) + p_first(s, bad, good) - 1) < 1e-12);
    assert_true(p_first(s, good, good) == 0.5);
    /* No doubt at all. */
    assert_true(p_first(s, made_of(1, 0, 0), made_of(0, 0, 1)) == 1);
    assert_true(p_first(s, made_of(0, 0, 1), made_of(1, 0, 0)) == 0);
    assert_true(p_first(s, made_of(0, 1, 0), made_of(0, 1, 0)) == 0.5);
    QbComparison c = {.p_first = -5};
    QbScore nan = made_of(NAN, 0, 0);
    assert_int_equal(qb_compare_scores(&c, s, &nan, &good), QB_ERR_ARG);
    assert_true(c.p_first == -5);
    qb_scorer_free(&s);
}

/* What the prompt's own logits say, in both orders. */
static void test_compare_pair(void **state)
{
    (void)state;
    QbScorerOptions options = for_video(NULL);
    QbScorer *s = open_scorer(pairs, &options), *no = open_scorer(plain, &options);
    QbComparison ab, ba, aa;
    assert_true(qb_scorer_can_pair(s) && !qb_scorer_can_pair(no));
    assert_int_equal(qb_compare_pair(&ab, no, images[0], images[1]), QB_ERR_UNSUPPORTED);
    assert_int_equal(qb_compare_pair(&ab, s, images[0], images[1]), QB_OK);
    assert_int_equal(qb_compare_pair(&ba, s, images[1], images[0]), QB_OK);
    assert_int_equal(qb_compare_pair(&aa, s, images[1], images[1]), QB_OK);
    assert_true(fabs(ab.p_first + ba.p_first - 1) < 1e-12);
    assert_true(fabs(ab.p_first_in_front + ba.p_first_behind - 1) < 1e-15);
    assert_true(fabs(aa.p_first - 0.5) < 1e-12);
    assert_true(aa.p_first_in_front != 0.5); /* a random model likes one of the places */
    assert_true(isnan(ab.score[0]) && ab.total_ms > 0);

    QbIds ids = {0};
    int32_t id[2];
    int pieces;
    float logit[2];
    assert_int_equal(qb_prompt_ids(&ids, s->model->tokenizer, &s->settings.pair_template,
                                   "Which image has better quality?", 2),
                     QB_OK);
    assert_int_equal(qb_word_id(&id[0], &pieces, s->model->tokenizer, "first"), QB_OK);
    assert_int_equal(qb_word_id(&id[1], &pieces, s->model->tokenizer, "second"), QB_OK);
    assert_int_equal(qb_session_eval(logit, s->session, ids.id, ids.n, pictures(), 2, id, 2),
                     QB_OK);
    double e = exp((double)logit[0]) / (exp((double)logit[0]) + exp((double)logit[1]));
    assert_true(fabs(ab.p_first_in_front - e) < 1e-9);
    qb_ids_deinit(&ids);
    qb_scorer_free(&s);
    qb_scorer_free(&no);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_are_read_by_the_ensemble),
        cmocka_unit_test(test_what_models_were_taught),
        cmocka_unit_test(test_clip_is_one_prompt),
        cmocka_unit_test(test_clip_ends_with_the_context),
        cmocka_unit_test(test_all_methods_at_once),
        cmocka_unit_test(test_methods_that_a_model_has_no_words_for),
        cmocka_unit_test(test_compare_scores),
        cmocka_unit_test(test_compare_pair),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
