/* vif.c: visual information fidelity in the pixel domain. Sheikh & Bovik, "Image Information and
 * Visual Quality", IEEE TIP 15(2), 2006, as the authors' vifp_mscale.m computes it: four scales
 * with Gaussian windows of 17, 9, 5 and 3 (sigma a fifth of that), noise variance 2, of luma; the
 * information that the picture keeps over that of the reference, both summed over pixels and
 * scales. 1e-8 is added to both sums (as in piq), so that a flat reference has a value.
 * Zones: the sums are taken within the zone at every scale. Map: the bits lost at each pixel, added
 * up over the scales, from the nearest pixel of each. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "noise/zone_sums.h"

#include <math.h>

enum { SCALES = 4, MAX_TAPS = 17, PIXELS_A_LOG = 64 };
#define NOISE_VARIANCE 2.0f
#define LEAST_SUM 1e-8
#define SIGMA_OF_TAPS 0.2

typedef struct VifRows {
    const QbNoiseJob *job;
    QbZoneSums kept, all;
    QbPlane map; /* no data unless it is wanted */
} VifRows;

/* The sum of logarithms of the row's zones. Arguments are at most 1 + 255^2 / 8 < 2^13, so that the
 * product of 64 is far from the largest double. */
static void add_logs(QbZoneSums *sums, int y, const float *row)
{
    for (int column = 0; column < sums->columns; column++) {
        int x = sums->x_edge[column], end = sums->x_edge[column + 1];
        double sum = 0;
        while (x < end) {
            double product = 1;
            for (int last = x + PIXELS_A_LOG < end ? x + PIXELS_A_LOG : end; x < last; x++)
                product *= (double)row[x];
            sum += log10(product);
        }
        qb_zone_sums_set(sums, y, column, sum);
    }
}

static void vif_row(const QbMoments *moments, int y, size_t n, float *scratch, void *user)
{
    VifRows *rows = user;
    float *kept = scratch, *all = scratch + n;
    rows->job->kernels->vif_row(kept, all, moments, NOISE_VARIANCE, n);
    add_logs(&rows->kept, y, kept);
    add_logs(&rows->all, y, all);
    if (rows->map.data)
        for (size_t x = 0; x < n; x++)
            qb_plane_row(&rows->map, y)[x] = fmaxf(log2f(all[x] / kept[x]), 0.0f);
}

/* What zones and whole have so far: kept and all of each. */
typedef struct VifTotals {
    double *kept, *all; /* [zones + 1], the last of the whole; NAN once a scale has no pixel */
} VifTotals;

static void add_total(VifTotals *totals, int index, QbZoneTotal kept, QbZoneTotal all)
{
    totals->kept[index] += kept.count > 0 ? kept.sum : NAN;
    totals->all[index] += all.sum;
}

typedef struct VifScale {
    float taps[MAX_TAPS];
    int n_taps, step, offset; /* pixel i of the scale's planes is step * i + offset */
} VifScale;

static QbStatus measure_scale(VifTotals *totals, const QbNoiseJob *job, const QbPlane *a,
                              const QbPlane *b, const VifScale *scale)
{
    VifRows rows = {.job = job};
    int n_zones = job->grid.columns * job->grid.rows;
    QbPlane spread = {0};
    QbMapPlace place = {a->width - scale->n_taps + 1, a->height - scale->n_taps + 1, scale->step,
                        scale->offset + scale->step * (scale->n_taps / 2)};
    QbStatus status = qb_zone_sums_init(&rows.kept, job, &place);
    if (status || (status = qb_zone_sums_init(&rows.all, job, &place)) ||
        (job->map && ((status = qb_plane_init(&rows.map, place.width, place.height)) ||
                      (status = qb_plane_init(&spread, job->width, job->height)))) ||
        (status = qb_plane_moments(job, a, b, scale->taps, scale->n_taps, vif_row, &rows)))
        goto done;
    for (int z = 0; z < n_zones; z++)
        add_total(totals, z, qb_zone_sums_total(&rows.kept, z), qb_zone_sums_total(&rows.all, z));
    add_total(totals, n_zones, qb_zone_sums_whole(&rows.kept), qb_zone_sums_whole(&rows.all));
    if (job->map) {
        qb_map_spread(spread.data, job, &rows.map, &place, false);
        for (size_t i = 0; i < (size_t)job->width * (size_t)job->height; i++)
            job->map[i] += spread.data[i];
    }
done:
    qb_plane_deinit(&spread);
    qb_plane_deinit(&rows.map);
    qb_zone_sums_deinit(&rows.all);
    qb_zone_sums_deinit(&rows.kept);
    return status;
}

/* Replaces a plane by its next scale. */
static QbStatus decimate(QbPlane *plane, const VifScale *scale, const QbNoiseJob *job)
{
    QbPlane decimated;
    QbStatus status = qb_plane_init_decimated(&decimated, plane, scale->taps, scale->n_taps, job);
    qb_plane_deinit(plane);
    *plane = decimated;
    return status;
}

static QbStatus measure_scales(VifTotals *totals, const QbNoiseJob *job, QbPlane *a, QbPlane *b)
{
    VifScale scale = {.step = 1};
    QbStatus status = QB_OK;
    for (int s = 0; !status && s < SCALES; s++) {
        scale.n_taps = (1 << (SCALES - s)) + 1;
        qb_gaussian_taps(scale.taps, scale.n_taps, scale.n_taps * SIGMA_OF_TAPS);
        if (s) {
            if ((status = decimate(a, &scale, job)) || (status = decimate(b, &scale, job)))
                break;
            scale.offset += scale.step * (scale.n_taps / 2);
            scale.step *= 2;
        }
        status = measure_scale(totals, job, a, b, &scale);
    }
    return status;
}

static QbStatus measure(const QbNoiseJob *job)
{
    int n_zones = job->grid.columns * job->grid.rows;
    QbPlane a = {0}, b = {0};
    VifTotals totals = {0};
    QbStatus status = QB_ERR_NOMEM;
    totals.kept = qb_calloc((size_t)n_zones + 1, sizeof *totals.kept);
    totals.all = qb_calloc((size_t)n_zones + 1, sizeof *totals.all);
    if (!totals.kept || !totals.all)
        goto done;
    if ((status = qb_plane_init_luma(&a, job->pair->image, job)) ||
        (status = qb_plane_init_luma(&b, job->pair->reference, job)) ||
        (status = measure_scales(&totals, job, &a, &b)))
        goto done;
    for (int z = 0; z < n_zones; z++)
        job->zones[z] = (totals.kept[z] + LEAST_SUM) / (totals.all[z] + LEAST_SUM);
    *job->whole = (totals.kept[n_zones] + LEAST_SUM) / (totals.all[n_zones] + LEAST_SUM);
done:
    qb_plane_deinit(&a);
    qb_plane_deinit(&b);
    qb_free(totals.kept);
    qb_free(totals.all);
    return status;
}

const QbNoiseMetric qb_noise_metric_vif = {
    .info = {.name = "vif",
             .summary = "visual information fidelity, pixel domain (Sheikh and Bovik 2006)",
             .best = 1,
             .higher_is_better = true,
             .min_side = 41},
    .measure = measure,
};
