/* report.h: what every way of judging shares: the zones of a grid, and the report made of their
 * visibilities. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_REPORT_H
#define QB_NOISE_REPORT_H

#include <qboost/noise.h>

typedef struct QbZoneRect {
    int x, y, width, height;
} QbZoneRect;

/* 1 … QB_NOISE_MAX_ZONES zones, each with sides of at least min_side (>= 1) in a picture of
 * width x height; else QB_ERR_ARG. */
QbStatus qb_noise_grid_check(QbNoiseGrid grid, int width, int height, int min_side);

/* Of a grid that passed the check. zone: row * columns + column. */
QbZoneRect qb_noise_zone_rect(QbNoiseGrid grid, int width, int height, int zone);

/* 0 up to the visibility of 1, 1 at infinity; NAN of NAN. */
double qb_noise_of_visibility(double visibility);

/* visibility[rows * columns]: >= 0 or NAN. The whole picture is as its worst zone; it is NAN when a
 * zone is and none of the others is visible, because that zone may be. */
void qb_noise_report_fill(QbNoiseReport *out, QbNoiseGrid grid, const double *visibility);

#endif
