/* noise_train.c: training a model, and telling how well that works by leaving out one scene at a
 * time. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "noise/learn.h"

#include <math.h>
#include <stdio.h>

void qb_noise_train_options_init(QbNoiseTrainOptions *options)
{
    *options = (QbNoiseTrainOptions){.size = sizeof *options};
}

/* ---- Checks
 * ------------------------------------------------------------------------------------*/

static QbStatus check_options(const QbNoiseTrainOptions *options)
{
    if (options->size != sizeof *options)
        return qb_fail(QB_ERR_ARG, "options were not set up by qb_noise_train_options_init");
    if (!(options->cost >= 0) || !(options->gamma >= 0) || isinf(options->cost) ||
        isinf(options->gamma))
        return qb_fail(QB_ERR_ARG, "cost %g, gamma %g", options->cost, options->gamma);
    return QB_OK;
}

static QbStatus check_example(const QbNoiseExamples *examples, size_t i)
{
    size_t width = (size_t)qb_noise_zone_feature_count();
    if (!(examples->visibility[i] >= 0) || isinf(examples->visibility[i]))
        return qb_fail(QB_ERR_ARG, "example %zu: visibility %g", i + 1, examples->visibility[i]);
    if (examples->scene[i] < 0 || examples->scene[i] >= examples->n_scenes)
        return qb_fail(QB_ERR_ARG, "example %zu: scene %d of %d", i + 1, examples->scene[i],
                       examples->n_scenes);
    for (size_t k = 0; k < width; k++)
        if (!isfinite(examples->values[i * width + k]))
            return qb_fail(QB_ERR_ARG, "example %zu: %s is not finite", i + 1,
                           qb_noise_zone_feature_name((int)k));
    return QB_OK;
}

static QbStatus check_examples(const QbNoiseExamples *examples)
{
    size_t n_noisy = 0, bytes;
    if (!qb_mul_size(&bytes, examples->n, 4096) || examples->n > UINT32_MAX)
        return qb_fail(QB_ERR_LIMIT, "%zu examples are too many", examples->n);
    for (size_t i = 0; i < examples->n; i++) {
        QbStatus status = check_example(examples, i);
        if (status)
            return status;
        n_noisy += examples->visibility[i] > 1;
    }
    if (!n_noisy || n_noisy == examples->n)
        return qb_fail(QB_ERR_ARG, "%zu of %zu examples are noisy; both kinds are needed", n_noisy,
                       examples->n);
    return QB_OK;
}

QbStatus qb_noise_learning_init(QbNoiseLearning *out, const QbNoiseExamples *examples,
                                const QbNoiseTrainOptions *options)
{
    *out = (QbNoiseLearning){.examples = examples};
    qb_noise_train_options_init(&out->options);
    QbStatus status = options ? check_options(options) : QB_OK;
    if (status || (status = check_examples(examples)))
        return status;
    if (options)
        out->options = *options;
    if ((status = qb_noise_classifier_find(&out->classifier, out->options.classifier)))
        return status;
    if (out->options.n_threads <= 0)
        out->options.n_threads = qb_cpu_count();
    pthread_mutex_init(&out->mutex, NULL);
    return QB_OK;
}

void qb_noise_learning_deinit(QbNoiseLearning *learning)
{
    pthread_mutex_destroy(&learning->mutex);
}

QbStatus qb_noise_train(QbNoiseModel **out, const QbNoiseExamples *examples,
                        const QbNoiseTrainOptions *options)
{
    QbNoiseLearning learning;
    QbPool *pool = NULL;
    *out = NULL;
    QbStatus status = qb_noise_learning_init(&learning, examples, options);
    if (status)
        return status;
    learning.total = qb_noise_learn_rounds(&learning);
    if (!(status = qb_pool_new(&pool, learning.options.n_threads)))
        status = qb_noise_learn(out, &learning, -1, pool);
    qb_pool_free(&pool);
    qb_noise_learning_deinit(&learning);
    return status;
}

/* ---- Leaving out a scene
 * -----------------------------------------------------------------------*/

typedef struct {
    QbNoiseLearning learning;
    double *predicted; /* [n] */
    size_t *n_of;      /* [n_scenes] */
    QbStatus *status;  /* [n_scenes] */
    char (*message)[256];
} Validation;

static QbStatus tell_scene(Validation *v, int scene)
{
    const QbNoiseExamples *examples = v->learning.examples;
    size_t width = (size_t)qb_noise_zone_feature_count();
    QbNoiseModel *model;
    QbStatus status = qb_noise_learn(&model, &v->learning, scene, NULL);
    for (size_t i = 0; i < examples->n && !status; i++)
        if (examples->scene[i] == scene)
            status =
                qb_noise_model_predict(&v->predicted[i], model, examples->values + i * width, 1);
    qb_noise_model_close(&model);
    return status;
}

