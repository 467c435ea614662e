/* test_scorer.c: scorers as a whole: many on one model from several threads, no memory after the
 * first picture, memory that fails at every allocation, answers. Built with -fsanitize=thread too.
 */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tests/unit/models/tiny_model.h"

#include <math.h>
#include <pthread.h>
#include <qboost/qboost.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One picture, where pictures are wanted. */
#define ONE(image) (const QbImage *[]){image}, 1

enum { N_IMAGES = 3, N_THREADS = 4, ROUNDS = 6 };

static QbModel *model;
static QbImage *images[N_IMAGES];

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < N_IMAGES; i++)
        images[i] = tiny_image(15 + i * 7, 21 - i, (uint32_t)i);
    return tiny_open(&model, &(TinyModel){0});
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_IMAGES; i++)
        qb_image_free(&images[i]);
    qb_model_close(&model);
    return 0;
}

static QbScorerOptions options_of(int threads, const char *method)
{
    QbScorerOptions options;
    qb_scorer_options_init(&options);
    options.threads = threads;
    options.method = method;
    return options;
}

static QbScorer *new_scorer(const QbModel *m, int threads, const char *method)
{
    QbScorer *scorer = NULL;
    QbScorerOptions options = options_of(threads, method);
    if (qb_scorer_new(&scorer, m, &options))
        fail_msg("%s", qb_last_error());
    return scorer;
}

/* ---- threads -------------------------------------------------------------------------------- */

typedef struct {
    int threads;
    int failures;
    QbScore want[N_IMAGES];
    char answer[N_IMAGES][256];
} Job;

static void *score_all(void *user)
{
    Job *job = user;
    QbScorer *scorer = NULL;
    QbScorerOptions options = options_of(job->threads, "mpe");
    job->failures += qb_scorer_new(&scorer, model, &options) != QB_OK;
    for (int round = 0; round < ROUNDS && !job->failures; round++)
        for (int i = 0; i < N_IMAGES; i++) {
            QbScore score = {0};
            const char *answer = "";
            job->failures += qb_scorer_score_image(&score, scorer, images[i]) != QB_OK;
            job->failures += memcmp(&score.score, &job->want[i].score, sizeof score.score) != 0;
            job->failures += memcmp(score.logit, job->want[i].logit, sizeof score.logit) != 0;
            job->failures +=
                qb_scorer_ask(&answer, scorer, ONE(images[i]), "fair image", 6) != QB_OK;
            job->failures += strcmp(answer, job->answer[i]) != 0;
        }
    qb_scorer_free(&scorer);
    return NULL;
}

static void test_many_threads_one_model(void **state)
{
    (void)state;
    Job jobs[N_THREADS] = {0};
    pthread_t thread[N_THREADS];
    QbScorer *scorer = new_scorer(model, 1, "mpe");
    for (int i = 0; i < N_IMAGES; i++) {
        const char *answer;
        assert_int_equal(qb_scorer_score_image(&jobs[0].want[i], scorer, images[i]), QB_OK);
        assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(images[i]), "fair image", 6), QB_OK);
        snprintf(jobs[0].answer[i], sizeof jobs[0].answer[i], "%s", answer);
    }
    assert_true(jobs[0].want[0].score != jobs[0].want[1].score); /* pictures matter */
    qb_scorer_free(&scorer);
    for (int t = 0; t < N_THREADS; t++) {
        jobs[t] = jobs[0];
        jobs[t].threads = 1 + t;
    }
    for (int t = 0; t < N_THREADS; t++)
        assert_int_equal(pthread_create(&thread[t], NULL, score_all, &jobs[t]), 0);
    for (int t = 0; t < N_THREADS; t++)
        pthread_join(thread[t], NULL);
    for (int t = 0; t < N_THREADS; t++)
        assert_int_equal(jobs[t].failures, 0);
}

/* The same on the embedded model, whose maps are large enough to be split over threads. */
/* Groups of any size, larger ones than a forward pass takes too: the scores of one after another.
 */
