/* eval_sources.c: see eval_sources.h.
 *
 * The k-th --labels belongs to the k-th --images, or to the k-th of --scores and --logits (in this
 * order); a single one belongs to all. */
// SPDX-License-Identifier: Apache-2.0
#include "run/eval_sources.h"

#include "base/report.h"
#include "options/options.h"
#include "run/eval_names.h"

#include <stdlib.h>
#include <string.h>

void eval_sources_free(EvalSources *sources)
{
    for (int i = 0; i < sources->n; i++) {
        free(sources->items[i].name);
        free(sources->items[i].dataset);
        qb_table_free(&sources->items[i].table);
    }
    free(sources->items);
    *sources = (EvalSources){0};
}

/* Names are in both where labels and scores are two files, perhaps in differently called columns;
 * opinions and data sets are the labels'. */
static bool read_table(QbTable **out, const EvalArgs *args, const char *path, bool opinions,
                       bool scores)
{
    QbTableOptions options;
    qb_table_options_init(&options);
    options.name_column = args->name_column;
    options.opinion_column = opinions ? args->opinion_column : NULL;
    options.score_column = scores ? args->score_column : NULL;
    options.dataset_column = opinions ? args->dataset_column : NULL;
    options.need_opinions = opinions;
    options.need_scores = scores;
    QbStatus status = qb_table_open(out, path, &options);
    if (status == QB_ERR_FORMAT && args->name_column && !opinions) {
        options.name_column = NULL;
        status = qb_table_open(out, path, &options);
    }
    if (status == QB_OK)
        return true;
    report("%s", qb_last_error());
    return false;
}

/* Tables of the --labels; NULL without. */
static int read_labels(QbTable ***out, const EvalArgs *args)
{
    *out = cli_calloc((size_t)args->labels.n + 1, sizeof **out);
    for (int i = 0; i < args->labels.n; i++)
        if (!read_table(&(*out)[i], args, args->labels.items[i], true, false))
            return CLI_NO_INPUT;
    return CLI_OK;
}

/* Of the k-th source: the same for all when there is one. */
static int label_index(const EvalArgs *args, int k)
{
    return args->labels.n == 1 ? 0 : k;
}

/* Takes scores. */
static int join(EvalSource *source, QbTable *labels, const char *label_path, QbTable *scores,
                const char *score_path)
{
    QbTableJoin info;
    QbStatus status = qb_table_join(&source->table, &info, labels, scores);
    qb_table_free(&scores);
    if (status) {
        report("%s and %s: %s", label_path, score_path, qb_last_error());
        return CLI_NO_INPUT;
    }
    if (info.n_unscored == qb_table_count(labels)) {
        report("%s names none of the files in %s", score_path, label_path);
        return CLI_NO_INPUT;
    }
    if (info.n_unscored > 0)
        report("%s: %zu of the %zu files in %s are not in it", score_path, info.n_unscored,
               qb_table_count(labels), label_path);
    if (info.n_unused > 0)
        report("%s: %zu of its rows are not in %s", score_path, info.n_unused, label_path);
    return CLI_OK;
}

static const char *score_path(const EvalArgs *args, int k)
{
    return k < args->scores.n ? args->scores.items[k] : args->logits.items[k - args->scores.n];
}

static int open_file(EvalSource *source, const EvalArgs *args, QbTable *const *labels, int k)
{
    const char *path = score_path(args, k);
    bool has_labels = args->labels.n > 0;
    QbTable *table;
    source->path = path;
    source->has_scores_only = k < args->scores.n;
    if (!read_table(&table, args, path, !has_labels, true))
        return CLI_NO_INPUT;
    if (!has_labels) {
        source->table = table;
        return CLI_OK;
    }
    int l = label_index(args, k);
    return join(source, labels[l], args->labels.items[l], table, path);
}

