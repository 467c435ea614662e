/* eval_sources.h: what is evaluated: tables that hold both scores (or logits) and opinions. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_EVAL_SOURCES_H
#define QBOOST_CLI_EVAL_SOURCES_H

#include "run/eval_args.h"
#include "run/score_run.h"

typedef struct EvalSource {
    char *name;       /* owned; of where the scores are from: a file or the model */
    char *dataset;    /* owned; of rows that do not say theirs */
    const char *path; /* borrowed; for errors: the file of scores, or the labels of a run */
    QbTable *table;
    bool has_scores_only; /* no method is applied: the numbers are taken as they are */
} EvalSource;

typedef struct EvalSources {
    EvalSource *items;
    int n;
    RunIdentity run; /* empty texts unless a model was run */
} EvalSources;

/* Reads the tables and, with --images, runs the model. Returns an exit code; failures are reported.
 * Pictures that could not be scored are no failure here. Always to be freed. */
int eval_sources_open(EvalSources *out, const Command *command, const EvalArgs *args);
void eval_sources_free(EvalSources *sources);

/* For eval_sources.c: scores the pictures that labels[n] name in folders[n] with one run, and gives
 * the results of each as JSON lines whose paths are the names in its labels. */
int eval_run_model(Text *out_lines, RunIdentity *run, const Command *command, const EvalArgs *args,
                   QbTable *const *labels, const char *const *folders, int n);

#endif
