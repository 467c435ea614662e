/* video_run.c: opens what a run over videos needs, has them judged one after the other, prints
 * each, and decides about the exit code.
 *
 * A thread does the work; the caller's thread shows the progress and waits for the end or for a
 * signal. A signal does not wait for the frame at hand: what is printed is whole, and the rest is
 * given up. */
// SPDX-License-Identifier: Apache-2.0
#include "run/video_run.h"

#include "base/progress.h"
#include "base/report.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "options/options.h"
#include "output/record_writer.h"
#include "output/resume.h"
#include "output/video_frames.h"
#include "run/video_judge.h"
#include "run/video_progress.h"
#include "session/calibration.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 250 };

typedef struct Run {
    const VideoArgs *args;
    QbModel *model;
    Scorers scorers;
    QbVideoOptions video_options;
    VideoRun video;
    Calibrated scale;
    RunInfo info;
    Inputs *inputs;
    Resume *resume;
    VideoFrames *frames;
    InputCounter *counter;
    bool one_video; /* the command line names just one */

    int64_t n_inputs; /* fetched, with those that are skipped; of the working thread */
    VideoProgress progress;

    pthread_mutex_t mutex; /* over what follows, for moments only */
    pthread_cond_t changed;
    bool done, stopping;

    pthread_mutex_t writing; /* held while results are written; over what follows */
    int64_t n_skipped, n_skipped_failed, n_skipped_below;
    int64_t n_scored, n_partial, n_failed, n_below, n_frames;
    int timeline_code; /* CLI_OK, or why one could not be written */
    RecordWriter writer;
} Run;

/* ---- one video after the other ------------------------------------------------------------------
 */

static bool is_below(const Run *run, double printed_score)
{
    return printed_score < run->args->fail_under; /* false for NAN */
}

/* true when an earlier run did it. */
static bool is_done(Run *run, const Input *input)
{
    double score = NAN;
    ResumeVerdict verdict =
        run->resume ? resume_take(run->resume, input->path, &score) : RESUME_NEW;
    if (verdict == RESUME_NEW)
        return false;
    pthread_mutex_lock(&run->writing);
    run->n_skipped++;
    run->n_skipped_failed += verdict == RESUME_FAILED;
    run->n_skipped_below += is_below(run, score);
    pthread_mutex_unlock(&run->writing);
    return true;
}

static void on_open(const Input *input, const QbVideoInfo *info, void *user)
{
    Run *run = user;
    video_progress_begin(&run->progress, run->n_inputs, input->path, info);
}

static bool on_frame(const Input *input, const QbFrame *frame, const QbScore *score, void *user)
{
    Run *run = user;
    video_progress_add(&run->progress, frame, score);
    if (!run->frames)
        return true;
    pthread_mutex_lock(&run->writing);
    if (!video_frames_add(run->frames, input->path, frame, score))
        run->writer.failed = true;
    bool good = !run->writer.failed;
    pthread_mutex_unlock(&run->writing);
    return good;
}

/* "sheet.png" for the third video clips/a.mp4: "sheet-3-a.png". */
static char *timeline_name(const Run *run, const Input *input)
{
    enum { LONGEST_STEM = 100 };
    const char *file = run->args->timeline, *ending = strrchr(file, '.');
    const char *slash = strrchr(input->path, '/');
    const char *stem = input->is_stdin ? "stdin" : slash ? slash + 1 : input->path;
    const char *dot = strrchr(stem, '.');
    size_t length = dot && dot != stem ? (size_t)(dot - stem) : strlen(stem);
    Text name = {0};
    if (run->one_video)
        return cli_strdup(file);
    if (length > LONGEST_STEM) { /* not within a character, if it is UTF-8 */
        length = LONGEST_STEM;
        while (length > LONGEST_STEM - 4 && ((unsigned char)stem[length] & 0xc0) == 0x80)
            length--;
    }
    text_add_bytes(&name, file, (size_t)(ending - file));
    text_addf(&name, "-%lld-", (long long)run->n_inputs);
    text_add_bytes(&name, stem, length);
    text_add(&name, ending);
    return name.data;
}

static void tell(const Run *run, const Judged *judged)
{
    const Record *record = &judged->record;
    if (record->error) {
        report_about(record->path, record->error);
        return;
    }
    for (const char *const *note = judged->notes; *note && !run->args->quiet; note++)
        report_about(record->path, *note);
    if (judged->result.damage) {
        Text text = {0};
        text_addf(&text, "%s; the score is of the %lld frame%s that could be read",
                  judged->result.damage, (long long)judged->result.n_frames,
                  judged->result.n_frames == 1 ? "" : "s");
        report_about(record->path, text.data);
        text_free(&text);
    }
}

