/* pipeline.c: a ring of slots between the fetching thread, the workers and the caller.
 *
 *     head          next           tail
 *      | done, busy  | waiting      | free …        (counts; slot = count modulo n_slots)
 *
 * The fetcher fills at tail, a worker takes the slot at next, the caller prints at head when it is
 * done. Which worker scores what does not matter: scorers give the same score to the bit. */
// SPDX-License-Identifier: Apache-2.0
#include "run/pipeline.h"

#include "base/progress.h"
#include "base/signals.h"
#include "session/picture.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { SLOTS_A_WORKER = 4, TICK_MS = 250 };

typedef struct Slot {
    Input input;
    Record record;
    char *error; /* owned; record.error points to it */
    QbImage *thumbnail;
    bool done;
} Slot;

typedef struct Pipeline {
    const PipelineSpec *spec;
    pthread_mutex_t mutex;
    pthread_cond_t work_arrived, slot_freed, slot_done;
    Slot *slots;
    uint64_t n_slots, head, next, tail;
    bool ended, stopping;
} Pipeline;

/* A scorer and the workers that take turns with it. */
typedef struct Turn {
    pthread_mutex_t mutex;
    QbScorer *scorer;
} Turn;

typedef struct Worker {
    Pipeline *pipeline;
    Turn *turn;
    pthread_t thread;
} Worker;

/* text: NULL when slot->error has it already. */
static void fail_slot(Slot *slot, QbStatus status, const char *text)
{
    if (text)
        slot->error = cli_strdup(text);
    slot->record.error = slot->error;
    slot->record.error_kind = qb_status_name(status);
}

/* A video among the pictures: says so behind why it cannot be read. */
static void add_video_hint(Slot *slot, QbStatus status)
{
    bool unreadable = status == QB_ERR_FORMAT || status == QB_ERR_UNSUPPORTED;
    if (!slot->error || !unreadable || !is_video_name(slot->input.path))
        return;
    Text text = {0};
    text_addf(&text, "%s; for videos: qboost video %s", slot->error, slot->input.path);
    free(slot->error);
    slot->error = text.data;
}

static QbStatus make_thumbnail(Slot *slot, const QbImage *image, const PipelineSpec *spec)
{
    if (spec->thumbnail_width <= 0)
        return QB_OK;
    int width = qb_image_width(image), height = qb_image_height(image);
    double x = (double)spec->thumbnail_width / width, y = (double)spec->thumbnail_height / height;
    double scale = x < y ? x : y;
    if (scale > 4)
        scale = 4; /* a dot stays a dot */
    int new_width = (int)(width * scale + 0.5), new_height = (int)(height * scale + 0.5);
    return qb_image_resize(&slot->thumbnail, image, new_width > 0 ? new_width : 1,
                           new_height > 0 ? new_height : 1);
}

static QbStatus score(QbScore *out, Turn *turn, const QbImage *image)
{
    pthread_mutex_lock(&turn->mutex);
    QbStatus status = qb_scorer_score_image(out, turn->scorer, image);
    pthread_mutex_unlock(&turn->mutex);
    return status;
}

static void do_slot(Slot *slot, Turn *turn, const PipelineSpec *spec)
{
    QbImage *image = NULL;
    slot->record = (Record){.path = slot->input.path};
    if (slot->input.error) {
        fail_slot(slot, QB_ERR_IO, slot->input.error);
        return;
    }
    double start = clock_ms();
    QbStatus status = picture_open(&image, &slot->error, slot->input.path, slot->input.is_stdin,
                                   spec->image_options);
    add_video_hint(slot, status);
    if (status == QB_OK) {
        slot->record.decode_ms = clock_ms() - start;
        slot->record.width = qb_image_width(image);
        slot->record.height = qb_image_height(image);
        slot->record.format = qb_image_format(image);
        status = score(&slot->record.score, turn, image);
    }
    if (status == QB_OK)
        status = make_thumbnail(slot, image, spec);
    if (status != QB_OK)
        fail_slot(slot, status, slot->error ? NULL : qb_last_error());
    qb_image_free(&image);
}

