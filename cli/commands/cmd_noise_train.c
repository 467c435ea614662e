/* cmd_noise_train.c: `qboost noise train`: its options, and which of them go together. */
// SPDX-License-Identifier: Apache-2.0
#include "options/command.h"
#include "options/options.h"
#include "run/noise_names.h"
#include "run/train_run.h"
#include "session/model_args.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

// clang-format off
static const Option options[] = {
    {.name = "output", .letter = 'o', .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(TrainArgs, output), .help = "write the model there, as GGUF, trained on all scenes"},
    {.name = "name", .type = OPTION_STRING, .metavar = "NAME", .offset = offsetof(TrainArgs, name),
     .help = "what the model calls itself"},
    {.name = "classifier", .letter = 'c', .type = OPTION_CHOICE, .metavar = "NAME",
     .choices = classifier_choices, .offset = offsetof(TrainArgs, classifier), .help = classifier_help},
    {.name = "evaluate", .letter = 'e', .type = OPTION_FLAG, .offset = offsetof(TrainArgs, evaluate),
     .help = "tell how rightly each scene is told by what is learned from the others, and beside it the best "
             "threshold on each column 'baseline:NAME'"},
    {.name = "save-features", .letter = 's', .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(TrainArgs, save_features),
     .help = "write what the model sees of each zone, as CSV: a table for later trainings without the pictures"},
    {.name = "cost", .type = OPTION_NUMBER, .metavar = "C", .min = 1e-6, .max = 1e9,
     .offset = offsetof(TrainArgs, cost),
     .help = "of support vector machines (default: what is best for scenes left out)"},
    {.name = "gamma", .type = OPTION_NUMBER, .metavar = "G", .min = 1e-9, .max = 1e6,
     .offset = offsetof(TrainArgs, gamma), .help = "the same for the width of their kernel"},
    {.name = "seed", .type = OPTION_INT, .metavar = "N", .min = 0, .max = 2147483647,
     .offset = offsetof(TrainArgs, seed), .standard = "1",
     .help = "of what is drawn; the same tables and seed give the same model (default: 1)"},
    NOISE_GRID_OPTION(TrainArgs, noise),
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(TrainArgs, json),
     .help = "print one JSON object"},
    NOISE_LIGHT_OPTIONS(TrainArgs, noise),
    NOISE_CPU_OPTIONS(TrainArgs, noise),
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .offset = offsetof(TrainArgs, quiet),
     .help = "no progress, no notes, and of results only those of --evaluate and --json"},
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"Learn from renders with references (columns path, scene, reference)",
     "qboost noise train renders.csv -o noise.gguf"},
    {"Keep what is seen of them, for later",
     "qboost noise train renders.csv --save-features f.csv"},
    {"Which classifier is best on scenes it has not seen?",
     "qboost noise train f.csv --classifier all --evaluate"},
    {"Use the model", "qboost noise --noise-model noise.gguf render.exr"},
    {0}};

/* What is written must not be what is read. */
static int check_file(const char *option, const char *file, char *const *tables, int n_tables)
{
    for (int i = 0; file && i < n_tables; i++)
        if (is_same_file(file, tables[i]))
            return usage_error(&cmd_noise_train, "%s: %s is a table that is read", option, file);
    return CLI_OK;
}

/* Models are written over, other things are not: a slip of the hand could name a picture. */
static int check_output(const char *file)
{
    char magic[4] = "";
    FILE *existing = file ? fopen(file, "re") : NULL;
    if (!existing)
        return CLI_OK;
    size_t n = fread(magic, 1, sizeof magic, existing);
    fclose(existing);
    if (n > 0 && memcmp(magic, "GGUF", sizeof magic) != 0)
        return usage_error(&cmd_noise_train, "--output: '%s' is there and is no model", file);
    return CLI_OK;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    TrainArgs args = *(const TrainArgs *)args_given;
    if (!args.classifier)
        args.classifier = classifier_choices[0];
    bool all = strcmp(args.classifier, TRAIN_ALL) == 0;
    if (!args.output && !args.evaluate && !args.save_features)
        return usage_error(&cmd_noise_train, "nothing to do: give --output, --evaluate or "
                                             "--save-features");
    if (all && args.output)
        return usage_error(&cmd_noise_train, "--output is for one classifier: --classifier says "
                                             "which");
    if (all && !args.evaluate)
        return usage_error(&cmd_noise_train, "--classifier " TRAIN_ALL " needs --evaluate");
    int code = check_file("--output", args.output, operands, n_operands);
    if (code == CLI_OK)
        code = check_file("--save-features", args.save_features, operands, n_operands);
    if (code == CLI_OK)
        code = check_output(args.output);
    return code == CLI_OK ? train_run(&cmd_noise_train, &args, operands, n_operands) : code;
}

const Command cmd_noise_train = {
    .name = "noise train",
    .summary = "teach a noise model by labelled renders",
    .operands = "[OPTION]… TABLE.csv…",
    .description =
        "Makes a model that tells, without a reference, in which zones of a picture noise can be "
        "seen, from tables of renders.\n"
        "A table has a first row of column names and one of three forms. path, scene, reference: "
        "each zone of the picture at path is labelled by how visible its noise is against the "
        "converged picture. path, scene, zone, visibility (1 = just visible) or noisy (0 or 1): "
        "one zone and what people see in it; zones count from 0, row by row. Or what "
        "--save-features writes. Paths are relative to the table's folder, other columns are "
        "passed over. Pictures of one scene must have one scene's name: what is learned is "
        "tested on scenes that were left out.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(TrainArgs),
    .min_operands = 1,
    .max_operands = INT_MAX,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