static void test_many_pictures_in_one_call(void **state)
{
    (void)state;
    enum { MANY = 35 };
    QbScore want[N_IMAGES], got[MANY];
    const QbImage *many[MANY];
    QbScorer *scorer = new_scorer(model, 2, "mpe");
    for (int i = 0; i < N_IMAGES; i++)
        assert_int_equal(qb_scorer_score_image(&want[i], scorer, images[i]), QB_OK);
    for (int i = 0; i < MANY; i++)
        many[i] = images[i * i % N_IMAGES];
    static const int sizes[] = {1, 2, 16, 17, MANY};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        if (qb_scorer_score_images(got, scorer, many, sizes[k]))
            fail_msg("%s", qb_last_error());
        for (int i = 0; i < sizes[k]; i++) {
            const QbScore *one = &want[i * i % N_IMAGES];
            assert_true(got[i].score == one->score && got[i].entropy == one->entropy);
            assert_memory_equal(got[i].logit, one->logit, sizeof one->logit);
            assert_true(got[i].total_ms >= 0);
        }
    }
    many[3] = NULL;
    assert_int_equal(qb_scorer_score_images(got, scorer, many, 5), QB_ERR_ARG);
    assert_int_equal(qb_scorer_score_images(got, scorer, many, 0), QB_ERR_ARG);
    qb_scorer_free(&scorer);
}

static void test_the_embedded_model(void **state)
{
    (void)state;
    QbModel *embedded = NULL;
    QbScore first = {0}, score;
    QbImage *image = tiny_image(300, 220, 8);
    assert_int_equal(qb_model_open(&embedded, NULL, NULL), QB_OK);
    for (int threads = 1; threads <= 4; threads++) {
        QbScorer *scorer = new_scorer(embedded, threads, NULL);
        assert_int_equal(qb_scorer_threads(scorer), threads);
        assert_int_equal(qb_scorer_score_image(&score, scorer, image), QB_OK);
        if (threads == 1)
            first = score;
        assert_memory_equal(&score.score, &first.score, sizeof score.score);
        assert_memory_equal(score.logit, first.logit, sizeof score.logit);
        assert_true(score.total_ms >=
                    score.preprocess_ms + score.vision_ms + score.prefill_ms - 0.01);
        assert_true(score.vision_ms > 0 && score.prefill_ms > 0);
        qb_scorer_free(&scorer);
    }
    qb_image_free(&image);
    qb_model_close(&embedded);
}

/* ---- memory --------------------------------------------------------------------------------- */

static void check_no_allocation(const QbModel *m, int width, int height)
{
    QbScore score;
    QbScorer *scorer = new_scorer(m, 2, NULL);
    QbImage *picture[3] = {tiny_image(width, height, 1), tiny_image(width, height, 2),
                           tiny_image(width / 2, height / 3, 3)};
    assert_int_equal(qb_scorer_score_image(&score, scorer, picture[0]), QB_OK);
    uint64_t before = qb_mem_allocation_count();
    for (int i = 0; i < 7; i++)
        assert_int_equal(qb_scorer_score_image(&score, scorer, picture[i % 3]), QB_OK);
    assert_true(qb_mem_allocation_count() == before);
    for (int i = 0; i < 3; i++)
        qb_image_free(&picture[i]);
    qb_scorer_free(&scorer);
}

static void test_scoring_allocates_nothing(void **state)
{
    (void)state;
    QbModel *embedded = NULL;
    assert_int_equal(qb_model_open(&embedded, NULL, NULL), QB_OK);
    check_no_allocation(model, 90, 71);
    check_no_allocation(embedded, 500, 470);
    qb_model_close(&embedded);
}

/* Everything a program does, from opening on. */
static QbStatus whole_run(const char *path, const QbImage *image, bool ask)
{
    QbModel *m = NULL;
    QbScorer *scorer = NULL;
    QbScore score;
    const char *answer;
    QbScorerOptions options = options_of(2, "mpe");
    QbStatus status = qb_model_open(&m, path, NULL);
    (void)(status || (status = qb_scorer_new(&scorer, m, &options)) ||
           (status = qb_scorer_score_image(&score, scorer, image)) ||
           (status =
                ask ? qb_scorer_ask(&answer, scorer, ONE(image), "Rate the image.", 3) : QB_OK));
    qb_scorer_free(&scorer);
    qb_model_close(&m);
    return status;
}

