/* eval_run.c: sources times data sets times methods, one row of the report each, and means over
 * several data sets. */
// SPDX-License-Identifier: Apache-2.0
#include "run/eval_run.h"

#include "base/report.h"
#include "options/options.h"
#include "run/eval_datasets.h"
#include "run/eval_results.h"
#include "run/eval_sources.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Run {
    const Command *command;
    const EvalArgs *args;
    EvalSources sources;
    EvalDatasets datasets; /* of the source at hand */
    EvalRow *rows;
    EvalPairs *pairs; /* of rows; none of the means */
    int n_rows, capacity;
    bool some_failed;
} Run;

/* ---- rows -------------------------------------------------------------------------------------
 */

static EvalRow *add_row(Run *run)
{
    if (run->n_rows == run->capacity) {
        run->capacity = 2 * run->capacity + 16;
        run->rows = cli_realloc(run->rows, (size_t)run->capacity, sizeof *run->rows);
        run->pairs = cli_realloc(run->pairs, (size_t)run->capacity, sizeof *run->pairs);
    }
    run->rows[run->n_rows] = (EvalRow){0};
    run->pairs[run->n_rows] = (EvalPairs){0};
    return &run->rows[run->n_rows++];
}

/* A set too small for anything has a row all the same, which says how small. */
static const QbEvalValue none = {NAN, NAN, NAN};
static const QbEvalResult nothing = {.srcc = {NAN, NAN, NAN},
                                     .plcc = {NAN, NAN, NAN},
                                     .krcc = {NAN, NAN, NAN},
                                     .plcc_logistic4 = {NAN, NAN, NAN},
                                     .plcc_logistic5 = {NAN, NAN, NAN},
                                     .rmse = {NAN, NAN, NAN},
                                     .rmse_logistic5 = {NAN, NAN, NAN}};

/* A rest at the end that is too short for a part takes no part. */
static void tell_rest(EvalRow *row, size_t n)
{
    row->n_left_out = (int64_t)n - row->value.n;
    if (row->n_left_out)
        report("%s, %s: the last %lld files are less than half a part and are left out",
               row->dataset, row->method, (long long)row->n_left_out);
}

static int evaluate(EvalRow *row, const EvalPairs *pairs, const EvalArgs *args)
{
    /* Of fewer pairs resampling says nothing. Of very many it takes a minute and more. */
    enum { FEWEST_FOR_INTERVALS = 10, LONG_WORK = 100000000 };
    QbEvalOptions options;
    qb_eval_options_init(&options);
    options.resamples = pairs->n < FEWEST_FOR_INTERVALS ? 0 : args->resamples;
    options.seed = (uint64_t)args->seed;
    options.part_size = args->part_size;
    options.threads = args->model.threads;
    row->value = nothing;
    row->value.n = (int64_t)pairs->n;
    if (!args->quiet && (double)pairs->n * options.resamples > LONG_WORK)
        report("%s, %s: resampling %zu pairs %d times takes a while; --bootstrap 0 leaves the "
               "intervals out",
               row->dataset, row->method, pairs->n, options.resamples);
    if (pairs->n < 2)
        return CLI_OK;
    if (qb_evaluate(&row->value, pairs->score, pairs->opinion, pairs->n, &options) == QB_OK) {
        tell_rest(row, pairs->n);
        return CLI_OK;
    }
    report("%s, %s: %s", row->dataset, row->method, qb_last_error());
    return CLI_FAILED;
}

static int add_method(Run *run, const EvalSource *source, const char *method, const double *scores)
{
    const EvalDatasets *sets = &run->datasets;
    int code = CLI_OK;
    EvalPairs *pairs = eval_datasets_pairs(sets, source->table, scores);
    for (int d = 0; d < sets->n; d++) {
        EvalRow row = {.dataset = sets->items[d].name,
                       .source = source->name,
                       .method = method,
                       .n_failed = (int64_t)(sets->items[d].n_rated - pairs[d].n),
                       .n_unrated = (int64_t)(sets->items[d].n - sets->items[d].n_rated)};
        if (evaluate(&row, &pairs[d], run->args) == CLI_OK) {
            *add_row(run) = row;
            run->pairs[run->n_rows - 1] = pairs[d];
        } else {
            free(pairs[d].score);
            free(pairs[d].opinion);
            code = CLI_FAILED;
        }
        run->some_failed |= row.n_failed > 0;
    }
    free(pairs);
    return code;
}

