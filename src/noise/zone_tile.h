/* zone_tile.h: the small piece of a picture that zone features are computed on. A zone is cut into
 * tiles of at most 64 x 64 pixels, each with a margin of what lies around it, so that filters see
 * no border inside the picture, memory does not grow with it, and everything stays in the cache. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_ZONE_TILE_H
#define QB_NOISE_ZONE_TILE_H

#include "noise/lightness.h"
#include "noise/report.h"

enum {
    QB_TILE_SIDE = 64,
    QB_TILE_MARGIN = 8,
    QB_TILE_STRIDE = QB_TILE_SIDE + 2 * QB_TILE_MARGIN,
    QB_TILE_WORK = 5
};

typedef float QbTilePlane[QB_TILE_STRIDE][QB_TILE_STRIDE];

typedef struct QbZoneTile {
    int width, height;              /* without the margin */
    QbTilePlane l;                  /* CIE L*, 0 … 100 */
    QbTilePlane work[QB_TILE_WORK]; /* of whoever looks at the tile */
} QbZoneTile;

/* Pixel (x, y) of the tile, -QB_TILE_MARGIN … width - 1 + QB_TILE_MARGIN; y alike. */
static inline float *qb_tile_row(QbTilePlane plane, int y)
{
    return plane[y + QB_TILE_MARGIN] + QB_TILE_MARGIN;
}

static inline const float *qb_tile_l(const QbZoneTile *tile, int y)
{
    return tile->l[y + QB_TILE_MARGIN] + QB_TILE_MARGIN;
}

/* How many tiles a zone has each way, and which part of the picture tile (column, row) covers. */
void qb_zone_tile_counts(int *out_columns, int *out_rows, const QbZoneRect *zone);
QbZoneRect qb_zone_tile_rect(const QbZoneRect *zone, int column, int row);

/* Fills width, height and l; beyond the picture's border it is mirrored. The picture's sides are
 * at least QB_NOISE_MIN_ZONE_SIDE. */
void qb_zone_tile_fill(QbZoneTile *out, const QbImage *image, const QbLightnessTable *table,
                       const QbZoneRect *rect);

/* ---- Filters: of the tile and `reach` pixels of its margin
 * -------------------------------------*/

/* out = in filtered by the symmetric weights centre, 1st, 2nd, … neighbour (n_weights of them,
 * 1 … 4), along both axes. between: a work plane. reach + n_weights - 1 is at most QB_TILE_MARGIN,
 * reach at most 4. No two planes are the same. */
void qb_tile_smooth(QbTilePlane out, QbTilePlane between, const QbTilePlane in,
                    const QbZoneTile *tile, const float *weights, int n_weights, int reach);

/* out = in * in, over the whole margin. */
void qb_tile_square(QbTilePlane out, const QbTilePlane in, const QbZoneTile *tile);

#endif
