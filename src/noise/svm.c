/* svm.c: see svm.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/svm.h"

#include "base/error.h"
#include "base/mem.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double COSTS[] = {1, 8, 64};
static const double GAMMAS[] = {1.0 / 128, 1.0 / 32, 0.125}; /* over the number of features */
enum { N_COSTS = sizeof COSTS / sizeof *COSTS, N_GAMMAS = sizeof GAMMAS / sizeof *GAMMAS };

/* ---- Training
 * ----------------------------------------------------------------------------------*/

static QbStatus allocate(QbSvm *svm, int64_t n, int width)
{
    svm->n = n;
    svm->width = width;
    svm->vectors = qb_calloc((size_t)n, (size_t)width * sizeof *svm->vectors);
    svm->weights = qb_calloc((size_t)n, sizeof *svm->weights);
    return svm->vectors && svm->weights ? QB_OK : QB_ERR_NOMEM;
}

/* One vector without weight. */
static QbStatus always(QbSvm *out, int width, double gamma, bool noisy)
{
    out->shape[0] = (float)gamma;
    out->shape[1] = noisy ? -1 : 1;
    return allocate(out, 1, width);
}

static QbStatus keep_support(QbSvm *out, const QbSvmProblem *problem, const double *coefficients,
                             double rho)
{
    int64_t n = 0, at = 0;
    for (int i = 0; i < problem->n; i++)
        n += fabs(coefficients[i]) > 0;
    QbStatus status = allocate(out, n ? n : 1, problem->width);
    if (status)
        return status;
    out->shape[0] = (float)problem->gamma;
    out->shape[1] = (float)rho;
    for (int i = 0; i < problem->n; i++)
        if (fabs(coefficients[i]) > 0) {
            out->weights[at] = (float)coefficients[i];
            memcpy(out->vectors + at++ * problem->width, problem->x + (ptrdiff_t)i * problem->width,
                   (size_t)problem->width * sizeof *out->vectors);
        }
    return QB_OK;
}

static QbStatus solve(QbSvm *out, const QbSvmProblem *problem)
{
    static const QbModuleKind kind = {"qb_svm_module", QB_SVM_MODULE_ABI};
    const QbModuleHead *head;
    QbStatus status = qb_module_get(&head, &kind, "svm", "libsvm-dev");
    if (status)
        return status;
    const QbSvmModule *module = (const QbSvmModule *)head;
    double rho, *coefficients = qb_calloc((size_t)problem->n, sizeof *coefficients);
    void *scratch = qb_alloc(module->scratch_bytes(problem->n, problem->width));
    status = QB_ERR_NOMEM;
    if (coefficients && scratch) {
        const char *wrong = module->train(coefficients, &rho, problem, scratch);
        status = wrong ? qb_fail(QB_ERR_ARG, "support vector machine: %s", wrong)
                       : keep_support(out, problem, coefficients, rho);
    }
    qb_free(scratch);
    qb_free(coefficients);
    return status;
}

QbStatus qb_svm_train(QbSvm *out, const QbNoiseRows *rows, int first, int width,
                      const QbSvmProblem *how)
{
    *out = (QbSvm){0};
    size_t n_noisy = 0;
    for (size_t i = 0; i < rows->n; i++)
        n_noisy += rows->octaves[i] > 0;
    bool mixed = n_noisy && n_noisy < rows->n;
    if (!how->regression && !mixed)
        return always(out, width, how->gamma, n_noisy);
    size_t bytes;
    if (rows->n > INT_MAX || !qb_mul_size(&bytes, rows->n, (size_t)width * sizeof(float)))
        return qb_fail(QB_ERR_LIMIT, "%zu examples are too many", rows->n);
    float *x = qb_alloc(bytes);
    if (!x)
        return QB_ERR_NOMEM;
    for (size_t i = 0; i < rows->n; i++)
        memcpy(x + i * (size_t)width, rows->x + i * (size_t)rows->width + first,
               (size_t)width * sizeof *x);
    QbSvmProblem problem = *how;
    problem.x = x;
    problem.y = rows->octaves;
    problem.n = (int)rows->n;
    problem.width = width;
    if (mixed) {
        problem.weights[0] = 0.5 * (double)rows->n / (double)(rows->n - n_noisy);
        problem.weights[1] = 0.5 * (double)rows->n / (double)n_noisy;
    }
    QbStatus status = solve(out, &problem);
    qb_free(x);
    if (status)
        qb_svm_deinit(out);
    return status;
}

