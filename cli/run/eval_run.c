/* eval_run.c: sources times data sets times methods, one row of the report each; with the mean of
 * several data sets, plots and a calibration where they are wanted. */
// SPDX-License-Identifier: Apache-2.0
#include "run/eval_run.h"

#include "base/report.h"
#include "options/options.h"
#include "output/canvas.h"
#include "output/scatter.h"
#include "run/eval_sources.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_METHODS = 16 };

/* A row and what it was made of. */
typedef struct Pairs {
    double *score, *opinion; /* [n] */
    size_t n;
} Pairs;

typedef struct Run {
    const Command *command;
    const EvalArgs *args;
    EvalSources sources;
    EvalRow *rows;
    Pairs *pairs; /* of rows; none of the means */
    int n_rows, capacity;
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
    run->pairs[run->n_rows] = (Pairs){0};
    return &run->rows[run->n_rows++];
}

static const char *dataset_of(const EvalSource *source, const QbTableRow *row)
{
    return *row->dataset ? row->dataset : source->dataset;
}

/* The pairs of one data set. An opinion or a score that is missing costs its row. */
static Pairs collect(EvalRow *row, const EvalSource *source, const double *scores)
{
    size_t count = qb_table_count(source->table);
    Pairs pairs = {cli_calloc(count + 1, sizeof(double)), cli_calloc(count + 1, sizeof(double)), 0};
    for (size_t i = 0; i < count; i++) {
        QbTableRow r;
        qb_table_row(&r, source->table, i);
        if (strcmp(dataset_of(source, &r), row->dataset))
            continue;
        row->n_failed += !isfinite(scores[i]);
        row->n_unrated += !isfinite(r.opinion);
        if (!isfinite(scores[i]) || !isfinite(r.opinion))
            continue;
        pairs.score[pairs.n] = scores[i];
        pairs.opinion[pairs.n++] = r.opinion;
    }
    return pairs;
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

static int evaluate(EvalRow *row, const Pairs *pairs, const EvalArgs *args)
{
    QbEvalOptions options;
    qb_eval_options_init(&options);
    options.resamples = args->resamples;
    options.seed = (uint64_t)args->seed;
    options.part_size = args->part_size;
    options.threads = args->model.threads;
    row->value = nothing;
    row->value.n = (int64_t)pairs->n;
    if (pairs->n < 2 ||
        qb_evaluate(&row->value, pairs->score, pairs->opinion, pairs->n, &options) == QB_OK)
        return CLI_OK;
    report("%s, %s: %s", row->dataset, row->method, qb_last_error());
    return CLI_FAILED;
}

/* The data sets of a source, in the order in which they come first. */
static int list_datasets(const char ***out, const EvalSource *source)
{
    size_t count = qb_table_count(source->table);
    const char **names = cli_calloc(count + 1, sizeof *names);
    int n = 0;
    for (size_t i = 0; i < count; i++) {
        QbTableRow row;
        qb_table_row(&row, source->table, i);
        const char *name = dataset_of(source, &row);
        int k = n;
        while (k > 0 && strcmp(names[k - 1], name))
            k--;
        if (k == 0)
            names[n++] = name;
    }
    *out = names;
    return n;
}

static int add_method(Run *run, const EvalSource *source, const char *method, const double *scores)
{
    const char **datasets;
    int n = list_datasets(&datasets, source), code = CLI_OK;
    for (int d = 0; d < n; d++) {
        EvalRow row = {.dataset = datasets[d], .source = source->name, .method = method};
        Pairs pairs = collect(&row, source, scores);
        if (evaluate(&row, &pairs, run->args) == CLI_OK) {
            *add_row(run) = row;
            run->pairs[run->n_rows - 1] = pairs;
        } else {
            free(pairs.score);
            free(pairs.opinion);
            code = CLI_FAILED;
        }
    }
    free(datasets);
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
        report("%s: %s", source->name, qb_last_error());
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
        report("%s: has no logits that a method reads", source->name);
        return CLI_USAGE;
    }
    return worst;
}

static int apply_methods(Run *run, const EvalSource *source)
{
    const EvalArgs *args = run->args;
    bool applied;
    if (args->methods.n > 0) {
        int worst = CLI_OK;
        for (int i = 0; i < args->methods.n; i++) {
            QbTableScoring scoring = scoring_of(args, args->methods.items[i]);
            int code = apply(run, source, &scoring, args->methods.items[i], true, &applied);
            worst = code > worst ? code : worst;
        }
        return worst;
    }
    if (source->has_scores_only || (args->images.n > 0 && args->prompt.prompt_file)) {
        QbTableScoring scoring;
        qb_table_scoring_init(&scoring); /* the numbers as they are */
        return apply(run, source, &scoring, "score", true, &applied);
    }
    if (args->prompt.tones) {
        QbTableScoring scoring = scoring_of(args, NULL);
        return apply(run, source, &scoring, "custom", true, &applied);
    }
    return apply_all(run, source);
}

/* ---- means over data sets ---------------------------------------------------------------------
 */

static double *value_at(QbEvalResult *v, int i)
{
    double *const values[] = {&v->srcc.value,           &v->plcc.value, &v->plcc_logistic4.value,
                              &v->plcc_logistic5.value, &v->krcc.value, NULL};
    return values[i];
}

/* Of rows of one source and method. RMSE is on each set's own scale and has none. */
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
        if (strcmp(row->source, source) || strcmp(row->method, method))
            continue;
        mean.n_means++;
        mean.n_failed += row->n_failed;
        mean.n_unrated += row->n_unrated;
        mean.value.n += row->value.n;
        for (int k = 0; value_at(&row->value, k); k++)
            *value_at(&mean.value, k) += *value_at(&row->value, k);
    }
    for (int k = 0; value_at(&mean.value, k); k++)
        *value_at(&mean.value, k) /= mean.n_means;
    if (mean.n_means > 1)
        *add_row(run) = mean;
}

