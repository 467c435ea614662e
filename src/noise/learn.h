/* learn.h: one model from some of the examples: what training and leave-one-scene-out share. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_LEARN_H
#define QB_NOISE_LEARN_H

#include "base/threads.h"
#include "noise/noise_model.h"

#include <pthread.h>

/* A training, or all those of a cross-validation. */
typedef struct QbNoiseLearning {
    const QbNoiseExamples *examples;
    const QbNoiseClassifier *classifier;
    QbNoiseTrainOptions options;
    pthread_mutex_t mutex; /* of what follows, and held while progress is told */
    double done, total;    /* rounds of learning */
    bool cancelled;
} QbNoiseLearning;

/* Checks examples and options. Nothing is owned; _deinit ends the mutex. */
QbStatus qb_noise_learning_init(QbNoiseLearning *out, const QbNoiseExamples *examples,
                                const QbNoiseTrainOptions *options);
void qb_noise_learning_deinit(QbNoiseLearning *learning);

/* Rounds that one qb_noise_learn takes. */
int qb_noise_learn_rounds(const QbNoiseLearning *learning);

/* Learns from all examples but those of the scene left_out (-1: from all): parameters by leaving
 * out groups of scenes among them, the scale of visibilities by what was told of zones left out.
 * The same examples, options and left_out give the same bits. pool: NULL = on this thread alone. */
QbStatus qb_noise_learn(QbNoiseModel **out, QbNoiseLearning *learning, int left_out, QbPool *pool);

#endif
