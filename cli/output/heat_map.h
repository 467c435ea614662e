/* heat_map.h: pictures of where noise is. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_HEAT_MAP_H
#define QBOOST_CLI_HEAT_MAP_H

#include "output/noise_record.h"

/* Both draw into a file whose name canvas_takes, and return an exit code; failures are reported. */

/* The picture, dimmed, its zones tinted by their noise and the worst one framed. */
int heat_map_write_zones(const char *file, const NoiseRun *run, const NoiseRecord *record,
                         const QbImage *image);

/* The error at each pixel, map[height][width], by the run's metric of that index. */
int heat_map_write_errors(const char *file, const NoiseRun *run, const NoiseRecord *record,
                          int metric, const float *map);

#endif
