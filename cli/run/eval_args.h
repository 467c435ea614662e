/* eval_args.h: the command line of `qboost eval`, as its options fill it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_EVAL_ARGS_H
#define QBOOST_CLI_EVAL_ARGS_H

#include "session/model_args.h"

typedef struct EvalArgs {
    StringList labels, images, scores, logits, names, methods;
    const char *name_column, *opinion_column, *score_column, *dataset_column;
    ModelArgs model;
    PictureArgs picture;
    PromptArgs prompt;
    const char *journal;
    int64_t part_size; /* 0 = not in parts */
    int resamples, seed;
    bool qbench_compat, retry_failed, quiet;
    const char *format, *scatter, *save_calibration, *mapping;
} EvalArgs;

#endif
