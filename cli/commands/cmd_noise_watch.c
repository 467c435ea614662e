/* cmd_noise_watch.c: `qboost noise watch`: its options, and which of them exclude each other. */
// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"
#include "options/command.h"
#include "options/options.h"
#include "run/watch_run.h"
#include "run/watch_samples.h"
#include "session/model_args.h"

#include <math.h>
#include <string.h>

static const char *const watch_way_choices[] = {"learned", "halves", NULL};

// clang-format off
static const Option options[] = {
    {.name = "checks", .letter = 'k', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1000,
     .offset = offsetof(WatchArgs, checks), .standard = "3",
     .help = "a zone is done when no noise could be seen in it for N pictures in a row (default: 3)"},
    {.name = "once", .type = OPTION_FLAG, .offset = offsetof(WatchArgs, once),
     .help = "judge the pictures that there are and exit: 0 if all zones are done after the last, else 7"},
    {.name = "timeout", .type = OPTION_NUMBER, .metavar = "SECONDS", .min = 0, .max = 1e9,
     .offset = offsetof(WatchArgs, timeout_s), .help = "exit with 7 if it takes longer"},
    {.name = "way", .type = OPTION_CHOICE, .metavar = "WAY", .choices = watch_way_choices,
     .offset = offsetof(WatchArgs, way), .standard = "learned",
     .help = "learned: by a model, each picture for itself; halves: each line of standard input names two "
             "pictures with a tab between them, made of equally many other samples (default: learned)"},
    {.name = "reference-features", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(WatchArgs, reference_features),
     .help = "judge against what 'qboost noise --extract' has written; the zones are those of FILE"},
    {.name = "match", .type = OPTION_STRING, .metavar = "PATTERN", .offset = offsetof(WatchArgs, match),
     .help = "only files whose names match, such as 'beauty_*.exr' (default: all pictures in the folder)"},
    {.name = "samples-from", .type = OPTION_CHOICE, .metavar = "SOURCE", .choices = samples_choices,
     .offset = offsetof(WatchArgs, samples_from), .standard = "auto",
     .help = "where the number of samples a pixel comes from: header (Cycles writes it), name (the last number "
             "in it), count (of pictures, see --samples-step), none; auto: header or name, whichever rises "
             "(default: auto)"},
    {.name = "samples-step", .type = OPTION_NUMBER, .metavar = "N", .min = 1e-9, .max = 1e9,
     .offset = offsetof(WatchArgs, samples_step),
     .help = "each picture has N samples a pixel more than the one before (--samples-from count)"},
    {.name = "patience", .type = OPTION_NUMBER, .metavar = "SECONDS", .min = 0, .max = 1e6,
     .offset = offsetof(WatchArgs, patience_s), .standard = "10",
     .help = "try a file that cannot be read again, for it may be half written, until it has not changed for "
             "that long (default: 10)"},
    {.name = "new", .type = OPTION_FLAG, .offset = offsetof(WatchArgs, only_new),
     .help = "leave out the files that are in the folder at the start, until they change"},
    {.name = "poll", .type = OPTION_FLAG, .offset = offsetof(WatchArgs, poll),
     .help = "look into the folder twice a second instead of being told by the system what changes"},
    NOISE_GRID_OPTION(WatchArgs, noise),
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(WatchArgs, json),
     .help = "print one JSON object a picture"},
    NOISE_LIGHT_OPTIONS(WatchArgs, noise),
    NOISE_MODEL_OPTION(WatchArgs, noise),
    NOISE_CPU_OPTIONS(WatchArgs, noise),
    {.name = "color", .type = OPTION_CHOICE, .metavar = "WHEN", .choices = color_choices,
     .offset = offsetof(WatchArgs, color), .standard = "auto",
     .help = "auto: on a terminal unless NO_COLOR is set; always; never (default: auto)"},
    {.name = "no-color", .type = OPTION_PRESET, .preset_name = "color", .preset_value = "never",
     .help = "the same as --color never"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .offset = offsetof(WatchArgs, quiet),
     .help = "say nothing but errors, and with --json the results"},
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"Wait until the render that writes into this folder shows no noise",
     "qboost noise watch render/"},
    {"Is it good enough by now? Exit code 0 or 7", "qboost noise watch --once -q render/"},
    {"A renderer that names its pictures; 64 samples more in each",
     "renderer --print-names | qboost noise watch --samples-step 64 -"},
    {"Two halves of the samples, a tab between their names",
     "printf 'a.exr\\tb.exr\\n' | qboost noise watch --way halves --once -k 1 -"},
    {0}};

static int check(WatchArgs *args, const char *source)
{
    bool halves = strcmp(args->way, "halves") == 0, lines = strcmp(source, "-") == 0;
    if (halves && !lines)
        return usage_error(&cmd_noise_watch, "--way halves reads pairs from standard input: '-'");
    if (halves && args->reference_features)
        return usage_error(&cmd_noise_watch,
                           "--way halves and --reference-features exclude each other");
    if (lines && (args->match || args->only_new || args->poll))
        return usage_error(&cmd_noise_watch, "%s is for a folder",
                           args->match      ? "--match"
                           : args->only_new ? "--new"
                                            : "--poll");
    if (args->once && args->only_new)
        return usage_error(&cmd_noise_watch, "--once and --new exclude each other");
    if (!isnan(args->samples_step)) {
        const char *count = "count";
        bool is_auto = strcmp(args->samples_from, "auto") == 0;
        if (!is_auto && strcmp(args->samples_from, count))
            return usage_error(&cmd_noise_watch, "--samples-step is for --samples-from count");
        args->samples_from = watch_samples_choice(count);
    }
    return CLI_OK;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    WatchArgs args = *(const WatchArgs *)args_given;
    int code = check(&args, operands[0]);
    if (code == CLI_OK)
        code = usage_check_stdin(&cmd_noise_watch, NULL, operands, n_operands);
    if (code != CLI_OK)
        return code;
    return watch_run(&cmd_noise_watch, &args, strcmp(operands[0], "-") ? operands[0] : NULL);
}

const Command cmd_noise_watch = {
    .name = "noise watch",
    .summary = "follow a render until its noise is gone",
    .operands = "[OPTION]… DIR|-",
    .description =
        "Follows a render that writes picture after picture, each with more samples than the one "
        "before, and exits with 0 as soon as no noise can be seen in any zone for some pictures in "
        "a row; until then it tells for each picture which zones still show noise, and about how "
        "many samples are missing.\n"
        "DIR is the folder that the pictures are written into: new files, or one that is written "
        "over again and again. With -, paths are read from standard input as they come, one a "
        "line; at its end the exit code is 7 if noise can still be seen.\n"
        "A picture that cannot be read, that has another size or that is the one before once more "
        "(without more samples, as its header or name tells them) is told of and not counted. "
        "Fewer samples than before mean that another render has "
        "begun.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(WatchArgs),
    .min_operands = 1,
    .max_operands = 1,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
