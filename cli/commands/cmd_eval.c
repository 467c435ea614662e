/* cmd_eval.c: `qboost eval`: its options, and which of them go together. */
// SPDX-License-Identifier: Apache-2.0
#include "options/command.h"
#include "options/options.h"
#include "output/canvas.h"
#include "output/eval_report.h"
#include "run/eval_run.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const mapping_choices[] = {"4", "5", NULL};

// clang-format off
static const Option options[] = {
    {.name = "labels", .letter = 'l', .type = OPTION_LIST, .metavar = "FILE",
     .offset = offsetof(EvalArgs, labels),
     .help = "what people said: CSV with a header, or JSON; may be given several times"},
    {.name = "images", .letter = 'i', .type = OPTION_LIST, .metavar = "DIR",
     .offset = offsetof(EvalArgs, images),
     .help = "the folder of the pictures that the labels name: the model is run over them; one for all labels, "
             "or one each"},
    {.name = "scores", .letter = 's', .type = OPTION_LIST, .metavar = "FILE",
     .offset = offsetof(EvalArgs, scores),
     .help = "scores that there are already, as CSV or JSON (also those of qboost score and video); with "
             "--labels, or with opinions in the same file"},
    {.name = "logits", .letter = 'L', .type = OPTION_LIST, .metavar = "FILE",
     .offset = offsetof(EvalArgs, logits),
     .help = "logits that there are already, as Q-Bench and Q-Align publish them; as --scores"},
    {.name = "name", .type = OPTION_LIST, .metavar = "NAME", .offset = offsetof(EvalArgs, names),
     .help = "name of the k-th data set, or of the k-th file of scores or logits, in the report (default: the "
             "file's)"},
    {.name = "method", .type = OPTION_LIST, .metavar = "NAME", .offset = offsetof(EvalArgs, methods),
     .help = "tti, mpe, binary or levels; may be given several times (default: all whose words there are)"},
    {.name = "name-column", .type = OPTION_STRING, .metavar = "COLUMN",
     .offset = offsetof(EvalArgs, name_column), .help = "the column (or JSON key) with the file's name"},
    {.name = "opinion-column", .type = OPTION_STRING, .metavar = "COLUMN",
     .offset = offsetof(EvalArgs, opinion_column), .help = "the one with the opinion score"},
    {.name = "score-column", .type = OPTION_STRING, .metavar = "COLUMN",
     .offset = offsetof(EvalArgs, score_column), .help = "the one with the score"},
    {.name = "dataset-column", .type = OPTION_STRING, .metavar = "COLUMN",
     .offset = offsetof(EvalArgs, dataset_column), .help = "the one that says which data set a row belongs to"},
    {.name = "journal", .type = OPTION_STRING, .metavar = "FILE", .offset = offsetof(EvalArgs, journal),
     .help = "with --images: keep the results there, and do not repeat those it has"},
    {.name = "retry-failed", .type = OPTION_FLAG, .offset = offsetof(EvalArgs, retry_failed),
     .help = "with --journal: try again what failed before"},
    {.name = "part-size", .type = OPTION_COUNT, .metavar = "N", .min = 2,
     .offset = offsetof(EvalArgs, part_size),
     .help = "average over parts of N files in their order, as CGIQA-6K is reported (3000)"},
    {.name = "bootstrap", .type = OPTION_INT, .metavar = "N", .min = 0, .max = 1000000,
     .offset = offsetof(EvalArgs, resamples), .standard = "1000",
     .help = "resamples for the 95 % intervals, 100 or more; 0 = no intervals (default: 1000)"},
    {.name = "seed", .type = OPTION_INT, .metavar = "N", .min = 0, .max = 2147483647,
     .offset = offsetof(EvalArgs, seed), .standard = "1",
     .help = "of the resampling (default: 1)"},
    {.name = "qbench-compat", .type = OPTION_FLAG, .offset = offsetof(EvalArgs, qbench_compat),
     .help = "evaluate Q-Bench's formula as its code does, which breaks ties by rounding"},
    {.name = "format", .type = OPTION_CHOICE, .metavar = "FORMAT", .choices = eval_format_names,
     .offset = offsetof(EvalArgs, format), .standard = "table",
     .help = "table, csv, tsv, markdown, latex or json (one object) (default: table)"},
    {.name = "json", .type = OPTION_PRESET, .preset_name = "format", .preset_value = "json",
     .help = "the same as --format json"},
    {.name = "scatter", .type = OPTION_STRING, .metavar = "FILE", .offset = offsetof(EvalArgs, scatter),
     .help = "also draw scores against opinions with the fitted curve, as FILE.svg or FILE.png; with several "
             "rows the name gets -DATASET-METHOD, and of several files of scores -SOURCE, before its ending"},
    {.name = "save-calibration", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(EvalArgs, save_calibration),
     .help = "write the fitted mapping for qboost score --calibration; one data set and one method"},
    {.name = "mapping", .type = OPTION_CHOICE, .metavar = "N", .choices = mapping_choices,
     .offset = offsetof(EvalArgs, mapping), .standard = "4",
     .help = "which logistic is saved: of 4 or 5 parameters (default: 4)"},
    VARIANT_OPTIONS(EvalArgs, prompt),
    QUESTION_OPTIONS(EvalArgs, prompt),
    MODEL_OPTIONS(EvalArgs, model),
    PICTURE_OPTIONS(EvalArgs, picture),
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .offset = offsetof(EvalArgs, quiet),
     .help = "no progress, no summary"},
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"Run the model over a labelled set", "qboost eval --labels koniq.csv --images koniq/"},
    {"A long one, which may be stopped and started again",
     "qboost eval --labels koniq.json --images koniq/ --model q-instruct.gguf --journal "
     "koniq.jsonl"},
    {"Scores that there are already, with a plot for a paper",
     "qboost eval --labels koniq.csv --scores scores.jsonl --scatter koniq.svg"},
    {"Q-Bench's logits, as its table was made",
     "qboost eval --logits koniq.json --logits spaq.json --qbench-compat"},
    {"Two models side by side, for a paper",
     "qboost eval --labels mos.csv --scores a.csv --scores b.csv --format latex"},
    {0}};

