/* cmd_video.c: `qboost video`: its options, and which of them exclude each other. */
// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"
#include "options/command.h"
#include "options/options.h"
#include "output/canvas.h"
#include "output/video_frames.h"
#include "run/video_run.h"

#include <limits.h>
#include <string.h>

// clang-format off
static const Option options[] = {
    FRAMES_OPTIONS(VideoArgs, frames),
    {.name = "pool", .type = OPTION_CHOICE, .metavar = "NAME", .choices = pool_choices,
     .offset = offsetof(VideoArgs, pool), .standard = "logits", .help = pool_help},
    {.name = "way", .type = OPTION_CHOICE, .metavar = "WAY", .choices = way_choices,
     .offset = offsetof(VideoArgs, prompt.video), .standard = "auto",
     .help = "frames: each is judged as a picture; clip: all in one prompt, which few models were taught; "
             "auto: clip where the model was (default: auto)"},
    {.name = "files-from", .letter = 'f', .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(VideoArgs, files_from),
     .help = "also score the paths listed in FILE, one a line (-: on standard input)"},
    {.name = "null", .letter = '0', .type = OPTION_FLAG, .offset = offsetof(VideoArgs, nul_separated),
     .help = "paths in the list end with a NUL byte, as from find -print0"},
    {.name = "no-recursive", .type = OPTION_FLAG, .offset = offsetof(VideoArgs, not_recursive),
     .help = "do not go into the folders inside folders"},
    {.name = "format", .type = OPTION_CHOICE, .metavar = "FORMAT", .choices = output_format_names,
     .offset = offsetof(VideoArgs, format), .standard = "table",
     .help = "table, csv, tsv, json (one array) or jsonl (one object a line) (default: table)"},
    {.name = "json", .type = OPTION_PRESET, .preset_name = "format", .preset_value = "jsonl",
     .help = "the same as --format jsonl"},
    {.name = "frames-out", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(VideoArgs, frames_out),
     .help = "also write a row for each frame, as it is judged, to FILE.csv or FILE.jsonl"},
    {.name = "timeline", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(VideoArgs, timeline),
     .help = "also draw the score over time with the worst frames, as FILE.png or FILE.svg; when there may be "
             "several videos, the name gets -NUMBER-VIDEO before its ending"},
    {.name = "scale", .type = OPTION_CHOICE, .metavar = "RANGE", .choices = scale_names,
     .offset = offsetof(VideoArgs, scale), .standard = "0-1",
     .help = "range of the printed score: 0-1, 1-5 or 0-100; higher is better (default: 0-1)"},
    {.name = "calibration", .type = OPTION_STRING, .metavar = "FILE",
     .offset = offsetof(VideoArgs, calibration),
     .help = "print scores on the scale of the data set that FILE, made by qboost eval --save-calibration, was "
             "fitted to"},
    {.name = "resume", .type = OPTION_STRING, .metavar = "FILE", .offset = offsetof(VideoArgs, resume),
     .help = "append JSON lines to FILE instead of standard output, leaving out what FILE already has"},
    {.name = "retry-failed", .type = OPTION_FLAG, .offset = offsetof(VideoArgs, retry_failed),
     .help = "with --resume: try again what failed or was partial before"},
    {.name = "fail-under", .type = OPTION_NUMBER, .metavar = "X", .min = -1e9, .max = 1e9,
     .offset = offsetof(VideoArgs, fail_under),
     .help = "exit with 6 if any score is below X; X is on the printed scale, scores are compared before they "
             "are rounded"},
    PROMPT_OPTIONS(VideoArgs, prompt),
    MODEL_OPTIONS(VideoArgs, model),
    {.name = "color", .type = OPTION_CHOICE, .metavar = "WHEN", .choices = color_choices,
     .offset = offsetof(VideoArgs, color), .standard = "auto",
     .help = "auto: on a terminal unless NO_COLOR is set; always; never (default: auto)"},
    {.name = "no-color", .type = OPTION_PRESET, .preset_name = "color", .preset_value = "never",
     .help = "the same as --color never"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .offset = offsetof(VideoArgs, quiet),
     .help = "no progress, no notes, no summary"},
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"One frame a second, as the models were evaluated", "qboost video clip.mp4"},
    {"All videos of a folder, one JSON object a line", "qboost video --json clips/ > scores.jsonl"},
    {"Where is it bad? A row for each frame, and a picture",
     "qboost video --fps 4 --frames-out frames.csv --timeline timeline.png clip.mp4"},
    {"The worst tenth counts", "qboost video --pool p10 clip.mp4"},
    {"From a pipe", "ffmpeg -v error -i URL -f matroska -c copy - | qboost video -"},
    {0}};

static int check_outputs(const VideoArgs *args)
{
    if (!args->resume && args->retry_failed)
        return usage_error(&cmd_video, "--retry-failed needs --resume");
    if (args->resume && strcmp(args->format, "jsonl") && strcmp(args->format, "table"))
        return usage_error(&cmd_video, "--resume writes JSON lines, not %s", args->format);
    if (args->resume && args->frames_out)
        return usage_error(&cmd_video, "--resume and --frames-out exclude each other");
    if (args->frames_out && !video_frames_takes(args->frames_out))
        return usage_error(&cmd_video, "--frames-out: '%s' ends neither in .csv nor in .jsonl",
                           args->frames_out);
    if (args->timeline && !canvas_takes(args->timeline))
        return usage_error(&cmd_video, "--timeline: '%s' ends neither in .png nor in .svg",
                           args->timeline);
    return CLI_OK;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const VideoArgs *args = args_given;
    const InputsSpec spec = {.kind = INPUT_VIDEOS,
                             .paths = operands,
                             .n_paths = n_operands,
                             .files_from = args->files_from,
                             .nul_separated = args->nul_separated,
                             .recursive = !args->not_recursive,
                             .n_shards = 1};
    if (n_operands == 0 && !args->files_from)
        return usage_error(&cmd_video, "no videos given: qboost video %s", cmd_video.operands);
    if (args->nul_separated && !args->files_from)
        return usage_error(&cmd_video, "--null needs --files-from");
    int code = session_check(&cmd_video, &args->model, &args->prompt);
    if (code == CLI_OK)
        code = session_check_frames(&cmd_video, &args->frames);
    if (code == CLI_OK)
        code = usage_check_stdin(&cmd_video, args->files_from, operands, n_operands);
    if (code == CLI_OK)
        code = check_outputs(args);
    return code == CLI_OK ? video_run(&cmd_video, args, &spec) : code;
}

const Command cmd_video = {
    .name = "video",
    .summary = "score how good videos look",
    .operands = "[OPTION]… FILE…",
    .description =
        "Scores each video from 0 (bad) to 1 (good): takes one frame a second, has each judged as "
        "'qboost score' judges pictures, and makes one score of them.\n"
        "FILE is a video, a folder, or - for a video on standard input, which may be a pipe of any "
        "length. In folders and the folders below, videos are found by the ending of their name. "
        "A video that breaks midway gets the score of what could be read, is marked as partial, "
        "and "
        "makes the exit code 1.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(VideoArgs),
    .min_operands = 0,
    .max_operands = INT_MAX,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
