/* noise_examples.h: made-up examples for tests of learning: every feature is random, and the
 * visibility follows from a few of them, bent, so that a straight border does not do. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_NOISE_EXAMPLES_H
#define QB_TESTS_NOISE_EXAMPLES_H

#include "base/module_load.h"
#include "stats/random.h"

#include <limits.h>
#include <math.h>
#include <qboost/noise_train.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Modules lie in <build>/qboost-modules, this program in a folder below <build>. A group set-up. */
static inline int find_modules(void **state)
{
    (void)state;
    char path[PATH_MAX], modules[PATH_MAX + 32];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    for (char *slash; (slash = strrchr(path, '/')) && slash > path;) {
        *slash = 0;
        snprintf(modules, sizeof modules, "%s/qboost-modules", path);
        if (!access(modules, F_OK)) {
            qb_module_set_folder(modules);
            return 0;
        }
    }
    return 0;
}

typedef struct {
    QbNoiseExamples set;
    float *values;
    double *visibility;
    int *scene;
} MadeExamples;

static inline double made_gaussian(QbRandom *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += qb_random_unit(random);
    return sum;
}

/* Scenes differ in where their zones lie. */
static inline MadeExamples made_examples(size_t n, int n_scenes, uint64_t seed)
{
    size_t width = (size_t)qb_noise_zone_feature_count();
    MadeExamples made = {.values = calloc(n * width, sizeof(float)),
                         .visibility = calloc(n, sizeof(double)),
                         .scene = calloc(n, sizeof(int))};
    QbRandom random;
    qb_random_seed(&random, seed);
    for (size_t i = 0; i < n; i++) {
        float *x = made.values + i * width;
        made.scene[i] = (int)(i % (size_t)n_scenes);
        double level = made_gaussian(&random), texture = made_gaussian(&random);
        for (size_t k = 0; k < width; k++) {
            bool variance = !strcmp(qb_noise_zone_feature_name((int)k), "variance8_mean");
            double shared = k % 3 == 0 || variance ? level : k % 3 == 1 ? texture : 0;
            x[k] = (float)(shared + 0.5 * made_gaussian(&random) + 0.1 * made.scene[i]);
        }
        made.visibility[i] = exp2(1.2 * level - 0.8 * fabs(texture) + 0.4);
    }
    made.set = (QbNoiseExamples){n, made.values, made.visibility, made.scene, n_scenes};
    return made;
}

static inline void made_examples_free(MadeExamples *made)
{
    free(made->values);
    free(made->visibility);
    free(made->scene);
}

static inline QbNoiseTrainOptions made_options(const char *classifier)
{
    QbNoiseTrainOptions options;
    qb_noise_train_options_init(&options);
    options.classifier = classifier;
    options.n_threads = 2;
    options.seed = 3;
    return options;
}

#endif
