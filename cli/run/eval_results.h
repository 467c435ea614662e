/* eval_results.h: what `qboost eval` leaves behind: the report, plots, a calibration. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_EVAL_RESULTS_H
#define QBOOST_CLI_EVAL_RESULTS_H

#include "output/eval_report.h"
#include "run/eval_args.h"
#include "run/eval_datasets.h"
#include "run/score_run.h"

typedef struct EvalResults {
    const EvalRow *rows;    /* [n_rows]; data sets first, then means */
    const EvalPairs *pairs; /* [n_data] */
    int n_rows, n_data;
    const RunIdentity *model; /* NULL = no model was run */
} EvalResults;

/* The report comes first: whatever fails behind it, the numbers are there. Returns an exit code. */
int eval_results_write(const EvalResults *results, const Command *command, const EvalArgs *args);

#endif
