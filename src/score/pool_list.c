/* pool_list.c: the ways of pooling, one entry each. A new one is a function and an entry here.
 *
 * None looks at the order of frames, so all get them sorted, worst first, and sums do not depend on
 * the order either. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "score/pooling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double mean(const double *sorted, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += sorted[i];
    return sum / (double)n;
}

static double lowest(const double *sorted, int64_t n)
{
    (void)n;
    return sorted[0];
}

/* Linear between order statistics: at position q (n - 1), as numpy.percentile. */
static double quantile(const double *sorted, int64_t n, double q)
{
    double at = q * (double)(n - 1);
    int64_t below = (int64_t)at;
    if (below >= n - 1)
        return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

static double median(const double *sorted, int64_t n)
{
    return quantile(sorted, n, 0.5);
}

static double p1(const double *sorted, int64_t n)
{
    return quantile(sorted, n, 0.01);
}

static double p5(const double *sorted, int64_t n)
{
    return quantile(sorted, n, 0.05);
}

static double p10(const double *sorted, int64_t n)
{
    return quantile(sorted, n, 0.1);
}

/* libvmaf's (libvmaf.c, harmonic mean pooling): n / sum(1 / (v + 1)) - 1 with v = 100 s, so that a
 * frame of score 0 does not make everything 0. */
static double harmonic(const double *sorted, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += 1 / (100 * sorted[i] + 1);
    return fmin(fmax(((double)n / sum - 1) / 100, 0), 1);
}

/* sum((1 - s) s) / sum(1 - s): what a frame lacks is its weight. */
static double weighted(const double *sorted, int64_t n)
{
    double sum = 0, weights = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (1 - sorted[i]) * sorted[i];
        weights += 1 - sorted[i];
    }
    return weights > 0 ? sum / weights : 1;
}

static const QbPooling list[] = {
    {"logits", "each word's logit averaged over the frames, one score of the means (Q-Boost)",
     NULL},
    {"mean", "mean of the frames' scores", mean},
    {"min", "the worst frame", lowest},
    {"median", "as many frames are better as worse", median},
    {"harmonic", "harmonic mean, as libvmaf: n / sum(1 / (100 s + 1)) - 1, as a hundredth",
     harmonic},
    {"p1", "1st percentile: 99 % of the frames are better", p1},
    {"p5", "5th percentile", p5},
    {"p10", "10th percentile", p10},
    {"weighted", "worse frames count more: sum((1 - s) s) / sum(1 - s)", weighted},
};

const QbPooling *qb_pooling_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? &list[index] : NULL;
}

const char *qb_pool_name(int index)
{
    const QbPooling *pooling = qb_pooling_at(index);
    return pooling ? pooling->name : NULL;
}

const char *qb_pool_help(int index)
{
    const QbPooling *pooling = qb_pooling_at(index);
    return pooling ? pooling->help : NULL;
}

QbStatus qb_pooling_find(const QbPooling **out, const char *name)
{
    for (int i = 0; qb_pooling_at(i); i++)
        if (!strcmp(list[i].name, name)) {
            *out = &list[i];
            return QB_OK;
        }
    char known[256];
    qb_names_join(known, sizeof known, qb_pool_name);
    return qb_fail(QB_ERR_ARG, "unknown pooling \"%s\" (%s)", name, known);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

QbStatus qb_pool_scores(double *out, const char *pool, const double *scores, int64_t n_frames)
{
    const QbPooling *pooling;
    if (!out || !pool || !scores || n_frames < 1)
        return qb_fail(QB_ERR_ARG, "qb_pool_scores: no scores");
    QbStatus status = qb_pooling_find(&pooling, pool);
    if (status)
        return status;
    if (!pooling->pool)
        return qb_fail(QB_ERR_ARG, "pooling \"%s\" is not one of scores", pool);
    for (int64_t i = 0; i < n_frames; i++)
        if (!(scores[i] >= 0 && scores[i] <= 1))
            return qb_fail(QB_ERR_ARG, "the score of frame %lld is %g, not within 0..1",
                           (long long)i, scores[i]);
    size_t bytes;
    double *sorted = NULL;
    if (!qb_mul_size(&bytes, (size_t)n_frames, sizeof *sorted) || !(sorted = qb_alloc(bytes)))
        return QB_ERR_NOMEM;
    memcpy(sorted, scores, bytes);
    qsort(sorted, (size_t)n_frames, sizeof *sorted, compare);
    *out = pooling->pool(sorted, n_frames);
    qb_free(sorted);
    return QB_OK;
}
