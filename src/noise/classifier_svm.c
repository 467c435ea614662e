/* classifier_svm.c: a support vector machine that tells noisy from clean: C-SVC, both kinds
 * weighing the same in all. The literature's usual choice (Buisine et al. 2021; Constantin et al.
 * 2015). */
// SPDX-License-Identifier: Apache-2.0
#include "noise/svm.h"

static QbStatus train(void **out, const QbNoiseRows *rows, const QbNoiseSetting *setting)
{
    QbSvmProblem how = {.cost = setting->cost, .gamma = setting->gamma};
    return qb_svm_train_state(out, rows, &how);
}

const QbNoiseClassifier qb_noise_classifier_svm = {
    .name = "svm",
    .summary = "support vector machine, noisy or not, by libsvm",
    .setting = qb_svm_setting,
    .train = train,
    .decide = qb_svm_decide_state,
    .part = qb_svm_part_of_state,
    .read = qb_svm_read_state,
    .free = qb_svm_free_state,
};
