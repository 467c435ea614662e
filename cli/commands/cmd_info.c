/* cmd_info.c: `qboost info`: what a model is, how it would be asked, what this machine can do. */
// SPDX-License-Identifier: Apache-2.0
#include "options/command.h"
#include "options/options.h"
#include "output/json.h"
#include "session/model_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct InfoArgs {
    ModelArgs model;
    PromptArgs prompt;
    bool json;
} InfoArgs;

// clang-format off
static const Option options[] = {
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(InfoArgs, json),
     .help = "print one JSON object"},
    PROMPT_OPTIONS(InfoArgs, prompt),
    MODEL_OPTIONS(InfoArgs, model),
    HELP_OPTION,
    {0}
};
// clang-format on

static const Example examples[] = {
    {"The model inside the program", "qboost info"},
    {"A file, and the variants it can take", "qboost info models/llava.gguf"},
    {"Which tokens own words would be read as", "qboost info --tones \"great / fair / awful\""},
    {0}};

static void add_entry(Text *out, const char *key, const char *value)
{
    text_addf(out, "%-16s ", key);
    text_add_printable(out, value);
    text_add_char(out, '\n');
}

/* A text of which the ends matter. */
static void add_quoted(Text *out, const char *text)
{
    text_add_char(out, '"');
    text_add_printable(out, text);
    text_add_char(out, '"');
}

static void add_quoted_entry(Text *out, const char *key, const char *value)
{
    text_addf(out, "%-16s ", key);
    add_quoted(out, value);
    text_add_char(out, '\n');
}

static void add_tones(Text *out, const QbScorer *scorer)
{
    for (int tone = 0; tone < qb_scorer_tone_count(scorer); tone++) {
        text_addf(out, "%-16s weight %g:", tone == 0 ? "tones" : "",
                  qb_scorer_tone_weight(scorer, tone));
        for (int word = 0; word < qb_scorer_word_count(scorer); word++) {
            if (qb_scorer_word_tone(scorer, word) != tone)
                continue;
            text_add_char(out, ' ');
            text_add_printable(out, qb_scorer_word(scorer, word));
            text_addf(out, " (token %d", qb_scorer_word_token(scorer, word));
            if (qb_scorer_word_pieces(scorer, word) > 1)
                text_addf(out, ", first of %d", qb_scorer_word_pieces(scorer, word));
            text_add(out, ")");
        }
        text_add_char(out, '\n');
    }
}

/* What the printed score is at the ends. */
static void add_scales(Text *out, const QbScorer *scorer)
{
    int n = qb_scorer_tone_count(scorer), best = 0, worst = 0;
    for (int tone = 1; tone < n; tone++) {
        double weight = qb_scorer_tone_weight(scorer, tone);
        best = weight > qb_scorer_tone_weight(scorer, best) ? tone : best;
        worst = weight <= qb_scorer_tone_weight(scorer, worst) ? tone : worst;
    }
    for (const char *const *name = scale_names; *name; name++) {
        const Scale *scale = scale_find(*name);
        text_addf(out, "%-16s --scale %s: ", name == scale_names ? "score" : "", *name);
        text_add_printable(out, qb_scorer_tone_name(scorer, worst));
        text_addf(out, " %g to ", scale_apply(scale, qb_scorer_tone_weight(scorer, worst)));
        text_add_printable(out, qb_scorer_tone_name(scorer, best));
        text_addf(out, " %g\n", scale_apply(scale, qb_scorer_tone_weight(scorer, best)));
    }
}

static const char *fit_help(const char *fit)
{
    return strcmp(fit, "crop") == 0  ? "crop (shortest edge, then the middle)"
           : strcmp(fit, "pad") == 0 ? "pad (to a square)"
                                     : "whole, in its own shape";
}

/* The variant in use, then those that could be. */
static void add_variants(Text *out, const RunInfo *run, const QbModel *model)
{
    const char *architecture = qb_model_architecture(model);
    bool any = false;
    add_entry(out, "variant", *run->variant ? run->variant : "none (its own way)");
    for (int i = 0; qb_variant_name(i); i++)
        if (qb_variant_is_for(i, architecture)) {
            text_addf(out, "%-16s %-26s %s\n", any ? "" : "--variant", qb_variant_name(i),
                      qb_variant_help(i));
            any = true;
        }
}

