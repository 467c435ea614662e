/* visibility.c: noise that people see; see visibility.h.
 *
 * Masking raises the threshold by a power of the contrast that hides (Legge & Foley, Contrast
 * masking in human vision, JOSA 70, 1980: 0.6 to 0.7); pooling by the power 4 is Quick's (A
 * vector-magnitude model of contrast detection, Kybernetik 16, 1974). The two constants in L* are
 * calibrated: train/noise/CALIBRATION.md. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/visibility.h"

#include <math.h>

enum { ROWS_AT_ONCE = 8, ZONES_AT_ONCE = 1 /* for a thread */ };

static const float THRESHOLD = 0.4f, MASK = 2.0f, MASKING_EXPONENT = 0.65f;
static const double POOLING_EXPONENT = 4;

float qb_visibility_gain(float energy)
{
    return powf(1 + energy / (MASK * MASK), -MASKING_EXPONENT / 2) / THRESHOLD;
}

double qb_visibility_pool(double sum, double n)
{
    return pow(sum / n, 1 / POOLING_EXPONENT);
}

typedef struct {
    float *z;
    const float *d, *energy, *noise;
    size_t width;
} MapWork;

static void map_rows(int begin, int end, int thread, void *user)
{
    const MapWork *w = user;
    (void)thread;
    for (size_t i = (size_t)begin * w->width; i < (size_t)end * w->width; i++) {
        float own = w->energy[i] - (w->noise ? w->noise[i] : 0);
        w->z[i] = fabsf(w->d[i]) * qb_visibility_gain(fmaxf(own, 0));
    }
}

void qb_visibility_map(float *z, const float *d, const float *energy, const float *noise, int width,
                       int height, QbPool *pool)
{
    MapWork work = {z, d, energy, noise, (size_t)width};
    qb_pool_run(pool, map_rows, &work, height, ROWS_AT_ONCE);
}

typedef struct {
    double *sum; /* of z^4 in each zone */
    const float *z;
    int width, height;
    QbNoiseGrid grid;
} ZoneWork;

static double sum_row(const float *z, int n)
{
    double sum = 0;
    for (int x = 0; x < n; x++) {
        double square = (double)z[x] * z[x];
        sum += square * square;
    }
    return sum;
}

static void sum_zones(int begin, int end, int thread, void *user)
{
    const ZoneWork *w = user;
    (void)thread;
    for (int i = begin; i < end; i++) {
        QbZoneRect rect = qb_noise_zone_rect(w->grid, w->width, w->height, i);
        w->sum[i] = 0;
        for (int y = rect.y; y < rect.y + rect.height; y++)
            w->sum[i] += sum_row(w->z + (size_t)y * (size_t)w->width + rect.x, rect.width);
    }
}

void qb_visibility_zones(double *whole, double *zones, const float *z, int width, int height,
                         QbNoiseGrid grid, QbPool *pool)
{
    ZoneWork work = {zones, z, width, height, grid};
    int n_zones = grid.columns * grid.rows;
    double total = 0;
    qb_pool_run(pool, sum_zones, &work, n_zones, ZONES_AT_ONCE);
    for (int i = 0; i < n_zones; i++) {
        QbZoneRect rect = qb_noise_zone_rect(grid, width, height, i);
        total += zones[i];
        zones[i] = qb_visibility_pool(zones[i], (double)rect.width * rect.height);
    }
    *whole = qb_visibility_pool(total, (double)width * height);
}