static void tell_scenes(int begin, int end, int thread, void *user)
{
    Validation *v = user;
    (void)thread;
    for (int scene = begin; scene < end; scene++)
        if (v->n_of[scene] && (v->status[scene] = tell_scene(v, scene)))
            snprintf(v->message[scene], sizeof *v->message, "%s", qb_last_error());
}

/* Both kinds must be left to learn from. */
static QbStatus count_scenes(Validation *v)
{
    const QbNoiseExamples *examples = v->learning.examples;
    size_t n_noisy = 0;
    int n_used = 0;
    for (size_t i = 0; i < examples->n; i++) {
        n_used += !v->n_of[examples->scene[i]]++;
        n_noisy += examples->visibility[i] > 1;
    }
    for (int scene = 0; scene < examples->n_scenes; scene++) {
        size_t noisy = n_noisy, n = examples->n - v->n_of[scene];
        for (size_t i = 0; i < examples->n; i++)
            noisy -= examples->scene[i] == scene && examples->visibility[i] > 1;
        if (v->n_of[scene] && (!noisy || noisy == n))
            return qb_fail(QB_ERR_ARG,
                           "without scene %d, %zu of %zu examples are noisy; both kinds are needed",
                           scene + 1, noisy, n);
    }
    v->learning.total = (double)n_used * qb_noise_learn_rounds(&v->learning);
    return QB_OK;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* Of one scene, or of all (-1). */
static QbNoiseAccuracy accuracy_of(const QbNoiseExamples *examples, const double *predicted,
                                   int scene)
{
    double n[2] = {0}, wrong[2] = {0}, squares = 0, n_near = 0;
    for (size_t i = 0; i < examples->n; i++) {
        if (scene >= 0 && examples->scene[i] != scene)
            continue;
        double truth = examples->visibility[i];
        bool noisy = truth > 1;
        n[noisy]++;
        wrong[noisy] += (predicted[i] > 1) != noisy;
        if (truth >= 0.25 && truth <= 4) {
            double off = log2(predicted[i] / truth);
            squares += off * off;
            n_near++;
        }
    }
    QbNoiseAccuracy out = {.n = (size_t)(n[0] + n[1])};
    int n_kinds = (n[0] > 0) + (n[1] > 0);
    out.accuracy = 1 - share(wrong[0] + wrong[1], n[0] + n[1]);
    out.missed = share(wrong[1], n[1]);
    out.false_alarm = share(wrong[0], n[0]);
    out.balanced_accuracy = n_kinds ? 1 - (out.missed + out.false_alarm) / n_kinds : 0;
    out.octaves = sqrt(share(squares, n_near));
    return out;
}

static QbStatus validate(Validation *v, QbNoiseAccuracy *out, QbNoiseAccuracy *scenes)
{
    const QbNoiseExamples *examples = v->learning.examples;
    int threads = v->learning.options.n_threads;
    QbPool *pool = NULL;
    QbStatus status = count_scenes(v);
    if (status ||
        (status = qb_pool_new(&pool, threads < examples->n_scenes ? threads : examples->n_scenes)))
        return status;
    qb_pool_run(pool, tell_scenes, v, examples->n_scenes, 1);
    qb_pool_free(&pool);
    for (int scene = 0; scene < examples->n_scenes; scene++) {
        if (v->status[scene])
            return qb_fail(v->status[scene], "%s", v->message[scene]);
        if (scenes)
            scenes[scene] = accuracy_of(examples, v->predicted, scene);
    }
    *out = accuracy_of(examples, v->predicted, -1);
    return QB_OK;
}

QbStatus qb_noise_cross_validate(QbNoiseAccuracy *out, QbNoiseAccuracy *scenes, double *predicted,
                                 const QbNoiseExamples *examples,
                                 const QbNoiseTrainOptions *options)
{
    Validation v = {0};
    QbStatus status = qb_noise_learning_init(&v.learning, examples, options);
    if (status)
        return status;
    double *own = predicted ? NULL : qb_calloc(examples->n, sizeof *own);
    v.predicted = predicted ? predicted : own;
    v.n_of = qb_calloc((size_t)examples->n_scenes, sizeof *v.n_of);
    v.status = qb_calloc((size_t)examples->n_scenes, sizeof *v.status);
    v.message = qb_calloc((size_t)examples->n_scenes, sizeof *v.message);
    status =
        v.predicted && v.n_of && v.status && v.message ? validate(&v, out, scenes) : QB_ERR_NOMEM;
    qb_free(own);
    qb_free(v.n_of);
    qb_free(v.status);
    qb_free(v.message);
    qb_noise_learning_deinit(&v.learning);
    return status;
}
