/* scale.h: the ranges a score can be printed in. Higher is better in all of them but in
 * calibrations to opinions that mean the worse the higher. */
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

/* By the ends of what a calibration was fitted to. */
bool scale_higher_is_better(const Scale *scale);

/* Whether the calibration was fitted to scores on both sides of this one; true without one. */
bool scale_covers(const Scale *scale, double score);

/* Says so when more than a few of n scores are not covered. */
void scale_note_uncovered(const Scale *scale, int64_t n_uncovered, int64_t n);

#endif
