/* train_args.h: what `qboost noise train` was asked for. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TRAIN_ARGS_H
#define QBOOST_CLI_TRAIN_ARGS_H

#include "session/noise_args.h"

typedef struct TrainArgs {
    NoiseArgs noise;
    const char *output, *name, *classifier, *save_features;
    double cost, gamma; /* NAN = to be found */
    int seed;
    bool evaluate, json, quiet;
} TrainArgs;

#define TRAIN_ALL "all"

/* NULL-terminated; the last one is TRAIN_ALL. */
extern const char *classifier_choices[];
extern char classifier_help[];

/* Asks the library what there is; before options are parsed or shown. */
void train_args_init(void);

#endif
