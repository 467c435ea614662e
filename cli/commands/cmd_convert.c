/* cmd_convert.c: `qboost convert`: a published checkpoint into one GGUF file. */
// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"
#include "base/report.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "options/command.h"
#include "options/options.h"
#include "session/model_args.h"

#include <errno.h>
#include <qboost/convert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct ConvertArgs {
    const char *output, *type, *preset, *vision_tower, *name;
    int threads;
    bool force, quiet;
} ConvertArgs;

// clang-format off
static const Option options[] = {
    {.name = "output", .letter = 'o', .type = OPTION_STRING, .metavar = "FILE.gguf", .offset = offsetof(ConvertArgs, output),
     .help = "the file to write"},
    {.name = "force", .type = OPTION_FLAG, .offset = offsetof(ConvertArgs, force),
     .help = "replace the file if it exists"},
    {.name = "type", .type = OPTION_CHOICE, .metavar = "TYPE", .choices = type_choices,
     .offset = offsetof(ConvertArgs, type), .help = type_help},
    {.name = "preset", .type = OPTION_CHOICE, .metavar = "NAME", .choices = preset_choices,
     .offset = offsetof(ConvertArgs, preset), .help = preset_help},
    {.name = "vision-tower", .type = OPTION_STRING, .metavar = "DIR", .offset = offsetof(ConvertArgs, vision_tower),
     .help = "folder of the CLIP tower, for checkpoints that come without (the original LLaVA-1.5)"},
    {.name = "name", .type = OPTION_STRING, .metavar = "NAME", .offset = offsetof(ConvertArgs, name),
     .help = "the model's name (default: the folder's)"},
    {.name = "threads", .letter = 't', .type = OPTION_INT, .metavar = "N", .min = 0, .max = 1024,
     .offset = offsetof(ConvertArgs, threads), .standard = "0",
     .help = "CPUs to use, 0 = every one this process may use; the file does not depend on it (default: 0)"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .offset = offsetof(ConvertArgs, quiet),
     .help = "no progress, no summary"},
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"OneAlign, 8 bits a weight",
     "qboost convert one-align/ -o one-align.gguf --preset q-align --type q8_0"},
    {"LLaVA-1.5, whose vision tower is a download of its own",
     "qboost convert llava-v1.5-7b/ -o llava.gguf --vision-tower clip-vit-large-patch14-336/"},
    {"Then", "qboost score --model one-align.gguf photo.jpg"},
    {0}};

typedef struct Conversion {
    atomic_bool stop;
    bool tells; /* lines now and then, where no bar can be drawn */
    double told_ms;
} Conversion;

static void stop(void *user)
{
    Conversion *c = user;
    atomic_store(&c->stop, true);
}

static int show(int64_t done, int64_t total, const char *tensor, void *user)
{
    enum { LINE_MS = 10000 };
    Conversion *c = user;
    progress_update_bytes(done, total, tensor);
    if (c->tells && clock_ms() - c->told_ms >= LINE_MS) {
        char written[32], of[32];
        progress_format_bytes(written, sizeof written, done);
        progress_format_bytes(of, sizeof of, total);
        report("%s of %s written (%s)", written, of, tensor ? tensor : "");
        c->told_ms = clock_ms();
    }
    return atomic_load(&c->stop);
}

/* A file that is not there yet: its folder must be. */
static int check_place(const char *file)
{
    struct stat info;
    const char *slash = strrchr(file, '/');
    int code = CLI_OK;
    Text folder = {0};
    text_add_bytes(&folder, file, slash ? (size_t)(slash - file) + 1 : 0);
    if (slash && stat(folder.data, &info) != 0) {
        report("-o: the folder '%s' cannot be written to: %s", folder.data, strerror(errno));
        code = CLI_FAILED;
    }
    text_free(&folder);
    return code;
}

static int check_output(const ConvertArgs *args)
{
    struct stat info;
    if (!args->output || !*args->output)
        return usage_error(&cmd_convert, "-o is missing: the file to write");
    if (strcmp(args->output, "-") == 0)
        return usage_error(&cmd_convert, "-o: a model cannot go to standard output; a file of the "
                                         "name '-' is './-'");
    if (stat(args->output, &info) != 0)
        return check_place(args->output);
    if (!S_ISREG(info.st_mode))
        return usage_error(&cmd_convert, "-o: '%s' is not a regular file", args->output);
    if (!args->force)
        return usage_error(&cmd_convert, "-o: '%s' exists; --force replaces it", args->output);
    return CLI_OK;
}

