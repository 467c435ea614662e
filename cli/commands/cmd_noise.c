/* cmd_noise.c: `qboost noise`: its options, and which of them exclude each other. */
// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"
#include "options/command.h"
#include "options/options.h"
#include "options/suggest.h"
#include "output/canvas.h"
#include "output/output.h"
#include "run/noise_run.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

// clang-format off
static const Option options[] = {
    {.name = "reference", .letter = 'r', .type = OPTION_STRING, .metavar = "REF",
     .offset = offsetof(NoiseRunArgs, reference),
     .help = "judge against a converged picture of the same view: one for all, or a folder with one of the same "
             "name for each"},
    {.name = "metric", .type = OPTION_LIST, .metavar = "NAME", .offset = offsetof(NoiseRunArgs, metrics),
     .help = metric_help},
    {.name = "extract", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(NoiseRunArgs, extract),
     .help = "write what is needed of the one IMAGE to judge others against it, at most 1 kB a zone, and judge "
             "nothing"},
    {.name = "reference-features", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(NoiseRunArgs, reference_features),
     .help = "judge against what --extract has written; the zones are those of FILE"},
    {.name = "halves", .type = OPTION_FLAG, .offset = offsetof(NoiseRunArgs, halves),
     .help = "IMAGEs come in pairs: two renders of one view with equally many other samples; their mean is "
             "judged"},
    NOISE_GRID_OPTION(NoiseRunArgs, noise),
    {.name = "heat-map", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(NoiseRunArgs, heat_map),
     .help = "also draw where the noise is, as FILE.png or FILE.svg: zones, or with --reference the error of "
             "the first metric; when there may be several pictures, the name gets -NUMBER-IMAGE before its "
             "ending"},
    {.name = "map", .type = OPTION_STRING, .metavar = "FILE.pfm", .offset = offsetof(NoiseRunArgs, map),
     .help = "with --reference: also write the error of the first metric at each pixel as floats; named as "
             "--heat-map is"},
    {.name = "fail-over", .type = OPTION_NUMBER, .metavar = "X", .min = 0, .max = 1,
     .offset = offsetof(NoiseRunArgs, fail_over),
     .help = "exit with 6 if the noise of any picture is above X; 0: if noise can be seen in any"},
    {.name = "files-from", .letter = 'f', .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(NoiseRunArgs, files_from),
     .help = "also judge the paths listed in FILE, one a line (-: on standard input)"},
    {.name = "null", .letter = '0', .type = OPTION_FLAG, .offset = offsetof(NoiseRunArgs, nul_separated),
     .help = "paths in the list end with a NUL byte, as from find -print0"},
    {.name = "no-recursive", .type = OPTION_FLAG, .offset = offsetof(NoiseRunArgs, not_recursive),
     .help = "do not go into the folders inside folders"},
    {.name = "format", .type = OPTION_CHOICE, .metavar = "FORMAT", .choices = output_format_names,
     .offset = offsetof(NoiseRunArgs, format), .standard = "table",
     .help = "table, csv, tsv, json (one array) or jsonl (one object a line) (default: table)"},
    {.name = "json", .type = OPTION_PRESET, .preset_name = "format", .preset_value = "jsonl",
     .help = "the same as --format jsonl"},
    NOISE_LIGHT_OPTIONS(NoiseRunArgs, noise),
    NOISE_MODEL_OPTION(NoiseRunArgs, noise),
    NOISE_CPU_OPTIONS(NoiseRunArgs, noise),
    {.name = "color", .type = OPTION_CHOICE, .metavar = "WHEN", .choices = color_choices,
     .offset = offsetof(NoiseRunArgs, color), .standard = "auto",
     .help = "auto: on a terminal unless NO_COLOR is set; always; never (default: auto)"},
    {.name = "no-color", .type = OPTION_PRESET, .preset_name = "color", .preset_value = "never",
     .help = "the same as --color never"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .offset = offsetof(NoiseRunArgs, quiet),
     .help = "no progress, no notes, no summary"},
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"Can noise be seen, and where? A verdict, and a picture of it",
     "qboost noise --heat-map where.png render.exr"},
    {"A gate: exit code 6 if noise can be seen in any frame",
     "qboost noise -q --fail-over 0 --json frames/ > noise.jsonl"},
    {"Against a converged picture, by every metric",
     "qboost noise --reference converged.exr render.exr"},
    {"Frames against frames of the same names, by one metric",
     "qboost noise --reference converged/ --metric flip frames/"},
    {"Keep 1 kB a zone of a picture to judge others by",
     "qboost noise --extract view.features converged.exr"},
    {"Two halves of one render's samples", "qboost noise --halves half-a.exr half-b.exr"},
    {0}};

