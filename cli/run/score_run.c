/* score_run.c: opens what a run needs, drives the pipeline, prints or keeps each record, and
 * decides about the exit code. */
// SPDX-License-Identifier: Apache-2.0
#include "run/score_run.h"

#include "base/progress.h"
#include "base/report.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "output/record_writer.h"
#include "output/stored.h"
#include "run/pipeline.h"
#include "run/scorers.h"
#include "session/calibration.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const sort_choices[] = {"none", "score", "-score", "path", NULL};

typedef struct Run {
    const ScoreArgs *args;
    QbModel *model;
    QbImageOptions image_options;
    Scorers scorers;
    Calibrated scale;
    RunInfo info;
    RecordWriter writer;
    Inputs *inputs;
    Input *peeked; /* inputs fetched ahead of the pipeline */
    int n_peeked, peeked_at;
    Resume *resume;
    ContactSheet *sheet;
    Stored *stored; /* records kept for sorting, or NULL */
    InputCounter *counter;
    atomic_llong n_skipped, n_skipped_failed, n_skipped_below; /* by --resume; fetching thread */
    int64_t n_scored, n_failed, n_below, n_uncovered;
} Run;

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
    run->n_skipped++;
    run->n_skipped_failed += verdict == RESUME_FAILED;
    run->n_skipped_below += is_below(run, score);
    return true;
}

static bool next_raw(Run *run, Input *out)
{
    if (run->peeked_at == run->n_peeked)
        return inputs_next(run->inputs, out);
    *out = run->peeked[run->peeked_at++];
    return true;
}

static bool next(Input *out, void *user)
{
    while (next_raw(user, out)) {
        if (!is_done(user, out))
            return true;
        input_free(out);
    }
    return false;
}

static bool print_record(const Record *record, void *user)
{
    return record_writer_add(&((Run *)user)->writer, record);
}

static bool take(const Record *record, QbImage **thumbnail, void *user)
{
    Run *run = user;
    if (record->error) {
        run->n_failed++;
        report_about(record->path, record->error);
    } else {
        run->n_scored++;
        run->n_uncovered += !scale_covers(run->info.scale, record->score.score);
        run->n_below += is_below(run, scale_apply(run->info.scale, record->score.score));
        if (run->sheet)
            contact_sheet_add(run->sheet, record, thumbnail);
    }
    if (!run->stored)
        return print_record(record, run);
    stored_add(run->stored, record);
    return true;
}

static void tick(void *user)
{
    const Run *run = user;
    int64_t worked = run->n_scored + run->n_failed;
    progress_update(worked + run->n_skipped, worked, input_counter_total(run->counter));
}

/* Many pictures: a worker a CPU, each with one thread. Fewer pictures than CPUs: a worker a
 * picture, the CPUs shared out among them. A list on a pipe may come slowly: it is not waited for.
 */
static int choose_workers(Run *run, const InputsSpec *spec)
{
    int threads = session_threads(&run->args->model);
    if (spec->files_from && strcmp(spec->files_from, "-") == 0)
        return threads;
    run->peeked = cli_calloc((size_t)threads, sizeof *run->peeked);
    while (run->n_peeked < threads && inputs_next(run->inputs, &run->peeked[run->n_peeked]))
        run->n_peeked++;
    return run->n_peeked > 0 ? run->n_peeked : 1;
}

static int open_outputs(Run *run)
{
    const ScoreArgs *args = run->args;
    run->writer.run = &run->info;
    run->writer.fd = STDOUT_FILENO;
    run->info.colors = terminal_colors(STDOUT_FILENO, args->color);
    run->info.utf8 = terminal_utf8();
    run->info.columns = terminal_columns(STDOUT_FILENO);
    if (strcmp(args->sort, "none"))
        run->stored = stored_new();
    if (args->contact_sheet)
        run->sheet = contact_sheet_new();
    if (!args->resume)
        return CLI_OK;
    int code = resume_open(&run->resume, args->resume, &run->info, args->retry_failed);
    if (code == CLI_OK)
        run->writer.fd = resume_descriptor(run->resume);
    return code;
}

static void print_end(Run *run)
{
    if (run->stored)
        stored_each(run->stored, run->args->sort, print_record, run);
    record_writer_end(&run->writer);
}

static void print_summary(const Run *run)
{
    if (run->args->quiet ||
        (run->writer.format != &output_table && !isatty(STDERR_FILENO) && !run->resume))
        return;
    double seconds = progress_seconds();
    Text text = {0};
    text_addf(&text, "%lld scored, %lld failed", (long long)run->n_scored,
              (long long)run->n_failed);
    if (run->resume)
        text_addf(&text, ", %lld done before", (long long)run->n_skipped);
    text_addf(&text, " in %.2f s", seconds);
    if (run->n_scored > 0 && seconds > 0)
        text_addf(&text, " (%.3g pictures/s)", (double)run->n_scored / seconds);
    report("%s", text.data);
    text_free(&text);
}