/* What --name does not say. */
static void name_files(EvalSources *out, const EvalArgs *args)
{
    size_t n = (size_t)out->n, n_labels = (size_t)args->labels.n;
    const char **paths = cli_calloc(n, sizeof *paths);
    char **datasets = cli_calloc(n, sizeof *datasets), **names = cli_calloc(n, sizeof *names);
    char **labels = cli_calloc(n_labels + 1, sizeof *labels);
    eval_names_of_labels(labels, args->labels.items, args->labels.n);
    for (int k = 0; k < out->n; k++) {
        paths[k] = score_path(args, k);
        datasets[k] = n_labels ? cli_strdup(labels[label_index(args, k)]) : eval_name_of(paths[k]);
    }
    eval_names_of_scores(names, paths, datasets, out->n);
    for (int k = 0; k < out->n; k++) {
        bool is_named = k < args->names.n;
        out->items[k].dataset = datasets[k];
        out->items[k].name = is_named ? cli_strdup(args->names.items[k]) : names[k];
        if (is_named)
            free(names[k]);
    }
    for (size_t l = 0; l < n_labels; l++)
        free(labels[l]);
    free(labels);
    free(names);
    free(datasets);
    free(paths);
}

static int open_files(EvalSources *out, const EvalArgs *args, QbTable *const *labels)
{
    out->n = args->scores.n + args->logits.n;
    out->items = cli_calloc((size_t)out->n, sizeof *out->items);
    name_files(out, args);
    for (int k = 0; k < out->n; k++) {
        int code = open_file(&out->items[k], args, labels, k);
        if (code != CLI_OK)
            return code;
    }
    return CLI_OK;
}

static int read_lines(EvalSource *source, const EvalArgs *args, QbTable *labels, int k,
                      const Text *lines)
{
    QbTable *scores;
    if (qb_table_open_memory(&scores, lines->data ? lines->data : "", lines->length, "the journal",
                             NULL) != QB_OK) {
        report("%s", qb_last_error());
        return CLI_FAILED;
    }
    QbStatus status = qb_table_join(&source->table, NULL, labels, scores);
    qb_table_free(&scores);
    if (status)
        report("%s: %s", args->labels.items[k], qb_last_error());
    return status ? CLI_FAILED : CLI_OK;
}

static int open_images(EvalSources *out, const Command *command, const EvalArgs *args,
                       QbTable *const *labels)
{
    int n = args->labels.n, code;
    const char **folders = cli_calloc((size_t)n, sizeof *folders);
    char **names = cli_calloc((size_t)n, sizeof *names);
    Text *lines = cli_calloc((size_t)n, sizeof *lines);
    for (int k = 0; k < n; k++)
        folders[k] = args->images.items[args->images.n == 1 ? 0 : k];
    out->n = n;
    out->items = cli_calloc((size_t)n, sizeof *out->items);
    code = eval_run_model(lines, &out->run, command, args, labels, folders, n);
    bool ran = out->run.settings[0] && (code == CLI_OK || code == CLI_FAILED);
    code = ran ? CLI_OK : code;
    eval_names_of_labels(names, args->labels.items, n);
    for (int k = 0; k < n && code == CLI_OK; k++) {
        EvalSource *source = &out->items[k];
        source->path = args->labels.items[k];
        source->name = cli_strdup(out->run.model);
        source->dataset = cli_strdup(k < args->names.n ? args->names.items[k] : names[k]);
        code = read_lines(source, args, labels[k], k, &lines[k]);
    }
    for (int k = 0; k < n; k++) {
        text_free(&lines[k]);
        free(names[k]);
    }
    free(names);
    free(lines);
    free(folders);
    return code;
}

int eval_sources_open(EvalSources *out, const Command *command, const EvalArgs *args)
{
    QbTable **labels;
    *out = (EvalSources){0};
    int code = read_labels(&labels, args);
    if (code == CLI_OK)
        code = args->images.n > 0 ? open_images(out, command, args, labels)
                                  : open_files(out, args, labels);
    for (int i = 0; i < args->labels.n; i++)
        qb_table_free(&labels[i]);
    free(labels);
    return code;
}
