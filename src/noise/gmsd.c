/* gmsd.c: gradient magnitude similarity deviation. Xue, Zhang, Mou, Bovik, "Gradient Magnitude
 * Similarity Deviation", IEEE TIP 23(2), 2014, eq. 1 - 5: luma averaged over 2 x 2 and halved,
 * gradients by Prewitt's operator with zeros beyond the border, as the authors' code does by
 * conv2(…, 'same'), c = 170; the standard deviation of the similarity, within the picture or within
 * a zone. Map: 1 - the similarity. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "noise/zone_sums.h"

#include <math.h>
#include <string.h>

#define GMS_C 170.0f
enum { ROWS_AT_A_TIME = 16 };

typedef struct GmsRows {
    const QbNoiseJob *job;
    QbPlane a, b;             /* halved, with a pixel of zeros around */
    QbPlane map;              /* 1 - similarity */
    QbZoneSums sums, squares; /* of the map */
    float *square;            /* [threads][width of the map] */
} GmsRows;

/* Halved luma with zeros around. */
static QbStatus init_framed(QbPlane *out, const QbImage *image, const QbNoiseJob *job)
{
    QbPlane luma = {0}, half = {0};
    QbStatus status = qb_plane_init_luma(&luma, image, job);
    if (status || (status = qb_plane_init_halved(&half, &luma, true, job->pool)) ||
        (status = qb_plane_init(out, half.width + 2, half.height + 2)))
        goto done;
    memset(out->data, 0, (size_t)out->width * (size_t)out->height * sizeof(float));
    for (int y = 0; y < half.height; y++)
        memcpy(qb_plane_row(out, y + 1) + 1, qb_plane_row(&half, y),
               (size_t)half.width * sizeof(float));
done:
    qb_plane_deinit(&luma);
    qb_plane_deinit(&half);
    return status;
}

static void gms_rows(int begin, int end, int thread, void *user)
{
    GmsRows *rows = user;
    size_t n = (size_t)rows->map.width;
    float *square = rows->square + (size_t)thread * n;
    for (int y = begin; y < end; y++) {
        const float *a[3], *b[3];
        for (int r = 0; r < 3; r++) {
            a[r] = qb_plane_row(&rows->a, y + r);
            b[r] = qb_plane_row(&rows->b, y + r);
        }
        float *map = qb_plane_row(&rows->map, y);
        rows->job->kernels->gms_row(map, a, b, GMS_C, n);
        for (size_t x = 0; x < n; x++)
            square[x] = map[x] * map[x];
        qb_zone_sums_row(&rows->sums, y, map);
        qb_zone_sums_row(&rows->squares, y, square);
    }
}

static double deviation(QbZoneTotal sum, QbZoneTotal squares)
{
    if (!(sum.count > 0))
        return NAN;
    double mean = sum.sum / sum.count;
    return sqrt(fmax(squares.sum / sum.count - mean * mean, 0));
}

static QbStatus init(GmsRows *rows, QbMapPlace *place)
{
    const QbNoiseJob *job = rows->job;
    QbStatus status = init_framed(&rows->a, job->pair->image, job);
    if (status || (status = init_framed(&rows->b, job->pair->reference, job)))
        return status;
    *place = (QbMapPlace){rows->a.width - 2, rows->a.height - 2, 2, 0.5};
    if ((status = qb_plane_init(&rows->map, place->width, place->height)) ||
        (status = qb_zone_sums_init(&rows->sums, job, place)) ||
        (status = qb_zone_sums_init(&rows->squares, job, place)))
        return status;
    rows->square = qb_calloc((size_t)qb_pool_size(job->pool), (size_t)place->width * sizeof(float));
    return rows->square ? QB_OK : QB_ERR_NOMEM;
}

static QbStatus measure(const QbNoiseJob *job)
{
    GmsRows rows = {.job = job};
    QbMapPlace place;
    QbStatus status = init(&rows, &place);
    if (status)
        goto done;
    qb_pool_run(job->pool, gms_rows, &rows, place.height, ROWS_AT_A_TIME);
    for (int z = 0; z < job->grid.columns * job->grid.rows; z++)
        job->zones[z] =
            deviation(qb_zone_sums_total(&rows.sums, z), qb_zone_sums_total(&rows.squares, z));
    *job->whole = deviation(qb_zone_sums_whole(&rows.sums), qb_zone_sums_whole(&rows.squares));
    if (job->map)
        qb_map_spread(job->map, job, &rows.map, &place, false);
done:
    qb_free(rows.square);
    qb_zone_sums_deinit(&rows.squares);
    qb_zone_sums_deinit(&rows.sums);
    qb_plane_deinit(&rows.map);
    qb_plane_deinit(&rows.b);
    qb_plane_deinit(&rows.a);
    return status;
}

const QbNoiseMetric qb_noise_metric_gmsd = {
    .info = {.name = "gmsd",
             .summary = "gradient magnitude similarity deviation (Xue et al. 2014)",
             .best = 0,
             .higher_is_better = false,
             .min_side = 2},
    .measure = measure,
};
