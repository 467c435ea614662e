/* metric.h: a full-reference metric as the list knows it, and what all of them are given.
 *
 * A metric writes the value of the whole picture, of every zone (pooled from the whole picture's
 * maps: a zone's filters look over its border) and the error at each pixel. Rows of the result are
 * split over the pool; sums are added up row by row in one order, so that nothing depends on the
 * number of threads (noise/zone_sums.h). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_METRIC_H
#define QB_NOISE_METRIC_H

#include "base/threads.h"
#include "kernels/kernels.h"

#include <qboost/noise.h>

typedef struct QbNoiseJob {
    const QbNoisePair *pair; /* sizes agree; what info.needs_light asks for is there */
    int width, height;       /* both >= info.min_side */
    QbNoiseGrid grid;        /* checked */
    QbPool *pool;
    const QbKernels *kernels;
    double *whole;
    double *zones; /* [rows * columns] */
    float *map;    /* [height][width], zeros at first; NULL = not wanted */
} QbNoiseJob;

typedef struct QbNoiseMetric {
    QbNoiseMetricInfo info;
    QbStatus (*measure)(const QbNoiseJob *job);
} QbNoiseMetric;

/* NULL past the last one. */
const QbNoiseMetric *qb_noise_metric_at(int index);

#endif