static int check_metric(const char *name)
{
    const char *names[64] = {0};
    for (int i = 0; i < 63 && qb_noise_metric_info(i); i++) {
        names[i] = qb_noise_metric_info(i)->name;
        if (strcmp(names[i], name) == 0)
            return CLI_OK;
    }
    const char *near = suggest(name, names);
    Text list = {0};
    for (int i = 0; names[i]; i++)
        text_addf(&list, "%s %s", i ? "," : "", names[i]);
    int code = usage_error(&cmd_noise, "--metric: '%s' is none of%s%s%s%s", name,
                           list.data ? list.data : "", near ? "; did you mean " : "",
                           near ? near : "", near ? "?" : "");
    text_free(&list);
    return code;
}

/* The ways to judge exclude each other. */
static int check_way(const NoiseRunArgs *args)
{
    const char *const given[] = {
        args->reference ? "--reference" : NULL,
        args->reference_features ? "--reference-features" : NULL, args->halves ? "--halves" : NULL,
        args->extract ? "--extract" : NULL, args->noise.model ? "--noise-model" : NULL};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        if (first && given[i])
            return usage_error(&cmd_noise, "%s and %s exclude each other", first, given[i]);
        first = first ? first : given[i];
    }
    if (args->reference && !*args->reference)
        return usage_error(&cmd_noise, "--reference: the name is empty");
    if (args->metrics.n > 0 && !args->reference)
        return usage_error(&cmd_noise, "--metric needs --reference");
    if (args->map && !args->reference)
        return usage_error(&cmd_noise, "--map needs --reference");
    int code = CLI_OK;
    for (int i = 0; i < args->metrics.n && code == CLI_OK; i++)
        code = check_metric(args->metrics.items[i]);
    return code;
}

static int check_outputs(const NoiseRunArgs *args)
{
    size_t length = args->map ? strlen(args->map) : 0;
    if (args->heat_map && !canvas_takes(args->heat_map))
        return usage_error(&cmd_noise, "--heat-map: '%s' ends neither in .png nor in .svg",
                           args->heat_map);
    if (args->map && (length < 5 || strcasecmp(args->map + length - 4, ".pfm") != 0))
        return usage_error(&cmd_noise, "--map: '%s' does not end in .pfm", args->map);
    if (args->extract && (!*args->extract || is_picture_name(args->extract)))
        return usage_error(&cmd_noise, "--extract: '%s' is a name for a picture, not for features",
                           args->extract);
    if (args->extract && args->heat_map)
        return usage_error(&cmd_noise, "--extract judges nothing, so there is no --heat-map");
    return CLI_OK;
}

static int check_operands(const NoiseRunArgs *args, int n_operands)
{
    if (n_operands == 0 && !args->files_from)
        return usage_error(&cmd_noise, "no pictures given: qboost noise %s", cmd_noise.operands);
    if (args->nul_separated && !args->files_from)
        return usage_error(&cmd_noise, "--null needs --files-from");
    if (args->halves && !args->files_from && n_operands % 2)
        return usage_error(&cmd_noise, "--halves: pictures come in pairs, and these are %d",
                           n_operands);
    if (args->extract && (n_operands != 1 || args->files_from))
        return usage_error(&cmd_noise, "--extract takes one picture");
    return CLI_OK;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const NoiseRunArgs *args = args_given;
    const InputsSpec spec = {.paths = operands,
                             .n_paths = n_operands,
                             .files_from = args->files_from,
                             .nul_separated = args->nul_separated,
                             .recursive = !args->not_recursive,
                             .files_only = args->halves,
                             .n_shards = 1};
    int code = check_operands(args, n_operands);
    if (code == CLI_OK)
        code = check_way(args);
    if (code == CLI_OK)
        code = check_outputs(args);
    if (code == CLI_OK)
        code = usage_check_stdin(&cmd_noise, args->files_from, operands, n_operands);
    if (code != CLI_OK)
        return code;
    return args->extract ? noise_extract(&cmd_noise, args, operands[0])
                         : noise_run(&cmd_noise, args, &spec);
}

const Command cmd_noise = {
    .name = "noise",
    .summary = "say whether noise can be seen in renders, and where",
    .operands = "[OPTION]… IMAGE…",
    .description =
        "Says in which zones of a computer-generated picture a person sees noise. Noise is 0 where "
        "none is visible and rises to 1; a picture has the noise of its worst zone.\n"
        "Without a reference a model that was taught on renders judges; --reference, "
        "--reference-features and --halves know more and judge better. IMAGE is OpenEXR, PFM, HDR, "
        "PNG, JPEG or any other picture, a folder, or - for a picture on standard input. 'qboost "
        "noise watch' follows a render and says when it may stop.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(NoiseRunArgs),
    .min_operands = 0,
    .max_operands = INT_MAX,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
