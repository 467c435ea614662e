/* classifier_list.c: the classifiers, one entry each; the first is the default. A new one is a file
 * and an entry here. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "noise/classifier.h"

#include <math.h>
#include <string.h>

extern const QbNoiseClassifier qb_noise_classifier_svm, qb_noise_classifier_svr,
    qb_noise_classifier_committee, qb_noise_classifier_fuzzy, qb_noise_classifier_variance;

static const QbNoiseClassifier *const list[] = {
    &qb_noise_classifier_fuzzy,     &qb_noise_classifier_svr,      &qb_noise_classifier_svm,
    &qb_noise_classifier_committee, &qb_noise_classifier_variance,
};

const QbNoiseClassifier *qb_noise_classifier_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? list[index] : NULL;
}

const char *qb_noise_classifier_name(int index)
{
    const QbNoiseClassifier *classifier = qb_noise_classifier_at(index);
    return classifier ? classifier->name : NULL;
}

const char *qb_noise_classifier_summary(int index)
{
    const QbNoiseClassifier *classifier = qb_noise_classifier_at(index);
    return classifier ? classifier->summary : NULL;
}

QbStatus qb_noise_classifier_find(const QbNoiseClassifier **out, const char *name)
{
    for (int i = 0; (*out = qb_noise_classifier_at(i)); i++)
        if (!name || !strcmp((*out)->name, name))
            return QB_OK;
    char known[256];
    qb_names_join(known, sizeof known, qb_noise_classifier_name);
    return qb_fail(QB_ERR_ARG, "unknown classifier \"%s\" (%s)", name, known);
}

QbStatus qb_model_part_read(float **out, int64_t *out_rows, const QbGguf *gguf, int64_t rows,
                            int64_t columns, const char *name)
{
    const char *file = qb_gguf_name(gguf);
    const QbGgufTensor *tensor = qb_gguf_find_tensor(gguf, name);
    *out = NULL;
    if (!tensor || tensor->type != QB_TYPE_F32)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is %s", file, name,
                       tensor ? "not f32" : "missing");
    const int64_t *ne = tensor->ne;
    if (ne[0] != columns || (rows && ne[1] != rows) || ne[2] != 1 || ne[3] != 1)
        return qb_fail(QB_ERR_FORMAT,
                       "%s: tensor %s has %lld rows of %lld values, expected %lld of %lld", file,
                       name, (long long)ne[1], (long long)ne[0], (long long)(rows ? rows : ne[1]),
                       (long long)columns);
    size_t n = tensor->size_bytes / sizeof **out;
    if (!(*out = qb_alloc(tensor->size_bytes)))
        return QB_ERR_NOMEM;
    memcpy(*out, tensor->data, tensor->size_bytes);
    for (size_t i = 0; i < n; i++)
        if (!isfinite((*out)[i])) {
            qb_free(*out);
            *out = NULL;
            return qb_fail(QB_ERR_FORMAT, "%s: tensor %s has a value that is not finite", file,
                           name);
        }
    if (out_rows)
        *out_rows = ne[1];
    return QB_OK;
}
