/* classifier.h: what tells noisy zones from clean ones: a descriptor each, one file each; the list
 * is in classifier_list.c. Training and using a model (learn.c, noise_model.c) know no classifier
 * by name. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_CLASSIFIER_H
#define QB_NOISE_CLASSIFIER_H

#include "weights/gguf_read.h"

#include <qboost/noise_train.h>

/* Standardised examples. */
typedef struct QbNoiseRows {
    const float *x;        /* [n][width] */
    const double *octaves; /* [n]: log2 of the visibility; noisy = above 0 */
    size_t n;
    int width; /* qb_noise_zone_feature_count() */
} QbNoiseRows;

/* What is found by leaving out scenes; each classifier says what it means by it. */
typedef struct QbNoiseSetting {
    double cost, gamma;
    int n_rules;
    uint64_t seed;
} QbNoiseSetting;

/* Numbers of a trained classifier as they stand in a file. */
typedef struct QbModelPart {
    char name[48];
    int64_t rows, columns;
    const float *values; /* [rows][columns], borrowed from the classifier's state */
} QbModelPart;

typedef struct QbNoiseClassifier {
    const char *name, *summary;
    /* Settings to try; false past the last one. A cost or gamma that the options fix is the only
     * one. */
    bool (*setting)(QbNoiseSetting *out, int index, const QbNoiseTrainOptions *options);
    /* The same rows and setting give the same bits. Rows may be all of one kind. *out: owned, by
     * free. */
    QbStatus (*train)(void **out, const QbNoiseRows *rows, const QbNoiseSetting *setting);
    /* The more, the noisier; learn.c finds the border. x[width]: standardised. */
    double (*decide)(const void *state, const float *x);
    /* False past the last one. */
    bool (*part)(QbModelPart *out, const void *state, int index);
    /* Of a file from strangers, for examples of this width. */
    QbStatus (*read)(void **out, const QbGguf *gguf, int width);
    void (*free)(void *state);
} QbNoiseClassifier;

/* NULL past the last one. find: NULL as a name = the first; unknown names are QB_ERR_ARG. */
const QbNoiseClassifier *qb_noise_classifier_at(int index);
QbStatus qb_noise_classifier_find(const QbNoiseClassifier **out, const char *name);

/* The tensor of that name, copied: rows (any number from 1 on, when rows is 0) of so many columns,
 * all finite. *out_rows may be NULL. *out: owned, qb_free. */
QbStatus qb_model_part_read(float **out, int64_t *out_rows, const QbGguf *gguf, int64_t rows,
                            int64_t columns, const char *name);

#endif
