/* watch_run.c: takes the pictures of a render one after the other, tells of each, and ends when no
 * zone shows noise any more.
 *
 * What cannot be counted (a picture that cannot be read, or of another size, or the one before once
 * more without more samples) changes nothing of what is known. */
// SPDX-License-Identifier: Apache-2.0
#include "run/watch_run.h"

#include "base/progress.h"
#include "base/report.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "run/watch_judge.h"
#include "run/watch_samples.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Pictures that are older than the run by more are not of a render that it follows. */
static const int64_t stale_ns = 60 * (int64_t)1000000000;

typedef struct Run {
    const WatchArgs *args;
    WatchJudge judge;
    Follow *follow;
    int stop_pipe[2];
    bool follows_folder;
    int64_t start_ns; /* by the clock that files get their times from */

    /* of the render at hand */
    QbNoiseStop *stop; /* NULL before its first picture */
    QbNoiseReport first;
    WatchSamples samples;
    int width, height;
    int64_t index, newest_ns; /* newest: when the newest picture was written */
    Hash128 identity;         /* of the last picture that counted */
    int n_repeats;            /* of it since */
    bool told_standstill;

    int64_t n_counted, n_not_counted;
    double waiting_since_ms;
    bool write_failed;
    int code; /* CLI_OK, or why the run cannot go on */
} Run;

/* ---- telling -------------------------------------------------------------------------------- */

static void print(Run *run, Text *text)
{
    if (text->length > 0 && isatty(STDOUT_FILENO))
        progress_erase();
    if (text->length > 0 && !write_all(STDOUT_FILENO, text->data, text->length)) {
        report("cannot write the results: %s", strerror(errno));
        run->write_failed = true;
    }
    text_free(text);
}

/* What is not counted. */
static void tell_error(Run *run, const Followed *files, const char *what, QbStatus status)
{
    Text text = {0};
    WatchCheck check = {.path = files->path,
                        .other = files->other,
                        .error = what,
                        .error_kind = qb_status_name(status)};
    run->n_not_counted++;
    report_about(files->path, what);
    if (run->args->json)
        json_add_watch(&text, &run->judge.run, &check);
    print(run, &text);
}

static void tell_check(Run *run, WatchCheck *check)
{
    Text text = {0};
    if (check->restarted && !run->args->quiet)
        report_about(check->path, "has fewer samples than the picture before: another render");
    if (check->note && !run->args->quiet)
        report_about(check->path, check->note);
    if (run->args->json)
        json_add_watch(&text, &run->judge.run, check);
    else if (!run->args->quiet)
        watch_add_check(&text, &run->judge.run, check);
    print(run, &text);
}

static void tick(void *user)
{
    const Run *run = user;
    Text waited = {0};
    text_add_duration(&waited, (clock_ms() - run->waiting_since_ms) / 1e3);
    const char *parts[] = {"waiting for the next picture", waited.data};
    progress_update_parts(-1, parts, 2);
    text_free(&waited);
}

/* ---- one picture ---------------------------------------------------------------------------- */

static bool is_halves(const Run *run)
{
    return strcmp(run->judge.run.way, "halves") == 0;
}

/* Why a picture is not to be opened, or NULL. */
static const char *refusal(const Run *run, const Followed *files)
{
    if (is_halves(run) && !files->other)
        return "is one file, two with a tab between them are a pair of halves";
    if (follow_is_no_file(files->path))
        return "is not a regular file";
    return files->other && follow_is_no_file(files->other) ? "the second half is not a regular file"
                                                           : NULL;
}

/* It is the one before once more, though its samples are not known to have risen. */
static bool is_repeat(const Run *run, const Followed *files, const Watched *watched)
{
    return run->index > 0 &&
           memcmp(&watched->identity, &run->identity, sizeof run->identity) == 0 &&
           !watch_samples_have_risen(&run->samples, files->path, watched->samples);
}

/* A render that stands still is told of once, when it would have been done if it counted. */
static void tell_standstill(Run *run)
{
    if (run->told_standstill || run->n_repeats < run->args->checks)
        return;
    run->told_standstill = true;
    if (!run->args->quiet)
        report("the pictures do not change any more, and nothing says that their samples do");
}

/* Why a picture that could be read cannot count, or NULL. Owned. */
static char *objection(Run *run, const Followed *files, const Watched *watched)
{
    const QbLightInfo *info = &watched->shown.info;
    const WatchJudge *judge = &run->judge;
    int width = judge->features ? judge->feature_width : run->width;
    int height = judge->features ? judge->feature_height : run->height;
    Text text = {0};
    if (width > 0 && (info->width != width || info->height != height))
        text_addf(&text, "is %d x %d, but %s %d x %d: not counted", info->width, info->height,
                  judge->features ? "the reference is" : "the pictures before were", width, height);
    else if (files->late)
        text_add(&text, "could only be read after pictures that come behind it: not counted");
    else if (is_repeat(run, files, watched)) {
        text_add(&text, "is the same picture as the one before: not counted");
        run->n_repeats++;
    }
    return text.data;
}

