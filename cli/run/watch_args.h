/* watch_args.h: what `qboost noise watch` was asked for. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_WATCH_ARGS_H
#define QBOOST_CLI_WATCH_ARGS_H

#include "session/noise_args.h"

typedef struct WatchArgs {
    NoiseArgs noise;
    int checks;
    const char *way, *reference_features, *match;
    const char *samples_from;
    double samples_step; /* NAN = not given */
    double patience_s;
    double timeout_s; /* NAN = none */
    bool once, only_new, poll, json, quiet;
    const char *color;
} WatchArgs;

#endif
