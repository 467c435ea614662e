/* eval_run.h: one run of `qboost eval`, from checked command line to exit code. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_EVAL_RUN_H
#define QBOOST_CLI_EVAL_RUN_H

#include "run/eval_args.h"

int eval_run(const Command *command, const EvalArgs *args);

#endif
