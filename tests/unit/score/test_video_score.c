/* test_video_score.c: a video's score is what its frames say one by one, for any number of scorers;
 * a run can be stopped, a broken stream is scored as far as it goes. Built with -fsanitize=thread
 * too. */
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/mem.h"
#include "tests/unit/image/image_test.h"
#include "tests/unit/models/tiny_model.h"

#include <math.h>
#include <qboost/qboost.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CLIP "tests/golden/video/mpeg4.mp4"
enum { MAX_FRAMES = 64, MAX_SCORERS = 3 };

static QbModel *plain, *align;

static int set_up(void **state)
{
    (void)state;
    use_built_modules();
    const char *words = "good average poor high medium low fine acceptable bad excellent fair";
    return tiny_open(&plain, &(TinyModel){.words = words, .context = 512}) ||
           tiny_open(&align, &(TinyModel){.words = words,
                                          .context = 512,
                                          .key = "qboost.variant",
                                          .text = "q-align-scorer"});
}

static int tear_down(void **state)
{
    (void)state;
    qb_model_close(&plain);
    qb_model_close(&align);
    return 0;
}

static QbScorer *new_scorer(const QbModel *model, const char *way)
{
    QbScorer *scorer = NULL;
    QbScorerOptions options;
    qb_scorer_options_init(&options);
    options.threads = 1;
    options.video = way;
    if (qb_scorer_new(&scorer, model, &options))
        fail_msg("%s", qb_last_error());
    return scorer;
}

static QbVideo *open_video(const char *path, double rate)
{
    QbVideo *video = NULL;
    QbVideoOptions options;
    qb_video_options_init(&options);
    options.rate = rate;
    options.threads = 1; /* the thread sanitizer does not see what FFmpeg's agree upon */
    if (qb_video_open(&video, path, &options))
        fail_msg("%s", qb_last_error());
    return video;
}

/* ---- what one thing after another gives -------------------------------------------------------
 */

typedef struct Frames {
    QbImage *images[MAX_FRAMES];
    QbFrame frames[MAX_FRAMES];
    QbScore scores[MAX_FRAMES];
    int n;
} Frames;

static void read_frames(Frames *out, const char *path, double rate, QbScorer *scorer)
{
    QbVideo *video = open_video(path, rate);
    for (out->n = 0;; out->n++) {
        assert_in_range(out->n, 0, MAX_FRAMES - 1);
        if (qb_video_next(&out->images[out->n], &out->frames[out->n], video))
            fail_msg("%s", qb_last_error());
        if (!out->images[out->n])
            break;
        if (scorer && qb_scorer_score_image(&out->scores[out->n], scorer, out->images[out->n]))
            fail_msg("%s", qb_last_error());
    }
    qb_video_close(&video);
}

static void free_frames(Frames *frames)
{
    for (int i = 0; i < frames->n; i++)
        qb_image_free(&frames->images[i]);
}

static void score_means(QbScore *out, const Frames *frames, const QbScorer *scorer)
{
    double mean[QB_SCORE_MAX_WORDS] = {0};
    for (int i = 0; i < frames->n; i++)
        for (int w = 0; w < qb_scorer_word_count(scorer); w++)
            mean[w] += (double)frames->scores[i].logit[w];
    for (int w = 0; w < qb_scorer_word_count(scorer); w++)
        mean[w] /= frames->n;
    assert_int_equal(qb_scorer_score_logits(out, scorer, mean), QB_OK);
}

/* ---- frames ------------------------------------------------------------------------------------
 */

typedef struct Seen {
    const Frames *want;
    int n, stop_after; /* 0 = never */
    bool same;
} Seen;

static bool see(const QbFrame *frame, const QbScore *score, const QbImage *image, void *user)
{
    Seen *seen = user;
    const Frames *want = seen->want;
    int i = seen->n++;
    seen->same = seen->same && i < want->n && frame->index == want->frames[i].index &&
                 qb_image_width(image) == qb_image_width(want->images[i]) &&
                 (!score || score->score == want->scores[i].score);
    return seen->n != seen->stop_after;
}

static QbStatus score_video(QbVideoScore *out, const char *path, double rate, const QbModel *model,
                            const char *way, int n_scorers, const char *pool, Seen *seen)
{
    QbScorer *scorers[MAX_SCORERS];
    QbVideo *video = open_video(path, rate);
    QbVideoScoreOptions options;
    qb_video_score_options_init(&options);
    options.pool = pool;
    options.on_frame = seen ? see : NULL;
    options.user = seen;
    for (int i = 0; i < n_scorers; i++)
        scorers[i] = new_scorer(model, way);
    QbStatus status = qb_video_score(out, video, scorers, n_scorers, &options);
    for (int i = 0; i < n_scorers; i++)
        qb_scorer_free(&scorers[i]);
    qb_video_close(&video);
    return status;
}

static void test_frames_one_by_one(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer(plain, "frames");
    Frames frames;
    QbScore want;
    read_frames(&frames, CLIP, 10, scorer);
    assert_true(frames.n > 8);
    score_means(&want, &frames, scorer);
    double scores[MAX_FRAMES];
    for (int i = 0; i < frames.n; i++)
        scores[i] = frames.scores[i].score;
    for (int n_scorers = 1; n_scorers <= MAX_SCORERS; n_scorers++)
        for (int p = 0; qb_pool_name(p); p++) {
            Seen seen = {.want = &frames, .same = true};
            QbVideoScore got;
            double pooled = want.score;
            if (score_video(&got, CLIP, 10, plain, "frames", n_scorers, qb_pool_name(p), &seen))
                fail_msg("%s", qb_last_error());
            assert_true(seen.same && seen.n == frames.n && got.n_frames == frames.n);
            assert_memory_equal(got.score.logit, want.logit, sizeof want.logit);
            assert_true(got.score.entropy == want.entropy);
            if (p > 0)
                assert_int_equal(qb_pool_scores(&pooled, qb_pool_name(p), scores, frames.n), QB_OK);
            assert_true(got.score.score == pooled);
            assert_false(got.partial);
            assert_string_equal(got.problem, "");
        }
    free_frames(&frames);
    qb_scorer_free(&scorer);
}

