/* classifier_svr.c: support vector regression of log2 of the visibility: it learns how visible the
 * noise is, not only whether, from the zones far from the border too. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/svm.h"

static const double EPSILON = 0.25; /* octaves of visibility: half an octave of samples */

static QbStatus train(void **out, const QbNoiseRows *rows, const QbNoiseSetting *setting)
{
    QbSvmProblem how = {
        .regression = true, .cost = setting->cost, .gamma = setting->gamma, .epsilon = EPSILON};
    return qb_svm_train_state(out, rows, &how);
}

const QbNoiseClassifier qb_noise_classifier_svr = {
    .name = "svr",
    .summary = "support vector regression of the visibility, by libsvm",
    .setting = qb_svm_setting,
    .train = train,
    .decide = qb_svm_decide_state,
    .part = qb_svm_part_of_state,
    .read = qb_svm_read_state,
    .free = qb_svm_free_state,
};
