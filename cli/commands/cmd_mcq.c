/* cmd_mcq.c: `qboost mcq`: a question with options, or a whole list of them. */
// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"
#include "base/report.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "options/command.h"
#include "options/options.h"
#include "output/json.h"
#include "session/question.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct McqArgs {
    ModelArgs model;
    PictureArgs picture;
    PromptArgs prompt; /* variant, fit and layout */
    const char *question, *questions, *images;
    StringList options;
    bool json, quiet;
} McqArgs;

// clang-format off
static const Option options[] = {
    {.name = "question", .type = OPTION_STRING, .metavar = "TEXT", .offset = offsetof(McqArgs, question),
     .help = "the question"},
    {.name = "option", .type = OPTION_LIST, .metavar = "TEXT", .offset = offsetof(McqArgs, options),
     .help = "an answer to choose from; given 2 to 26 times"},
    {.name = "questions", .type = OPTION_STRING, .metavar = "FILE.json", .offset = offsetof(McqArgs, questions),
     .help = "a list of questions as Q-Bench publishes them, in place of IMAGE, --question and --option; "
             "- is standard input"},
    {.name = "images", .type = OPTION_STRING, .metavar = "DIR", .offset = offsetof(McqArgs, images),
     .help = "with --questions: the folder with the list's pictures (default: the current one)"},
    {.name = "layout", .type = OPTION_CHOICE, .metavar = "NAME", .choices = layout_choices,
     .offset = offsetof(McqArgs, prompt.layout),
     .help = "how question and options are put into words: q-instruct-owl2, q-instruct-llava or q-bench "
             "(default: the one for the model's architecture)"},
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(McqArgs, json),
     .help = "print a JSON object a question, and one that sums up a list"},
    VARIANT_OPTIONS(McqArgs, prompt),
    MODEL_OPTIONS(McqArgs, model),
    PICTURE_OPTIONS(McqArgs, picture),
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .offset = offsetof(McqArgs, quiet),
     .help = "no progress"},
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"A question with three options",
     "qboost mcq --model q-instruct.gguf photo.jpg --question \"How sharp is it?\" "
     "--option \"Very sharp\" "
     "--option \"A little soft\" --option Blurry"},
    {"Two pictures",
     "qboost mcq --model co-instruct.gguf a.jpg b.jpg --question \"Which is clearer?\" "
     "--option \"The first image\" --option \"The second image\""},
    {"Q-Bench's questions, as JSON lines",
     "qboost mcq --model llava.gguf --questions llvisionqa_dev.json --images images/ --json"},
    {0}};

/* What became of a list. */
typedef struct Tally {
    int64_t n, n_failed, n_judged, n_right;
    bool cannot; /* the model has no letters: so it would be with every question */
} Tally;

static bool flush(Text *text)
{
    if (isatty(STDOUT_FILENO))
        progress_erase();
    bool good = write_all(STDOUT_FILENO, text->data, text->length);
    text_free(text);
    return good;
}

static void add_table(Text *out, const McqItem *item, const QbMcq *answer)
{
    text_add(out, "   PROBABILITY      LOG  OPTION\n");
    for (int i = 0; i < item->n_options; i++) {
        text_addf(out, "%s %11.6f  %7.3f  %c. ", i == answer->best ? "->" : "  ",
                  answer->probability[i], answer->log_probability[i], 'A' + i);
        text_add_printable(out, item->options[i]);
        text_add_char(out, '\n');
    }
}

/* "  12  B  right  0.871  Low" */
static void add_row(Text *out, const McqItem *item, int64_t index, const QbMcq *answer)
{
    text_addf(out, "%5lld  %c  ", (long long)index + 1, 'A' + answer->best);
    if (item->correct >= 0)
        text_add(out, answer->best == item->correct ? "right  " : "wrong  ");
    text_addf(out, "%.3f  ", answer->probability[answer->best]);
    text_add_printable(out, item->options[answer->best]);
    for (int i = 0; i < item->n_paths; i++) {
        text_add(out, i ? ", " : "  (");
        text_add_printable(out, item->paths[i]);
    }
    text_add(out, ")\n");
}

/* Answers one question and prints it; index: of a list, or -1. false: nothing can be printed. */
static bool answer_item(const McqArgs *args, const Question *q, const McqItem *item, int64_t index,
                        const char *error, Tally *tally)
{
    QbMcq answer;
    Text text = {0};
    double start = clock_ms();
    QbStatus status = QB_OK;
    if (!error)
        status = qb_scorer_mcq(&answer, q->scorer, question_images(q), q->n_images, item->question,
                               (const char *const *)item->options, item->n_options);
    if (status != QB_OK)
        error = qb_last_error();
    tally->cannot = status == QB_ERR_UNSUPPORTED;
    tally->n++;
    if (error) {
        tally->n_failed++;
        if (index >= 0 && !tally->cannot)
            report("question %lld: %s", (long long)index + 1, error);
        else
            report("%s", error);
    } else if (item->correct >= 0) {
        tally->n_judged++;
        tally->n_right += answer.best == item->correct;
    }
    if (args->json)
        json_add_mcq(&text, &q->info, item, index, &answer, error, clock_ms() - start);
    else if (!error && index < 0)
        add_table(&text, item, &answer);
    else if (!error)
        add_row(&text, item, index, &answer);
    return text.length == 0 || flush(&text);
}

