/* module.h: what the module that trains support vector machines is. libsvm is C++ and training is
 * rare: the library that judges pictures is not linked with it, but opens a module
 * (base/module_load.h) when somebody trains.
 *
 * It exports one symbol, qb_svm_module, and needs none from the library. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_MODULE_H
#define QB_NOISE_MODULE_H

#include "base/module_load.h"

#include <stdbool.h>

enum { QB_SVM_MODULE_ABI = 1 }; /* raised by any change below */

/* Radial basis functions: exp(-gamma |x - y|^2). */
typedef struct QbSvmProblem {
    const float *x;  /* [n][width] */
    const double *y; /* [n]: above 0 or not, or the values themselves when regression */
    int n, width;
    bool regression; /* epsilon-SVR, else C-SVC */
    double cost, gamma;
    double epsilon;    /* of regression: errors up to it cost nothing */
    double weights[2]; /* of classes, factors on the cost: not above 0, above 0 */
} QbSvmProblem;

typedef struct QbSvmModule {
    QbModuleHead head; /* abi: QB_SVM_MODULE_ABI */
    /* Bytes, aligned for doubles and pointers, that train works in besides libsvm's own. */
    size_t (*scratch_bytes)(int n, int width);
    /* decision(z) = sum of coefficients[i] * kernel(x[i], z) - *out_rho, above 0 for y above 0.
     * coefficients[n] is 0 for all but support vectors. NULL, or why it cannot be done (a text that
     * stays). Any number of threads may train. */
    const char *(*train)(double *coefficients, double *out_rho, const QbSvmProblem *problem,
                         void *scratch);
} QbSvmModule;

/* Defined by the module. */
extern QB_API const QbSvmModule qb_svm_module;

#endif
