/* halves.c: noise told from two pictures of disjoint samples, equally many, without a reference:
 * what they do not share is noise. Either half departs from their mean by half their difference,
 * which has the energy of the noise in the mean; what the mean shows beyond that energy is the
 * picture, which hides noise.
 *
 * On a screen the two departures are not alike: a stray bright sample is cut off at white in its
 * own half, but shows in the mean, and so in the other half's departure. The larger counts. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "noise/band_pass.h"
#include "noise/visibility.h"

#include <string.h>

static bool has_size(const QbImage *image, int width, int height)
{
    return qb_image_width(image) == width && qb_image_height(image) == height;
}

static QbStatus check_halves(const QbImage *a, const QbImage *b, const QbImage *mean)
{
    int width = qb_image_width(a), height = qb_image_height(a);
    if (!has_size(b, width, height) || !has_size(mean, width, height))
        return qb_fail(QB_ERR_ARG,
                       "halves of %d x %d and %d x %d pixels and a mean of %d x %d, expected one "
                       "size",
                       width, height, qb_image_width(b), qb_image_height(b), qb_image_width(mean),
                       qb_image_height(mean));
    if (!memcmp(qb_image_pixels(a), qb_image_pixels(b), (size_t)width * (size_t)height * 3))
        return qb_fail(QB_ERR_ARG,
                       "the halves are the same picture: they tell nothing about noise");
    return QB_OK;
}

typedef struct {
    QbBandPass b;
    /* [height][width]; the mean's band, then its energy; each half's departure and its energy */
    float *mean, *departure[2], *energy[2];
} Work;

static void work_deinit(Work *w)
{
    qb_free(w->mean);
    for (int i = 0; i < 2; i++) {
        qb_free(w->departure[i]);
        qb_free(w->energy[i]);
    }
    qb_band_pass_deinit(&w->b);
}

static QbStatus work_init(Work *w, int width, int height, QbPool *pool)
{
    *w = (Work){0};
    QbStatus status = qb_band_pass_init(&w->b, width, height, pool);
    if (status)
        return status;
    w->mean = qb_band_pass_new_plane(&w->b);
    bool whole = w->mean != NULL;
    for (int i = 0; i < 2 && whole; i++)
        whole = (w->departure[i] = qb_band_pass_new_plane(&w->b)) &&
                (w->energy[i] = qb_band_pass_new_plane(&w->b));
    if (!whole)
        work_deinit(w);
    return whole ? QB_OK : QB_ERR_NOMEM;
}

/* departure[0], energy[0] = those of the half that departs more around the pixel. */
static void take_larger(const Work *w)
{
    for (size_t i = 0; i < w->b.n_pixels; i++)
        if (w->energy[1][i] > w->energy[0][i]) {
            w->energy[0][i] = w->energy[1][i];
            w->departure[0][i] = w->departure[1][i];
        }
}

static QbStatus judge(QbNoiseReport *out, const QbImage *a, const QbImage *b, const QbImage *mean,
                      QbNoiseGrid grid, QbPool *pool)
{
    const QbImage *half[2] = {a, b};
    int width = qb_image_width(a), height = qb_image_height(a);
    double whole, zones[QB_NOISE_MAX_ZONES];
    Work w;
    QbStatus status = work_init(&w, width, height, pool);
    if (status)
        return status;
    qb_band_pass_lightness(&w.b, w.mean, mean);
    for (int i = 0; i < 2; i++) {
        qb_band_pass_lightness(&w.b, w.departure[i], half[i]);
        qb_band_pass_subtract(&w.b, w.departure[i], w.mean);
        qb_band_pass_run(&w.b, w.departure[i]);
        qb_band_pass_energy(&w.b, w.energy[i], w.departure[i]);
    }
    qb_band_pass_run(&w.b, w.mean);
    qb_band_pass_energy(&w.b, w.mean, w.mean);
    take_larger(&w);
    qb_visibility_map(w.mean, w.departure[0], w.mean, w.energy[0], width, height, pool);
    qb_visibility_zones(&whole, zones, w.mean, width, height, grid, pool);
    qb_noise_report_fill(out, grid, zones);
    work_deinit(&w);
    return QB_OK;
}

QbStatus qb_noise_judge_halves(QbNoiseReport *out, const QbImage *a, const QbImage *b,
                               const QbImage *mean, QbNoiseGrid grid, int n_threads)
{
    if (!out || !a || !b || !mean)
        return qb_fail(QB_ERR_ARG, "qb_noise_judge_halves: no %s given",
                       !out       ? "place for the report"
                       : !a || !b ? "two halves"
                                  : "mean");
    QbPool *pool = NULL;
    QbStatus status = check_halves(a, b, mean);
    if (status || (status = qb_noise_grid_check(grid, qb_image_width(a), qb_image_height(a),
                                                QB_NOISE_MIN_ZONE_SIDE)))
        return status;
    status = qb_pool_new(&pool, n_threads > 0 ? n_threads : qb_cpu_count());
    if (!status)
        status = judge(out, a, b, mean, grid, pool);
    qb_pool_free(&pool);
    return status;
}
