/* train_run.h: teaches a noise model by tables, and tells how well that works. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TRAIN_RUN_H
#define QBOOST_CLI_TRAIN_RUN_H

#include "session/train_args.h"

/* Returns the exit code. */
int train_run(const Command *command, const TrainArgs *args, char *const *tables, int n_tables);

#endif