static void take(Run *run, Judged *judged, const Input *input)
{
    char *name = NULL;
    const Record *record = &judged->record;
    tell(run, judged);
    if (record->error) {
        run->n_failed++;
    } else {
        run->n_scored++;
        run->n_partial += judged->result.partial;
        run->n_frames += judged->result.n_frames;
        run->n_below += is_below(run, scale_apply(run->info.scale, record->score.score));
        if (judged->timeline) {
            name = timeline_name(run, input);
            int code = timeline_write(judged->timeline, &run->info, record, name);
            judged->result.timeline = code == CLI_OK ? name : NULL;
            run->timeline_code = code == CLI_OK ? run->timeline_code : code;
        }
    }
    record_writer_add(&run->writer, record);
    free(name);
}

/* false ends the run. */
static bool do_input(Run *run, const Input *input)
{
    const VideoJudge judge = {.scorers = &run->scorers,
                              .run = &run->info,
                              .with_timeline = run->args->timeline != NULL,
                              .on_open = on_open,
                              .on_frame = on_frame,
                              .user = run};
    Judged judged;
    QbStatus status = video_judge(&judged, &judge, input);
    pthread_mutex_lock(&run->writing);
    if (status != QB_ERR_CANCELLED)
        take(run, &judged, input);
    bool good = !run->writer.failed;
    pthread_mutex_unlock(&run->writing);
    judged_free(&judged);
    return good;
}

static void *work(void *user)
{
    Run *run = user;
    Input input;
    bool good = true;
    while (good && inputs_next(run->inputs, &input)) {
        run->n_inputs++;
        if (!is_done(run, &input))
            good = do_input(run, &input);
        input_free(&input);
    }
    pthread_mutex_lock(&run->mutex);
    run->done = true;
    pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->mutex);
    return NULL;
}

/* ---- the caller's thread ------------------------------------------------------------------------
 */

/* A line that is being written is not drawn over. */
static void tick(Run *run)
{
    if (!progress_is_shown() || pthread_mutex_trylock(&run->writing) != 0)
        return;
    int64_t total = run->one_video ? 1 : input_counter_total(run->counter);
    video_progress_draw(&run->progress, run->info.scale, total);
    pthread_mutex_unlock(&run->writing);
}

static void stop(void *user)
{
    Run *run = user;
    pthread_mutex_lock(&run->mutex);
    run->stopping = true;
    pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->mutex);
}

/* false: a signal came, and the work may still go on. */
static bool wait_for_end(Run *run)
{
    pthread_mutex_lock(&run->mutex);
    while (!run->done && !run->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&run->changed, &run->mutex, &until);
        pthread_mutex_unlock(&run->mutex);
        tick(run);
        pthread_mutex_lock(&run->mutex);
    }
    bool done = run->done;
    pthread_mutex_unlock(&run->mutex);
    return done;
}

static void print_summary(const Run *run)
{
    if (run->args->quiet ||
        (run->writer.format != &output_table && !isatty(STDERR_FILENO) && !run->resume))
        return;
    double seconds = progress_seconds();
    Text text = {0};
    text_addf(&text, "%lld scored", (long long)run->n_scored);
    if (run->n_partial > 0)
        text_addf(&text, " (%lld of them partial)", (long long)run->n_partial);
    text_addf(&text, ", %lld failed", (long long)run->n_failed);
    if (run->resume)
        text_addf(&text, ", %lld done before", (long long)run->n_skipped);
    text_addf(&text, " in %.2f s", seconds);
    if (run->n_frames > 0 && seconds > 0)
        text_addf(&text, " (%.3g frames/s)", (double)run->n_frames / seconds);
    report("%s", text.data);
    text_free(&text);
}

static int finish(Run *run)
{
    int64_t failed = run->n_failed + run->n_partial + run->n_skipped_failed;
    int64_t below = run->n_below + run->n_skipped_below;
    int64_t n = run->n_scored + run->n_skipped - run->n_skipped_failed;
    record_writer_end(&run->writer);
    if (!run->writer.failed && !inputs_found_any(run->inputs)) {
        report("no video found");
        return CLI_NO_INPUT;
    }
    print_summary(run);
    if (run->writer.failed)
        return CLI_FAILED;
    if (below > 0)
        report("%lld of %lld video%s %s below %.9g", (long long)below, (long long)n,
               n == 1 ? "" : "s", below == 1 ? "is" : "are", run->args->fail_under);
    if (run->timeline_code != CLI_OK)
        return run->timeline_code;
    return failed > 0 ? CLI_FAILED : below > 0 ? CLI_THRESHOLD : CLI_OK;
}

/* The other threads still run, so nothing is freed. */
static void end_early(Run *run)
{
    int signal_number = signals_received();
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    /* Whoever reads the results may have stopped doing so. */
    bool can_write = pthread_mutex_timedlock(&run->writing, &until) == 0;
    progress_finish();
    if (can_write)
        record_writer_end(&run->writer);
    report("stopped by a signal: %lld scored, %lld failed", (long long)run->n_scored,
           (long long)run->n_failed);
    _exit(CLI_SIGNAL + signal_number);
}

