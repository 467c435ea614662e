/* video_score.c: a video in, a score out (public side: <qboost/video.h>).
 *
 * One thread decodes into a ring of slots, a thread for each scorer takes groups of frames from it,
 * and the caller's thread sums up in the frames' order:
 *
 *     head          next           tail
 *      | done, busy  | waiting      | free …        (counts; slot = count modulo n_slots)
 *
 * Sums run in the order of the frames, and a frame's score does not depend on its group, so the
 * result does not depend on threads. A clip that is judged as a whole is collected first. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "base/time.h"
#include "score/pooling.h"
#include "score/scorer.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { MAX_GROUP = 4 /* frames that a scorer takes at once */, MAX_MESSAGE = 512 };

/* Decoded frames that wait may take so much; a group's worth of small ones takes far less. */
static const size_t MAX_BYTES_WAITING = (size_t)256 << 20;

typedef struct Slot {
    QbFrame frame;
    QbImage *image; /* owned */
    size_t bytes;
    QbScore score;
    bool done;
} Slot;

typedef struct Run {
    QbVideo *video;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    Slot *slots;
    int n_slots, n_scorers;
    int64_t head, next, tail;
    size_t bytes_waiting;
    bool ended, stopping;
    double decode_ms;
    /* The first failure; of decoding, which ends the video, and of anything else, which ends the
     * run. */
    QbStatus decode_status, status;
    char decode_message[MAX_MESSAGE], message[MAX_MESSAGE];
} Run;

typedef struct Worker {
    Run *run;
    QbScorer *scorer;
    pthread_t thread;
} Worker;

/* What the caller's thread adds up. */
typedef struct Sums {
    double logits[QB_SCORE_MAX_WORDS];
    double *scores; /* owned: of the frames, for pooling */
    size_t capacity;
    int64_t n;
    double preprocess_ms, vision_ms, prefill_ms, total_ms;
} Sums;

void qb_video_score_options_init(QbVideoScoreOptions *options)
{
    *options = (QbVideoScoreOptions){.size = sizeof *options};
}

/* ---- the threads; the mutex is held where Run is looked at --------------------------------------
 */

static void stop(Run *run, QbStatus status)
{
    if (!run->status) {
        run->status = status;
        snprintf(run->message, sizeof run->message, "%s", qb_last_error());
    }
    run->stopping = true;
    pthread_cond_broadcast(&run->changed);
}

static bool has_room(const Run *run)
{
    int64_t waiting = run->tail - run->head;
    bool small = run->bytes_waiting < MAX_BYTES_WAITING || waiting <= run->n_scorers;
    return waiting < run->n_slots && small;
}

static QbStatus decode_one(Run *run, Slot *slot)
{
    double start = qb_now_ms();
    *slot = (Slot){0};
    QbStatus status = qb_video_next(&slot->image, &slot->frame, run->video);
    if (!status && slot->image)
        slot->bytes =
            (size_t)qb_image_width(slot->image) * (size_t)qb_image_height(slot->image) * 3;
    run->decode_ms += qb_now_ms() - start;
    return status;
}

static void *decode(void *user)
{
    Run *run = user;
    pthread_mutex_lock(&run->mutex);
    while (!run->ended) {
        while (!has_room(run) && !run->stopping)
            pthread_cond_wait(&run->changed, &run->mutex);
        if (run->stopping)
            break;
        Slot *slot = &run->slots[run->tail % run->n_slots];
        pthread_mutex_unlock(&run->mutex);
        QbStatus status = decode_one(run, slot);
        pthread_mutex_lock(&run->mutex);
        if (status) {
            run->decode_status = status;
            snprintf(run->decode_message, MAX_MESSAGE, "%s", qb_last_error());
        }
        run->ended = status || !slot->image;
        run->bytes_waiting += slot->bytes;
        run->tail += !run->ended;
        pthread_cond_broadcast(&run->changed);
    }
    run->ended = true;
    pthread_mutex_unlock(&run->mutex);
    return NULL;
}

