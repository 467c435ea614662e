/* cmd_ask.c: `qboost ask`: a question about one picture. */
// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"
#include "base/report.h"
#include "options/command.h"
#include "options/options.h"
#include "output/json.h"
#include "session/model_args.h"
#include "session/picture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct AskArgs {
    ModelArgs model;
    PictureArgs picture;
    int max_tokens;
    bool json;
} AskArgs;

// clang-format off
static const Option options[] = {
    {.name = "max-tokens", .letter = 'n', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1000000,
     .offset = offsetof(AskArgs, max_tokens), .standard = "128",
     .help = "end the answer after N tokens (default: 128)"},
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(AskArgs, json),
     .help = "print one JSON object"},
    MODEL_OPTIONS(AskArgs, model),
    PICTURE_OPTIONS(AskArgs, picture),
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"A question", "qboost ask photo.jpg \"Is this photo sharp?\""},
    {"With a larger model", "qboost ask --model llava.gguf photo.jpg \"What is wrong with it?\""},
    {"For a program", "qboost ask --json photo.jpg \"Rate the quality of the image.\""},
    {0}};

/* The answer's lines, each without what might drive the terminal. */
static void add_lines(Text *out, const char *answer)
{
    char *copy = cli_strdup(answer), *rest = copy, *line;
    while ((line = strsep(&rest, "\n"))) {
        text_add_printable(out, line);
        text_add_char(out, '\n');
    }
    free(copy);
}

static int answer(const AskArgs *args, const RunInfo *run, QbScorer *scorer, const QbImage *image,
                  char **operands)
{
    const char *words = NULL;
    Text text = {0};
    double start = clock_ms();
    if (qb_scorer_ask(&words, scorer, &image, 1, operands[1], args->max_tokens) != QB_OK) {
        report("%s", qb_last_error());
        return CLI_FAILED;
    }
    if (args->json)
        json_add_answer(&text, run, operands[0], operands[1], words, clock_ms() - start);
    else
        add_lines(&text, words);
    bool good = write_all(STDOUT_FILENO, text.data, text.length);
    text_free(&text);
    return good ? CLI_OK : CLI_FAILED;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    (void)n_operands;
    const AskArgs *args = args_given;
    QbModel *model = NULL;
    QbScorer *scorer = NULL;
    QbImage *image = NULL;
    QbImageOptions image_options;
    RunInfo info;
    char *error = NULL;
    bool is_stdin = strcmp(operands[0], "-") == 0;
    if (is_stdin && isatty(STDIN_FILENO))
        return usage_error(&cmd_ask, "'-' reads from standard input, which is the terminal");
    if (text_is_blank(operands[1]))
        return usage_error(&cmd_ask, "the question is empty");
    int code = session_check(&cmd_ask, &args->model, NULL);
    if (code == CLI_OK)
        code = session_open_model(&model, &args->model);
    if (code == CLI_OK)
        code = session_image_options(&image_options, &cmd_ask, &args->picture, model);
    if (code == CLI_OK &&
        picture_open(&image, &error, operands[0], is_stdin, &image_options) != QB_OK) {
        report("%s", error);
        code = CLI_FAILED;
    }
    if (code == CLI_OK)
        code = session_new_scorer(&scorer, model, NULL, session_threads(&args->model), true);
    if (code == CLI_OK) {
        session_describe(&info, model, scorer, &image_options, scale_find("0-1"), args->json);
        code = answer(args, &info, scorer, image, operands);
    }
    free(error);
    qb_image_free(&image);
    qb_scorer_free(&scorer);
    qb_model_close(&model);
    return code;
}

const Command cmd_ask = {
    .name = "ask",
    .summary = "ask a question about a picture",
    .operands = "[OPTION]… IMAGE QUESTION",
    .description =
        "Prints the model's answer to QUESTION about the picture IMAGE (- for standard input). "
        "The most likely word is taken each time, so the answer is the same every time.\n"
        "The model inside the program is small: it knows about the quality of pictures and "
        "little else.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(AskArgs),
    .min_operands = 2,
    .max_operands = 2,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
