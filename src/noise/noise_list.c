/* noise_list.c: the full-reference metrics, one line each, in the order in which they are shown. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/metric.h"

extern const QbNoiseMetric qb_noise_metric_psnr;

static const QbNoiseMetric *const list[] = {
    &qb_noise_metric_psnr,
};

const QbNoiseMetric *qb_noise_metric_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? list[index] : NULL;
}