static int finish(Run *run)
{
    int64_t failed = run->n_failed + run->n_skipped_failed;
    int64_t below = run->n_below + run->n_skipped_below;
    int64_t n = run->n_scored + run->n_skipped - run->n_skipped_failed;
    print_end(run);
    if (!run->writer.failed && !inputs_found_any(run->inputs)) {
        report("no picture found");
        return CLI_NO_INPUT;
    }
    print_summary(run);
    if (!run->args->quiet)
        scale_note_uncovered(run->info.scale, run->n_uncovered, run->n_scored);
    if (run->writer.failed)
        return CLI_FAILED;
    if (run->sheet && run->n_scored > 0) {
        int code = contact_sheet_write(run->sheet, &run->info, run->args->contact_sheet);
        if (code != CLI_OK)
            return code;
    }
    if (below > 0)
        report("%lld of %lld picture%s %s below %.9g", (long long)below, (long long)n,
               n == 1 ? "" : "s", below == 1 ? "is" : "are", run->args->fail_under);
    return failed > 0 ? CLI_FAILED : below > 0 ? CLI_THRESHOLD : CLI_OK;
}

/* The pipeline was stopped: its threads still run, so nothing is freed. */
static void end_early(Run *run)
{
    int signal_number = signals_received();
    progress_finish();
    print_end(run);
    if (signal_number)
        report("stopped by a signal: %lld scored, %lld failed", (long long)run->n_scored,
               (long long)run->n_failed);
    _exit(signal_number ? CLI_SIGNAL + signal_number : CLI_FAILED);
}

static int drive(Run *run, const InputsSpec *spec)
{
    PipelineSpec pipeline = {.scorers = run->scorers.items,
                             .n_scorers = run->scorers.n,
                             .n_workers = run->scorers.n_workers,
                             .image_options = &run->image_options,
                             .thumbnail_width = run->sheet ? CONTACT_SHEET_BOX_WIDTH : 0,
                             .thumbnail_height = CONTACT_SHEET_BOX_HEIGHT,
                             .next = next,
                             .take = take,
                             .tick = tick,
                             .user = run};
    if (!record_writer_begin(&run->writer))
        return CLI_FAILED;
    progress_start(!run->args->quiet, run->info.utf8);
    if (progress_is_shown())
        run->counter = input_counter_start(spec);
    if (!pipeline_run(&pipeline))
        end_early(run);
    input_counter_finish(&run->counter);
    progress_finish();
    return finish(run);
}

static int prepare_and_drive(Run *run, const Command *command, const InputsSpec *spec)
{
    const ScoreArgs *args = run->args;
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
        code = session_image_options(&run->image_options, command, &args->picture, run->model);
    if (code == CLI_OK)
        code = scorers_make(&run->scorers, run->model, &args->model, &args->prompt,
                            choose_workers(run, spec));
    if (code != CLI_OK)
        return code;
    session_describe(&run->info, run->model, run->scorers.items[0], &run->image_options,
                     &run->scale.scale, run->writer.format->needs_model_hash || args->calibration);
    code = calibration_check(&run->scale, &run->info);
    if (code == CLI_OK)
        code = open_outputs(run);
    return code == CLI_OK ? drive(run, spec) : code;
}

static void identify(RunIdentity *out, const RunInfo *info)
{
    snprintf(out->model, sizeof out->model, "%s", info->model);
    snprintf(out->model_hash, sizeof out->model_hash, "%s", info->model_hash);
    snprintf(out->settings, sizeof out->settings, "%s", info->settings);
    snprintf(out->method, sizeof out->method, "%s", info->method);
}

int score_run(const Command *command, const ScoreArgs *args, const InputsSpec *inputs_spec,
              RunIdentity *identity)
{
    Run run = {.args = args,
               .writer.format = args->resume ? &output_jsonl : output_find(args->format)};
    int code = prepare_and_drive(&run, command, inputs_spec);
    if (identity && run.info.model_hash)
        identify(identity, &run.info);
    for (; run.peeked_at < run.n_peeked; run.peeked_at++)
        input_free(&run.peeked[run.peeked_at]);
    free(run.peeked);
    scorers_free(&run.scorers);
    stored_free(&run.stored);
    contact_sheet_free(&run.sheet);
    resume_close(&run.resume);
    inputs_close(&run.inputs);
    qb_model_close(&run.model);
    calibration_close(&run.scale);
    return code;
}
