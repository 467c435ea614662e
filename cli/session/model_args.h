/* model_args.h: the options that all commands with a model share, and the model opened by them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_MODEL_ARGS_H
#define QBOOST_CLI_MODEL_ARGS_H

#include "options/command.h"
#include "output/output.h"

#include <qboost/qboost.h>

typedef struct ModelArgs {
    const char *model, *mmproj, *cpu;
    int threads; /* 0 = all CPUs */
} ModelArgs;

typedef struct PictureArgs {
    const char *decode, *background;
    int64_t max_pixels, max_memory;
} PictureArgs;

typedef struct PromptArgs {
    const char *variant, *fit;
    const char *method, *prompt, *prompt_file, *tones, *weights;
    double temperature; /* NAN or 0 = not given */
    const char *layout; /* of questions with options */
    const char *video;  /* as in QbScorerOptions; NULL: the pictures are no frames */
    bool all_methods;   /* as in QbScorerOptions; set by commands, no option */
} PromptArgs;

extern const char *const decode_choices[], *const cpu_choices[], *const fit_choices[];
extern const char *method_choices[], *variant_choices[], *layout_choices[];
extern const char *type_choices[], *preset_choices[]; /* of convert */
extern char type_help[], preset_help[];

/* Asks the library what there is; before options are parsed or shown. */
void model_args_init(void);

// clang-format off
#define MODEL_OPTIONS(Args, member) \
    {.name = "model", .letter = 'm', .type = OPTION_STRING, .metavar = "MODEL", \
     .offset = offsetof(Args, member.model), \
     .help = "GGUF file, or the name of one in the model folders (default: the model inside the program)"}, \
    {.name = "mmproj", .type = OPTION_STRING, .metavar = "FILE", \
     .offset = offsetof(Args, member.mmproj), \
     .help = "with a pair of files made for llama.cpp: the picture part; --model names the language model"}, \
    {.name = "threads", .letter = 't', .type = OPTION_INT, .metavar = "N", .min = 0, .max = 1024, \
     .offset = offsetof(Args, member.threads), .standard = "0", \
     .help = "CPUs to use in all, 0 = every one this process may use; scores do not depend on it (default: 0)"}, \
    {.name = "cpu", .type = OPTION_CHOICE, .metavar = "LEVEL", .choices = cpu_choices, \
     .offset = offsetof(Args, member.cpu), .standard = "best", \
     .help = "vector instructions: ref, avx2, avx512 or best (default: best)"}

#define PICTURE_OPTIONS(Args, member) \
    {.name = "decode", .type = OPTION_CHOICE, .metavar = "MODE", .choices = decode_choices, \
     .offset = offsetof(Args, member.decode), .standard = "auto", \
     .help = "managed: orientation, colour profile and transparency applied; upstream: all three ignored, " \
             "as the models' authors did; auto: what the model asks for (default: auto)"}, \
    {.name = "background", .type = OPTION_STRING, .metavar = "RRGGBB", \
     .offset = offsetof(Args, member.background), .standard = "ffffff", \
     .help = "colour behind transparent pixels when decoding managed (default: ffffff)"}, \
    {.name = "max-pixels", .type = OPTION_COUNT, .metavar = "N", .min = 1, \
     .offset = offsetof(Args, member.max_pixels), .standard = "268435456", \
     .help = "refuse pictures of more pixels; k, M, G may follow (default: 268435456)"}, \
    {.name = "max-memory", .type = OPTION_BYTES, .metavar = "BYTES", .min = 1, \
     .offset = offsetof(Args, member.max_memory), .standard = "4G", \
     .help = "refuse pictures whose decoding would take more memory; k, M, G may follow (default: 4G)"}

#define VARIANT_OPTIONS(Args, member) \
    {.name = "variant", .type = OPTION_CHOICE, .metavar = "NAME", .choices = variant_choices, \
     .offset = offsetof(Args, member.variant), \
     .help = "ask as a published model is asked: template, prompt, method and fit together; 'qboost info " \
             "MODEL' lists those that suit a model (default: the model's)"}, \
    {.name = "fit", .type = OPTION_CHOICE, .metavar = "HOW", .choices = fit_choices, \
     .offset = offsetof(Args, member.fit), \
     .help = "what becomes of oblong pictures: crop (the middle is shown) or pad (to a square) (default: the " \
             "variant's or the model's)"}

#define QUESTION_OPTIONS(Args, member) \
    {.name = "prompt", .letter = 'p', .type = OPTION_STRING, .metavar = "TEXT", \
     .offset = offsetof(Args, member.prompt), .help = "the question (default: the model's)"}, \
    {.name = "prompt-file", .type = OPTION_STRING, .metavar = "FILE", \
     .offset = offsetof(Args, member.prompt_file), \
     .help = "text file with variant, fit, method, prompt, tones, weights, temperature; options override it"}, \
    {.name = "tones", .type = OPTION_STRING, .metavar = "WORDS", \
     .offset = offsetof(Args, member.tones), \
     .help = "own words by tone, best first: \"good fine / average / poor bad\""}, \
    {.name = "weights", .type = OPTION_STRING, .metavar = "LIST", \
     .offset = offsetof(Args, member.weights), \
     .help = "one number from 0 to 1 a tone: \"1 0.5 0\" (default: the method's, or even steps)"}, \
    {.name = "temperature", .type = OPTION_NUMBER, .metavar = "T", .min = 1e-6, .max = 1e6, \
     .offset = offsetof(Args, member.temperature), \
     .help = "divides the logits before the softmax (default: the method's)"}

#define PROMPT_OPTIONS(Args, member) \
    VARIANT_OPTIONS(Args, member), \
    {.name = "method", .type = OPTION_CHOICE, .metavar = "NAME", .choices = method_choices, \
     .offset = offsetof(Args, member.method), \
     .help = "which words are read and how they are weighed: tti, mpe, binary or levels (default: the model's)"}, \
    QUESTION_OPTIONS(Args, member)
// clang-format on

/* What no option table can say: a model without a name, a question without words. prompts may be
 * NULL. Returns CLI_OK or, explained on stderr, CLI_USAGE. */
int session_check(const Command *command, const ModelArgs *args, const PromptArgs *prompts);

/* Opens the model that args name. Returns an exit code; failures are reported. */
int session_open_model(QbModel **out, const ModelArgs *args);

/* Decoding options for pictures that go to model. Returns an exit code; failures are reported. */
int session_image_options(QbImageOptions *out, const Command *command, const PictureArgs *args,
                          const QbModel *model);

/* choice: one of decode_choices. */
QbDecode session_decode(const char *choice, const QbModel *model);

/* Makes a scorer of so many threads. prompts: NULL for the model's defaults. Returns an exit code;
 * a failure is reported unless memory ran out for a scorer that is not needed. */
int session_new_scorer(QbScorer **out, const QbModel *model, const PromptArgs *prompts, int threads,
                       bool needed);

/* --threads as a number >= 1. */
int session_threads(const ModelArgs *args);

/* Everything that records of this run share; texts are borrowed from model and scorer. */
void session_describe(RunInfo *out, const QbModel *model, const QbScorer *scorer,
                      const QbImageOptions *image_options, const Scale *scale, bool with_hash);

#endif
