/* noise_model.c: a learned model in use: features of zones, standardised, told by a classifier,
 * its decision turned into a visibility. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/noise_model.h"

#include "base/error.h"
#include "base/mem.h"
#include "noise/report.h"

#include <math.h>

QbStatus qb_noise_model_new(QbNoiseModel **out, const char *name,
                            const QbNoiseClassifier *classifier)
{
    QbNoiseModel *model = *out = qb_calloc(1, sizeof *model);
    if (!model)
        return QB_ERR_NOMEM;
    model->classifier = classifier;
    model->n_features = qb_noise_zone_feature_count();
    model->slope = 1;
    model->name = qb_strdup(name);
    model->mean = qb_calloc((size_t)model->n_features, sizeof *model->mean);
    model->scale = qb_calloc((size_t)model->n_features, sizeof *model->scale);
    if (model->name && model->mean && model->scale)
        return QB_OK;
    qb_noise_model_close(out);
    return QB_ERR_NOMEM;
}

void qb_noise_model_close(QbNoiseModel **model_pointer)
{
    QbNoiseModel *model = model_pointer ? *model_pointer : NULL;
    if (!model)
        return;
    if (model->state)
        model->classifier->free(model->state);
    qb_free(model->name);
    qb_free(model->mean);
    qb_free(model->scale);
    qb_free(model);
    *model_pointer = NULL;
}

const char *qb_noise_model_name(const QbNoiseModel *model)
{
    return model->name;
}

const char *qb_noise_model_classifier(const QbNoiseModel *model)
{
    return model->classifier->name;
}

void qb_noise_standardise(float *x, const QbNoiseModel *model, const float *values)
{
    const double most = QB_NOISE_MAX_DEVIATIONS;
    for (int k = 0; k < model->n_features; k++) {
        double v = ((double)values[k] - (double)model->mean[k]) * (double)model->scale[k];
        x[k] = (float)(v < -most ? -most : v > most ? most : v);
    }
}

QbStatus qb_noise_model_predict(double *visibility, const QbNoiseModel *model, const float *values,
                                size_t n)
{
    size_t width = (size_t)model->n_features;
    for (size_t i = 0; i < n * width; i++)
        if (!isfinite(values[i]))
            return qb_fail(QB_ERR_ARG, "feature %s of zone %zu is not finite",
                           qb_noise_zone_feature_name((int)(i % width)), i / width + 1);
    float *x = qb_alloc(width * sizeof *x);
    if (!x)
        return QB_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        qb_noise_standardise(x, model, values + i * width);
        double octaves = (double)model->offset +
                         (double)model->slope * model->classifier->decide(model->state, x);
        octaves = octaves > -QB_NOISE_MAX_OCTAVES ? octaves : -QB_NOISE_MAX_OCTAVES;
        visibility[i] = exp2(octaves < QB_NOISE_MAX_OCTAVES ? octaves : QB_NOISE_MAX_OCTAVES);
    }
    qb_free(x);
    return QB_OK;
}

QbStatus qb_noise_judge(QbNoiseReport *out, const QbNoiseModel *model, const QbImage *image,
                        QbNoiseGrid grid, int n_threads)
{
    QbStatus status = qb_noise_grid_check(grid, qb_image_width(image), qb_image_height(image),
                                          QB_NOISE_MIN_ZONE_SIDE);
    if (status)
        return status;
    double visibility[QB_NOISE_MAX_ZONES];
    size_t n = (size_t)(grid.columns * grid.rows);
    float *values = qb_calloc(n, (size_t)model->n_features * sizeof *values);
    if (!values)
        return QB_ERR_NOMEM;
    if (!(status = qb_noise_zone_features(values, image, grid, n_threads)) &&
        !(status = qb_noise_model_predict(visibility, model, values, n)))
        qb_noise_report_fill(out, grid, visibility);
    qb_free(values);
    return status;
}
