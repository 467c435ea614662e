/* noise_model_file.c: noise models as GGUF files: architecture "qboost-noise", the features they
 * were trained on by name, how those are standardised, and the parts of the classifier. A model
 * that comes out of a file tells the same visibilities, to the bit, as the one that was saved. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "noise/noise_model.h"
#include "weights/gguf_write.h"

#include <math.h>
#include <string.h>

static const char ARCHITECTURE[] = "qboost-noise";
static const char CLASSIFIER_KEY[] = "qboost-noise.classifier";
static const char FEATURES_KEY[] = "qboost-noise.features";
static const char REVISION_KEY[] = "qboost-noise.features_revision";
static const char SLOPE_KEY[] = "qboost-noise.slope", OFFSET_KEY[] = "qboost-noise.offset";

/* Raised when a feature keeps its name and changes its value. */
enum { FEATURES_REVISION = 1, MAX_FEATURES = 256 };

/* ---- Writing
 * -----------------------------------------------------------------------------------*/

/* The parts of the classifier follow mean and scale. */
static bool part_at(QbModelPart *out, const QbNoiseModel *model, int index)
{
    if (index >= 2)
        return model->classifier->part(out, model->state, index - 2);
    *out = (QbModelPart){
        .rows = 1, .columns = model->n_features, .values = index ? model->scale : model->mean};
    strcpy(out->name, index ? "features.scale" : "features.mean");
    return true;
}

static void describe(QbGgufWriter *writer, const QbNoiseModel *model)
{
    QbGgufText names[MAX_FEATURES];
    size_t n = 0;
    for (const char *name; (name = qb_noise_zone_feature_name((int)n)); n++)
        names[n] = (QbGgufText){name, strlen(name)};
    qb_gguf_put_string(writer, "general.architecture", ARCHITECTURE);
    qb_gguf_put_string(writer, "general.name", model->name);
    qb_gguf_put_string(writer, CLASSIFIER_KEY, model->classifier->name);
    qb_gguf_put_f32(writer, SLOPE_KEY, model->slope);
    qb_gguf_put_f32(writer, OFFSET_KEY, model->offset);
    qb_gguf_put_u32(writer, REVISION_KEY, FEATURES_REVISION);
    qb_gguf_put_string_array(writer, FEATURES_KEY, names, n);
    QbModelPart part;
    for (int i = 0; part_at(&part, model, i); i++)
        qb_gguf_declare(writer, part.name, QB_TYPE_F32, 2, (int64_t[]){part.columns, part.rows});
}

static QbStatus write_data(QbGgufWriter *writer, const QbNoiseModel *model)
{
    QbStatus status = qb_gguf_writer_begin(writer);
    QbModelPart part;
    for (int i = 0; !status && part_at(&part, model, i); i++)
        status = qb_gguf_writer_data(writer, part.values,
                                     (size_t)(part.columns * part.rows) * sizeof *part.values);
    return status ? status : qb_gguf_writer_end(writer);
}

QbStatus qb_noise_model_save(const QbNoiseModel *model, const char *path)
{
    QbAtomicFile file = {0};
    QbGgufWriter *writer = NULL;
    QbStatus status = qb_atomic_file_open(&file, path);
    if (!status && !(status = qb_gguf_writer_new(&writer, file.stream, path))) {
        describe(writer, model);
        status = write_data(writer, model);
    }
    if (!status)
        status = qb_atomic_file_commit(&file);
    else
        qb_atomic_file_abandon(&file);
    qb_gguf_writer_free(&writer);
    return status;
}

/* ---- Reading
 * -----------------------------------------------------------------------------------*/

static QbStatus check_features(const QbGguf *gguf)
{
    const char *file = qb_gguf_name(gguf);
    uint32_t revision;
    size_t n, own = (size_t)qb_noise_zone_feature_count();
    QbStatus status = qb_gguf_get_u32(&revision, gguf, REVISION_KEY);
    if (status || (status = qb_gguf_get_array_length(&n, gguf, FEATURES_KEY)))
        return status;
    if (revision != FEATURES_REVISION || n != own)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: was trained on %zu features of revision %u, this version has %zu of "
                       "revision %d",
                       file, n, revision, own, FEATURES_REVISION);
    for (size_t i = 0; i < n; i++) {
        const char *name, *expected = qb_noise_zone_feature_name((int)i);
        size_t length;
        if ((status = qb_gguf_get_string_at(&name, &length, gguf, FEATURES_KEY, i)))
            return status;
        if (length != strlen(expected) || memcmp(name, expected, length))
            return qb_fail(QB_ERR_UNSUPPORTED, "%s: feature %zu is \"%.*s\", here it is \"%s\"",
                           file, i + 1, length < 60 ? (int)length : 60, name, expected);
    }
    return QB_OK;
}

static QbStatus read_scaling(QbNoiseModel *model, const QbGguf *gguf)
{
    float *mean = NULL, *scale = NULL;
    QbStatus status;
    if (!(status = qb_model_part_read(&mean, NULL, gguf, 1, model->n_features, "features.mean")) &&
        !(status =
              qb_model_part_read(&scale, NULL, gguf, 1, model->n_features, "features.scale")) &&
        !(status = qb_gguf_get_f32(&model->slope, gguf, SLOPE_KEY)) &&
        !(status = qb_gguf_get_f32(&model->offset, gguf, OFFSET_KEY))) {
        memcpy(model->mean, mean, (size_t)model->n_features * sizeof *mean);
        memcpy(model->scale, scale, (size_t)model->n_features * sizeof *scale);
        if (!(model->slope > 0))
            status = qb_fail(QB_ERR_FORMAT, "%s: %s is %g", qb_gguf_name(gguf), SLOPE_KEY,
                             (double)model->slope);
    }
    qb_free(mean);
    qb_free(scale);
    return status;
}

QbStatus qb_noise_model_read(QbNoiseModel **out, const QbGguf *gguf)
{
    const char *file = qb_gguf_name(gguf), *architecture, *kind, *name = "unnamed";
    const QbNoiseClassifier *classifier;
    QbStatus status = qb_gguf_get_string(&architecture, gguf, "general.architecture");
    *out = NULL;
    if (status)
        return status;
    if (strcmp(architecture, ARCHITECTURE))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: architecture \"%s\", expected \"%s\"", file,
                       architecture, ARCHITECTURE);
    if ((status = qb_gguf_get_string_or(&name, gguf, "general.name")) ||
        (status = qb_gguf_get_string(&kind, gguf, CLASSIFIER_KEY)) ||
        (status = check_features(gguf)))
        return status;
    if (qb_noise_classifier_find(&classifier, kind))
        return qb_fail_prefix(QB_ERR_UNSUPPORTED, "%s", file);
    if ((status = qb_noise_model_new(out, name, classifier)))
        return status;
    if ((status = read_scaling(*out, gguf)) ||
        (status = classifier->read(&(*out)->state, gguf, (*out)->n_features)))
        qb_noise_model_close(out);
    return status;
}

QbStatus qb_noise_model_open(QbNoiseModel **out, const char *path)
{
    QbGguf *gguf = NULL;
    size_t size;
    *out = NULL;
    const void *embedded = path ? NULL : qb_embedded_noise_model(&size);
    QbStatus status = path ? qb_gguf_open(&gguf, path)
                           : qb_gguf_open_memory(&gguf, embedded, size, "the embedded noise model");
    if (!status)
        status = qb_noise_model_read(out, gguf);
    qb_gguf_close(&gguf);
    return status;
}
