/* cmd_score.c: `qboost score`: its options, and which of them exclude each other. */
// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"
#include "options/command.h"
#include "options/options.h"
#include "output/sheet_file.h"
#include "run/score_run.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
static const Option options[] = {
    {.name = "files-from", .letter = 'f', .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(ScoreArgs, files_from),
     .help = "also score the paths listed in FILE, one a line (-: on standard input)"},
    {.name = "null", .letter = '0', .type = OPTION_FLAG, .offset = offsetof(ScoreArgs, nul_separated),
     .help = "paths in the list end with a NUL byte, as from find -print0"},
    {.name = "no-recursive", .type = OPTION_FLAG, .offset = offsetof(ScoreArgs, not_recursive),
     .help = "do not go into the folders inside folders"},
    {.name = "format", .type = OPTION_CHOICE, .metavar = "FORMAT", .choices = output_format_names,
     .offset = offsetof(ScoreArgs, format), .standard = "table",
     .help = "table, csv, tsv, json (one array) or jsonl (one object a line) (default: table)"},
    {.name = "json", .type = OPTION_PRESET, .preset_name = "format", .preset_value = "jsonl",
     .help = "the same as --format jsonl"},
    {.name = "scale", .type = OPTION_CHOICE, .metavar = "RANGE", .choices = scale_names,
     .offset = offsetof(ScoreArgs, scale), .standard = "0-1",
     .help = "range of the printed score: 0-1, 1-5 or 0-100; higher is better (default: 0-1)"},
    {.name = "calibration", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(ScoreArgs, calibration),
     .help = "print scores on the scale of the data set that FILE, made by qboost eval --save-calibration, was "
             "fitted to"},
    {.name = "sort", .type = OPTION_CHOICE, .metavar = "ORDER", .choices = sort_choices,
     .offset = offsetof(ScoreArgs, sort), .standard = "none",
     .help = "none: as they come; score: worst first; -score: best first; path. All but none print at "
             "the end and keep all results in memory (default: none)"},
    {.name = "resume", .type = OPTION_STRING, .metavar = "FILE", .offset = offsetof(ScoreArgs, resume),
     .help = "append JSON lines to FILE instead of standard output, leaving out what FILE already has"},
    {.name = "retry-failed", .type = OPTION_FLAG, .offset = offsetof(ScoreArgs, retry_failed),
     .help = "with --resume: try again what failed before"},
    {.name = "shard", .type = OPTION_STRING, .metavar = "I/N", .offset = offsetof(ScoreArgs, shard),
     .help = "only part I of N, counted from 0, chosen by a hash of the path"},
    {.name = "fail-under", .type = OPTION_NUMBER, .metavar = "X", .min = -1e9, .max = 1e9,
     .offset = offsetof(ScoreArgs, fail_under),
     .help = "exit with 6 if any score is below X; X is on the printed scale, scores are compared before they "
             "are rounded"},
    {.name = "contact-sheet", .type = OPTION_STRING, .metavar = "FILE.png",
     .offset = offsetof(ScoreArgs, contact_sheet),
     .help = "also write one PNG that shows the pictures, best first (the best 200 at most)"},
    PROMPT_OPTIONS(ScoreArgs, prompt),
    MODEL_OPTIONS(ScoreArgs, model),
    PICTURE_OPTIONS(ScoreArgs, picture),
    {.name = "color", .type = OPTION_CHOICE, .metavar = "WHEN", .choices = color_choices,
     .offset = offsetof(ScoreArgs, color), .standard = "auto",
     .help = "auto: on a terminal unless NO_COLOR is set; always; never (default: auto)"},
    {.name = "no-color", .type = OPTION_PRESET, .preset_name = "color", .preset_value = "never",
     .help = "the same as --color never"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .offset = offsetof(ScoreArgs, quiet),
     .help = "no progress, no summary"},
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"A folder with everything below it, best first", "qboost score --sort -score photos/"},
    {"One JSON object a line", "qboost score --json photos/ > scores.jsonl"},
    {"A long job that may be stopped and started again",
     "find /archive -name '*.jpg' -print0 | qboost score -0 --files-from - --resume scores.jsonl"},
    {"The second of four machines", "qboost score --shard 1/4 --resume scores.1.jsonl /archive"},
    {"A gate in CI: exit code 6 if a screenshot looks bad",
     "qboost score -q --fail-under 0.4 screenshots/"},
    {"A picture from a pipe, on the scale of opinion scores",
     "curl -s URL | qboost score --scale 1-5 -"},
    {0}};

/* Digits alone, up to INT_MAX; *at moves behind them. */
static bool parse_part(int *out, const char **at)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    long number = strtol(*at, &end, 10);
    if (errno || number > INT_MAX)
        return false;
    *out = (int)number;
    *at = end;
    return true;
}

/* "I/N" with 0 <= I < N. */
static bool parse_shard(InputsSpec *spec, const char *text)
{
    const char *at = text;
    return parse_part(&spec->shard, &at) && *at++ == '/' && parse_part(&spec->n_shards, &at) &&
           *at == 0 && spec->shard < spec->n_shards;
}

static int check_resume(const ScoreArgs *args)
{
    if (!args->resume && args->retry_failed)
        return usage_error(&cmd_score, "--retry-failed needs --resume");
    if (!args->resume)
        return CLI_OK;
    if (strcmp(args->format, "jsonl") && strcmp(args->format, "table"))
        return usage_error(&cmd_score, "--resume writes JSON lines, not %s", args->format);
    if (strcmp(args->sort, "none"))
        return usage_error(&cmd_score, "--resume and --sort exclude each other");
    if (args->contact_sheet)
        return usage_error(&cmd_score, "--resume and --contact-sheet exclude each other");
    return CLI_OK;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const ScoreArgs *args = args_given;
    InputsSpec spec = {.paths = operands,
                       .n_paths = n_operands,
                       .files_from = args->files_from,
                       .nul_separated = args->nul_separated,
                       .recursive = !args->not_recursive,
                       .n_shards = 1};
    if (n_operands == 0 && !args->files_from)
        return usage_error(&cmd_score, "no pictures given: qboost score %s", cmd_score.operands);
    if (args->nul_separated && !args->files_from)
        return usage_error(&cmd_score, "--null needs --files-from");
    if (args->shard && !parse_shard(&spec, args->shard))
        return usage_error(&cmd_score, "--shard: '%s' is not I/N with 0 <= I < N", args->shard);
    int code = session_check(&cmd_score, &args->model, &args->prompt);
    if (code == CLI_OK)
        code = usage_check_stdin(&cmd_score, args->files_from, operands, n_operands);
    if (code == CLI_OK)
        code = check_resume(args);
    if (code == CLI_OK && args->contact_sheet)
        code = sheet_file_check(&cmd_score, args->contact_sheet, operands, n_operands);
    return code == CLI_OK ? score_run(&cmd_score, args, &spec, NULL) : code;
}

const Command cmd_score = {
    .name = "score",
    .summary = "score how good pictures look",
    .operands = "[OPTION]… PATH…",
    .description =
        "Scores each picture from 0 (bad) to 1 (good) by asking a multimodal language model to "
        "rate it "
        "and reading how likely the words for good, average and poor are as its answer.\n"
        "PATH is a picture, a folder, or - for a picture on standard input. In folders and the "
        "folders "
        "below, pictures are found by the ending of their name, in bytewise order; hidden names "
        "and "
        "links to folders are left out. Results are printed in input order as they are ready. A "
        "file "
        "that cannot be scored costs a line on stderr, the rest goes on.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(ScoreArgs),
    .min_operands = 0,
    .max_operands = INT_MAX,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
