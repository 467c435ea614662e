/* train_run.c: reads the tables, evaluates what was asked for by leaving out scenes, trains on all
 * of them and writes the model. */
// SPDX-License-Identifier: Apache-2.0
#include "run/train_run.h"

#include "base/progress.h"
#include "base/report.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "output/train_report.h"
#include "run/train_baseline.h"
#include "run/train_table.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct Run {
    const TrainArgs *args;
    TrainSet set;
    atomic_bool stopping, finished;
    TrainResult *results; /* [n_results] */
    int n_results;
    size_t *n_zones, *n_noisy; /* [set.n_scenes] */
    double seconds;            /* of training */
    const char *doing;         /* what the progress line tells */
} Run;

/* What learns may not look up for minutes: it is left alone after a second. */
static void stop(void *user)
{
    Run *run = user;
    const struct timespec moment = {.tv_nsec = 20 * 1000000L};
    atomic_store(&run->stopping, true);
    for (int i = 0; i < 50 && !atomic_load(&run->finished); i++)
        nanosleep(&moment, NULL);
    if (atomic_load(&run->finished))
        return;
    progress_erase();
    _exit(CLI_SIGNAL + signals_received());
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool after_row(const TrainReading *reading, void *user)
{
    const Run *run = user;
    progress_update(reading->n_rows, reading->n_rows, -1);
    return !atomic_load(&run->stopping);
}

static int read_tables(Run *run, const Command *command, char *const *tables, int n_tables)
{
    TrainReading reading = {.set = &run->set, .go_on = after_row, .user = run};
    int code = noise_args_start(&reading.grid, command, &run->args->noise);
    if (code != CLI_OK)
        return code;
    reading.pictures = train_pictures_new(&run->args->noise, reading.grid);
    for (int i = 0; i < n_tables && code == CLI_OK; i++)
        code = train_table_read(&reading, tables[i]);
    train_pictures_free(&reading.pictures);
    if (code == CLI_OK && reading.n_untold > 0 && !run->args->quiet)
        report("%lld zone%s left out: nothing can be told of how visible the noise is",
               (long long)reading.n_untold, reading.n_untold == 1 ? " was" : "s were");
    return code;
}

static void count_zones(Run *run)
{
    run->n_zones = cli_calloc((size_t)run->set.n_scenes, sizeof *run->n_zones);
    run->n_noisy = cli_calloc((size_t)run->set.n_scenes, sizeof *run->n_noisy);
    for (size_t i = 0; i < run->set.n; i++) {
        run->n_zones[run->set.scene[i]]++;
        run->n_noisy[run->set.scene[i]] += run->set.visibility[i] > 1;
    }
}

/* ---- learning ------------------------------------------------------------------------------- */

static bool show_progress(double done, void *user)
{
    const Run *run = user;
    progress_update_parts(done, &run->doing, 1);
    return !atomic_load(&run->stopping);
}

static void init_options(QbNoiseTrainOptions *out, Run *run, const char *classifier)
{
    const TrainArgs *args = run->args;
    qb_noise_train_options_init(out);
    out->classifier = classifier;
    out->name = args->name;
    out->cost = isnan(args->cost) ? 0 : args->cost;
    out->gamma = isnan(args->gamma) ? 0 : args->gamma;
    out->seed = (uint64_t)args->seed;
    out->n_threads = noise_threads(&args->noise);
    out->progress = show_progress;
    out->user = run;
}

/* From what the library said. */
static int exit_code(QbStatus status)
{
    if (status == QB_ERR_CANCELLED)
        return CLI_SIGNAL + signals_received();
    report("%s", qb_last_error());
    return status == QB_ERR_NOMEM || status == QB_ERR_LIMIT ? CLI_LIMIT
           : status == QB_ERR_ARG                           ? CLI_USAGE
                                                            : CLI_FAILED;
}

static TrainResult *add_result(Run *run, const char *name)
{
    run->results = cli_realloc(run->results, (size_t)run->n_results + 1, sizeof *run->results);
    TrainResult *result = &run->results[run->n_results++];
    *result = (TrainResult){.name = name};
    result->scenes = cli_calloc((size_t)run->set.n_scenes, sizeof *result->scenes);
    return result;
}

static int evaluate_one(Run *run, const char *classifier)
{
    QbNoiseExamples examples;
    QbNoiseTrainOptions options;
    Text doing = {0};
    TrainResult *result = add_result(run, classifier);
    double start_ms = clock_ms();
    train_set_examples(&examples, &run->set);
    init_options(&options, run, classifier);
    text_addf(&doing, "evaluating %s", classifier);
    run->doing = doing.data;
    QbStatus status =
        qb_noise_cross_validate(&result->all, result->scenes, NULL, &examples, &options);
    result->seconds = (clock_ms() - start_ms) / 1e3;
    text_free(&doing);
    return status == QB_OK ? CLI_OK : exit_code(status);
}

/* Each scene is told by what is learned from the others: there must be others, with zones of both
 * kinds. */
static int check_scenes(const Run *run)
{
    const TrainSet *set = &run->set;
    size_t n_noisy = 0;
    if (set->n_scenes < 2) {
        report("--evaluate leaves out one scene after the other, but the tables have %s%s",
               set->n_scenes ? "only " : "none", set->n_scenes ? set->scenes[0] : "");
        return CLI_USAGE;
    }
    for (int i = 0; i < set->n_scenes; i++)
        n_noisy += run->n_noisy[i];
    for (int i = 0; i < set->n_scenes; i++) {
        size_t noisy = n_noisy - run->n_noisy[i], n = set->n - run->n_zones[i];
        if (noisy > 0 && noisy < n)
            continue;
        report("--evaluate: without scene %s, %zu of %zu zones are noisy; both kinds are needed",
               set->scenes[i], noisy, n);
        return CLI_USAGE;
    }
    return CLI_OK;
}

static int evaluate(Run *run)
{
    int code = check_scenes(run);
    bool all = strcmp(run->args->classifier, TRAIN_ALL) == 0;
    for (int i = 0; qb_noise_classifier_name(i) && code == CLI_OK; i++) {
        const char *name = qb_noise_classifier_name(i);
        if (all || strcmp(run->args->classifier, name) == 0)
            code = evaluate_one(run, name);
    }
    for (int b = 0; b < run->set.n_baselines && code == CLI_OK; b++) {
        const TrainBaseline *baseline = &run->set.baselines[b];
        TrainResult *result = add_result(run, baseline->name);
        result->is_baseline = true;
        train_baseline_accuracy(&result->all, result->scenes, &run->set, baseline);
    }
    return code;
}

static int train(Run *run)
{
    QbNoiseExamples examples;
    QbNoiseTrainOptions options;
    QbNoiseModel *model = NULL;
    Text doing = {0};
    double start_ms = clock_ms();
    train_set_examples(&examples, &run->set);
    init_options(&options, run, run->args->classifier);
    text_addf(&doing, "training %s", run->args->classifier);
    run->doing = doing.data;
    QbStatus status = qb_noise_train(&model, &examples, &options);
    if (status == QB_OK)
        status = qb_noise_model_save(model, run->args->output);
    run->seconds = (clock_ms() - start_ms) / 1e3;
    qb_noise_model_close(&model);
    text_free(&doing);
    return status == QB_OK ? CLI_OK : exit_code(status);
}

/* ---- the run -------------------------------------------------------------------------------- */

static int tell(const Run *run)
{
    const TrainArgs *args = run->args;
    const TrainReport told = {.scenes = (const char *const *)run->set.scenes,
                              .n_zones = run->n_zones,
                              .n_noisy = run->n_noisy,
                              .n_scenes = run->set.n_scenes,
                              .results = run->results,
                              .n_results = run->n_results,
                              .model = args->output,
                              .classifier = args->output ? args->classifier : NULL,
                              .seconds = run->seconds,
                              .features = args->save_features,
                              .seed = args->seed};
    Text text = {0};
    if (args->json)
        json_add_train(&text, &told);
    else if (!args->quiet || args->evaluate)
        train_add_report(&text, &told);
    bool good = write_all(STDOUT_FILENO, text.data, text.length);
    if (!good)
        report("cannot write the results: %s", strerror(errno));
    text_free(&text);
    return good ? CLI_OK : CLI_FAILED;
}

static int run_all(Run *run, const Command *command, char *const *tables, int n_tables)
{
    const TrainArgs *args = run->args;
    int code = read_tables(run, command, tables, n_tables);
    if (code == CLI_SIGNAL)
        return CLI_SIGNAL + signals_received();
    if (code != CLI_OK)
        return code;
    count_zones(run);
    if (args->save_features && !train_set_save(&run->set, args->save_features))
        return CLI_FAILED;
    if (args->evaluate)
        code = evaluate(run);
    if (code == CLI_OK && args->output)
        code = train(run);
    progress_finish();
    return code == CLI_OK ? tell(run) : code;
}

int train_run(const Command *command, const TrainArgs *args, char *const *tables, int n_tables)
{
    Run run = {.args = args};
    signals_start();
    signals_on_stop(stop, &run);
    progress_start(!args->quiet, terminal_utf8());
    int code = run_all(&run, command, tables, n_tables);
    atomic_store(&run.finished, true);
    progress_finish();
    signals_on_stop(NULL, NULL);
    for (int i = 0; i < run.n_results; i++)
        free(run.results[i].scenes);
    free(run.results);
    free(run.n_zones);
    free(run.n_noisy);
    train_set_free(&run.set);
    return code;
}