static void fail_everywhere(const char *path, const QbImage *image, uint64_t stride)
{
    uint64_t before = qb_mem_allocation_count();
    assert_int_equal(whole_run(path, image, true), QB_OK);
    uint64_t count = qb_mem_allocation_count() - before;
    assert_true(count > 50);
    for (uint64_t n = 1; n <= count; n += n + 2 * stride < count ? stride : 1) {
        qb_mem_fail_after(n);
        QbStatus status = whole_run(path, image, true);
        qb_mem_fail_after(0);
        if (status != QB_ERR_NOMEM)
            fail_msg("allocation %d of %d failed: status %d", (int)n, (int)count, status);
        assert_non_null(strstr(qb_last_error(), "out of memory"));
    }
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    char path[] = "/tmp/qboost_tiny_XXXXXX";
    TinyModel t = {0};
    GgufBuild b;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && !close(fd));
    tiny_build(&b, &t);
    assert_int_equal(gguf_build_write(&b, path), 0);
    fail_everywhere(path, images[0], 1);
    unlink(path);
    fail_everywhere(NULL, images[0], 23);
}

/* A scorer lives on after memory ran out. */
static void test_recovers_from_no_memory(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer(model, 1, NULL);
    QbScore want, got = {.score = -5};
    const char *answer = "x";
    QbImage *large = tiny_image(200, 300, 4);
    qb_mem_fail_after(1);
    assert_int_equal(qb_scorer_score_image(&got, scorer, large), QB_ERR_NOMEM);
    assert_true(got.score == -5); /* untouched */
    qb_mem_fail_after(1);
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(large), "fair", 4), QB_ERR_NOMEM);
    assert_null(answer);
    qb_mem_fail_after(0);
    assert_int_equal(qb_scorer_score_image(&got, scorer, large), QB_OK);
    QbScorer *fresh = new_scorer(model, 1, NULL);
    assert_int_equal(qb_scorer_score_image(&want, fresh, large), QB_OK);
    assert_memory_equal(&got.logit, &want.logit, sizeof got.logit);
    qb_image_free(&large);
    qb_scorer_free(&scorer);
    qb_scorer_free(&fresh);
}

/* ---- words ---------------------------------------------------------------------------------- */

