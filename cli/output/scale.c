/* scale.c: the table of score ranges. */
// SPDX-License-Identifier: Apache-2.0
#include "output/scale.h"

#include "base/report.h"

#include <stddef.h>
#include <string.h>

static const Scale scales[] = {{"0-1", 0, 1, NULL}, {"1-5", 1, 5, NULL}, {"0-100", 0, 100, NULL}};

const char *const scale_names[] = {"0-1", "1-5", "0-100", NULL};

const Scale *scale_find(const char *name)
{
    size_t i = 0;
    while (strcmp(scales[i].name, name))
        i++;
    return &scales[i];
}

double scale_apply(const Scale *scale, double score)
{
    if (scale->calibration)
        return qb_calibration_apply(scale->calibration, score);
    return scale->low + (scale->high - scale->low) * score;
}

bool scale_higher_is_better(const Scale *scale)
{
    if (!scale->calibration)
        return true;
    const QbCalibrationInfo *info = qb_calibration_info(scale->calibration);
    return scale_apply(scale, info->highest_score) >= scale_apply(scale, info->lowest_score);
}

bool scale_covers(const Scale *scale, double score)
{
    if (!scale->calibration)
        return true;
    static const double ROUNDING = 1e-8; /* scores out of a file have nine digits */
    const QbCalibrationInfo *info = qb_calibration_info(scale->calibration);
    return score >= info->lowest_score - ROUNDING && score <= info->highest_score + ROUNDING;
}

void scale_note_uncovered(const Scale *scale, int64_t n_uncovered, int64_t n)
{
    enum { FEW = 20 }; /* one in so many */
    if (n_uncovered * FEW <= n)
        return;
    const QbCalibrationInfo *info = qb_calibration_info(scale->calibration);
    report("--calibration: %lld of %lld scores lie outside the %.3g to %.3g that it was fitted to",
           (long long)n_uncovered, (long long)n, info->lowest_score, info->highest_score);
}