/* Frames first … first + n - 1 are this worker's. */
static QbStatus score_group(Run *run, QbScorer *scorer, int64_t first, int n)
{
    const QbImage *images[MAX_GROUP] = {NULL};
    QbScore scores[MAX_GROUP];
    for (int i = 0; i < n; i++)
        images[i] = run->slots[(first + i) % run->n_slots].image;
    QbStatus status = qb_scorer_score_images(scores, scorer, images, n);
    for (int i = 0; i < n && !status; i++)
        run->slots[(first + i) % run->n_slots].score = scores[i];
    return status;
}

static void *work(void *user)
{
    Worker *worker = user;
    Run *run = worker->run;
    pthread_mutex_lock(&run->mutex);
    for (;;) {
        while (run->next == run->tail && !run->ended && !run->stopping)
            pthread_cond_wait(&run->changed, &run->mutex);
        if (run->stopping || run->next == run->tail)
            break;
        /* No more than a fair share: a group that waits for one worker keeps others idle. */
        int64_t first = run->next, waiting = run->tail - first;
        int64_t share = (waiting + run->n_scorers - 1) / run->n_scorers;
        int n = (int)(share < MAX_GROUP ? share : MAX_GROUP);
        run->next += n;
        pthread_mutex_unlock(&run->mutex);
        QbStatus status = score_group(run, worker->scorer, first, n);
        pthread_mutex_lock(&run->mutex);
        if (status)
            stop(run, status);
        for (int i = 0; i < n && !status; i++)
            run->slots[(first + i) % run->n_slots].done = true;
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->mutex);
    return NULL;
}

/* ---- the caller's thread ------------------------------------------------------------------------
 */

static QbStatus add(Sums *sums, const QbScore *score, int n_words)
{
    if ((size_t)sums->n == sums->capacity) {
        size_t grown = 2 * sums->capacity + 64;
        double *block =
            qb_realloc(sums->scores, sums->capacity * sizeof *block, grown * sizeof *block);
        if (!block)
            return QB_ERR_NOMEM;
        sums->scores = block;
        sums->capacity = grown;
    }
    for (int i = 0; i < n_words; i++)
        sums->logits[i] += (double)score->logit[i];
    sums->scores[sums->n++] = score->score;
    sums->preprocess_ms += score->preprocess_ms;
    sums->vision_ms += score->vision_ms;
    sums->prefill_ms += score->prefill_ms;
    sums->total_ms += score->total_ms;
    return QB_OK;
}

static QbStatus take(Sums *sums, Slot *slot, const QbVideoScoreOptions *options, int n_words)
{
    QbStatus status = add(sums, &slot->score, n_words);
    if (!status && options->on_frame &&
        !options->on_frame(&slot->frame, &slot->score, slot->image, options->user))
        status = qb_fail(QB_ERR_CANCELLED, "stopped");
    return status;
}

/* Until the last frame, or until something fails. */
static void take_all(Run *run, Sums *sums, const QbVideoScoreOptions *options, int n_words)
{
    pthread_mutex_lock(&run->mutex);
    while (!run->stopping && !(run->ended && run->head == run->tail)) {
        Slot *slot = &run->slots[run->head % run->n_slots];
        if (run->head == run->tail || !slot->done) {
            pthread_cond_wait(&run->changed, &run->mutex);
            continue;
        }
        pthread_mutex_unlock(&run->mutex);
        QbStatus status = take(sums, slot, options, n_words);
        qb_image_free(&slot->image);
        pthread_mutex_lock(&run->mutex);
        if (status)
            stop(run, status);
        run->bytes_waiting -= slot->bytes;
        slot->done = false;
        run->head++;
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->mutex);
}

