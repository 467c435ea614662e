/* scatter.h: scores against opinions, a dot a file, with the fitted curve. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_SCATTER_H
#define QBOOST_CLI_SCATTER_H

#include "output/eval_report.h"

/* score[n], opinion[n] (n >= 1, finite) of row; file: a name that canvas_takes. Returns an exit
 * code; failures are reported. */
int scatter_write(const EvalRow *row, const double *score, const double *opinion, size_t n,
                  const char *file);

#endif
