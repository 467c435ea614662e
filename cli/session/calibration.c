/* calibration.c: see calibration.h. */
// SPDX-License-Identifier: Apache-2.0
#include "session/calibration.h"

#include "base/report.h"
#include "options/options.h"

#include <math.h>
#include <string.h>

int calibration_open(Calibrated *out, const Command *command, const char *path,
                     const char *scale_name, double fail_under)
{
    *out = (Calibrated){.scale = *scale_find(scale_name)};
    if (path && strcmp(scale_name, "0-1"))
        return usage_error(command, "--calibration and --scale exclude each other");
    if (path && qb_calibration_open(&out->file, path) != QB_OK) {
        report("--calibration: %s", qb_last_error());
        return CLI_USAGE;
    }
    if (path) {
        const QbCalibrationInfo *info = qb_calibration_info(out->file);
        bool named = info->dataset && *info->dataset;
        out->scale = (Scale){.name = named ? info->dataset : "calibrated",
                             .low = info->lowest,
                             .high = info->highest,
                             .calibration = out->file};
    }
    if (fail_under < out->scale.low || fail_under > out->scale.high) /* not so for NAN */
        return usage_error(command, "--fail-under: %g is not on the scale %s, %g to %g", fail_under,
                           out->scale.name, out->scale.low, out->scale.high);
    if (!isnan(fail_under) && !scale_higher_is_better(&out->scale))
        return usage_error(command,
                           "--fail-under: on the scale of %s, lower is better; a gate would let "
                           "the worst through",
                           out->scale.name);
    return CLI_OK;
}

void calibration_close(Calibrated *calibrated)
{
    qb_calibration_free(&calibrated->file);
}

int calibration_check(const Calibrated *calibrated, const RunInfo *run)
{
    if (!calibrated->file)
        return CLI_OK;
    const QbCalibrationInfo *info = qb_calibration_info(calibrated->file);
    if (info->model_hash && run->model_hash && strcmp(info->model_hash, run->model_hash)) {
        report("--calibration: it was made with another model%s%s, this one is %s",
               info->model ? ", " : "", info->model ? info->model : "", run->model);
        return CLI_USAGE;
    }
    if (info->method && strcmp(info->method, run->method)) {
        report("--calibration: it was made with the method %s, this run's is %s; try --method %s",
               info->method, run->method, info->method);
        return CLI_USAGE;
    }
    return CLI_OK;
}