/* Begins with what is known of the first picture: nothing, or its report. */
static QbStatus start(Run *run, double first_samples)
{
    qb_noise_stop_free(&run->stop);
    QbStatus status = qb_noise_stop_new(&run->stop, run->judge.run.grid, run->args->checks);
    if (status == QB_OK && run->index > 0)
        status = qb_noise_stop_add(run->stop, &run->first, first_samples);
    return status;
}

/* Adds the report to those before. */
static QbStatus add_report(Run *run, const QbNoiseReport *noise, const WatchCount *count)
{
    QbStatus status = QB_OK;
    if (count->restarted)
        run->index = 0;
    if (run->index == 0 || count->first_changed)
        status = start(run, count->first);
    if (run->index == 0)
        run->first = *noise;
    if (status == QB_OK)
        status = qb_noise_stop_add(run->stop, noise, count->samples);
    run->index++;
    return status;
}

/* Returns false after reporting, when the run cannot go on. */
static bool can_go_on(Run *run, QbStatus status)
{
    if (status == QB_OK)
        return true;
    report("%s", qb_last_error());
    run->code = status == QB_ERR_NOMEM || status == QB_ERR_LIMIT ? CLI_LIMIT
                : status == QB_ERR_ARG                           ? CLI_USAGE
                                                                 : CLI_FAILED;
    return false;
}

/* A grid that is too fine for the first picture is too fine for all. */
static bool is_hopeless(const Run *run, QbStatus status)
{
    return status == QB_ERR_NOMEM ||
           (status == QB_ERR_ARG && run->n_counted == 0 && !is_halves(run));
}

static bool count_picture(Run *run, const Followed *files, const Watched *watched, double start_ms)
{
    QbNoiseReport noise;
    const QbLightInfo *info = &watched->shown.info;
    QbStatus status = watch_judge(&noise, &run->judge, watched);
    if (is_hopeless(run, status))
        return can_go_on(run, status);
    if (status != QB_OK) {
        tell_error(run, files, qb_last_error(), status);
        return !run->write_failed;
    }
    WatchCount count = watch_samples_add(&run->samples, files->path, watched->samples);
    if (!can_go_on(run, add_report(run, &noise, &count)))
        return false;
    run->n_counted++;
    run->width = info->width;
    run->height = info->height;
    run->identity = watched->identity;
    run->n_repeats = 0;
    run->told_standstill = false;
    run->newest_ns =
        count.restarted || files->mtime_ns > run->newest_ns ? files->mtime_ns : run->newest_ns;
    Text note = {0};
    noise_picture_add_note(&note, info);
    WatchCheck check = {.path = files->path,
                        .other = files->other,
                        .note = note.data,
                        .index = run->index,
                        .samples = count.samples,
                        .light = info->is_light ? info->format : NULL,
                        .width = info->width,
                        .height = info->height,
                        .restarted = count.restarted,
                        .report = &noise,
                        .stop = run->stop,
                        .ms = clock_ms() - start_ms};
    tell_check(run, &check);
    text_free(&note);
    return !run->write_failed;
}

/* false ends the run. */
static bool take(Run *run, const Followed *files)
{
    double start_ms = clock_ms();
    Watched watched;
    char *error = NULL;
    const char *refused = refusal(run, files);
    if (refused) {
        follow_settle(run->follow, true);
        tell_error(run, files, refused, QB_ERR_ARG);
        return !run->write_failed;
    }
    QbStatus status = watch_read(&watched, &error, &run->judge, files);
    FollowVerdict verdict = follow_settle(run->follow, status == QB_OK);
    if (verdict == FOLLOW_AGAIN) {
        watched_free(&watched);
        free(error);
        return true;
    }
    bool good = true;
    if (status == QB_OK && verdict == FOLLOW_UNSTEADY)
        error = cli_strdup("does not stop changing: not counted");
    else if (status == QB_OK)
        error = objection(run, files, &watched);
    if (error) {
        tell_error(run, files, error, status == QB_OK ? QB_ERR_ARG : status);
        tell_standstill(run);
        good = !run->write_failed;
    } else {
        good = count_picture(run, files, &watched, start_ms);
    }
    watched_free(&watched);
    free(error);
    run->waiting_since_ms = clock_ms();
    return good;
}

/* ---- the run -------------------------------------------------------------------------------- */