static int check_folder(const char *option, const char *folder)
{
    struct stat info;
    bool there = stat(folder, &info) == 0;
    if (there && S_ISDIR(info.st_mode))
        return CLI_OK;
    report("%s%s: %s", option, folder,
           there ? "is not a folder; a checkpoint is the folder with config.json in it"
                 : strerror(errno));
    return CLI_MODEL;
}

static int failure(QbStatus status, const ConvertArgs *args)
{
    const char *why = qb_last_error();
    if (status == QB_ERR_CANCELLED) {
        report("stopped; nothing was written");
        return CLI_SIGNAL + signals_received();
    }
    report("%s", why);
    if (status == QB_ERR_ARG)
        return CLI_USAGE;
    if (status == QB_ERR_NOMEM || status == QB_ERR_LIMIT)
        return CLI_LIMIT;
    bool writing = status == QB_ERR_IO && strncmp(why, args->output, strlen(args->output)) == 0;
    return writing ? CLI_FAILED : CLI_MODEL;
}

/* A path as one word of a shell. */
static void add_word(Text *out, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./+=:@%-";
    if (path[strspn(path, plain)] == 0) {
        text_add(out, path);
        return;
    }
    text_add_char(out, '\'');
    for (; *path; path++)
        if (*path == '\'')
            text_add(out, "'\\''");
        else
            text_add_char(out, *path);
    text_add_char(out, '\'');
}

static void tell_end(const ConvertArgs *args, const char *variant)
{
    struct stat info;
    char size[32] = "?";
    Text text = {0};
    if (stat(args->output, &info) == 0)
        progress_format_bytes(size, sizeof size, (int64_t)info.st_size);
    text_addf(&text, "%s: %s (%s, asked as %s) in %.1f s; try: qboost score --model ", args->output,
              size, args->type ? args->type : "f16", variant, progress_seconds());
    add_word(&text, args->output);
    text_add(&text, " photo.jpg");
    report("%s", text.data);
    text_free(&text);
}

static int run(const void *args_given, char **operands, int n_operands)
{
    (void)n_operands;
    const ConvertArgs *args = args_given;
    Conversion conversion = {.told_ms = clock_ms()};
    int code = check_output(args);
    if (code == CLI_OK && !*operands[0])
        code = usage_error(&cmd_convert, "the name of the checkpoint's folder is empty");
    if (code == CLI_OK)
        code = check_folder("", operands[0]);
    if (code == CLI_OK && args->vision_tower)
        code = check_folder("--vision-tower: ", args->vision_tower);
    if (code != CLI_OK)
        return code;
    QbConvertOptions convert;
    const char *variant = NULL;
    qb_convert_options_init(&convert);
    convert.type = args->type;
    convert.preset = args->preset;
    convert.vision_tower = args->vision_tower;
    convert.name = args->name;
    convert.threads = args->threads;
    convert.progress = show;
    convert.user = &conversion;
    convert.out_variant = &variant;
    signals_start();
    signals_on_stop(stop, &conversion);
    progress_start(!args->quiet, terminal_utf8());
    conversion.tells = !args->quiet && !progress_is_shown();
    QbStatus status = qb_convert(operands[0], args->output, &convert);
    signals_on_stop(NULL, NULL);
    progress_finish();
    if (status != QB_OK)
        return failure(status, args);
    if (!args->quiet)
        tell_end(args, variant);
    return CLI_OK;
}

const Command cmd_convert = {
    .name = "convert",
    .summary = "make a model file from a published checkpoint",
    .operands = "[OPTION]… -o FILE.gguf DIR",
    .description =
        "Reads a checkpoint as it is published (a folder with config.json, tokenizer.model and "
        "safetensors or PyTorch files; nothing in it is executed) and writes one GGUF file that "
        "--model takes, with the words the model wants to be asked by. mPLUG-Owl2 (Q-Instruct, "
        "Q-Align and OneAlign, DeQA-Score, Co-Instruct) and LLaVA-1.5 can be converted.\n"
        "Memory stays small whatever the size. The file appears whole or not at all: Ctrl-C "
        "leaves nothing behind.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(ConvertArgs),
    .min_operands = 1,
    .max_operands = 1,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
