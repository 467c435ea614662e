/* eval_report.h: how well scores agree with opinions, as tables for people, papers and programs. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_EVAL_REPORT_H
#define QBOOST_CLI_EVAL_REPORT_H

#include "base/text.h"

#include <qboost/eval.h>

/* A data set judged by a method. Texts are borrowed. */
typedef struct EvalRow {
    const char *dataset, *source, *method;
    int n_means;        /* > 0: no data set, but the mean of so many rows */
    int64_t n_failed;   /* files without a score */
    int64_t n_unrated;  /* files without an opinion */
    int64_t n_left_out; /* pairs at the end that are less than half a part */
    QbEvalResult value; /* NAN where undefined */
} EvalRow;

typedef struct EvalReport {
    const EvalRow *rows;
    int n;
    int64_t part_size; /* 0 = not in parts */
    int resamples, seed;
    bool qbench_compat;
    const char *model, *model_hash; /* NULL = no model was run */
} EvalReport;

extern const char *const eval_format_names[]; /* NULL-terminated */

/* format: one of them. */
void eval_report_add(Text *out, const EvalReport *report, const char *format);

/* eval_report_add's part that is JSON. */
void json_add_evaluation(Text *out, const EvalReport *report);

#endif
