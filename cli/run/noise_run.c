/* noise_run.c: has pictures judged one after the other, prints each, draws what is asked for, and
 * decides about the exit code. A signal does not wait for the picture at hand: what is written is
 * whole, and the rest is given up. */
// SPDX-License-Identifier: Apache-2.0
#include "run/noise_run.h"

#include "base/progress.h"
#include "base/report.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "input/input_counter.h"
#include "output/heat_map.h"
#include "output/noise_pfm.h"
#include "run/noise_judge.h"
#include "run/noise_names.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct Run {
    const NoiseRunArgs *args;
    const NoiseFormat *format;
    NoiseRun info;
    NoiseJudge *judge;
    Inputs *inputs;
    InputCounter *counter;
    bool one_picture; /* the command line names just one */

    pthread_mutex_t writing; /* held while files and results are written; over what follows */
    bool write_failed;
    int64_t n_records; /* of pictures, or of pairs of halves */
    int64_t n_judged, n_failed, n_doubtful, n_over;
    int drawing_code; /* CLI_OK, or why a file could not be written */
} Run;

/* Gives text up. */
static void write_text(Run *run, Text *text)
{
    bool wanted = text->length > 0 && !run->write_failed;
    if (wanted && isatty(STDOUT_FILENO))
        progress_erase();
    if (wanted && !write_all(STDOUT_FILENO, text->data, text->length)) {
        report("cannot write the results: %s", strerror(errno));
        run->write_failed = true;
    }
    text_free(text);
}

/* ---- one picture --------------------------------------------------------------------------------
 */

/* A file for this picture that is none of those it was made from; NULL: reported. */
static char *output_name(const Run *run, const char *option, const char *file, const Input *input,
                         const NoiseRecord *record)
{
    char *name = noise_name(file, run->one_picture ? 0 : run->n_records, input);
    if (is_same_file(name, record->path) || (record->other && is_same_file(name, record->other))) {
        report("%s: %s is a picture that is judged, it is not written over", option, name);
        free(name);
        return NULL;
    }
    return name;
}

/* Returns an exit code; the records' names are owned by the caller. */
static int draw_heat_map(Run *run, char **out, const NoiseJudged *judged, const Input *input)
{
    int metric = noise_judge_mapped(run->judge);
    char *name = output_name(run, "--heat-map", run->args->heat_map, input, &judged->record);
    if (!name)
        return CLI_FAILED;
    int code = metric < 0
                   ? heat_map_write_zones(name, &run->info, &judged->record, judged->shown)
                   : heat_map_write_errors(name, &run->info, &judged->record, metric, judged->map);
    *out = code == CLI_OK ? name : NULL;
    if (code != CLI_OK)
        free(name);
    return code;
}

static int write_map(Run *run, char **out, const NoiseJudged *judged, const Input *input)
{
    const QbLightInfo *info = &judged->record.info;
    char *name = output_name(run, "--map", run->args->map, input, &judged->record);
    if (!name)
        return CLI_FAILED;
    int code = noise_pfm_write(name, judged->map, info->width, info->height);
    *out = code == CLI_OK ? name : NULL;
    if (code != CLI_OK)
        free(name);
    return code;
}

static void draw(Run *run, NoiseJudged *judged, const Input *input, char **heat_map, char **map)
{
    int code = CLI_OK;
    bool mapped = noise_judge_mapped(run->judge) < 0 || judged->map;
    if (!mapped) { /* the first of all metrics is one that this picture is too small for */
        report_about(judged->record.path, "there is no error map to draw");
        code = CLI_FAILED;
    }
    if (run->args->heat_map && mapped)
        code = draw_heat_map(run, heat_map, judged, input);
    if (code != CLI_OK)
        run->drawing_code = code;
    if (run->args->map && mapped)
        code = write_map(run, map, judged, input);
    if (code != CLI_OK)
        run->drawing_code = code;
    judged->record.heat_map = *heat_map;
    judged->record.map = *map;
}

static void count(Run *run, const NoiseJudged *judged)
{
    const NoiseRecord *record = &judged->record;
    run->n_judged++;
    if (record->note && !run->args->quiet)
        report_about(record->path, record->note);
    if (record->warning)
        report_about(record->path, record->warning);
    else if (isnan(record->report->noise))
        report_about(record->path, "whether noise can be seen cannot be told");
    run->n_doubtful += record->warning || isnan(record->report->noise);
    run->n_over += record->report->noise > run->args->fail_over; /* false for NAN */
}

