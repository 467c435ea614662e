/* train_baseline.c: see train_baseline.h. A zone is called noisy when its number is below the
 * threshold. */
// SPDX-License-Identifier: Apache-2.0
#include "run/train_baseline.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>

typedef struct Sample {
    double value;
    bool noisy;
    int scene;
} Sample;

/* Zones by what they are and what they are called. */
typedef struct Counts {
    size_t noisy_right, noisy_wrong, clean_right, clean_wrong;
} Counts;

static int compare_samples(const void *a, const void *b)
{
    double x = ((const Sample *)a)->value, y = ((const Sample *)b)->value;
    return (x > y) - (x < y);
}

/* Zones that have the number, in its order. */
static Sample *sort_samples(const TrainSet *set, const TrainBaseline *baseline, size_t *out_n)
{
    Sample *samples = cli_calloc(set->n, sizeof *samples);
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++)
        if (!isnan(baseline->values[i]))
            samples[n++] = (Sample){.value = baseline->values[i],
                                    .noisy = set->visibility[i] > 1,
                                    .scene = set->scene[i]};
    if (n > 0)
        qsort(samples, n, sizeof *samples, compare_samples);
    *out_n = n;
    return samples;
}

/* Best on all scenes but one. It lies in the middle between two values; of several that are equally
 * good, the lowest counts. */
static double find_threshold(const Sample *samples, size_t n, int without)
{
    int64_t right = 0, best;
    double threshold = -INFINITY, before = NAN;
    for (size_t i = 0; i < n; i++) /* nothing is called noisy */
        right += samples[i].scene != without && !samples[i].noisy;
    best = right;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && samples[i].scene == without)
            continue;
        double value = i < n ? samples[i].value : INFINITY;
        if (!isnan(before) && value > before && right > best) {
            best = right;
            threshold = i < n ? before + (value - before) / 2 : INFINITY;
        }
        if (i < n)
            right += samples[i].noisy ? 1 : -1;
        before = value;
    }
    return threshold;
}

static void count(Counts *counts, const Sample *sample, double threshold)
{
    bool called_noisy = sample->value < threshold;
    if (sample->noisy)
        (*(called_noisy ? &counts->noisy_right : &counts->noisy_wrong))++;
    else
        (*(called_noisy ? &counts->clean_wrong : &counts->clean_right))++;
}

static QbNoiseAccuracy accuracy_of(const Counts *c)
{
    double n_noisy = (double)(c->noisy_right + c->noisy_wrong);
    double n_clean = (double)(c->clean_right + c->clean_wrong);
    double missed = n_noisy > 0 ? (double)c->noisy_wrong / n_noisy : NAN;
    double alarm = n_clean > 0 ? (double)c->clean_wrong / n_clean : NAN;
    double right = (double)(c->noisy_right + c->clean_right);
    return (QbNoiseAccuracy){.n = (size_t)(n_noisy + n_clean),
                             .accuracy = right / (n_noisy + n_clean),
                             .balanced_accuracy = 1 - (missed + alarm) / 2,
                             .missed = missed,
                             .false_alarm = alarm,
                             .octaves = NAN};
}

static void add_counts(Counts *sum, const Counts *more)
{
    sum->noisy_right += more->noisy_right;
    sum->noisy_wrong += more->noisy_wrong;
    sum->clean_right += more->clean_right;
    sum->clean_wrong += more->clean_wrong;
}

void train_baseline_accuracy(QbNoiseAccuracy *all, QbNoiseAccuracy *scenes, const TrainSet *set,
                             const TrainBaseline *baseline)
{
    size_t n;
    Sample *samples = sort_samples(set, baseline, &n);
    Counts sum = {0};
    for (int scene = 0; scene < set->n_scenes; scene++) {
        double threshold = find_threshold(samples, n, scene);
        Counts counts = {0};
        for (size_t i = 0; i < n; i++)
            if (samples[i].scene == scene)
                count(&counts, &samples[i], threshold);
        scenes[scene] = accuracy_of(&counts);
        add_counts(&sum, &counts);
    }
    *all = accuracy_of(&sum);
    free(samples);
}
