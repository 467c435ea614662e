/* zone_features.c: what a learned model sees of a zone: the families of features, one entry each,
 * and how zones are taken through them. A new family is a file and an entry here (and a model that
 * was trained with it). */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "noise/zone_family.h"

#include <qboost/noise_train.h>

static const QbZoneFamily *const list[] = {
    &qb_zone_svd,      &qb_zone_residual, &qb_zone_wavelet, &qb_zone_laplacian,
    &qb_zone_variance, &qb_zone_mscn,     &qb_zone_context,
};

enum { N_FAMILIES = sizeof list / sizeof *list };

const QbZoneFamily *qb_zone_family_at(int index)
{
    return index >= 0 && index < N_FAMILIES ? list[index] : NULL;
}

static int feature_count(const QbZoneFamily *family)
{
    int n = 0;
    while (family->features[n])
        n++;
    return n;
}

const char *qb_noise_zone_feature_name(int index)
{
    for (int f = 0; f < N_FAMILIES && index >= 0; f++) {
        int n = feature_count(list[f]);
        if (index < n)
            return list[f]->features[index];
        index -= n;
    }
    return NULL;
}

int qb_noise_zone_feature_count(void)
{
    int n = 0;
    for (int f = 0; f < N_FAMILIES; f++)
        n += feature_count(list[f]);
    return n;
}

/* What a thread works in. */
typedef struct {
    QbZoneTile tile;
    void *state; /* of the largest family; owned */
} Bench;

typedef struct {
    float *values;
    const QbImage *image;
    QbNoiseGrid grid;
    int n_features;
    QbLightnessTable table;
    Bench *benches;            /* one a thread */
    size_t offset[N_FAMILIES]; /* of a family's state; the states lie side by side */
    size_t state_bytes;
} Job;

static void do_zone(Job *job, Bench *bench, int zone)
{
    QbZoneRect rect = qb_noise_zone_rect(job->grid, qb_image_width(job->image),
                                         qb_image_height(job->image), zone);
    int columns, rows;
    qb_zone_tile_counts(&columns, &rows, &rect);
    memset(bench->state, 0, job->state_bytes);
    for (int t = 0; t < columns * rows; t++) {
        QbZoneRect part = qb_zone_tile_rect(&rect, t % columns, t / columns);
        qb_zone_tile_fill(&bench->tile, job->image, &job->table, &part);
        for (int f = 0; f < N_FAMILIES; f++)
            list[f]->add((char *)bench->state + job->offset[f], &bench->tile);
    }
    float *values = job->values + (ptrdiff_t)zone * job->n_features;
    for (int f = 0; f < N_FAMILIES; f++) {
        list[f]->finish(values, (char *)bench->state + job->offset[f]);
        values += feature_count(list[f]);
    }
}

static void do_zones(int begin, int end, int thread, void *user)
{
    Job *job = user;
    for (int zone = begin; zone < end; zone++)
        do_zone(job, &job->benches[thread], zone);
}

static void place_states(Job *job)
{
    for (int f = 0; f < N_FAMILIES; f++) {
        job->offset[f] = job->state_bytes;
        job->state_bytes += (list[f]->state_bytes + QB_MEM_ALIGN - 1) / QB_MEM_ALIGN * QB_MEM_ALIGN;
    }
}

QbStatus qb_noise_zone_features(float *values, const QbImage *image, QbNoiseGrid grid,
                                int n_threads)
{
    QbStatus status = qb_noise_grid_check(grid, qb_image_width(image), qb_image_height(image),
                                          QB_NOISE_MIN_ZONE_SIDE);
    if (status)
        return status;
    int n_zones = grid.columns * grid.rows;
    n_threads = n_threads > 0 ? n_threads : qb_cpu_count();
    n_threads = n_threads < n_zones ? n_threads : n_zones;
    QbPool *pool = NULL;
    Job *job = qb_calloc(1, sizeof *job);
    if (!job)
        return QB_ERR_NOMEM;
    job->values = values;
    job->image = image;
    job->grid = grid;
    job->n_features = qb_noise_zone_feature_count();
    qb_lightness_table_init(&job->table);
    place_states(job);
    status = QB_ERR_NOMEM;
    if (!(job->benches = qb_calloc((size_t)n_threads, sizeof *job->benches)))
        goto done;
    for (int t = 0; t < n_threads; t++)
        if (!(job->benches[t].state = qb_alloc(job->state_bytes)))
            goto done;
    if ((status = qb_pool_new(&pool, n_threads)))
        goto done;
    qb_pool_run(pool, do_zones, job, n_zones, 1);
done:
    qb_pool_free(&pool);
    for (int t = 0; job->benches && t < n_threads; t++)
        qb_free(job->benches[t].state);
    qb_free(job->benches);
    qb_free(job);
    return status;
}

/* ---- zone_family.h
 * -----------------------------------------------------------------------------*/

static double step_start(int step)
{
    return ldexp(1 + (double)(step % QB_LEVELS_STEPS) / QB_LEVELS_STEPS,
                 step / QB_LEVELS_STEPS + QB_LEVELS_FIRST);
}

double qb_zone_levels_quantile(const QbZoneLevels *levels, double share)
{
    double wanted = share * levels->n, below = 0;
    for (int step = 0; step < QB_LEVELS_OCTAVES * QB_LEVELS_STEPS; step++) {
        double count = levels->count[step];
        if (count > 0 && below + count >= wanted) {
            double from = step ? step_start(step) : 0;
            return from + (wanted - below) / count * (step_start(step + 1) - from);
        }
        below += count;
    }
    return 0;
}

double qb_zone_levels_clipped_square(const QbZoneLevels *levels, double limit)
{
    double sum = 0;
    for (int step = 0; step < QB_LEVELS_OCTAVES * QB_LEVELS_STEPS; step++)
        if (levels->count[step]) {
            double amount = step ? (step_start(step) + step_start(step + 1)) / 2 : 0;
            sum += levels->count[step] * (amount < limit ? amount * amount : limit * limit);
        }
    return levels->n ? sum / levels->n : 0;
}
