/* noise_run.h: one run of `qboost noise`, from checked command line to exit code. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_RUN_H
#define QBOOST_CLI_NOISE_RUN_H

#include "input/inputs.h"
#include "session/noise_args.h"

typedef struct NoiseRunArgs {
    NoiseArgs noise;
    StringList metrics; /* empty: all that there are */
    const char *reference, *extract, *reference_features, *heat_map, *map;
    const char *files_from, *format, *color;
    bool halves, nul_separated, not_recursive, quiet;
    double fail_over; /* NAN = not given */
} NoiseRunArgs;

/* Nothing is opened yet. Each returns an exit code. */
int noise_run(const Command *command, const NoiseRunArgs *args, const InputsSpec *inputs_spec);

/* Writes the features of the one picture at path ("-": on standard input) to args->extract. */
int noise_extract(const Command *command, const NoiseRunArgs *args, const char *path);

#endif
