/* zone_tile.c: cutting zones into tiles of CIE L*, and the filters several families share; see
 * zone_tile.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/zone_tile.h"

static int tile_count(int side)
{
    return (side + QB_TILE_SIDE - 1) / QB_TILE_SIDE;
}

void qb_zone_tile_counts(int *out_columns, int *out_rows, const QbZoneRect *zone)
{
    *out_columns = tile_count(zone->width);
    *out_rows = tile_count(zone->height);
}

QbZoneRect qb_zone_tile_rect(const QbZoneRect *zone, int column, int row)
{
    QbNoiseGrid grid = {tile_count(zone->width), tile_count(zone->height)};
    int64_t w = zone->width, h = zone->height;
    int x = (int)(w * column / grid.columns), y = (int)(h * row / grid.rows);
    return (QbZoneRect){zone->x + x, zone->y + y, (int)(w * (column + 1) / grid.columns) - x,
                        (int)(h * (row + 1) / grid.rows) - y};
}

/* The border pixel is not repeated. */
static int mirror(int at, int size)
{
    if (at < 0)
        return -at;
    return at < size ? at : 2 * (size - 1) - at;
}

void qb_zone_tile_fill(QbZoneTile *out, const QbImage *image, const QbLightnessTable *table,
                       const QbZoneRect *rect)
{
    int width = qb_image_width(image), height = qb_image_height(image);
    const uint8_t *pixels = qb_image_pixels(image);
    out->width = rect->width;
    out->height = rect->height;
    for (int y = -QB_TILE_MARGIN; y < rect->height + QB_TILE_MARGIN; y++) {
        const uint8_t *from = pixels + (size_t)mirror(rect->y + y, height) * (size_t)width * 3;
        float *to = qb_tile_row(out->l, y);
        for (int x = -QB_TILE_MARGIN; x < rect->width + QB_TILE_MARGIN; x++)
            to[x] = qb_lightness_of(table, from + (size_t)mirror(rect->x + x, width) * 3);
    }
}

/* A number of pixels that is known and a multiple of four lets the compiler use vectors; what lies
 * beyond the tile is worked out and not looked at. */
enum { ROW_REACH = 4, ROW = QB_TILE_SIDE + 2 * ROW_REACH };

/* y[i] = sum of weights[j] * (x[i - j * step] + x[i + j * step]), j > 0, and weights[0] * x[i]. */
static void smooth_row(float *restrict y, const float *restrict x, ptrdiff_t step,
                       const float *weights, int n_weights)
{
    for (int i = 0; i < ROW; i++)
        y[i] = weights[0] * x[i];
    for (int j = 1; j < n_weights; j++) {
        const float *before = x - j * step, *after = x + j * step, w = weights[j];
        for (int i = 0; i < ROW; i++)
            y[i] += w * (before[i] + after[i]);
    }
}

void qb_tile_smooth(QbTilePlane out, QbTilePlane between, const QbTilePlane in,
                    const QbZoneTile *tile, const float *weights, int n_weights, int reach)
{
    int rows = reach + n_weights - 1;
    for (int y = -rows; y < tile->height + rows; y++)
        smooth_row(qb_tile_row(between, y) - ROW_REACH,
                   in[y + QB_TILE_MARGIN] + QB_TILE_MARGIN - ROW_REACH, 1, weights, n_weights);
    for (int y = -reach; y < tile->height + reach; y++)
        smooth_row(qb_tile_row(out, y) - ROW_REACH, qb_tile_row(between, y) - ROW_REACH,
                   QB_TILE_STRIDE, weights, n_weights);
}

void qb_tile_square(QbTilePlane out, const QbTilePlane in, const QbZoneTile *tile)
{
    for (int y = 0; y < tile->height + 2 * QB_TILE_MARGIN; y++) {
        const float *restrict from = in[y];
        float *restrict to = out[y];
        for (int x = 0; x < QB_TILE_STRIDE; x++)
            to[x] = from[x] * from[x];
    }
}
