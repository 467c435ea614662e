/* classifier_variance.c: what renderers do, to compare with: a threshold on the local variance,
 * here the mean variance of 8 x 8 blocks (zone_variance.c), set where most zones of both kinds are
 * told rightly. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "noise/classifier.h"

#include <stdlib.h>
#include <string.h>

static const char FEATURE[] = "variance8_mean", PART[] = "variance.threshold";

typedef struct {
    int column;
    float threshold;
} Threshold;

static int find_column(void)
{
    int column = 0;
    while (strcmp(qb_noise_zone_feature_name(column), FEATURE))
        column++;
    return column;
}

static bool setting(QbNoiseSetting *out, int index, const QbNoiseTrainOptions *options)
{
    (void)out;
    (void)options;
    return index == 0;
}

typedef struct {
    float value;
    bool noisy;
} Example;

static int by_value(const void *a, const void *b)
{
    float x = ((const Example *)a)->value, y = ((const Example *)b)->value;
    return (x > y) - (x < y);
}

/* Between two values, where the sum of the shares told rightly is greatest. */
static float best_threshold(const Example *sorted, size_t n, size_t n_noisy)
{
    double n_clean = (double)(n - n_noisy) > 0 ? (double)(n - n_noisy) : 1;
    double noisy_total = n_noisy ? (double)n_noisy : 1;
    double gain = 0, best_gain = 0;
    float best = sorted[0].value - 1; /* all are noisy */
    for (size_t i = 0; i < n; i++) {
        gain += sorted[i].noisy ? -1 / noisy_total : 1 / n_clean;
        bool tied = i + 1 < n && sorted[i + 1].value <= sorted[i].value;
        if (gain > best_gain && !tied) {
            best_gain = gain;
            best = i + 1 < n ? (sorted[i].value + sorted[i + 1].value) / 2 : sorted[i].value + 1;
        }
    }
    return best;
}

static QbStatus train(void **out, const QbNoiseRows *rows, const QbNoiseSetting *how)
{
    (void)how;
    Threshold *t = *out = qb_calloc(1, sizeof *t);
    Example *examples = qb_calloc(rows->n, sizeof *examples);
    QbStatus status = t && examples ? QB_OK : QB_ERR_NOMEM;
    if (!status) {
        size_t n_noisy = 0;
        t->column = find_column();
        for (size_t i = 0; i < rows->n; i++) {
            bool noisy = rows->octaves[i] > 0;
            examples[i] = (Example){rows->x[i * (size_t)rows->width + (size_t)t->column], noisy};
            n_noisy += noisy;
        }
        qsort(examples, rows->n, sizeof *examples, by_value);
        t->threshold = best_threshold(examples, rows->n, n_noisy);
    } else {
        qb_free(t);
        *out = NULL;
    }
    qb_free(examples);
    return status;
}

static double decide(const void *state, const float *x)
{
    const Threshold *t = state;
    return (double)x[t->column] - (double)t->threshold;
}

static bool part(QbModelPart *out, const void *state, int index)
{
    const Threshold *t = state;
    *out = (QbModelPart){.rows = 1, .columns = 1, .values = &t->threshold};
    memcpy(out->name, PART, sizeof PART);
    return index == 0;
}

static QbStatus read(void **out, const QbGguf *gguf, int width)
{
    (void)width;
    float *threshold;
    Threshold *t = *out = qb_calloc(1, sizeof *t);
    if (!t)
        return QB_ERR_NOMEM;
    QbStatus status = qb_model_part_read(&threshold, NULL, gguf, 1, 1, PART);
    if (status) {
        qb_free(t);
        *out = NULL;
        return status;
    }
    *t = (Threshold){find_column(), *threshold};
    qb_free(threshold);
    return QB_OK;
}

const QbNoiseClassifier qb_noise_classifier_variance = {
    .name = "variance",
    .summary = "a threshold on the local variance alone, as renderers use",
    .setting = setting,
    .train = train,
    .decide = decide,
    .part = part,
    .read = read,
    .free = qb_free,
};
