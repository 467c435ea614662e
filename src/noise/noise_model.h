/* noise_model.h: what a QbNoiseModel is inside (public side: <qboost/noise.h>). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_NOISE_MODEL_H
#define QB_NOISE_NOISE_MODEL_H

#include "noise/classifier.h"

/* Standardised values are cut off here: what lies further out than anything a model has seen is
 * no more telling than this. And log2 of visibilities that are told: beyond, "much" is enough. */
enum { QB_NOISE_MAX_DEVIATIONS = 6, QB_NOISE_MAX_OCTAVES = 6 };

struct QbNoiseModel {
    char *name; /* owned */
    const QbNoiseClassifier *classifier;
    void *state;         /* of the classifier, owned */
    float *mean, *scale; /* [n_features], owned: x = (value - mean) * scale */
    float slope, offset; /* visibility = 2^(slope * decision + offset), slope > 0 */
    int n_features;
};

/* Without a state yet. *out: owned, qb_noise_model_close. */
QbStatus qb_noise_model_new(QbNoiseModel **out, const char *name,
                            const QbNoiseClassifier *classifier);

/* x[n_features] of values[n_features]. */
void qb_noise_standardise(float *x, const QbNoiseModel *model, const float *values);

/* gguf: read only during the call. */
QbStatus qb_noise_model_read(QbNoiseModel **out, const QbGguf *gguf);

/* The file inside the library; starts at a multiple of 64. */
const void *qb_embedded_noise_model(size_t *out_size);

#endif
