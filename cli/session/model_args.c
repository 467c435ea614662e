/* model_args.c: opens a model and describes a run. */
// SPDX-License-Identifier: Apache-2.0
#include "session/model_args.h"

#include "base/hash.h"
#include "base/report.h"
#include "options/options.h"
#include "session/model_path.h"

#include <math.h>
#include <qboost/convert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NULL-terminated */
const char *method_choices[17], *variant_choices[33], *layout_choices[9];
const char *type_choices[17], *preset_choices[17];
char type_help[2048], preset_help[2048];
const char *const fit_choices[] = {"crop", "pad", NULL};
const char *const decode_choices[] = {"auto", "managed", "upstream", NULL};
const char *const cpu_choices[] = {"ref", "avx2", "avx512", "best", NULL};

int session_threads(const ModelArgs *args)
{
    return args->threads > 0 ? args->threads : qb_cpu_count();
}

int session_check(const Command *command, const ModelArgs *args, const PromptArgs *prompts)
{
    if (args->model && !*args->model)
        return usage_error(command, "the model's name is empty");
    if (args->mmproj && (!args->model || strcmp(args->model, "default") == 0))
        return usage_error(command, "--mmproj: --model must name the language model of the pair");
    if (prompts && prompts->prompt && text_is_blank(prompts->prompt))
        return usage_error(command, "--prompt: the question is empty");
    return CLI_OK;
}

int session_open_model(QbModel **out, const ModelArgs *args)
{
    char *path = NULL;
    if (qb_cpu_set_level(args->cpu) != QB_OK) {
        report("--cpu %s: %s", args->cpu, qb_last_error());
        return CLI_USAGE;
    }
    if (!model_path_find(&path, args->model))
        return CLI_MODEL;
    QbModelOptions options;
    qb_model_options_init(&options);
    options.threads = session_threads(args);
    options.mmproj = args->mmproj;
    QbStatus status = qb_model_open(out, path, &options);
    free(path);
    if (status == QB_OK)
        return CLI_OK;
    report("%s", qb_last_error());
    return status == QB_ERR_NOMEM ? CLI_LIMIT : CLI_MODEL;
}

/* "#rrggbb" or "rrggbb" */
static bool parse_color(uint8_t rgb[3], const char *text)
{
    text += *text == '#';
    if (strlen(text) != 6 || strspn(text, "0123456789abcdefABCDEF") != 6)
        return false;
    unsigned long value = strtoul(text, NULL, 16);
    for (int i = 0; i < 3; i++)
        rgb[i] = (uint8_t)(value >> (16 - 8 * i));
    return true;
}

QbDecode session_decode(const char *choice, const QbModel *model)
{
    return strcmp(choice, "managed") == 0    ? QB_DECODE_MANAGED
           : strcmp(choice, "upstream") == 0 ? QB_DECODE_UPSTREAM
                                             : qb_model_decode(model);
}

int session_image_options(QbImageOptions *out, const Command *command, const PictureArgs *args,
                          const QbModel *model)
{
    qb_image_options_init(out);
    out->max_pixels = args->max_pixels;
    out->max_bytes = args->max_memory;
    out->decode = session_decode(args->decode, model);
    if (!parse_color(out->background, args->background))
        return usage_error(command, "--background: '%s' is not a colour as rrggbb",
                           args->background);
    return CLI_OK;
}

static int scorer_exit_code(QbStatus status, const PromptArgs *prompts)
{
    bool has_file = prompts && prompts->prompt_file;
    if (status == QB_ERR_NOMEM || status == QB_ERR_LIMIT)
        return CLI_LIMIT;
    if (status == QB_ERR_ARG || (has_file && (status == QB_ERR_IO || status == QB_ERR_FORMAT)))
        return CLI_USAGE;
    return CLI_MODEL;
}

/* The option that the library's message is about, "" when that is not plain. */
static const char *blamed_option(QbStatus status, const PromptArgs *prompts, const char *message)
{
    if (status != QB_ERR_ARG || !prompts)
        return "";
    const char *file = prompts->prompt_file;
    if (file && strncmp(message, file, strlen(file)) == 0)
        return ""; /* the message has the line */
    if (strstr(message, "variant \"") || strstr(message, "fit \""))
        return ""; /* it names the thing */
    if (prompts->weights && strstr(message, "weights"))
        return "--weights: ";
    return prompts->tones ? "--tones: " : "";
}

