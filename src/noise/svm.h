/* svm.h: support vector machines with radial basis functions, as several classifiers use them:
 * trained by libsvm through a module, used and stored by our own code. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_SVM_H
#define QB_NOISE_SVM_H

#include "noise/classifier.h"
#include "noise/module.h"

typedef struct QbSvm {
    int64_t n;      /* support vectors, >= 1 */
    int width;      /* of a vector */
    float *vectors; /* [n][width], owned */
    float *weights; /* [n], owned */
    float shape[2]; /* gamma, rho */
} QbSvm;

/* Labels and values are rows->octaves; classes weigh the same in all. columns: `width` of them from
 * first on are used. Rows of one kind give a machine that says so always. */
QbStatus qb_svm_train(QbSvm *out, const QbNoiseRows *rows, int first, int width,
                      const QbSvmProblem *how);
void qb_svm_deinit(QbSvm *svm);

/* x[width]. */
double qb_svm_decide(const QbSvm *svm, const float *x);

/* Its three parts, index 0 … 2, named with the prefix; and back. */
enum { QB_SVM_PARTS = 3 };
void qb_svm_part(QbModelPart *out, const QbSvm *svm, const char *prefix, int index);
QbStatus qb_svm_read(QbSvm *out, const QbGguf *gguf, int width, const char *prefix);

/* The grid of cost and gamma * width. */
bool qb_svm_setting(QbNoiseSetting *out, int index, const QbNoiseTrainOptions *options);

/* The classifiers that are one such machine share these. */
double qb_svm_decide_state(const void *state, const float *x);
bool qb_svm_part_of_state(QbModelPart *out, const void *state, int index);
QbStatus qb_svm_read_state(void **out, const QbGguf *gguf, int width);
void qb_svm_free_state(void *state);
QbStatus qb_svm_train_state(void **out, const QbNoiseRows *rows, const QbSvmProblem *how);

#endif
