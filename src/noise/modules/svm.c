/* svm.c: trains support vector machines by libsvm (Chang & Lin, LIBSVM: a library for support
 * vector machines, ACM TIST 2, 2011). Only training: what it finds is used without it. */
// LDLIBS: -lsvm
// SPDX-License-Identifier: Apache-2.0
#include "noise/module.h"

#include <libsvm/svm.h>
#include <string.h>

/* Of libsvm's kernel columns, in MB: a few thousand examples fit whole. */
static const double CACHE_MB = 256;

static void say_nothing(const char *text)
{
    (void)text;
}

/* libsvm's only state that trainings share: set once, while the module is opened. */
__attribute__((constructor)) static void be_quiet(void)
{
    svm_set_print_string_function(say_nothing);
}

/* Per example its nodes and their end, a pointer to them and a label. */
static size_t scratch_bytes(int n, int width)
{
    size_t nodes = ((size_t)width + 1) * sizeof(struct svm_node);
    return (size_t)n * (nodes + sizeof(struct svm_node *) + sizeof(double));
}

static void lay_out(struct svm_problem *out, const QbSvmProblem *problem, void *scratch)
{
    struct svm_node *node = scratch;
    out->l = problem->n;
    out->x = (struct svm_node **)(node + (size_t)problem->n * ((size_t)problem->width + 1));
    out->y = (double *)(out->x + problem->n);
    for (int i = 0; i < problem->n; i++) {
        const float *x = problem->x + (size_t)i * (size_t)problem->width;
        out->x[i] = node;
        out->y[i] = problem->regression ? problem->y[i] : problem->y[i] > 0 ? 1 : -1;
        for (int k = 0; k < problem->width; k++)
            *node++ = (struct svm_node){k + 1, (double)x[k]};
        *node++ = (struct svm_node){-1, 0};
    }
}

static const char *train(double *coefficients, double *out_rho, const QbSvmProblem *problem,
                         void *scratch)
{
    struct svm_problem data;
    int labels[2] = {-1, 1};
    double weights[2] = {problem->weights[0], problem->weights[1]};
    struct svm_parameter how = {
        .svm_type = problem->regression ? EPSILON_SVR : C_SVC,
        .kernel_type = RBF,
        .gamma = problem->gamma,
        .cache_size = CACHE_MB,
        .eps = 1e-3, /* libsvm's default */
        .C = problem->cost,
        .nr_weight = problem->regression ? 0 : 2,
        .weight_label = labels,
        .weight = weights,
        .p = problem->epsilon,
        .shrinking = 1,
    };
    lay_out(&data, problem, scratch);
    const char *wrong = svm_check_parameter(&data, &how);
    if (wrong)
        return wrong;
    struct svm_model *model = svm_train(&data, &how);
    if (!problem->regression && model->nr_class != 2) {
        svm_free_and_destroy_model(&model);
        return "the examples are all of one class";
    }
    /* Of two classes the first one met is the positive one. */
    double sign = problem->regression || model->label[0] == 1 ? 1 : -1;
    memset(coefficients, 0, (size_t)problem->n * sizeof *coefficients);
    for (int i = 0; i < model->l; i++)
        coefficients[model->sv_indices[i] - 1] = sign * model->sv_coef[0][i];
    *out_rho = sign * model->rho[0];
    svm_free_and_destroy_model(&model);
    return NULL;
}

const QbSvmModule qb_svm_module = {{QB_SVM_MODULE_ABI, "svm"}, scratch_bytes, train};