void qb_svm_deinit(QbSvm *svm)
{
    qb_free(svm->vectors);
    qb_free(svm->weights);
    *svm = (QbSvm){0};
}

double qb_svm_decide(const QbSvm *svm, const float *x)
{
    double sum = -(double)svm->shape[1], gamma = (double)svm->shape[0];
    for (int64_t i = 0; i < svm->n; i++) {
        const float *vector = svm->vectors + i * svm->width;
        double square = 0;
        for (int k = 0; k < svm->width; k++) {
            double d = (double)vector[k] - (double)x[k];
            square += d * d;
        }
        sum += (double)svm->weights[i] * exp(-gamma * square);
    }
    return sum;
}

bool qb_svm_setting(QbNoiseSetting *out, int index, const QbNoiseTrainOptions *options)
{
    int n_costs = options->cost > 0 ? 1 : N_COSTS, n_gammas = options->gamma > 0 ? 1 : N_GAMMAS;
    if (index >= n_costs * n_gammas)
        return false;
    out->cost = options->cost > 0 ? options->cost : COSTS[index / n_gammas];
    out->gamma = options->gamma > 0 ? options->gamma
                                    : GAMMAS[index % n_gammas] / qb_noise_zone_feature_count();
    return true;
}

/* ---- In files
 * ----------------------------------------------------------------------------------*/

void qb_svm_part(QbModelPart *out, const QbSvm *svm, const char *prefix, int index)
{
    static const char *const names[QB_SVM_PARTS] = {"vectors", "weights", "shape"};
    const float *values[QB_SVM_PARTS] = {svm->vectors, svm->weights, svm->shape};
    int64_t columns[QB_SVM_PARTS] = {svm->width, svm->n, 2};
    snprintf(out->name, sizeof out->name, "%s.%s", prefix, names[index]);
    out->rows = index ? 1 : svm->n;
    out->columns = columns[index];
    out->values = values[index];
}

QbStatus qb_svm_read(QbSvm *out, const QbGguf *gguf, int width, const char *prefix)
{
    *out = (QbSvm){.width = width};
    char name[QB_SVM_PARTS][sizeof((QbModelPart *)NULL)->name];
    for (int i = 0; i < QB_SVM_PARTS; i++) {
        QbModelPart part;
        qb_svm_part(&part, out, prefix, i);
        memcpy(name[i], part.name, sizeof part.name);
    }
    float *shape = NULL;
    QbStatus status;
    (void)((status = qb_model_part_read(&out->vectors, &out->n, gguf, 0, width, name[0])) ||
           (status = qb_model_part_read(&out->weights, NULL, gguf, 1, out->n, name[1])) ||
           (status = qb_model_part_read(&shape, NULL, gguf, 1, 2, name[2])));
    if (!status) {
        memcpy(out->shape, shape, sizeof out->shape);
        if (!(shape[0] > 0))
            status = qb_fail(QB_ERR_FORMAT, "%s: gamma of %s is %g", qb_gguf_name(gguf), prefix,
                             (double)shape[0]);
    }
    qb_free(shape);
    if (status)
        qb_svm_deinit(out);
    return status;
}

/* ---- A classifier that is one machine
 * ----------------------------------------------------------*/

static const char PREFIX[] = "svm";

QbStatus qb_svm_train_state(void **out, const QbNoiseRows *rows, const QbSvmProblem *how)
{
    QbSvm *svm = *out = qb_calloc(1, sizeof *svm);
    if (!svm)
        return QB_ERR_NOMEM;
    QbStatus status = qb_svm_train(svm, rows, 0, rows->width, how);
    if (status) {
        qb_svm_free_state(svm);
        *out = NULL;
    }
    return status;
}

double qb_svm_decide_state(const void *state, const float *x)
{
    return qb_svm_decide(state, x);
}

bool qb_svm_part_of_state(QbModelPart *out, const void *state, int index)
{
    if (index >= QB_SVM_PARTS)
        return false;
    qb_svm_part(out, state, PREFIX, index);
    return true;
}

QbStatus qb_svm_read_state(void **out, const QbGguf *gguf, int width)
{
    QbSvm *svm = *out = qb_calloc(1, sizeof *svm);
    if (!svm)
        return QB_ERR_NOMEM;
    QbStatus status = qb_svm_read(svm, gguf, width, PREFIX);
    if (status) {
        qb_svm_free_state(svm);
        *out = NULL;
    }
    return status;
}

void qb_svm_free_state(void *state)
{
    if (state)
        qb_svm_deinit(state);
    qb_free(state);
}
