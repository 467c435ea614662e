/* cmd_compare.c: `qboost compare`: which of two pictures is better, and how sure that is. */
// SPDX-License-Identifier: Apache-2.0
#include "base/report.h"
#include "base/signals.h"
#include "options/command.h"
#include "options/options.h"
#include "output/json.h"
#include "session/question.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

typedef struct CompareArgs {
    ModelArgs model;
    PictureArgs picture;
    PromptArgs prompt;
    const char *by;
    bool json;
} CompareArgs;

static const char *const by_choices[] = {"auto", "scores", "pair", NULL};

// clang-format off
static const Option options[] = {
    {.name = "by", .type = OPTION_CHOICE, .metavar = "HOW", .choices = by_choices,
     .offset = offsetof(CompareArgs, by), .standard = "auto",
     .help = "scores: each picture is scored by itself; pair: the model is shown both and asked which is better, "
             "in both orders; auto: pair where the model was taught that (default: auto)"},
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(CompareArgs, json),
     .help = "one JSON object"},
    PROMPT_OPTIONS(CompareArgs, prompt),
    MODEL_OPTIONS(CompareArgs, model),
    PICTURE_OPTIONS(CompareArgs, picture),
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"Which of two takes to keep", "qboost compare take1.jpg take2.jpg"},
    {"By a model that was taught to compare",
     "qboost compare --model co-instruct.gguf before.png after.png"},
    {0}};

/* Below that a sentence that names a winner would say too much. */
static const double ABOUT_EVEN = 0.55;

static QbStatus compare(QbComparison *out, const Question *q, bool pair)
{
    QbScore score[2];
    if (pair)
        return qb_compare_pair(out, q->scorer, q->images[0], q->images[1]);
    for (int i = 0; i < 2; i++) {
        QbStatus status = qb_scorer_score_image(&score[i], q->scorer, q->images[i]);
        if (status)
            return status;
    }
    return qb_compare_scores(out, q->scorer, &score[0], &score[1]);
}

static void add_sentence(Text *out, const QbComparison *c, char *const *paths)
{
    bool first = c->p_first >= 0.5;
    double sure = first ? c->p_first : 1 - c->p_first;
    int percent = (int)lround(100 * sure);
    if (c->p_first == 0.5) {
        text_add(out, "Even: neither is better\n");
    } else if (sure < ABOUT_EVEN) {
        text_add(out, "About even: ");
        text_add_printable(out, paths[!first]);
        text_addf(out, " is better with %d %%, ", percent);
        text_add_printable(out, paths[first]);
        text_addf(out, " with %d %%\n", 100 - percent);
    } else {
        text_add_printable(out, paths[!first]);
        text_add(out, " looks better than ");
        text_add_printable(out, paths[first]);
        text_addf(out, percent == 100 ? " (over 99 %% sure)\n" : " (%d %% sure)\n", percent);
    }
}

static void add_details(Text *out, const QbComparison *c, char *const *paths)
{
    if (isnan(c->score[0])) {
        text_add(out, "  ");
        text_add_printable(out, paths[0]);
        text_addf(out, " is better: %.0f %% when shown first, %.0f %% when shown second\n",
                  100 * c->p_first_in_front, 100 * c->p_first_behind);
        return;
    }
    for (int i = 0; i < 2; i++) {
        text_addf(out, "  %.3f (spread %.3f)  ", c->score[i], c->deviation[i]);
        text_add_printable(out, paths[i]);
        text_add_char(out, '\n');
    }
}

static int print(const CompareArgs *args, const Question *q, const QbComparison *c,
                 char *const *paths)
{
    Text text = {0};
    if (args->json) {
        json_add_comparison(&text, &q->info, paths, c);
    } else {
        add_sentence(&text, c, paths);
        add_details(&text, c, paths);
    }
    bool good = write_all(STDOUT_FILENO, text.data, text.length);
    text_free(&text);
    if (!good)
        report("cannot write the answer: %s", strerror(errno));
    return good ? CLI_OK : CLI_FAILED;
}

static int compare_and_print(const CompareArgs *args, const Question *q, char *const *paths)
{
    bool can_pair = qb_scorer_can_pair(q->scorer);
    if (!can_pair && !strcmp(args->by, "pair"))
        return usage_error(&cmd_compare,
                           "--by pair: %s was not taught to compare two pictures; --by scores "
                           "works with every model",
                           q->info.model);
    /* Own words are words for scores. */
    const PromptArgs *p = &args->prompt;
    bool own_words = p->method || p->tones || p->prompt || p->prompt_file;
    bool pair =
        can_pair && (!strcmp(args->by, "pair") || (!strcmp(args->by, "auto") && !own_words));
    QbComparison c;
    if (compare(&c, q, pair) == QB_OK)
        return print(args, q, &c, paths);
    report("%s", qb_last_error());
    return CLI_FAILED;
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const CompareArgs *args = args_given;
    Question question = {0};
    if (n_operands != 2)
        return usage_error(&cmd_compare,
                           n_operands > 2 ? "two pictures are compared, not %d; many are put in "
                                            "order by 'qboost score --sort -score'"
                                          : "two pictures are compared, not %d",
                           n_operands);
    int code = session_check(&cmd_compare, &args->model, &args->prompt);
    if (code == CLI_OK)
        code = question_check_paths(&cmd_compare, operands, n_operands);
    if (code == CLI_OK)
        signals_start();
    if (code == CLI_OK)
        code = question_open(&question, &cmd_compare, &args->model, &args->picture, &args->prompt,
                             operands, n_operands, args->json);
    if (code == CLI_OK)
        code = compare_and_print(args, &question, operands);
    question_close(&question);
    return code;
}

const Command cmd_compare = {
    .name = "compare",
    .summary = "say which of two pictures is better, and how sure that is",
    .operands = "[OPTION]… A B",
    .description =
        "Scores both pictures and says which is better. How sure that is follows from how far the "
        "scores are apart and how undecided the model was about each (Thurstone's law of "
        "comparative judgment). A model that was taught to compare (Co-Instruct) is shown both and "
        "asked, once in each order.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(CompareArgs),
    .max_operands = INT32_MAX,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
