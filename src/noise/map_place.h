/* map_place.h: where a metric's map lies in the picture: maps are smaller when filters have no
 * borders, and coarser at the larger scales of a metric. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_MAP_PLACE_H
#define QB_NOISE_MAP_PLACE_H

#include "noise/plane.h"

/* Pixel i of the map stands for pixel step * i + offset of the picture, along both axes. */
typedef struct QbMapPlace {
    int width, height; /* of the map */
    int step;
    double offset;
} QbMapPlace;

/* out[height][width] of the picture = the nearest pixel of the map; times = it multiplies what is
 * there. */
void qb_map_spread(float *out, const QbNoiseJob *job, const QbPlane *map, const QbMapPlace *place,
                   bool times);

#endif