static void test_words_are_resolved(void **state)
{
    (void)state;
    QbScorer *scorer = NULL;
    QbScorerOptions options = options_of(1, NULL);
    options.tones = "good goodness / poor";
    assert_int_equal(qb_scorer_new(&scorer, model, &options),
                     QB_OK); /* the same token in one tone */
    assert_int_equal(qb_scorer_word_token(scorer, 0), qb_scorer_word_token(scorer, 1));
    assert_int_equal(qb_scorer_word_pieces(scorer, 0), 1);
    assert_true(qb_scorer_word_pieces(scorer, 1) > 1);
    QbScore score;
    assert_int_equal(qb_scorer_score_image(&score, scorer, images[0]), QB_OK);
    assert_memory_equal(&score.logit[0], &score.logit[1], sizeof(float));
    qb_scorer_free(&scorer);
    static const struct {
        const char *tones, *a, *b;
    } bad[] = {{"good / goodness", "\"good\"", "\"goodness\""},
               {"high poor / fine poorly", "\"poor\"", "\"poorly\""},
               {"good / zebra", "\"zebra\"", "no token"},
               {"\xf0\x9f\x98\x80 / good", "\xf0\x9f\x98\x80", "no token"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.tones = bad[i].tones;
        assert_int_equal(qb_scorer_new(&scorer, model, &options), QB_ERR_ARG);
        assert_null(scorer);
        assert_non_null(strstr(qb_last_error(), bad[i].a));
        assert_non_null(strstr(qb_last_error(), bad[i].b));
    }
}

static void test_a_model_without_numbers(void **state)
{
    (void)state;
    QbModel *broken = NULL;
    QbScore score = {.score = -5};
    assert_int_equal(tiny_open(&broken, &(TinyModel){.output_gain = INFINITY}), QB_OK);
    QbScorer *scorer = new_scorer(broken, 1, NULL);
    assert_int_equal(qb_scorer_score_image(&score, scorer, images[0]), QB_ERR_FORMAT);
    assert_non_null(strstr(qb_last_error(), "finite"));
    assert_true(score.score == -5);
    qb_scorer_free(&scorer);
    qb_model_close(&broken);
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p) {
        int more = *p < 0x80                 ? 0
                   : *p >= 0xc2 && *p < 0xe0 ? 1
                   : *p >= 0xe0 && *p < 0xf0 ? 2
                   : *p >= 0xf0 && *p < 0xf5 ? 3
                                             : -1;
        if (more < 0 || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
            (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
            return false;
        for (p++; more > 0; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return false;
    }
    return true;
}

/* Models that say anything, single bytes too: what comes out is UTF-8 all the same. */
static void test_answers_are_utf8(void **state)
{
    (void)state;
    int odd = 0;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        QbModel *m = NULL;
        const char *answer;
        assert_int_equal(tiny_open(&m, &(TinyModel){.seed = seed, .words = "good average poor"}),
                         QB_OK);
        QbScorer *scorer = new_scorer(m, 1, NULL);
        assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(images[0]), "good", 20), QB_OK);
        if (!is_utf8(answer))
            fail_msg("seed %u: the answer is not UTF-8", seed);
        odd += strstr(answer, "\xef\xbf\xbd") != NULL;
        qb_scorer_free(&scorer);
        qb_model_close(&m);
    }
    assert_true(odd > 10); /* there was something to mend */
}

/* The answer ends where the model's context does. */
static void test_answers_up_to_the_context(void **state)
{
    (void)state;
    const char *answer = NULL;
    QbScorer *scorer = new_scorer(model, 1, NULL);
    if (qb_scorer_ask(&answer, scorer, ONE(images[0]), "good", 100000))
        fail_msg("%s", qb_last_error());
    assert_true(strlen(answer) > 0);
    /* A question that does not fit is an error. */
    char question[400];
    memset(question, 'x', sizeof question);
    question[sizeof question - 1] = 0;
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(images[0]), question, 5), QB_ERR_LIMIT);
    assert_null(answer);
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(images[0]), "good", 1), QB_OK);
    qb_scorer_free(&scorer);
}

static void test_asking_does_not_change_scores(void **state)
{
    (void)state;
    QbScore before, after;
    const char *answer;
    char first[512];
    QbScorer *scorer = new_scorer(model, 2, NULL);
    assert_int_equal(qb_scorer_score_image(&before, scorer, images[1]), QB_OK);
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(images[0]), "image", 8), QB_OK);
    snprintf(first, sizeof first, "%s", answer);
    assert_int_equal(qb_scorer_score_image(&after, scorer, images[1]), QB_OK);
    assert_memory_equal(before.logit, after.logit, sizeof before.logit);
    assert_int_equal(qb_scorer_ask(&answer, scorer, ONE(images[0]), "image", 8), QB_OK);
    assert_string_equal(answer, first);
    qb_scorer_free(&scorer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_threads_one_model),
        cmocka_unit_test(test_many_pictures_in_one_call),
        cmocka_unit_test(test_the_embedded_model),
        cmocka_unit_test(test_scoring_allocates_nothing),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_recovers_from_no_memory),
        cmocka_unit_test(test_words_are_resolved),
        cmocka_unit_test(test_a_model_without_numbers),
        cmocka_unit_test(test_answers_are_utf8),
        cmocka_unit_test(test_answers_up_to_the_context),
        cmocka_unit_test(test_asking_does_not_change_scores),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