/* ---- methods ----------------------------------------------------------------------------------
 */

static QbTableScoring scoring_of(const EvalArgs *args, const char *method)
{
    QbTableScoring scoring;
    qb_table_scoring_init(&scoring);
    scoring.method = method;
    scoring.tones = method ? NULL : args->prompt.tones;
    scoring.weights = args->prompt.weights;
    scoring.temperature = isnan(args->prompt.temperature) ? 0 : args->prompt.temperature;
    scoring.qbench_compat = args->qbench_compat;
    return scoring;
}

/* needed: words that are missing are an error. Otherwise *applied says whether it was possible. */
static int apply(Run *run, const EvalSource *source, const QbTableScoring *scoring,
                 const char *method, bool needed, bool *applied)
{
    double *scores = cli_calloc(qb_table_count(source->table) + 1, sizeof *scores);
    QbStatus status = qb_table_scores(scores, source->table, scoring);
    int code = CLI_OK;
    *applied = !status;
    if (!status) {
        code = add_method(run, source, method, scores);
    } else if (needed || status != QB_ERR_UNSUPPORTED) {
        report("%s: %s", source->path, qb_last_error());
        code = status == QB_ERR_ARG || status == QB_ERR_UNSUPPORTED ? CLI_USAGE : CLI_FAILED;
    }
    free(scores);
    return code;
}

/* Every method that the logits suffice for. */
static int apply_all(Run *run, const EvalSource *source)
{
    int worst = CLI_OK;
    bool any = false, applied;
    for (int i = 0; qb_method_name(i); i++) {
        QbTableScoring scoring = scoring_of(run->args, qb_method_name(i));
        /* Q-Bench's formula is one of two words. */
        if (run->args->qbench_compat && strcmp(qb_method_name(i), "binary"))
            continue;
        int code = apply(run, source, &scoring, qb_method_name(i), false, &applied);
        any |= applied;
        worst = code > worst ? code : worst;
    }
    if (!any && worst == CLI_OK) {
        report("%s: %s", source->path,
               qb_table_word_count(source->table) > 0
                   ? "its logits do not suffice for any method; --tones names the words to read"
                   : "has no logits; scores are read by --scores");
        return CLI_USAGE;
    }
    return worst;
}

static bool has_any_score(const EvalSource *source)
{
    for (size_t i = 0; i < qb_table_count(source->table); i++) {
        QbTableRow row;
        qb_table_row(&row, source->table, i);
        bool found = isfinite(row.score);
        for (int w = 0; w < qb_table_word_count(source->table); w++)
            found |= isfinite(row.logit[w]);
        if (found)
            return true;
    }
    return false;
}

static int apply_methods(Run *run, const EvalSource *source)
{
    const EvalArgs *args = run->args;
    bool applied;
    if (!has_any_score(source)) {
        report("%s: none of its files could be scored", source->path);
        return CLI_FAILED;
    }
    if (args->methods.n > 0) {
        int worst = CLI_OK;
        for (int i = 0; i < args->methods.n; i++) {
            QbTableScoring scoring = scoring_of(args, args->methods.items[i]);
            int code = apply(run, source, &scoring, args->methods.items[i], true, &applied);
            worst = code > worst ? code : worst;
        }
        return worst;
    }
    QbTableScoring scoring = scoring_of(args, NULL);
    if (args->prompt.tones)
        return apply(run, source, &scoring, "custom", true, &applied);
    if (args->images.n > 0 && args->prompt.prompt_file) {
        qb_table_scoring_init(&scoring); /* the file's words were applied when scoring */
        return apply(run, source, &scoring, "score", true, &applied);
    }
    if (source->has_scores_only && !args->qbench_compat)
        return apply(run, source, &scoring, "score", true, &applied);
    return apply_all(run, source);
}

