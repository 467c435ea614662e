/* metric.c: the public side of the full-reference metrics: what there is, and one measurement with
 * everything checked before a metric sees it. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/metric.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "noise/report.h"

#include <string.h>

const QbNoiseMetricInfo *qb_noise_metric_info(int index)
{
    const QbNoiseMetric *metric = qb_noise_metric_at(index);
    return metric ? &metric->info : NULL;
}

static const char *metric_name(int index)
{
    const QbNoiseMetric *metric = qb_noise_metric_at(index);
    return metric ? metric->info.name : NULL;
}

static QbStatus choose(const QbNoiseMetric **out, const char *name)
{
    for (int i = 0; (*out = qb_noise_metric_at(i)); i++)
        if (!strcmp((*out)->info.name, name))
            return QB_OK;
    char known[256];
    qb_names_join(known, sizeof known, metric_name);
    return qb_fail(QB_ERR_ARG, "unknown metric \"%s\" (%s)", name, known);
}

static void pair_sizes(int image[2], int reference[2], const QbNoisePair *pair, bool light)
{
    QbLightInfo info;
    if (light) {
        qb_light_info(&info, pair->image_light);
        image[0] = info.width, image[1] = info.height;
        qb_light_info(&info, pair->reference_light);
        reference[0] = info.width, reference[1] = info.height;
        return;
    }
    image[0] = qb_image_width(pair->image), image[1] = qb_image_height(pair->image);
    reference[0] = qb_image_width(pair->reference);
    reference[1] = qb_image_height(pair->reference);
}

static QbStatus check_pair(QbNoiseJob *job, const QbNoiseMetricInfo *info)
{
    const QbNoisePair *pair = job->pair;
    int image[2], reference[2];
    bool there = info->needs_light ? pair->image_light && pair->reference_light
                                   : pair->image && pair->reference;
    if (!there)
        return qb_fail(QB_ERR_ARG, "%s needs the image and the reference as %s", info->name,
                       info->needs_light ? "linear light" : "a screen shows them");
    pair_sizes(image, reference, pair, info->needs_light);
    if (image[0] != reference[0] || image[1] != reference[1])
        return qb_fail(QB_ERR_ARG, "the image has %d x %d pixels, its reference %d x %d", image[0],
                       image[1], reference[0], reference[1]);
    if (image[0] < info->min_side || image[1] < info->min_side)
        return qb_fail(QB_ERR_ARG,
                       "%s needs pictures of at least %d x %d pixels, these have "
                       "%d x %d",
                       info->name, info->min_side, info->min_side, image[0], image[1]);
    job->width = image[0];
    job->height = image[1];
    return QB_OK;
}

QbStatus qb_noise_measure(double *whole, double *zones, float *map, const char *metric,
                          const QbNoisePair *pair, QbNoiseGrid grid, int n_threads)
{
    double unused[QB_NOISE_MAX_ZONES];
    QbKernels kernels;
    const QbNoiseMetric *chosen;
    QbNoiseJob job = {.pair = pair,
                      .grid = grid,
                      .kernels = &kernels,
                      .whole = whole,
                      .zones = zones ? zones : unused,
                      .map = map};
    if (!whole || !metric || !pair)
        return qb_fail(QB_ERR_ARG, "qb_noise_measure: %s is NULL",
                       !whole    ? "whole"
                       : !metric ? "metric"
                                 : "pair");
    QbStatus status = choose(&chosen, metric);
    if (status || (status = check_pair(&job, &chosen->info)) ||
        (status = qb_noise_grid_check(grid, job.width, job.height, 1)))
        return status;
    if (map)
        memset(map, 0, (size_t)job.width * (size_t)job.height * sizeof *map);
    qb_kernels_init(&kernels, qb_cpu_flags());
    status = qb_pool_new(&job.pool, n_threads > 0 ? n_threads : qb_cpu_count());
    if (!status)
        status = chosen->measure(&job);
    qb_pool_free(&job.pool);
    return status;
}