static void test_stopped_in_the_middle(void **state)
{
    (void)state;
    Frames frames;
    QbScorer *scorer = new_scorer(plain, "frames");
    read_frames(&frames, CLIP, 10, scorer);
    for (int n_scorers = 1; n_scorers <= MAX_SCORERS; n_scorers++)
        for (int after = 1; after <= 5; after += 2) {
            Seen seen = {.want = &frames, .same = true, .stop_after = after};
            QbVideoScore got = {.n_frames = -5};
            assert_int_equal(score_video(&got, CLIP, 10, plain, "frames", n_scorers, NULL, &seen),
                             QB_ERR_CANCELLED);
            assert_true(seen.same && seen.n == after);
            assert_true(got.n_frames == -5); /* untouched */
        }
    free_frames(&frames);
    qb_scorer_free(&scorer);
}

/* ---- clips -------------------------------------------------------------------------------------
 */

static void test_a_clip_as_a_whole(void **state)
{
    (void)state;
    Frames frames;
    QbScore want;
    QbVideoScore got;
    QbScorer *scorer = new_scorer(align, "clip");
    read_frames(&frames, CLIP, 5, NULL);
    if (qb_scorer_score_clip(&want, scorer, (const QbImage *const *)frames.images, frames.n))
        fail_msg("%s", qb_last_error());
    Seen seen = {.want = &frames, .same = true};
    if (score_video(&got, CLIP, 5, align, "auto", 2, NULL, &seen))
        fail_msg("%s", qb_last_error());
    assert_true(seen.same && seen.n == frames.n && got.n_frames == frames.n);
    assert_memory_equal(got.score.logit, want.logit, sizeof want.logit);
    assert_true(got.score.score == want.score);
    /* Scores of frames there are none. */
    assert_int_equal(score_video(&got, CLIP, 5, align, "clip", 1, "mean", NULL), QB_ERR_ARG);
    seen = (Seen){.want = &frames, .same = true, .stop_after = 2};
    assert_int_equal(score_video(&got, CLIP, 5, align, "clip", 1, NULL, &seen), QB_ERR_CANCELLED);
    free_frames(&frames);
    qb_scorer_free(&scorer);
}

static void test_a_clip_that_is_too_long(void **state)
{
    (void)state;
    QbModel *narrow = NULL;
    QbVideoScore got;
    assert_int_equal(tiny_open(&narrow, &(TinyModel){.key = "qboost.variant",
                                                     .text = "q-align-scorer",
                                                     .words = "good average poor",
                                                     .context = 130}),
                     QB_OK);
    QbScorer *scorer = new_scorer(narrow, "clip");
    int most = qb_scorer_max_frames(scorer);
    qb_scorer_free(&scorer);
    assert_in_range(most, 1, 30);
    assert_int_equal(score_video(&got, CLIP, 25, narrow, "clip", 1, NULL, NULL), QB_ERR_LIMIT);
    assert_non_null(strstr(qb_last_error(), "context has room for"));
    qb_model_close(&narrow);
}

/* ---- mistakes and damage -----------------------------------------------------------------------
 */

static void test_mistakes(void **state)
{
    (void)state;
    QbVideoScore got = {.n_frames = -5};
    QbScorer *pictures = new_scorer(plain, NULL);
    QbVideo *video = open_video(CLIP, 1);
    assert_int_equal(qb_video_score(&got, video, &pictures, 1, NULL), QB_ERR_ARG);
    assert_int_equal(qb_video_score(&got, video, &pictures, 0, NULL), QB_ERR_ARG);
    assert_int_equal(qb_video_score(&got, NULL, &pictures, 1, NULL), QB_ERR_ARG);
    qb_video_close(&video);
    qb_scorer_free(&pictures);
    assert_int_equal(score_video(&got, CLIP, 1, plain, "frames", 1, "average", NULL), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "\"average\" (logits, mean"));
    assert_true(got.n_frames == -5);
}

/* The first frames of a stream that ends in the middle of a packet. */
static void test_a_stream_that_breaks(void **state)
{
    (void)state;
    char path[] = "/tmp/qboost_video_XXXXXX";
    uint8_t *data;
    size_t size;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(qb_file_read(&data, &size, "tests/golden/video/mpegts.ts", 1 << 20), QB_OK);
    size_t kept = size * 6 / 10 / 188 * 188 + 100;
    assert_int_equal(write(fd, data, kept), (long)kept);
    close(fd);
    qb_free(data);
    QbVideoScore whole, broken;
    assert_int_equal(
        score_video(&whole, "tests/golden/video/mpegts.ts", 10, plain, "frames", 2, NULL, NULL),
        QB_OK);
    if (score_video(&broken, path, 10, plain, "frames", 2, NULL, NULL))
        fail_msg("%s", qb_last_error());
    assert_false(whole.partial);
    assert_true(broken.n_frames > 0 && broken.n_frames < whole.n_frames);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_one_by_one), cmocka_unit_test(test_stopped_in_the_middle),
        cmocka_unit_test(test_a_clip_as_a_whole), cmocka_unit_test(test_a_clip_that_is_too_long),
        cmocka_unit_test(test_mistakes),          cmocka_unit_test(test_a_stream_that_breaks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