/* ---- means over data sets ---------------------------------------------------------------------
 */

static bool belongs(const EvalRow *row, const char *source, const char *method)
{
    return !strcmp(row->source, source) && !strcmp(row->method, method);
}

static double *value_at(QbEvalResult *v, int i)
{
    double *const values[] = {&v->srcc.value,           &v->plcc.value, &v->plcc_logistic4.value,
                              &v->plcc_logistic5.value, &v->krcc.value, NULL};
    return values[i];
}

/* Of rows of one source and method. RMSE is on each set's own scale and has none. A set of fewer
 * than two pairs, of which nothing can be said, does not take part; nor is there a mean of sets
 * that have the same name. */
static void add_mean(Run *run, const char *source, const char *method, int n_data)
{
    EvalRow mean = {.dataset = "mean", .source = source, .method = method};
    mean.value = (QbEvalResult){.srcc = {0, NAN, NAN},
                                .plcc = {0, NAN, NAN},
                                .plcc_logistic4 = {0, NAN, NAN},
                                .plcc_logistic5 = {0, NAN, NAN},
                                .krcc = {0, NAN, NAN},
                                .rmse = none,
                                .rmse_logistic5 = none};
    for (int i = 0; i < n_data; i++) {
        EvalRow *row = &run->rows[i];
        if (!belongs(row, source, method) || row->value.n < 2)
            continue;
        for (int j = 0; j < i; j++)
            if (belongs(&run->rows[j], source, method) &&
                !strcmp(run->rows[j].dataset, row->dataset))
                return;
        mean.n_means++;
        mean.n_failed += row->n_failed;
        mean.n_unrated += row->n_unrated;
        mean.value.n += row->value.n;
        for (int k = 0; value_at(&row->value, k); k++)
            *value_at(&mean.value, k) += *value_at(&row->value, k);
    }
    if (mean.n_means < 2)
        return;
    for (int k = 0; value_at(&mean.value, k); k++)
        *value_at(&mean.value, k) /= mean.n_means;
    *add_row(run) = mean;
}

static void add_means(Run *run)
{
    int n_data = run->n_rows;
    for (int i = 0; i < n_data; i++) {
        const EvalRow *row = &run->rows[i];
        bool first = true;
        for (int j = 0; j < i; j++)
            first = first && !belongs(&run->rows[j], row->source, row->method);
        if (first)
            add_mean(run, row->source, row->method, n_data);
    }
}

static int finish(Run *run)
{
    int n_data = run->n_rows;
    add_means(run);
    EvalResults results = {.rows = run->rows,
                           .pairs = run->pairs,
                           .n_rows = run->n_rows,
                           .n_data = n_data,
                           .model = run->sources.run.model[0] ? &run->sources.run : NULL};
    return eval_results_write(&results, run->command, run->args);
}

int eval_run(const Command *command, const EvalArgs *args)
{
    Run run = {.command = command, .args = args};
    int code = eval_sources_open(&run.sources, command, args);
    bool partly = false;
    for (int i = 0; i < run.sources.n && (code == CLI_OK || code == CLI_FAILED); i++) {
        code = eval_datasets_init(&run.datasets, &run.sources.items[i]);
        if (code == CLI_OK)
            code = apply_methods(&run, &run.sources.items[i]);
        eval_datasets_deinit(&run.datasets);
        partly |= code == CLI_FAILED;
    }
    if ((code == CLI_OK || code == CLI_FAILED) && run.n_rows > 0)
        code = finish(&run);
    if (code == CLI_OK && (partly || run.some_failed))
        code = CLI_FAILED;
    for (int i = 0; i < run.n_rows; i++) {
        free(run.pairs[i].score);
        free(run.pairs[i].opinion);
    }
    free(run.rows);
    free(run.pairs);
    eval_sources_free(&run.sources);
    return code;
}