static void run_threads(Run *run, Sums *sums, Worker *workers, QbScorer *const *scorers,
                        const QbVideoScoreOptions *options)
{
    pthread_t decoder;
    int n_started = 0;
    bool decoding = !pthread_create(&decoder, NULL, decode, run);
    for (; decoding && n_started < run->n_scorers; n_started++) {
        workers[n_started] = (Worker){.run = run, .scorer = scorers[n_started]};
        if (pthread_create(&workers[n_started].thread, NULL, work, &workers[n_started]))
            break; /* the others do the work */
    }
    if (n_started)
        take_all(run, sums, options, qb_scorer_word_count(scorers[0]));
    pthread_mutex_lock(&run->mutex);
    if (!n_started) {
        qb_fail(QB_ERR_NOMEM, "cannot start threads");
        stop(run, QB_ERR_NOMEM);
    }
    pthread_mutex_unlock(&run->mutex);
    if (decoding)
        pthread_join(decoder, NULL);
    for (int i = 0; i < n_started; i++)
        pthread_join(workers[i].thread, NULL);
}

static QbStatus finish(QbVideoScore *out, const Run *run, const Sums *sums, const QbScorer *scorer,
                       const QbPooling *pooling)
{
    double mean[QB_SCORE_MAX_WORDS];
    for (int i = 0; i < qb_scorer_word_count(scorer); i++)
        mean[i] = sums->logits[i] / (double)sums->n;
    QbStatus status = qb_scorer_score_logits(&out->score, scorer, mean);
    if (!status && pooling->pool)
        status = qb_pool_scores(&out->score.score, pooling->name, sums->scores, sums->n);
    out->score.preprocess_ms = sums->preprocess_ms;
    out->score.vision_ms = sums->vision_ms;
    out->score.prefill_ms = sums->prefill_ms;
    out->score.total_ms = sums->total_ms;
    out->n_frames = sums->n;
    out->decode_ms = run->decode_ms;
    return status;
}

/* What the video's end says about the frames that came before it. */
static QbStatus judge_end(QbVideoScore *out, QbVideo *video, int64_t n_frames,
                          QbStatus decode_status, const char *decode_message)
{
    const char *damage = qb_video_damage(video);
    if (!n_frames && decode_status)
        return qb_fail(decode_status, "%s", decode_message);
    if (!n_frames)
        return qb_fail(QB_ERR_FORMAT, "%s", damage ? damage : "no frame could be decoded");
    out->partial = decode_status || damage;
    if (out->partial)
        snprintf(out->problem, sizeof out->problem, "%s", decode_status ? decode_message : damage);
    return QB_OK;
}

static QbStatus score_frames(QbVideoScore *out, QbVideo *video, QbScorer *const *scorers,
                             int n_scorers, const QbVideoScoreOptions *options,
                             const QbPooling *pooling)
{
    Run run = {.video = video, .n_scorers = n_scorers, .n_slots = 2 * MAX_GROUP * n_scorers};
    Sums sums = {0};
    run.slots = qb_calloc((size_t)run.n_slots, sizeof *run.slots);
    Worker *workers = qb_calloc((size_t)n_scorers, sizeof *workers);
    QbStatus status = run.slots && workers ? QB_OK : QB_ERR_NOMEM;
    if (!status) {
        pthread_mutex_init(&run.mutex, NULL);
        pthread_cond_init(&run.changed, NULL);
        run_threads(&run, &sums, workers, scorers, options);
        pthread_cond_destroy(&run.changed);
        pthread_mutex_destroy(&run.mutex);
        for (int i = 0; i < run.n_slots; i++)
            qb_image_free(&run.slots[i].image);
        status = run.status ? qb_fail(run.status, "%s", run.message) : QB_OK;
    }
    if (!status)
        status = judge_end(out, video, sums.n, run.decode_status, run.decode_message);
    if (!status)
        status = finish(out, &run, &sums, scorers[0], pooling);
    qb_free(sums.scores);
    qb_free(workers);
    qb_free(run.slots);
    return status;
}