int session_new_scorer(QbScorer **out, const QbModel *model, const PromptArgs *prompts, int threads,
                       bool needed)
{
    QbScorerOptions options;
    qb_scorer_options_init(&options);
    options.threads = threads;
    if (prompts) {
        options.variant = prompts->variant;
        options.fit = prompts->fit;
        options.mcq_layout = prompts->layout;
        options.video = prompts->video;
        options.method = prompts->method;
        options.prompt = prompts->prompt;
        options.prompt_file = prompts->prompt_file;
        options.tones = prompts->tones;
        options.weights = prompts->weights;
        options.all_methods = prompts->all_methods;
        options.temperature = isnan(prompts->temperature) ? 0 : prompts->temperature;
    }
    QbStatus status = qb_scorer_new(out, model, &options);
    if (status == QB_OK)
        return CLI_OK;
    if (needed || status != QB_ERR_NOMEM)
        report("%s%s", blamed_option(status, prompts, qb_last_error()), qb_last_error());
    return scorer_exit_code(status, prompts);
}

/* Over everything but the model that decides about a printed score. */
static void describe_settings(RunInfo *run, const QbImageOptions *image_options)
{
    const QbScorer *scorer = run->scorer;
    Hash128 hash = hash128_add_text(hash128_start, run->method);
    hash = hash128_add_text(hash, qb_scorer_template(scorer));
    hash = hash128_add_text(hash, qb_scorer_prompt(scorer));
    hash = hash128_add_text(hash, qb_scorer_fit(scorer));
    hash = hash128_add_number(hash, qb_scorer_temperature(scorer));
    for (int tone = 0; tone < run->n_tones; tone++)
        hash = hash128_add_number(hash, qb_scorer_tone_weight(scorer, tone));
    for (int word = 0; word < run->n_words; word++) {
        hash = hash128_add_text(hash, qb_scorer_word(scorer, word));
        hash = hash128_add_number(hash, qb_scorer_word_tone(scorer, word));
    }
    hash = hash128_add_number(hash, image_options->decode);
    if (image_options->decode == QB_DECODE_MANAGED)
        hash = hash128_add(hash, image_options->background, sizeof image_options->background);
    hash = hash128_add_text(hash, run->scale->name);
    if (run->scale->calibration) {
        const QbLogistic *mapping = &qb_calibration_info(run->scale->calibration)->mapping;
        hash = hash128_add_number(hash, run->scale->low); /* where mapped scores are cut */
        hash = hash128_add_number(hash, run->scale->high);
        for (int i = 0; i < mapping->n_params; i++)
            hash = hash128_add_number(hash, mapping->b[i]);
    }
    hash128_format(run->settings, hash);
}

void session_describe(RunInfo *out, const QbModel *model, const QbScorer *scorer,
                      const QbImageOptions *image_options, const Scale *scale, bool with_hash)
{
    *out = (RunInfo){
        .model = qb_model_name(model),
        .model_hash = with_hash ? qb_model_hash(model) : NULL,
        .method = qb_scorer_method(scorer),
        .variant = qb_scorer_variant(scorer),
        .fit = qb_scorer_fit(scorer),
        .cpu = qb_cpu_level(),
        .scale = scale,
        .scorer = scorer,
        .n_tones = qb_scorer_tone_count(scorer),
        .n_words = qb_scorer_word_count(scorer),
    };
    describe_settings(out, image_options);
}

/* choices: room for capacity names and the NULL that is there already. */
static void list_choices(const char **choices, int capacity, const char *(*name)(int index))
{
    for (int i = 0; i < capacity && name(i); i++)
        choices[i] = name(i);
}

/* The first line, then one a name: "a: what a is". */
static void list_help(char *help, size_t size, const char *first, const char *(*name)(int index),
                      const char *(*text)(int index))
{
    size_t used = (size_t)snprintf(help, size, "%s", first);
    for (int i = 0; name(i) && used < size; i++)
        used += (size_t)snprintf(help + used, size - used, "\n%s: %s", name(i), text(i));
}

void model_args_init(void)
{
    list_choices(type_choices, 16, qb_convert_type_name);
    list_choices(preset_choices, 16, qb_convert_preset_name);
    list_help(type_help, sizeof type_help, "type of the language model's matrices (default: f16)",
              qb_convert_type_name, qb_convert_type_help);
    list_help(
        preset_help, sizeof preset_help,
        "what the model is and with that how it is to be asked (default: told by config.json, "
        "where that can be told)",
        qb_convert_preset_name, qb_convert_preset_help);
    list_choices(method_choices, 16, qb_method_name);
    list_choices(variant_choices, 32, qb_variant_name);
    list_choices(layout_choices, 8, qb_mcq_layout_name);
}
