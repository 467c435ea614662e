/* noise_list.c: the full-reference metrics, one line each, in the order in which they are shown. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/metric.h"

extern const QbNoiseMetric qb_noise_metric_psnr;
extern const QbNoiseMetric qb_noise_metric_ssim;
extern const QbNoiseMetric qb_noise_metric_ms_ssim;
extern const QbNoiseMetric qb_noise_metric_gmsd;
extern const QbNoiseMetric qb_noise_metric_vif;
extern const QbNoiseMetric qb_noise_metric_flip;
extern const QbNoiseMetric qb_noise_metric_hdr_flip;
extern const QbNoiseMetric qb_noise_metric_visibility;

static const QbNoiseMetric *const list[] = {
    &qb_noise_metric_psnr,     &qb_noise_metric_ssim,       &qb_noise_metric_ms_ssim,
    &qb_noise_metric_gmsd,     &qb_noise_metric_vif,        &qb_noise_metric_flip,
    &qb_noise_metric_hdr_flip, &qb_noise_metric_visibility,
};

const QbNoiseMetric *qb_noise_metric_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? list[index] : NULL;
}
