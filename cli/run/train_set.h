/* train_set.h: zones whose visibility is known, gathered from tables, and what they are called. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TRAIN_SET_H
#define QBOOST_CLI_TRAIN_SET_H

#include <qboost/noise_train.h>
#include <stdbool.h>

/* A number that something else gives to each zone, to hold it beside: higher = cleaner. */
typedef struct TrainBaseline {
    char *name;
    double *values; /* [capacity of the set]; NAN = none for that zone */
} TrainBaseline;

typedef struct TrainSet {
    size_t n, capacity;
    float *values; /* [n][qb_noise_zone_feature_count()] */
    double *visibility;
    double *samples; /* NAN = not known */
    int *scene, *zone;
    char **scenes; /* [n_scenes] */
    int n_scenes;
    void *scene_tree;         /* of tsearch: the scenes by their names */
    TrainBaseline *baselines; /* [n_baselines] */
    int n_baselines;
} TrainSet;

/* One zone. baselines are set by train_set_baseline afterwards. */
typedef struct TrainZone {
    const char *scene;
    int zone;
    double samples, visibility;
    const float *values;
} TrainZone;

/* Returns its index. */
size_t train_set_add(TrainSet *set, const TrainZone *zone);

/* Index of the baseline of that name, which is added if it is new. */
int train_set_baseline(TrainSet *set, const char *name);

void train_set_free(TrainSet *set);

/* Borrowed from set. */
void train_set_examples(QbNoiseExamples *out, const TrainSet *set);

/* Writes the table that train_table_read reads back, whole or not at all. false: reported. */
bool train_set_save(const TrainSet *set, const char *path);

#endif