static void do_picture(Run *run, const Input *input, const Input *second)
{
    NoiseJudged judged;
    Text text = {0};
    char *heat_map = NULL, *map = NULL;
    QbStatus status = noise_judge(&judged, run->judge, input, second);
    pthread_mutex_lock(&run->writing);
    run->n_records++;
    if (status != QB_OK) {
        run->n_failed++;
        report_about(input->path, judged.error);
    } else {
        count(run, &judged);
        if (run->args->heat_map || run->args->map)
            draw(run, &judged, input, &heat_map, &map);
    }
    run->format->record(&text, &run->info, &judged.record, run->n_records - 1);
    write_text(run, &text);
    pthread_mutex_unlock(&run->writing);
    noise_judged_free(&judged);
    free(heat_map);
    free(map);
}

/* ---- the run ------------------------------------------------------------------------------------
 */

static void end_output(Run *run)
{
    Text text = {0};
    run->format->end(&text, &run->info, run->n_records);
    write_text(run, &text);
}

/* On the thread of signals; the other one still works, so nothing is freed. */
static void stop(void *user)
{
    Run *run = user;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    /* Whoever reads the results may have stopped doing so. */
    bool can_write = pthread_mutex_timedlock(&run->writing, &until) == 0;
    progress_finish();
    if (can_write)
        end_output(run);
    report("stopped by a signal: %lld judged, %lld failed", (long long)run->n_judged,
           (long long)run->n_failed);
    _exit(CLI_SIGNAL + signals_received());
}

static void do_all(Run *run)
{
    Input input, second = {0};
    while (!run->write_failed && inputs_next(run->inputs, &input)) {
        bool complete = !run->args->halves || inputs_next(run->inputs, &second);
        if (complete) {
            do_picture(run, &input, run->args->halves ? &second : NULL);
        } else {
            report("%s: there is no other half to it", input.path);
            run->n_failed++;
        }
        input_free(&second);
        input_free(&input);
        int64_t total = input_counter_total(run->counter), done = run->n_records;
        progress_update(done, done, total > 0 && run->args->halves ? total / 2 : total);
    }
}

static void print_summary(const Run *run)
{
    if (run->args->quiet || run->one_picture ||
        (run->format != &noise_table && !isatty(STDERR_FILENO)))
        return;
    report("%lld judged, %lld failed in %.2f s", (long long)run->n_judged, (long long)run->n_failed,
           progress_seconds());
}

static int finish(Run *run)
{
    end_output(run);
    if (!run->write_failed && !inputs_found_any(run->inputs)) {
        report("no picture found");
        return CLI_NO_INPUT;
    }
    print_summary(run);
    if (run->write_failed)
        return CLI_FAILED;
    if (run->n_over > 0)
        report("the noise of %lld of %lld picture%s is above %.9g", (long long)run->n_over,
               (long long)run->n_judged, run->n_judged == 1 ? "" : "s", run->args->fail_over);
    if (run->drawing_code != CLI_OK)
        return run->drawing_code;
    return run->n_failed + run->n_doubtful > 0 ? CLI_FAILED
           : run->n_over > 0                   ? CLI_THRESHOLD
                                               : CLI_OK;
}

static int drive(Run *run, const InputsSpec *spec)
{
    Text text = {0};
    run->format->begin(&text, &run->info);
    write_text(run, &text);
    progress_start(!run->args->quiet && !run->one_picture, run->info.utf8);
    if (progress_is_shown())
        run->counter = input_counter_start(spec);
    signals_on_stop(stop, run);
    do_all(run);
    signals_on_stop(NULL, NULL);
    input_counter_finish(&run->counter);
    progress_finish();
    return finish(run);
}

static bool is_one_picture(const InputsSpec *spec, int n_each)
{
    struct stat info;
    return spec->n_paths == n_each && !spec->files_from &&
           (stat(spec->paths[0], &info) != 0 || !S_ISDIR(info.st_mode));
}

int noise_run(const Command *command, const NoiseRunArgs *args, const InputsSpec *inputs_spec)
{
    Run run = {.args = args,
               .format = noise_format_find(args->format),
               .one_picture = is_one_picture(inputs_spec, args->halves ? 2 : 1)};
    if (!inputs_open(&run.inputs, inputs_spec)) {
        report("%s: %s", inputs_spec->files_from, strerror(errno));
        return CLI_NO_INPUT;
    }
    signals_start();
    pthread_mutex_init(&run.writing, NULL);
    run.info.colors = terminal_colors(STDOUT_FILENO, args->color);
    run.info.utf8 = terminal_utf8();
    run.info.columns = terminal_columns(STDOUT_FILENO);
    run.info.with_zones = run.one_picture;
    int code = noise_judge_open(&run.judge, &run.info, command, args);
    if (code == CLI_OK)
        code = drive(&run, inputs_spec);
    noise_judge_close(&run.judge);
    inputs_close(&run.inputs);
    return code;
}