static int drive(Run *run, const InputsSpec *spec)
{
    pthread_t worker;
    if (!record_writer_begin(&run->writer))
        return CLI_FAILED;
    progress_start(!run->args->quiet, run->info.utf8);
    if (progress_is_shown() && !run->one_video)
        run->counter = input_counter_start(spec);
    signals_on_stop(stop, run);
    if (pthread_create(&worker, NULL, work, run) != 0)
        cli_out_of_memory();
    if (!wait_for_end(run))
        end_early(run);
    signals_on_stop(NULL, NULL);
    pthread_join(worker, NULL);
    input_counter_finish(&run->counter);
    progress_finish();
    return finish(run);
}

static int open_outputs(Run *run)
{
    const VideoArgs *args = run->args;
    int code = CLI_OK;
    run->writer.run = &run->info;
    run->writer.fd = STDOUT_FILENO;
    run->info.colors = terminal_colors(STDOUT_FILENO, args->color);
    run->info.utf8 = terminal_utf8();
    run->info.columns = terminal_columns(STDOUT_FILENO);
    if (args->frames_out)
        code = video_frames_open(&run->frames, args->frames_out, &run->info);
    if (code == CLI_OK && args->resume)
        code = resume_open(&run->resume, args->resume, &run->info, args->retry_failed);
    if (code == CLI_OK && args->resume)
        run->writer.fd = resume_descriptor(run->resume);
    return code;
}

/* A scorer a CPU, as for pictures; a clip that is judged as a whole keeps one busy with all. */
static int make_scorers(Run *run)
{
    const VideoArgs *args = run->args;
    int n = session_threads(&args->model);
    int code = scorers_make(&run->scorers, run->model, &args->model, &args->prompt, n);
    if (code != CLI_OK || strcmp(qb_scorer_video(run->scorers.items[0]), "clip"))
        return code;
    if (run->scorers.n == 1)
        return CLI_OK;
    scorers_free(&run->scorers);
    return scorers_make(&run->scorers, run->model, &args->model, &args->prompt, 1);
}

static int check_way(const Run *run, const Command *command)
{
    const VideoArgs *args = run->args;
    if (strcmp(qb_scorer_video(run->scorers.items[0]), "clip"))
        return CLI_OK;
    const char *option = strcmp(args->pool, qb_pool_name(0)) ? "--pool"
                         : args->timeline                    ? "--timeline"
                                                             : NULL;
    return option ? usage_error(command,
                                "%s: the model judges all frames together, so they have no scores "
                                "of their own; --way frames judges them one by one",
                                option)
                  : CLI_OK;
}

static int prepare_and_drive(Run *run, const Command *command, const InputsSpec *spec)
{
    const VideoArgs *args = run->args;
    if (!inputs_open(&run->inputs, spec)) {
        report("%s: %s", spec->files_from, strerror(errno));
        return CLI_NO_INPUT;
    }
    signals_start();
    int code =
        calibration_open(&run->scale, command, args->calibration, args->scale, args->fail_under);
    if (code == CLI_OK)
        code = session_open_model(&run->model, &args->model);
    if (code == CLI_OK)
        code = make_scorers(run);
    if (code == CLI_OK)
        code = check_way(run, command);
    if (code != CLI_OK)
        return code;
    QbImageOptions image_options;
    qb_image_options_init(&image_options);
    image_options.decode = session_decode(args->frames.decode, run->model);
    session_video_options(&run->video_options, &args->frames, run->model,
                          session_threads(&args->model));
    session_describe(&run->info, run->model, run->scorers.items[0], &image_options,
                     &run->scale.scale, run->writer.format->needs_model_hash || args->calibration);
    run->video = (VideoRun){.pool = args->pool, .options = &run->video_options};
    session_describe_video(&run->info, &run->video);
    code = calibration_check(&run->scale, &run->info);
    if (code == CLI_OK)
        code = open_outputs(run);
    return code == CLI_OK ? drive(run, spec) : code;
}

static bool is_one_video(const InputsSpec *spec)
{
    struct stat info;
    return spec->n_paths == 1 && !spec->files_from &&
           (stat(spec->paths[0], &info) != 0 || !S_ISDIR(info.st_mode));
}

int video_run(const Command *command, const VideoArgs *args, const InputsSpec *inputs_spec)
{
    Run run = {.args = args,
               .writer.format = args->resume ? &output_jsonl : output_find(args->format),
               .one_video = is_one_video(inputs_spec)};
    video_progress_init(&run.progress);
    pthread_mutex_init(&run.mutex, NULL);
    pthread_mutex_init(&run.writing, NULL);
    pthread_cond_init(&run.changed, NULL);
    int code = prepare_and_drive(&run, command, inputs_spec);
    video_frames_close(&run.frames);
    scorers_free(&run.scorers);
    resume_close(&run.resume);
    inputs_close(&run.inputs);
    qb_model_close(&run.model);
    calibration_close(&run.scale);
    return code;
}