static void add_means(Run *run)
{
    int n_data = run->n_rows;
    for (int i = 0; i < n_data; i++) {
        const EvalRow *row = &run->rows[i];
        bool first = true;
        for (int j = 0; j < i; j++)
            first = first && (strcmp(run->rows[j].source, row->source) ||
                              strcmp(run->rows[j].method, row->method));
        if (first)
            add_mean(run, row->source, row->method, n_data);
    }
}

/* ---- what comes out ---------------------------------------------------------------------------
 */

static int print_report(const Run *run)
{
    const EvalArgs *args = run->args;
    bool ran = run->sources.run.model[0];
    EvalReport report_of = {.rows = run->rows,
                            .n = run->n_rows,
                            .part_size = args->part_size,
                            .resamples = args->resamples,
                            .seed = args->seed,
                            .qbench_compat = args->qbench_compat,
                            .model = ran ? run->sources.run.model : NULL,
                            .model_hash = ran ? run->sources.run.model_hash : NULL};
    Text text = {0};
    eval_report_add(&text, &report_of, args->format);
    bool good = write_all(STDOUT_FILENO, text.data, text.length);
    if (!good)
        report("cannot write the results: %s", strerror(errno));
    text_free(&text);
    return good ? CLI_OK : CLI_FAILED;
}

/* Letters, digits, '.', '-' and '_' of a name. */
static void add_file_part(Text *out, const char *name)
{
    for (; *name; name++) {
        bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                     (*name >= '0' && *name <= '9') || strchr(".-_", *name);
        text_add_char(out, plain ? *name : '_');
    }
}

static int write_scatters(const Run *run)
{
    const char *file = run->args->scatter;
    const char *dot = strrchr(file, '.');
    int code = CLI_OK, n = 0;
    for (int i = 0; i < run->n_rows; i++)
        n += !run->rows[i].n_means;
    for (int i = 0; i < run->n_rows && code == CLI_OK; i++) {
        const EvalRow *row = &run->rows[i];
        const Pairs *pairs = &run->pairs[i];
        Text name = {0};
        if (row->n_means || !pairs->n)
            continue;
        text_add_bytes(&name, file, (size_t)(dot - file));
        if (n > 1) {
            const char *parts[] = {row->source, row->dataset, row->method};
            for (int p = run->sources.n == 1; p < 3; p++) {
                text_add_char(&name, '-');
                add_file_part(&name, parts[p]);
            }
        }
        text_add(&name, dot);
        code = scatter_write(row, pairs->score, pairs->opinion, pairs->n, name.data);
        text_free(&name);
    }
    return code;
}

static int save_calibration(const Run *run)
{
    const EvalRow *row = run->rows;
    const Pairs *pairs = run->pairs;
    bool five = !strcmp(run->args->mapping, "5"), ran = run->sources.run.model[0];
    const QbEvalResult *v = &row->value;
    QbCalibrationInfo info;
    qb_calibration_info_init(&info);
    if (run->n_rows != 1)
        return usage_error(run->command,
                           "--save-calibration is for one data set and one method (--method), "
                           "here are %d results",
                           run->n_rows);
    info.dataset = row->dataset;
    info.model = ran ? run->sources.run.model : NULL;
    info.model_hash = ran ? run->sources.run.model_hash : NULL;
    info.method = strcmp(row->method, "score") ? row->method : NULL;
    info.n = v->n;
    info.srcc = v->srcc.value;
    info.plcc = five ? v->plcc_logistic5.value : v->plcc_logistic4.value;
    info.rmse = five ? v->rmse_logistic5.value : v->rmse.value;
    info.mapping = five ? v->logistic5 : v->logistic4;
    info.lowest = info.lowest_score = INFINITY;
    info.highest = info.highest_score = -INFINITY;
    for (size_t i = 0; i < pairs->n; i++) {
        info.lowest = fmin(info.lowest, pairs->opinion[i]);
        info.highest = fmax(info.highest, pairs->opinion[i]);
        info.lowest_score = fmin(info.lowest_score, pairs->score[i]);
        info.highest_score = fmax(info.highest_score, pairs->score[i]);
    }
    if (!info.mapping.n_params) {
        report("%s: nothing could be fitted to it", row->dataset);
        return CLI_FAILED;
    }
    if (qb_calibration_save(run->args->save_calibration, &info) == QB_OK)
        return CLI_OK;
    report("%s", qb_last_error());
    return CLI_FAILED;
}

static int finish(Run *run)
{
    const EvalArgs *args = run->args;
    int code = CLI_OK;
    if (args->save_calibration)
        code = save_calibration(run);
    if (code == CLI_OK)
        add_means(run);
    if (code == CLI_OK)
        code = print_report(run);
    if (code == CLI_OK && args->scatter)
        code = write_scatters(run);
    return code;
}

int eval_run(const Command *command, const EvalArgs *args)
{
    Run run = {.command = command, .args = args};
    int code = eval_sources_open(&run.sources, command, args);
    bool partly = false;
    for (int i = 0; i < run.sources.n && (code == CLI_OK || code == CLI_FAILED); i++) {
        code = apply_methods(&run, &run.sources.items[i]);
        partly |= code == CLI_FAILED;
    }
    if ((code == CLI_OK || code == CLI_FAILED) && run.n_rows > 0)
        code = finish(&run);
    if (code == CLI_OK && (partly || run.sources.some_failed))
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