static void add_questions(Text *out, const QbScorer *scorer)
{
    add_quoted_entry(out, "questions", qb_scorer_ask_template(scorer));
    if (strstr(qb_scorer_ask_template(scorer), "{images}")) {
        text_addf(out, "%-16s ", "  {images}");
        add_quoted(out, qb_scorer_ask_image(scorer));
        text_add(out, ", of several each ");
        add_quoted(out, qb_scorer_ask_images(scorer));
        text_add(out, " with ");
        add_quoted(out, qb_scorer_ask_join(scorer));
        text_add(out, " between\n");
    }
    text_addf(out, "%-16s %s\n", "  mcq --layout", qb_scorer_mcq_layout(scorer));
}

static void add_formats(Text *out)
{
    for (int i = 0; qb_image_format_name(i); i++)
        text_addf(out, "%-16s %s (%s)\n", i == 0 ? "formats" : "", qb_image_format_name(i),
                  qb_image_format_extensions(i));
}

static const char *decode_name(const QbModel *model)
{
    return qb_model_decode(model) == QB_DECODE_UPSTREAM ? "upstream" : "managed";
}

static void add_text(Text *out, const RunInfo *run, const QbModel *model)
{
    char number[32];
    for (int i = 0; qb_model_info_key(model, i); i++)
        add_entry(out, qb_model_info_key(model, i), qb_model_info_value(model, i));
    text_add_char(out, '\n');
    add_entry(out, "hash (xxh128)", run->model_hash);
    add_variants(out, run, model);
    add_quoted_entry(out, "template", qb_scorer_template(run->scorer));
    add_quoted_entry(out, "prompt", qb_scorer_prompt(run->scorer));
    add_questions(out, run->scorer);
    add_entry(out, "fit", fit_help(run->fit));
    add_entry(out, "method", run->method);
    snprintf(number, sizeof number, "%g", qb_scorer_temperature(run->scorer));
    add_entry(out, "temperature", number);
    add_tones(out, run->scorer);
    add_scales(out, run->scorer);
    text_add_char(out, '\n');
    add_entry(out, "qboost", qb_version());
    snprintf(number, sizeof number, "%d, %s", qb_cpu_count(), run->cpu);
    add_entry(out, "CPUs", number);
    add_formats(out);
}

static void add_json(Text *out, const RunInfo *run, const QbModel *model)
{
    int n = 0;
    while (qb_model_info_key(model, n))
        n++;
    InfoEntry *entries = cli_calloc((size_t)n + 1, sizeof *entries);
    for (int i = 0; i < n; i++)
        entries[i] = (InfoEntry){qb_model_info_key(model, i), qb_model_info_value(model, i)};
    json_add_info(out, run, qb_model_architecture(model), decode_name(model), entries, n);
    free(entries);
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const InfoArgs *args = args_given;
    ModelArgs model_args = args->model;
    QbModel *model = NULL;
    QbScorer *scorer = NULL;
    if (n_operands > 0)
        model_args.model = operands[0];
    int code = session_check(&cmd_info, &model_args, &args->prompt);
    if (code == CLI_OK)
        code = session_open_model(&model, &model_args);
    if (code == CLI_OK)
        code = session_new_scorer(&scorer, model, &args->prompt, 1, true);
    if (code == CLI_OK) {
        QbImageOptions image_options;
        RunInfo info;
        Text text = {0};
        qb_image_options_init(&image_options);
        image_options.decode = qb_model_decode(model);
        session_describe(&info, model, scorer, &image_options, scale_find("0-1"), true);
        (args->json ? add_json : add_text)(&text, &info, model);
        code = write_all(STDOUT_FILENO, text.data, text.length) ? CLI_OK : CLI_FAILED;
        text_free(&text);
    }
    qb_scorer_free(&scorer);
    qb_model_close(&model);
    return code;
}

const Command cmd_info = {
    .name = "info",
    .summary = "describe a model and what can be read",
    .operands = "[OPTION]… [MODEL]",
    .description =
        "Prints what is known of MODEL (default: the model inside the program), how it would be "
        "asked (and which published variants it could be asked by), which tokens stand for the "
        "words, "
        "the vector instructions in use and the picture formats.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(InfoArgs),
    .max_operands = 1,
    .operand_kind = OPERAND_FILES,
    .run = run,
};