/* ---- a clip as a whole
 * ---------------------------------------------------------------------------- */

typedef struct Clip {
    QbImage **frames; /* [most], owned as are the images */
    int n, most;
    double decode_ms;
    QbStatus decode_status;
    char decode_message[MAX_MESSAGE];
} Clip;

static QbStatus collect(Clip *clip, QbVideo *video, const QbVideoScoreOptions *options)
{
    for (;;) {
        QbImage *image;
        QbFrame frame;
        double start = qb_now_ms();
        QbStatus status = qb_video_next(&image, &frame, video);
        clip->decode_ms += qb_now_ms() - start;
        if (status) {
            clip->decode_status = status;
            snprintf(clip->decode_message, MAX_MESSAGE, "%s", qb_last_error());
        }
        if (status || !image)
            return QB_OK;
        if (clip->n == clip->most) {
            qb_image_free(&image);
            return qb_fail(QB_ERR_LIMIT,
                           "the model's context has room for %d frames in one prompt, and the clip "
                           "has more: take fewer, or judge them one by one",
                           clip->most);
        }
        clip->frames[clip->n++] = image;
        if (options->on_frame && !options->on_frame(&frame, NULL, image, options->user))
            return qb_fail(QB_ERR_CANCELLED, "stopped");
    }
}

static QbStatus score_whole(QbVideoScore *out, QbVideo *video, QbScorer *scorer,
                            const QbVideoScoreOptions *options)
{
    Clip clip = {.most = qb_scorer_max_frames(scorer)};
    clip.frames = qb_calloc((size_t)clip.most, sizeof *clip.frames);
    QbStatus status = clip.frames ? collect(&clip, video, options) : QB_ERR_NOMEM;
    if (!status)
        status = judge_end(out, video, clip.n, clip.decode_status, clip.decode_message);
    if (!status)
        status =
            qb_scorer_score_clip(&out->score, scorer, (const QbImage *const *)clip.frames, clip.n);
    out->n_frames = clip.n;
    out->decode_ms = clip.decode_ms;
    for (int i = 0; i < clip.n; i++)
        qb_image_free(&clip.frames[i]);
    qb_free(clip.frames);
    return status;
}

static QbStatus choose_pooling(const QbPooling **out, const char *name, bool clip)
{
    QbStatus status = qb_pooling_find(out, name ? name : "logits");
    if (!status && clip && (*out)->pool)
        status = qb_fail(QB_ERR_ARG,
                         "pooling \"%s\" pools the scores of frames, and a clip that is judged as "
                         "a whole has none",
                         name);
    return status;
}

QbStatus qb_video_score(QbVideoScore *out, QbVideo *video, QbScorer *const *scorers, int n_scorers,
                        const QbVideoScoreOptions *options)
{
    QbVideoScoreOptions defaults;
    qb_video_score_options_init(&defaults);
    options = options ? options : &defaults;
    if (!out || !video || !scorers || n_scorers < 1)
        return qb_fail(QB_ERR_ARG, "qb_video_score: an argument is NULL");
    if (options->size != sizeof *options)
        return qb_fail(QB_ERR_ARG, "qb_video_score: options were not set up by "
                                   "qb_video_score_options_init");
    QbVideoWay way = scorers[0]->settings.video;
    if (way == QB_VIDEO_NONE)
        return qb_fail(QB_ERR_ARG, "qb_video_score: the scorer was not made for videos");
    const QbPooling *pooling;
    QbVideoScore result = {0};
    QbStatus status = choose_pooling(&pooling, options->pool, way == QB_VIDEO_CLIP);
    if (!status)
        status = way == QB_VIDEO_CLIP
                     ? score_whole(&result, video, scorers[0], options)
                     : score_frames(&result, video, scorers, n_scorers, options, pooling);
    if (!status)
        *out = result;
    return status;
}
