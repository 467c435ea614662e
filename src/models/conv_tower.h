/* conv_tower.h: a mobile convolutional network (EfficientNet-Lite) as a vision tower that gives the
 * mean and the standard deviation of chosen stages: docs/models/compact.md, section 2. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_CONV_TOWER_H
#define QB_MODELS_CONV_TOWER_H

#include "engine/conv.h"
#include "models/load.h"

typedef struct QbConvTower {
    QbConv stem;                /* 3 -> C0, 3x3, stride 2 */
    QbInvertedResidual *blocks; /* [n_blocks] */
    int *stat_blocks;           /* [n_stat_blocks], ascending; -1 = stem */
    int n_blocks, n_stat_blocks;
    int n_stats; /* values the tower gives */
} QbConvTower;

/* Reads "<prefix>.conv.*" and the tensors conv.*. */
QbStatus qb_conv_tower_load(QbConvTower *out, const QbLoader *loader, const char *prefix);

typedef struct QbConvTowerState {
    QbMap picture;  /* [height][width][3], normalised: filled by the caller, sizes too */
    float *maps[2]; /* a stage's input and output in turns */
    float *stats;   /* [n_stats] */
} QbConvTowerState;

void qb_conv_tower_layout(QbConvTowerState *state, QbOps *ops, QbArena *arena,
                          const QbConvTower *tower, int max_short_side, int max_long_side);

/* state->picture -> state->stats. */
void qb_conv_tower_forward(QbConvTowerState *state, const QbOps *ops, const QbConvTower *tower);

#endif