static int check_methods(const EvalArgs *args)
{
    for (int i = 0; i < args->methods.n; i++) {
        int k = 0;
        while (qb_method_name(k) && strcmp(qb_method_name(k), args->methods.items[i]))
            k++;
        if (!qb_method_name(k))
            return usage_error(&cmd_eval, "--method: '%s' is none of tti, mpe, binary, levels",
                               args->methods.items[i]);
    }
    if (args->methods.n > 0 && args->prompt.tones)
        return usage_error(&cmd_eval, "--method and --tones exclude each other");
    if (args->qbench_compat && args->methods.n > 0 &&
        (args->methods.n > 1 || strcmp(args->methods.items[0], "binary")))
        return usage_error(&cmd_eval, "--qbench-compat is a formula for two words: --method binary "
                                      "or --tones");
    return CLI_OK;
}

/* Which files belong together. */
static int check_sources(const EvalArgs *args)
{
    int n_files = args->scores.n + args->logits.n, n_labels = args->labels.n;
    if (!n_files && !args->images.n)
        return usage_error(&cmd_eval,
                           n_labels ? "--labels alone say nothing of scores: --images runs the "
                                      "model, --scores or --logits reads a file"
                                    : "nothing to evaluate: give --labels and --images, --scores "
                                      "or --logits");
    if (args->images.n > 0 && n_files)
        return usage_error(&cmd_eval, "--images excludes --scores and --logits");
    if (args->images.n > 0 && !n_labels)
        return usage_error(&cmd_eval, "--images needs --labels");
    if (args->images.n > 1 && args->images.n != n_labels)
        return usage_error(&cmd_eval, "%d --images for %d --labels", args->images.n, n_labels);
    if (n_files && n_labels > 1 && n_labels != n_files)
        return usage_error(&cmd_eval, "%d --labels for %d files of scores or logits", n_labels,
                           n_files);
    if (args->names.n > (args->images.n > 0 ? n_labels : n_files))
        return usage_error(&cmd_eval, "more --name than there is to name");
    if (args->journal && !args->images.n)
        return usage_error(&cmd_eval, "--journal needs --images");
    if (args->retry_failed && !args->journal)
        return usage_error(&cmd_eval, "--retry-failed needs --journal");
    return CLI_OK;
}

/* Only an earlier calibration is written over: a slip of the hand could name the labels, which are
 * the work of people. */
static int check_calibration_file(const char *file)
{
    struct stat info;
    QbCalibration *earlier = NULL;
    if (stat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
        qb_calibration_open(&earlier, file) != QB_OK)
        return usage_error(&cmd_eval, "--save-calibration: '%s' is there and is no calibration",
                           file);
    qb_calibration_free(&earlier);
    return CLI_OK;
}

/* What is certain before the model runs for hours. */
static int check_calibration(const EvalArgs *args)
{
    bool all_methods =
        args->images.n > 0 && !args->methods.n && !args->prompt.tones && !args->prompt.prompt_file;
    if (args->save_calibration && (args->methods.n > 1 || all_methods))
        return usage_error(&cmd_eval, "--save-calibration is for one method: --method says which");
    if (args->save_calibration && (args->scores.n + args->logits.n > 1 || args->labels.n > 1))
        return usage_error(&cmd_eval, "--save-calibration is for one data set");
    return args->save_calibration ? check_calibration_file(args->save_calibration) : CLI_OK;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const EvalArgs *args = args_given;
    (void)operands;
    (void)n_operands;
    int code = check_sources(args);
    if (code == CLI_OK)
        code = check_methods(args);
    if (code == CLI_OK)
        code = check_calibration(args);
    if (code == CLI_OK && args->resamples > 0 && args->resamples < 100)
        code = usage_error(&cmd_eval, "--bootstrap: 0, or 100 and more");
    if (code == CLI_OK && args->scatter && !canvas_takes(args->scatter))
        code = usage_error(&cmd_eval, "--scatter: '%s' ends neither in .svg nor in .png",
                           args->scatter);
    if (code == CLI_OK)
        code = session_check(&cmd_eval, &args->model, &args->prompt);
    return code == CLI_OK ? eval_run(&cmd_eval, args) : code;
}

const Command cmd_eval = {
    .name = "eval",
    .summary = "say how well scores agree with people's opinions",
    .operands = "[OPTION]…",
    .description =
        "Reports the agreement of scores with opinions as the field does: SRCC and KRCC (tau-b) of "
        "the order, PLCC of the values as they are and after a fitted logistic of 4 and of 5 "
        "parameters, RMSE on the opinions' scale; with 95 % intervals (CSV and JSON have all of "
        "them).\n"
        "The scores come from the model, run over --images, or from files. One run reads the words "
        "of every method, so that they can be held side by side. Several --labels, --scores or "
        "--logits make one table.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(EvalArgs),
    .min_operands = 0,
    .max_operands = 0,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
