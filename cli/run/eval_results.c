/* eval_results.c: see eval_results.h. */
// SPDX-License-Identifier: Apache-2.0
#include "run/eval_results.h"

#include "base/report.h"
#include "options/options.h"
#include "output/scatter.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_report(const EvalResults *results, const EvalArgs *args)
{
    EvalReport report_of = {.rows = results->rows,
                            .n = results->n_rows,
                            .part_size = args->part_size,
                            .resamples = args->resamples,
                            .seed = args->seed,
                            .qbench_compat = args->qbench_compat,
                            .model = results->model ? results->model->model : NULL,
                            .model_hash = results->model ? results->model->model_hash : NULL};
    Text text = {0};
    eval_report_add(&text, &report_of, args->format);
    bool good = write_all(STDOUT_FILENO, text.data, text.length);
    if (!good)
        report("cannot write the results: %s", strerror(errno));
    text_free(&text);
    return good ? CLI_OK : CLI_FAILED;
}

/* ---- plots ------------------------------------------------------------------------------------
 */

/* Letters, digits, '.', '-' and '_' of a name. */
static void add_file_part(Text *out, const char *name)
{
    enum { LONGEST = 60 }; /* bytes: the file system has a limit */
    for (int i = 0; *name && i < LONGEST; i++, name++) {
        bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                     (*name >= '0' && *name <= '9') || strchr(".-_", *name);
        text_add_char(out, plain ? *name : '_');
    }
}

/* FILE-DATASET-METHOD.svg of FILE.svg, with the source behind FILE where there are several. */
static char *scatter_name(const EvalResults *results, int index, const char *file, int number)
{
    const EvalRow *row = &results->rows[index];
    const char *parts[] = {row->source, row->dataset, row->method}, *dot = strrchr(file, '.');
    bool several = false;
    for (int i = 1; i < results->n_data; i++)
        several |= strcmp(results->rows[i].source, results->rows[0].source) != 0;
    Text name = {0};
    text_add_bytes(&name, file, (size_t)(dot - file));
    for (int p = !several; p < 3 && results->n_data > 1; p++) {
        text_add_char(&name, '-');
        add_file_part(&name, parts[p]);
    }
    if (number > 1)
        text_addf(&name, "-%d", number);
    text_add(&name, dot);
    char *owned = cli_strdup(name.data);
    text_free(&name);
    return owned;
}

static bool is_among(const char *name, char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

/* Names that would be the same get numbers. */
static int write_scatters(const EvalResults *results, const char *file)
{
    char **names = cli_calloc((size_t)results->n_data + 1, sizeof *names);
    int code = CLI_OK, n = 0;
    for (int i = 0; i < results->n_data && code == CLI_OK; i++) {
        const EvalPairs *pairs = &results->pairs[i];
        if (pairs->n < 3)
            continue; /* no picture of anything */
        names[n] = scatter_name(results, i, file, 1);
        for (int number = 2; is_among(names[n], names, n); number++) {
            free(names[n]);
            names[n] = scatter_name(results, i, file, number);
        }
        code = scatter_write(&results->rows[i], pairs->score, pairs->opinion, pairs->n, names[n++]);
    }
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return code;
}

/* ---- calibration ------------------------------------------------------------------------------
 */

static void set_ranges(QbCalibrationInfo *info, const EvalPairs *pairs)
{
    info->lowest = info->lowest_score = INFINITY;
    info->highest = info->highest_score = -INFINITY;
    for (size_t i = 0; i < pairs->n; i++) {
        info->lowest = fmin(info->lowest, pairs->opinion[i]);
        info->highest = fmax(info->highest, pairs->opinion[i]);
        info->lowest_score = fmin(info->lowest_score, pairs->score[i]);
        info->highest_score = fmax(info->highest_score, pairs->score[i]);
    }
}

static void describe(QbCalibrationInfo *out, const EvalResults *results, bool five)
{
    const EvalRow *row = results->rows;
    const QbEvalResult *v = &row->value;
    const RunIdentity *model = results->model;
    bool applied = strcmp(row->method, "score") != 0; /* not numbers taken as they are */
    qb_calibration_info_init(out);
    out->dataset = row->dataset;
    out->model = model ? model->model : NULL;
    out->model_hash = model ? model->model_hash : NULL;
    out->method = applied ? row->method : model ? model->method : NULL;
    out->n = v->n;
    out->srcc = v->srcc.value;
    out->plcc = five ? v->plcc_logistic5.value : v->plcc_logistic4.value;
    out->rmse = five ? v->rmse_logistic5.value : v->rmse.value;
    out->mapping = five ? v->logistic5 : v->logistic4;
    set_ranges(out, results->pairs);
}

/* Below that a curve of four or five parameters says more of the files than of the model. */
enum { FEW_FOR_A_MAPPING = 30 };

static int save_calibration(const EvalResults *results, const Command *command,
                            const EvalArgs *args)
{
    QbCalibrationInfo info;
    if (results->n_data != 1)
        return usage_error(command,
                           "--save-calibration is for one data set and one method (--method), "
                           "here are %d results",
                           results->n_data);
    describe(&info, results, !strcmp(args->mapping, "5"));
    if (info.n < FEW_FOR_A_MAPPING)
        report("--save-calibration: %lld files are few; the mapping follows each of them",
               (long long)info.n);
    if (info.srcc < 0)
        report("--save-calibration: higher scores go with lower opinions here, so calibrated "
               "scores are turned round");
    if (!info.mapping.n_params) {
        report("%s: nothing could be fitted to it", info.dataset);
        return CLI_FAILED;
    }
    if (info.lowest_score < 0 || info.highest_score > 1) {
        report("--save-calibration: the scores are %g to %g, but scores on the scale 0 to 1 are "
               "what a calibration is applied to",
               info.lowest_score, info.highest_score);
        return CLI_FAILED;
    }
    if (qb_calibration_save(args->save_calibration, &info) == QB_OK)
        return CLI_OK;
    report("%s", qb_last_error());
    return CLI_FAILED;
}

int eval_results_write(const EvalResults *results, const Command *command, const EvalArgs *args)
{
    int code = print_report(results, args);
    if (code == CLI_OK && args->scatter)
        code = write_scatters(results, args->scatter);
    if (code == CLI_OK && args->save_calibration)
        code = save_calibration(results, command, args);
    return code;
}
