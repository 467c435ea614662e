/* scorers.h: how many scorers a run has, and how the CPUs are shared out among them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_SCORERS_H
#define QBOOST_CLI_SCORERS_H

#include "session/model_args.h"

typedef struct Scorers {
    QbScorer **items; /* n of them */
    int n;
    int n_workers; /* that fetch and decode for them; >= n */
} Scorers;

/* For n_wanted (>= 1) pictures or frames at a time, of which memory may allow fewer. Returns an
 * exit code; failures are reported. Always to be freed. */
int scorers_make(Scorers *out, const QbModel *model, const ModelArgs *args,
                 const PromptArgs *prompts, int n_wanted);
void scorers_free(Scorers *scorers);

#endif
