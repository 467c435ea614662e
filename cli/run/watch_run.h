/* watch_run.h: follows a render until its noise is gone. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_WATCH_RUN_H
#define QBOOST_CLI_WATCH_RUN_H

#include "run/watch_args.h"

/* folder: NULL = paths on standard input. Returns the exit code. */
int watch_run(const Command *command, const WatchArgs *args, const char *folder);

#endif