static bool is_done(const Run *run)
{
    return run->stop && qb_noise_stop_done(run->stop);
}

/* Last week's pictures are done as soon as they are seen. */
static void tell_stale(const Run *run)
{
    bool follows = run->follows_folder && !run->args->once && !run->args->quiet;
    if (follows && run->newest_ns < run->start_ns - stale_ns)
        report("all these pictures were written more than a minute before this run began: with "
               "--new, only those written since then count");
}

static int finish(Run *run)
{
    Text text = {0};
    int n_zones = run->judge.run.grid.columns * run->judge.run.grid.rows;
    bool tell = !run->args->quiet && !run->args->json;
    if (is_done(run)) {
        if (tell)
            text_addf(&text, "done: no noise to be seen in any zone, %d check%s in a row\n",
                      run->args->checks, run->args->checks == 1 ? "" : "s");
        print(run, &text);
        tell_stale(run);
        return run->write_failed ? CLI_FAILED : CLI_OK;
    }
    if (run->n_counted == 0) {
        report(run->n_not_counted > 0 ? "no picture could be judged" : "no picture found");
        return run->n_not_counted > 0 ? CLI_FAILED : CLI_NOT_CONVERGED;
    }
    if (tell) {
        int n_done = watch_n_done(&run->judge.run, run->stop);
        text_addf(&text, "not yet: %d of %d zones are done after %lld check%s", n_done, n_zones,
                  (long long)run->index, run->index == 1 ? "" : "s");
        if (run->index < run->args->checks)
            text_addf(&text, ", of which %d in a row are needed", run->args->checks);
        text_add_char(&text, '\n');
    }
    print(run, &text);
    return run->write_failed ? CLI_FAILED : CLI_NOT_CONVERGED;
}

static int follow_render(Run *run, const char *folder)
{
    Followed files;
    for (;;) {
        FollowEvent event = follow_next(run->follow, &files);
        if (event == FOLLOW_STOPPED)
            return CLI_SIGNAL + signals_received();
        if (event == FOLLOW_FAILED) {
            report("%s: %s", folder ? folder : "standard input", strerror(errno));
            return CLI_FAILED;
        }
        if (event != FOLLOW_PICTURE)
            return finish(run);
        if (!take(run, &files))
            return run->code != CLI_OK ? run->code : CLI_FAILED;
        if (!run->args->once && is_done(run))
            return finish(run);
    }
}

static void stop(void *user)
{
    const Run *run = user;
    (void)!write(run->stop_pipe[1], "", 1);
}

static int open_follow(Run *run, const char *folder)
{
    const WatchArgs *args = run->args;
    const FollowSpec spec = {.folder = folder,
                             .match = args->match,
                             .pairs = strcmp(args->way, "halves") == 0,
                             .poll = args->poll,
                             .once = args->once,
                             .only_new = args->only_new,
                             .start_ns = run->start_ns,
                             .patience_s = args->patience_s,
                             .timeout_s = isnan(args->timeout_s) ? INFINITY : args->timeout_s,
                             .stop_fd = run->stop_pipe[0],
                             .tick = tick,
                             .user = run};
    if (follow_open(&run->follow, &spec))
        return CLI_OK;
    report("%s: %s", folder, strerror(errno));
    return CLI_NO_INPUT;
}

/* The coarse clock, which file systems take: a file that is written now is not older. */
static int64_t file_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int watch_run(const Command *command, const WatchArgs *args, const char *folder)
{
    Run run = {.args = args, .start_ns = file_clock_ns(), .follows_folder = folder != NULL};
    double step = isnan(args->samples_step) ? 1 : args->samples_step;
    watch_samples_init(&run.samples, args->samples_from, step);
    if (pipe2(run.stop_pipe, O_CLOEXEC) != 0) {
        report("%s", strerror(errno));
        return CLI_FAILED;
    }
    signals_start();
    int code = watch_judge_open(&run.judge, command, args);
    if (code == CLI_OK) {
        run.judge.run.colors = terminal_colors(STDOUT_FILENO, args->color);
        run.judge.run.columns = terminal_columns(STDOUT_FILENO);
        progress_start(!args->quiet, terminal_utf8());
        run.waiting_since_ms = clock_ms();
        code = open_follow(&run, folder);
    }
    if (code == CLI_OK) {
        signals_on_stop(stop, &run);
        code = follow_render(&run, folder);
        signals_on_stop(NULL, NULL);
        progress_finish();
    }
    follow_close(&run.follow);
    qb_noise_stop_free(&run.stop);
    watch_judge_close(&run.judge);
    close(run.stop_pipe[0]);
    close(run.stop_pipe[1]);
    return code;
}
