/* calibration.h: scores on the scale of a data set, by a mapping that `qboost eval` has saved. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_CALIBRATION_H
#define QBOOST_CLI_CALIBRATION_H

#include "options/command.h"
#include "output/output.h"

#include <qboost/eval.h>

typedef struct Calibrated {
    QbCalibration *file; /* owned; NULL = scores are not calibrated */
    Scale scale;
} Calibrated;

/* The scale to print scores on: that of the file at path, or, with path NULL, the one named.
 * fail_under (NAN = none) must lie on it. Returns CLI_OK or, explained on stderr, CLI_USAGE. Always
 * to be closed. */
int calibration_open(Calibrated *out, const Command *command, const char *path,
                     const char *scale_name, double fail_under);
void calibration_close(Calibrated *calibrated);

/* Whether it was made with the run's model and method; where the file does not say, nothing speaks
 * against it. Returns CLI_OK or, explained on stderr, CLI_USAGE. */
int calibration_check(const Calibrated *calibrated, const RunInfo *run);

#endif
