/* cmd_ask.c: `qboost ask`: a question about one picture or several. */
// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"
#include "base/report.h"
#include "input/inputs.h"
#include "options/command.h"
#include "options/options.h"
#include "output/json.h"
#include "session/question.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct AskArgs {
    ModelArgs model;
    PictureArgs picture;
    PromptArgs prompt; /* variant and fit */
    const char *candidates;
    int max_tokens;
    bool json;
} AskArgs;

// clang-format off
static const Option options[] = {
    {.name = "max-tokens", .letter = 'n', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1000000,
     .offset = offsetof(AskArgs, max_tokens), .standard = "128",
     .help = "end the answer after N tokens (default: 128)"},
    {.name = "candidates", .type = OPTION_STRING, .metavar = "WORDS", .offset = offsetof(AskArgs, candidates),
     .help = "no answer, but how likely each of these words is as its first: \"Yes,No\""},
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(AskArgs, json),
     .help = "print one JSON object"},
    VARIANT_OPTIONS(AskArgs, prompt),
    MODEL_OPTIONS(AskArgs, model),
    PICTURE_OPTIONS(AskArgs, picture),
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"A question", "qboost ask photo.jpg \"Is this photo sharp?\""},
    {"With a larger model", "qboost ask --model llava.gguf photo.jpg \"What is wrong with it?\""},
    {"Two pictures",
     "qboost ask --model co-instruct.gguf a.jpg b.jpg \"Which is sharper, and why?\""},
    {"How sure of Yes and of No",
     "qboost ask --candidates Yes,No photo.jpg \"Is this photo blurry?\""},
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

static int write_text(Text *text)
{
    bool good = write_all(STDOUT_FILENO, text->data, text->length);
    text_free(text);
    return good ? CLI_OK : CLI_FAILED;
}

static int answer(const AskArgs *args, const Question *q, Asked *asked)
{
    const char *words = NULL;
    Text text = {0};
    double start = clock_ms();
    if (qb_scorer_ask(&words, q->scorer, question_images(q), q->n_images, asked->question,
                      args->max_tokens) != QB_OK) {
        report("%s", qb_last_error());
        return CLI_FAILED;
    }
    asked->ms = clock_ms() - start;
    if (args->json)
        json_add_answer(&text, &q->info, asked, words);
    else
        add_lines(&text, words);
    return write_text(&text);
}

/* ---- --candidates --------------------------------------------------------------------------- */

/* Words between commas in a copy of text, which they point into; *words: owned. 0: one is empty. */
static int split(char ***words, char *text)
{
    int n = 0;
    *words = cli_calloc(strlen(text) + 1, sizeof **words);
    for (char *rest = text, *word; (word = strsep(&rest, ","));) {
        word += strspn(word, " \t");
        for (size_t length = strlen(word); length && strchr(" \t", word[length - 1]);)
            word[--length] = 0;
        if (!*word)
            return 0;
        (*words)[n++] = word;
    }
    return n;
}

/* What there is to know of a word besides its odds. */
static void add_note(Text *out, char *const *words, const QbCandidate *candidates, int i)
{
    if (candidates[i].pieces > 1)
        text_addf(out, ", first of %d", candidates[i].pieces);
    for (int j = 0; j < i; j++)
        if (candidates[j].token == candidates[i].token) {
            text_add(out, ", the same as of ");
            text_add_printable(out, words[j]);
            return;
        }
}

static void add_table(Text *out, char *const *words, const QbCandidate *candidates, int n)
{
    text_add(out, "PROBABILITY      LOG  WORD\n");
    for (int i = 0; i < n; i++) {
        double log_probability = candidates[i].log_probability;
        text_addf(out, "%11.4g  %7.3f  ", exp(log_probability), log_probability);
        text_add_printable(out, words[i]);
        text_addf(out, " (token %d", candidates[i].token);
        add_note(out, words, candidates, i);
        text_add(out, ")\n");
    }
}

