/* noise_args.h: the options that the commands about noise share: zones, light and its tone mapping,
 * limits, the model. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_ARGS_H
#define QBOOST_CLI_NOISE_ARGS_H

#include "session/model_args.h" /* cpu_choices */

#include <qboost/noise.h>

typedef struct NoiseArgs {
    const char *grid; /* NULL = not given */
    const char *tone, *layer, *model, *cpu;
    double exposure;
    int64_t max_pixels, max_memory;
    int threads; /* 0 = all CPUs */
} NoiseArgs;

extern const char *tone_choices[]; /* NULL-terminated */
extern char metric_help[];

/* Asks the library what there is; before options are parsed or shown. */
void noise_args_init(void);

// clang-format off
#define NOISE_GRID_OPTION(Args, member) \
    {.name = "grid", .letter = 'g', .type = OPTION_STRING, .metavar = "CxR", \
     .offset = offsetof(Args, member.grid), \
     .help = "judge the picture in C columns and R rows of zones (default: 4x4)"}

#define NOISE_LIGHT_OPTIONS(Args, member) \
    {.name = "tone", .type = OPTION_CHOICE, .metavar = "CURVE", .choices = tone_choices, \
     .offset = offsetof(Args, member.tone), .standard = "srgb", \
     .help = "how linear light (OpenEXR, PFM, HDR) becomes what a screen shows: srgb (clipped), reinhard, hable " \
             "or aces (default: srgb)"}, \
    {.name = "exposure", .type = OPTION_NUMBER, .metavar = "STOPS", .min = -64, .max = 64, \
     .offset = offsetof(Args, member.exposure), .standard = "0", \
     .help = "multiply linear light by 2^STOPS first (default: 0)"}, \
    {.name = "layer", .type = OPTION_STRING, .metavar = "NAME", \
     .offset = offsetof(Args, member.layer), \
     .help = "OpenEXR: whose channels are taken (default: those without a layer, else Combined)"}, \
    {.name = "max-pixels", .type = OPTION_COUNT, .metavar = "N", .min = 1, \
     .offset = offsetof(Args, member.max_pixels), .standard = "268435456", \
     .help = "refuse pictures of more pixels; k, M, G may follow (default: 268435456)"}, \
    {.name = "max-memory", .type = OPTION_BYTES, .metavar = "BYTES", .min = 1, \
     .offset = offsetof(Args, member.max_memory), .standard = "4G", \
     .help = "refuse pictures whose decoding would take more memory; k, M, G may follow (default: 4G)"}

#define NOISE_MODEL_OPTION(Args, member) \
    {.name = "noise-model", .letter = 'm', .type = OPTION_STRING, .metavar = "FILE", \
     .offset = offsetof(Args, member.model), \
     .help = "GGUF file made by 'qboost noise train' (default: the model inside the program)"}

#define NOISE_CPU_OPTIONS(Args, member) \
    {.name = "threads", .letter = 't', .type = OPTION_INT, .metavar = "N", .min = 0, .max = 1024, \
     .offset = offsetof(Args, member.threads), .standard = "0", \
     .help = "CPUs to use, 0 = every one this process may use; results do not depend on it (default: 0)"}, \
    {.name = "cpu", .type = OPTION_CHOICE, .metavar = "LEVEL", .choices = cpu_choices, \
     .offset = offsetof(Args, member.cpu), .standard = "best", \
     .help = "vector instructions: ref, avx2, avx512 or best (default: best)"}
// clang-format on

/* Reads --grid (4x4 when it is not given) and sets --cpu. CLI_OK or, explained on stderr,
 * CLI_USAGE.
 */
int noise_args_start(QbNoiseGrid *out, const Command *command, const NoiseArgs *args);

/* --threads as a number >= 1. */
int noise_threads(const NoiseArgs *args);

void noise_tone_mapping(QbToneMapping *out, const NoiseArgs *args);

/* Opens the model that args name. Returns an exit code; failures are reported. */
int noise_open_model(QbNoiseModel **out, const NoiseArgs *args);

#endif