static void *fetch(void *user)
{
    Pipeline *p = user;
    pthread_mutex_lock(&p->mutex);
    for (;;) {
        while (p->tail - p->head == p->n_slots && !p->stopping)
            pthread_cond_wait(&p->slot_freed, &p->mutex);
        if (p->stopping)
            break;
        pthread_mutex_unlock(&p->mutex);
        Input input;
        bool more = p->spec->next(&input, p->spec->user);
        pthread_mutex_lock(&p->mutex);
        if (!more)
            break;
        p->slots[p->tail % p->n_slots] = (Slot){.input = input};
        p->tail++;
        pthread_cond_signal(&p->work_arrived);
    }
    p->ended = true;
    pthread_cond_broadcast(&p->work_arrived);
    pthread_cond_signal(&p->slot_done);
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

static void *work(void *user)
{
    Worker *worker = user;
    Pipeline *p = worker->pipeline;
    pthread_mutex_lock(&p->mutex);
    for (;;) {
        while (p->next == p->tail && !p->ended && !p->stopping)
            pthread_cond_wait(&p->work_arrived, &p->mutex);
        if (p->stopping || p->next == p->tail)
            break;
        Slot *slot = &p->slots[p->next++ % p->n_slots];
        pthread_mutex_unlock(&p->mutex);
        do_slot(slot, worker->turn, p->spec);
        pthread_mutex_lock(&p->mutex);
        slot->done = true;
        pthread_cond_signal(&p->slot_done);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

static void stop(void *user)
{
    Pipeline *p = user;
    pthread_mutex_lock(&p->mutex);
    p->stopping = true;
    pthread_cond_broadcast(&p->work_arrived);
    pthread_cond_broadcast(&p->slot_freed);
    pthread_cond_signal(&p->slot_done);
    pthread_mutex_unlock(&p->mutex);
}

static bool take_slot(Slot *slot, const PipelineSpec *spec)
{
    bool good = spec->take(&slot->record, &slot->thumbnail, spec->user);
    qb_image_free(&slot->thumbnail);
    input_free(&slot->input);
    free(slot->error);
    return good;
}

static void wait_for_done(Pipeline *p)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&p->slot_done, &p->mutex, &until);
}

/* Hands records on until the end or a stop; true at the end. Called with the mutex held. */
static bool take_all(Pipeline *p)
{
    while (!p->stopping) {
        Slot *slot = &p->slots[p->head % p->n_slots];
        if (p->head == p->tail && p->ended)
            return true;
        bool ready = p->head < p->tail && slot->done;
        if (!ready)
            wait_for_done(p);
        pthread_mutex_unlock(&p->mutex);
        bool good = !ready || take_slot(slot, p->spec);
        p->spec->tick(p->spec->user);
        pthread_mutex_lock(&p->mutex);
        if (ready) {
            p->head++;
            pthread_cond_signal(&p->slot_freed);
        }
        if (!good) {
            p->stopping = true;
            return false;
        }
    }
    for (; p->head < p->tail; p->head++) /* finished ones behind an unfinished one are not lost */
        if (p->slots[p->head % p->n_slots].done &&
            !take_slot(&p->slots[p->head % p->n_slots], p->spec))
            break;
    return false;
}

bool pipeline_run(const PipelineSpec *spec)
{
    /* On the heap and, when stopped, never freed: threads may still look at it. */
    Pipeline *p = cli_calloc(1, sizeof *p);
    Worker *workers = cli_calloc((size_t)spec->n_workers, sizeof *workers);
    Turn *turns = cli_calloc((size_t)spec->n_scorers, sizeof *turns);
    pthread_t fetcher;
    int n_started = 0;
    p->spec = spec;
    p->n_slots = (uint64_t)spec->n_workers * SLOTS_A_WORKER;
    p->slots = cli_calloc(p->n_slots, sizeof *p->slots);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->work_arrived, NULL);
    pthread_cond_init(&p->slot_freed, NULL);
    pthread_cond_init(&p->slot_done, NULL);
    for (int i = 0; i < spec->n_scorers; i++) {
        turns[i].scorer = spec->scorers[i];
        pthread_mutex_init(&turns[i].mutex, NULL);
    }
    for (int i = 0; i < spec->n_workers; i++) {
        workers[i] = (Worker){.pipeline = p, .turn = &turns[i % spec->n_scorers]};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            break; /* the others do the work */
        n_started++;
    }
    if (n_started == 0 || pthread_create(&fetcher, NULL, fetch, p) != 0)
        cli_out_of_memory();
    signals_on_stop(stop, p);
    pthread_mutex_lock(&p->mutex);
    bool complete = take_all(p);
    pthread_mutex_unlock(&p->mutex);
    if (!complete)
        return false;
    signals_on_stop(NULL, NULL);
    pthread_join(fetcher, NULL);
    for (int i = 0; i < n_started; i++)
        pthread_join(workers[i].thread, NULL);
    free(p->slots);
    free(workers);
    free(turns);
    free(p);
    return true;
}
