/* train_baseline.h: how well one threshold on a number tells noisy zones from clean ones. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TRAIN_BASELINE_H
#define QBOOST_CLI_TRAIN_BASELINE_H

#include "run/train_set.h"

/* Leave one scene out: of each, the threshold decides that told most zones of the other scenes
 * rightly. all: over all zones that have the number; scenes[set->n_scenes]. */
void train_baseline_accuracy(QbNoiseAccuracy *all, QbNoiseAccuracy *scenes, const TrainSet *set,
                             const TrainBaseline *baseline);

#endif
