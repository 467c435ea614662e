/* zone_sums.c: sums over zones; see zone_sums.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/zone_sums.h"

#include "base/mem.h"
#include "noise/report.h"

#include <math.h>

/* The first map pixel at or behind a pixel of the picture, at most n. The outermost zones take what
 * the map has beyond them: nothing, since it lies inside the picture. */
static int map_edge(int edge, const QbMapPlace *place, int n)
{
    double first = ceil((edge - place->offset) / place->step);
    return first < 0 ? 0 : first > n ? n : (int)first;
}

QbStatus qb_zone_sums_init(QbZoneSums *out, const QbNoiseJob *job, const QbMapPlace *place)
{
    size_t n_sums;
    *out = (QbZoneSums){.width = place->width,
                        .height = place->height,
                        .columns = job->grid.columns,
                        .rows = job->grid.rows};
    out->x_edge = qb_calloc((size_t)out->columns + 1, sizeof *out->x_edge);
    out->y_edge = qb_calloc((size_t)out->rows + 1, sizeof *out->y_edge);
    if (qb_mul_size(&n_sums, (size_t)out->columns, (size_t)out->height))
        out->row_sum = qb_calloc(n_sums, sizeof *out->row_sum);
    if (!out->x_edge || !out->y_edge || !out->row_sum) {
        qb_zone_sums_deinit(out);
        return QB_ERR_NOMEM;
    }
    for (int z = 0; z < out->columns * out->rows; z++) {
        QbZoneRect zone = qb_noise_zone_rect(job->grid, job->width, job->height, z);
        int column = z % out->columns, row = z / out->columns;
        out->x_edge[column] = map_edge(zone.x, place, out->width);
        out->y_edge[row] = map_edge(zone.y, place, out->height);
    }
    out->x_edge[out->columns] = out->width;
    out->y_edge[out->rows] = out->height;
    return QB_OK;
}

void qb_zone_sums_deinit(QbZoneSums *sums)
{
    qb_free(sums->x_edge);
    qb_free(sums->y_edge);
    qb_free(sums->row_sum);
    *sums = (QbZoneSums){0};
}

void qb_zone_sums_row(QbZoneSums *sums, int y, const float *row)
{
    for (int column = 0; column < sums->columns; column++) {
        int x = sums->x_edge[column], end = sums->x_edge[column + 1];
        double lane[4] = {0}; /* so that additions do not wait for each other */
        for (; x + 4 <= end; x += 4)
            for (int i = 0; i < 4; i++)
                lane[i] += (double)row[x + i];
        for (; x < end; x++)
            lane[0] += (double)row[x];
        qb_zone_sums_set(sums, y, column, lane[0] + lane[1] + (lane[2] + lane[3]));
    }
}

QbZoneTotal qb_zone_sums_total(const QbZoneSums *sums, int zone)
{
    int column = zone % sums->columns, row = zone / sums->columns;
    int y = sums->y_edge[row], end = sums->y_edge[row + 1];
    double width = sums->x_edge[column + 1] - sums->x_edge[column];
    QbZoneTotal total = {.count = end > y ? width * (end - y) : 0};
    for (; y < end; y++)
        total.sum += sums->row_sum[(size_t)y * (size_t)sums->columns + (size_t)column];
    return total;
}

QbZoneTotal qb_zone_sums_whole(const QbZoneSums *sums)
{
    QbZoneTotal whole = {0};
    for (int z = 0; z < sums->columns * sums->rows; z++) {
        QbZoneTotal zone = qb_zone_sums_total(sums, z);
        whole.sum += zone.sum;
        whole.count += zone.count;
    }
    return whole;
}

static double mean(QbZoneTotal total)
{
    return total.count > 0 ? total.sum / total.count : NAN;
}

void qb_zone_sums_means(const QbZoneSums *sums, const QbNoiseJob *job)
{
    for (int z = 0; z < sums->columns * sums->rows; z++)
        job->zones[z] = mean(qb_zone_sums_total(sums, z));
    *job->whole = mean(qb_zone_sums_whole(sums));
}