static bool same_pictures(const McqItem *a, const McqItem *b)
{
    bool same = a->n_paths == b->n_paths;
    for (int i = 0; i < a->n_paths && same; i++)
        same = strcmp(a->paths[i], b->paths[i]) == 0;
    return same;
}

static bool add_summary(const McqArgs *args, const Question *q, const Tally *tally)
{
    Text text = {0};
    if (args->json)
        json_add_mcq_summary(&text, &q->info, tally->n, tally->n_failed, tally->n_judged,
                             tally->n_right);
    else if (tally->n_judged > 0)
        text_addf(&text, "accuracy %.4f: %lld of %lld right\n",
                  (double)tally->n_right / (double)tally->n_judged, (long long)tally->n_right,
                  (long long)tally->n_judged);
    if (tally->n_failed > 0)
        report("%lld of %lld questions could not be answered", (long long)tally->n_failed,
               (long long)tally->n);
    return text.length == 0 || flush(&text);
}

/* Questions about the picture that was asked about last find it decoded and read. */
static int answer_list(const McqArgs *args, Question *q, const McqList *list)
{
    Tally tally = {0};
    const McqItem *open = NULL;
    bool good = true;
    progress_start(!args->quiet, terminal_utf8());
    for (int64_t i = 0; i < list->n && good && !tally.cannot; i++) {
        const McqItem *item = &list->items[i];
        char *error = NULL;
        if (!open || !same_pictures(open, item))
            open = question_try_pictures(q, &error, item->paths, item->n_paths) ? item : NULL;
        good = answer_item(args, q, item, i, error, &tally);
        progress_update(i + 1, i + 1, list->n);
        free(error);
    }
    progress_finish();
    good = good && (tally.cannot || add_summary(args, q, &tally));
    if (!good)
        report("cannot write the results");
    return good && tally.n_failed == 0 ? CLI_OK : CLI_FAILED;
}

static int answer_one(const McqArgs *args, const Question *q, char **paths, int n_paths)
{
    Tally tally = {0};
    McqItem item = {.paths = paths,
                    .question = (char *)(uintptr_t)args->question,
                    .options = (char **)(uintptr_t)args->options.items,
                    .n_paths = n_paths,
                    .n_options = args->options.n,
                    .correct = -1};
    bool good = answer_item(args, q, &item, -1, NULL, &tally);
    return good && tally.n_failed == 0 ? CLI_OK : CLI_FAILED;
}

static int check_one(const McqArgs *args, char **paths, int n_paths)
{
    if (args->images)
        return usage_error(&cmd_mcq, "--images needs --questions");
    if (n_paths == 0)
        return usage_error(&cmd_mcq, "no picture given: qboost mcq %s", cmd_mcq.operands);
    if (!args->question || text_is_blank(args->question))
        return usage_error(&cmd_mcq, "--question is missing or empty");
    if (args->options.n < 2 || args->options.n > QB_MCQ_MAX_OPTIONS)
        return usage_error(
            &cmd_mcq, "there must be 2 to %d options to choose from; --option is given %d time%s",
            QB_MCQ_MAX_OPTIONS, args->options.n, args->options.n == 1 ? "" : "s");
    for (int i = 0; i < args->options.n; i++)
        if (text_is_blank(args->options.items[i]))
            return usage_error(&cmd_mcq, "option %c is empty", 'A' + i);
    return question_check_paths(&cmd_mcq, paths, n_paths);
}

static int check_list(const McqArgs *args, int n_paths)
{
    if (n_paths > 0)
        return usage_error(&cmd_mcq, "with --questions no IMAGE is given: the list names them, and "
                                     "--images their folder");
    if (args->question || args->options.n > 0)
        return usage_error(&cmd_mcq, "with --questions neither --question nor --option is given");
    return CLI_OK;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const McqArgs *args = args_given;
    Question question = {0};
    McqList list = {0};
    int code =
        args->questions ? check_list(args, n_operands) : check_one(args, operands, n_operands);
    if (code == CLI_OK)
        code = session_check(&cmd_mcq, &args->model, &args->prompt);
    if (code == CLI_OK && args->questions &&
        !json_read_questions(&list, args->questions, args->images ? args->images : ""))
        code = CLI_NO_INPUT;
    if (code == CLI_OK)
        signals_start();
    if (code == CLI_OK)
        code = question_open(&question, &cmd_mcq, &args->model, &args->picture, &args->prompt,
                             operands, n_operands, args->json);
    if (code == CLI_OK)
        code = args->questions ? answer_list(args, &question, &list)
                               : answer_one(args, &question, operands, n_operands);
    question_close(&question);
    mcq_list_free(&list);
    return code;
}

const Command cmd_mcq = {
    .name = "mcq",
    .summary = "choose an answer to a question about pictures",
    .operands = "[OPTION]… IMAGE… --question TEXT --option TEXT --option TEXT…",
    .description =
        "Lets the model choose between options, which get the letters A, B and so on: question and "
        "options are put into words as the public evaluations of Q-Bench do, and the option whose "
        "letter is the most likely first word of the answer is the one. PROBABILITY is among the "
        "options, LOG the natural logarithm of the letter's probability among all tokens.\n"
        "With --questions a whole list is answered: an array of objects with img_path, question, "
        "candidates and, where it is known, correct_ans; the share of right answers comes last. "
        "A question that cannot be answered costs a line on stderr, the rest goes on.\n"
        "The model inside the program has no letters and cannot choose: --model must name another.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(McqArgs),
    .max_operands = INT_MAX,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
