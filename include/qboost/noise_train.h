/* noise_train.h: teaching a noise model by zones whose visibility is known, and how well that works
 * on scenes that it has not seen. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_NOISE_TRAIN_H
#define QBOOST_NOISE_TRAIN_H

#include <qboost/noise.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a model sees of a zone; NULL past the last one. Borrowed from the library. */
QB_API const char *qb_noise_zone_feature_name(int index);
QB_API int qb_noise_zone_feature_count(void);

/* values[rows * columns][qb_noise_zone_feature_count()]. */
QB_API QbStatus qb_noise_zone_features(float *values, const QbImage *image, QbNoiseGrid grid,
                                       int n_threads);

/* Examples: zones of pictures. Borrowed during a call. */
typedef struct QbNoiseExamples {
    size_t n;
    const float *values;      /* [n][qb_noise_zone_feature_count()] */
    const double *visibility; /* [n]: 1 = just visible; noisy = above 1 */
    const int *scene;         /* [n]: 0 … n_scenes - 1 */
    int n_scenes;
} QbNoiseExamples;

typedef struct QbNoiseTrainOptions {
    size_t size;            /* set by qb_noise_train_options_init */
    const char *classifier; /* a name of qb_noise_classifier_name; NULL = the first */
    const char *name;       /* of the model, put into its file */
    double cost, gamma;     /* of the SVMs; 0 = found by leaving out scenes */
    uint64_t seed;
    int n_threads;
    /* Told how far it is, 0 … 1, by one thread at a time, not always the caller's; false = stop
     * (QB_ERR_CANCELLED). NULL = not wanted. */
    bool (*progress)(double done, void *user);
    void *user;
} QbNoiseTrainOptions;

QB_API void qb_noise_train_options_init(QbNoiseTrainOptions *options);

/* "svm", "committee", "fuzzy", …, and "variance": what renderers do, a threshold on the local
 * variance alone, to compare with. NULL past the last one. Borrowed from the library. */
QB_API const char *qb_noise_classifier_name(int index);
QB_API const char *qb_noise_classifier_summary(int index);

/* Needs examples of both kinds (QB_ERR_ARG). *out: owned by the caller. */
QB_API QbStatus qb_noise_train(QbNoiseModel **out, const QbNoiseExamples *examples,
                               const QbNoiseTrainOptions *options);

/* A GGUF file, written whole or not at all. */
QB_API QbStatus qb_noise_model_save(const QbNoiseModel *model, const char *path);

/* Visibilities that a model gives to zones by their features. */
QB_API QbStatus qb_noise_model_predict(double *visibility, const QbNoiseModel *model,
                                       const float *values, size_t n);

typedef struct QbNoiseAccuracy {
    size_t n;
    double accuracy;            /* share of zones told rightly, 0 … 1 */
    double balanced_accuracy;   /* mean of the shares among noisy and among clean zones */
    double missed, false_alarm; /* share of noisy zones called clean, of clean ones called noisy */
    double octaves; /* root mean square of log2 of predicted by true visibility, zones whose true
                       visibility lies within 1/4 … 4 */
} QbNoiseAccuracy;

/* Leave one scene out: each scene is told by a model that was trained on all the others, its
 * parameters chosen without it too. out: over all zones; scenes[n_scenes] and predicted[n]
 * (visibilities) may be NULL. */
QB_API QbStatus qb_noise_cross_validate(QbNoiseAccuracy *out, QbNoiseAccuracy *scenes,
                                        double *predicted, const QbNoiseExamples *examples,
                                        const QbNoiseTrainOptions *options);

#ifdef __cplusplus
}
#endif
#endif
