/* scale.h: the ranges a score can be printed in. Higher is better in all of them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_SCALE_H
#define QBOOST_CLI_SCALE_H

#include <qboost/eval.h>

typedef struct Scale {
    const char *name;
    double low, high;
    const QbCalibration *calibration; /* borrowed: maps scores to low..high; NULL = evenly */
} Scale;

extern const char *const scale_names[]; /* NULL-terminated */

/* name: one of scale_names. */
const Scale *scale_find(const char *name);

/* From 0..1 to the scale. */
double scale_apply(const Scale *scale, double score);

#endif