static int judge(const AskArgs *args, const Question *q, Asked *asked, char **words, int n)
{
    QbCandidate *candidates = cli_calloc((size_t)n, sizeof *candidates);
    const char *const *texts = (const char *const *)words;
    Text text = {0};
    double start = clock_ms();
    QbStatus status = qb_scorer_candidates(candidates, q->scorer, question_images(q), q->n_images,
                                           asked->question, texts, n);
    asked->ms = clock_ms() - start;
    if (!asked->question)
        asked->question = qb_scorer_prompt(q->scorer);
    int code = CLI_OK;
    if (status != QB_OK) {
        report("%s%s", status == QB_ERR_ARG ? "--candidates: " : "", qb_last_error());
        code = status == QB_ERR_ARG ? CLI_USAGE : CLI_FAILED;
    } else if (args->json) {
        json_add_candidates(&text, &q->info, asked, texts, candidates, n);
    } else {
        add_table(&text, words, candidates, n);
    }
    free(candidates);
    return code == CLI_OK ? write_text(&text) : code;
}

/* "photo.jpg": no blanks, and the ending of a format. A question is never like that. */
static bool looks_like_picture(const char *text)
{
    return !strpbrk(text, " \t\n") && is_picture_name(text);
}

/* The last operand is the question. With --candidates it may be left out: NULL then, for the
 * prompt of scores. */
static int take_operands(const AskArgs *args, Asked *asked, char **operands, int n)
{
    const char *last = operands[n - 1];
    bool is_file = strcmp(last, "-") == 0 || access(last, F_OK) == 0;
    *asked = (Asked){.paths = operands, .n_paths = is_file ? n : n - 1, .question = last};
    if (!is_file && text_is_blank(last))
        return usage_error(&cmd_ask, "the question is empty");
    if (is_file && !args->candidates)
        return usage_error(&cmd_ask, "the question is missing: the last operand, '%s', is a file",
                           last);
    if (is_file && n > 1)
        return usage_error(&cmd_ask,
                           "the question is missing: the last operand, '%s', is a file; the "
                           "prompt of scores is for one picture",
                           last);
    if (!is_file && looks_like_picture(last))
        return usage_error(&cmd_ask,
                           "the question is missing: the last operand, '%s', is named like a "
                           "picture, and there is no such file",
                           last);
    if (!is_file && n == 1)
        return usage_error(&cmd_ask, "something is missing: qboost ask %s", cmd_ask.operands);
    if (is_file)
        asked->question = NULL;
    return question_check_paths(&cmd_ask, asked->paths, asked->n_paths);
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const AskArgs *args = args_given;
    Asked asked;
    Question question = {0};
    char **words = NULL, *copy = args->candidates ? cli_strdup(args->candidates) : NULL;
    int n_words = copy ? split(&words, copy) : 0;
    int code = take_operands(args, &asked, operands, n_operands);
    if (code == CLI_OK && copy && n_words == 0)
        code = usage_error(&cmd_ask, "--candidates: '%s' has an empty word", args->candidates);
    if (code == CLI_OK)
        code = session_check(&cmd_ask, &args->model, &args->prompt);
    if (code == CLI_OK)
        code = question_open(&question, &cmd_ask, &args->model, &args->picture, &args->prompt,
                             asked.paths, asked.n_paths, args->json);
    if (code == CLI_OK)
        code =
            copy ? judge(args, &question, &asked, words, n_words) : answer(args, &question, &asked);
    question_close(&question);
    free(words);
    free(copy);
    return code;
}

const Command cmd_ask = {
    .name = "ask",
    .summary = "ask a question about pictures",
    .operands = "[OPTION]… IMAGE… QUESTION",
    .description =
        "Prints the model's answer to QUESTION about the picture IMAGE (- for standard input), or "
        "about several. "
        "The most likely word is taken each time, so the answer is the same every time.\n"
        "With --candidates it prints instead how likely each of the words is as the answer's "
        "first, by the token that stands for it: probability and natural logarithm, among all "
        "the tokens that the model knows. \"Yes\" and \"yes\" are different words; models begin an "
        "answer with the first. Without QUESTION it reads them where a score is read.\n"
        "The model inside the program is small: it knows about the quality of pictures and "
        "little else.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(AskArgs),
    .min_operands = 1,
    .max_operands = INT_MAX,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
