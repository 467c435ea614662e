/* train_report.h: what is told of a training: how rightly zones of scenes that were left out were
 * told, by each classifier and by what they are held beside. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TRAIN_REPORT_H
#define QBOOST_CLI_TRAIN_REPORT_H

#include "base/text.h"

#include <qboost/noise_train.h>

/* A classifier's, or that of the best threshold on a baseline. */
typedef struct TrainResult {
    const char *name;
    bool is_baseline;
    QbNoiseAccuracy all;
    QbNoiseAccuracy *scenes; /* [n_scenes]; n 0 = nothing of that scene */
    double seconds;
} TrainResult;

typedef struct TrainReport {
    const char *const *scenes;       /* [n_scenes] names */
    const size_t *n_zones, *n_noisy; /* [n_scenes] */
    int n_scenes;
    const TrainResult *results; /* [n_results] */
    int n_results;
    const char *model, *classifier; /* the file that was written and what learned; NULL = none */
    double seconds;                 /* that training took */
    const char *features;           /* the table that was written, or NULL */
    int seed;
} TrainReport;

void train_add_report(Text *out, const TrainReport *report);

/* One object and a newline. */
void json_add_train(Text *out, const TrainReport *report);

#endif
