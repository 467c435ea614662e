/* zone_sums.h: sums of a metric's map over the zones and the whole picture.
 *
 * Every row of a map leaves one sum for each column of the grid; they are added up in the order of
 * the rows at the end, so that it does not matter which thread did which row. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_ZONE_SUMS_H
#define QB_NOISE_ZONE_SUMS_H

#include "noise/map_place.h"

typedef struct QbZoneSums {
    int width, height;    /* of the map */
    int columns, rows;    /* of the grid */
    int *x_edge, *y_edge; /* [columns + 1], [rows + 1]: map pixels of a zone; owned */
    double *row_sum;      /* [height][columns], owned */
} QbZoneSums;

typedef struct QbZoneTotal {
    double sum, count; /* of map pixels */
} QbZoneTotal;

QbStatus qb_zone_sums_init(QbZoneSums *out, const QbNoiseJob *job, const QbMapPlace *place);
void qb_zone_sums_deinit(QbZoneSums *sums);

/* A row of the map: each column of the grid summed in double; or one column's sum as it is. */
void qb_zone_sums_row(QbZoneSums *sums, int y, const float *row);
static inline void qb_zone_sums_set(QbZoneSums *sums, int y, int column, double sum)
{
    sums->row_sum[(size_t)y * (size_t)sums->columns + (size_t)column] = sum;
}

/* After all rows. */
QbZoneTotal qb_zone_sums_total(const QbZoneSums *sums, int zone);
QbZoneTotal qb_zone_sums_whole(const QbZoneSums *sums);

/* Zones and whole as means of the map; NAN for zones without a pixel. */
void qb_zone_sums_means(const QbZoneSums *sums, const QbNoiseJob *job);

#endif
