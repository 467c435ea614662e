/* stop.c: follows the pictures of one render and tells when its noise is gone for good.
 *
 * A zone is done when n_checks reports in a row were not above the visibility of 1; one report
 * above it, or one that cannot tell, starts the zone over (hysteresis, since judges err).
 *
 * The samples that a zone needs: the noise of independent samples falls with their root, so every
 * report alone says n v^2. The reports remembered are put together as the line
 *     log2 v = a - s log2 n,     needed = 2^(a / s),
 * where s may leave 1/2 as far as the reports prove it (fireflies fall slower, and a judge's scale
 * is not straight): a ridge regression with a normal prior for s, on residuals cut at an octave,
 * then the median for a, so that one wrong report moves it little. Later reports count more. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "noise/report.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_REMEMBERED = 8 };

static const double ROOT_SLOPE = 0.5;
/* Octaves by which a judge errs, before the residuals tell, and by which the slope of a zone
 * differs from 1/2. */
static const double JUDGE_SPREAD = 0.5, SLOPE_SPREAD = 0.1, MAX_SLOPE_CHANGE = 0.2;
static const double MAX_RESIDUAL = 1.0;
/* The weight of a report halves with every 1 / FORGETTING octaves of samples since: zones bend, at
 * first by what is clipped at white. */
static const double FORGETTING = 0.5;
/* As many times the samples that a visible zone has are asked for on the last report's word alone,
 * which may be a wrong one. */
static const double MAX_STEP = 2.0;
/* log2 v beyond these says no more about the way to 0 than they do. */
static const double MIN_LOG = -6, MAX_LOG = 10;
static const double MAX_SAMPLES = 9007199254740992.0; /* 2^53: counts are exact */

typedef struct {
    int n_below;
    int n_remembered;
    double last; /* visibility */
    struct {
        double samples, visibility; /* log2 of both */
    } remembered[MAX_REMEMBERED];   /* oldest first */
} Zone;

struct QbNoiseStop {
    QbNoiseGrid grid;
    int n_zones, n_checks;
    double samples; /* the last count known; 0 = none */
    Zone *zones;    /* [n_zones] */
};

/* A height at which a line crosses n = 1, and how much it counts. */
typedef struct {
    double height, weight;
} Vote;

static int by_height(const void *a, const void *b)
{
    double x = ((const Vote *)a)->height, y = ((const Vote *)b)->height;
    return (x > y) - (x < y);
}

static double weight_of(const Zone *zone, int i)
{
    double newest = zone->remembered[zone->n_remembered - 1].samples;
    return exp2(-FORGETTING * (newest - zone->remembered[i].samples));
}

/* The weighted median over lines of this slope through the zone's reports, between neighbours. */
static double median_height(const Zone *zone, double slope)
{
    Vote vote[MAX_REMEMBERED];
    double total = 0, below = 0;
    int n = zone->n_remembered;
    for (int i = 0; i < n; i++) {
        vote[i].height = zone->remembered[i].visibility + slope * zone->remembered[i].samples;
        vote[i].weight = weight_of(zone, i);
        total += vote[i].weight;
    }
    qsort(vote, (size_t)n, sizeof *vote, by_height);
    for (int i = 0; i + 1 < n; i++) {
        /* Each vote stands at the middle of its weight. */
        double here = below + vote[i].weight / 2;
        double next = below + vote[i].weight + vote[i + 1].weight / 2;
        if (total / 2 <= here)
            return vote[i].height;
        if (total / 2 <= next)
            return vote[i].height +
                   (total / 2 - here) / (next - here) * (vote[i + 1].height - vote[i].height);
        below += vote[i].weight;
    }
    return vote[n - 1].height;
}

static double fit_slope(const Zone *zone)
{
    double height = median_height(zone, ROOT_SLOPE);
    double total = 0, x_mean = 0, y_mean = 0, xx = 0, xy = 0, yy = 0, y[MAX_REMEMBERED];
    for (int i = 0; i < zone->n_remembered; i++) {
        double weight = weight_of(zone, i);
        y[i] = zone->remembered[i].visibility + ROOT_SLOPE * zone->remembered[i].samples - height;
        y[i] = fmin(fmax(y[i], -MAX_RESIDUAL), MAX_RESIDUAL);
        total += weight;
        x_mean += weight * zone->remembered[i].samples;
        y_mean += weight * y[i];
    }
    for (int i = 0; i < zone->n_remembered; i++) {
        double weight = weight_of(zone, i);
        double dx = zone->remembered[i].samples - x_mean / total, dy = y[i] - y_mean / total;
        xx += weight * dx * dx;
        xy += weight * dx * dy;
        yy += weight * dy * dy;
    }
    if (!(xx > 0))
        return ROOT_SLOPE;
    /* How far the judge errs, from what the straight line leaves, the prior counting as one of the
     * residuals. */
    double left = fmax(yy - xy * xy / xx, 0);
    double variance = (JUDGE_SPREAD * JUDGE_SPREAD + left) / (1 + fmax(total - 2, 0));
    double change = xy / (xx + variance / (SLOPE_SPREAD * SLOPE_SPREAD));
    return ROOT_SLOPE - fmin(fmax(change, -MAX_SLOPE_CHANGE), MAX_SLOPE_CHANGE);
}

static double samples_needed(const QbNoiseStop *stop, const Zone *zone)
{
    if (!zone->n_remembered)
        return NAN;
    double slope = fit_slope(zone);
    double needed = exp2(median_height(zone, slope) / slope);
    /* However the line runs, a zone that is visible now needs more than it has. */
    return zone->last > 1 ? fmax(needed, stop->samples * fmin(zone->last, MAX_STEP)) : needed;
}

QbStatus qb_noise_stop_new(QbNoiseStop **out, QbNoiseGrid grid, int n_checks)
{
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_noise_stop_new: no place for the result given");
    *out = NULL;
    if (n_checks < 1)
        return qb_fail(QB_ERR_ARG, "%d checks in a row, expected at least 1", n_checks);
    QbStatus status = qb_noise_grid_check(grid, INT32_MAX, INT32_MAX, 1);
    if (status)
        return status;
    QbNoiseStop *stop = qb_calloc(1, sizeof *stop);
    if (!stop)
        return QB_ERR_NOMEM;
    *stop = (QbNoiseStop){.grid = grid, .n_zones = grid.columns * grid.rows, .n_checks = n_checks};
    stop->zones = qb_calloc((size_t)stop->n_zones, sizeof *stop->zones);
    if (!stop->zones) {
        qb_noise_stop_free(&stop);
        return QB_ERR_NOMEM;
    }
    *out = stop;
    return QB_OK;
}

void qb_noise_stop_free(QbNoiseStop **stop)
{
    if (!stop || !*stop)
        return;
    qb_free((*stop)->zones);
    qb_free(*stop);
    *stop = NULL;
}

static void remember(Zone *zone, double samples, double visibility)
{
    if (zone->n_remembered == MAX_REMEMBERED) {
        zone->n_remembered--;
        for (int i = 0; i < zone->n_remembered; i++)
            zone->remembered[i] = zone->remembered[i + 1];
    }
    double level = fmin(fmax(log2(visibility), MIN_LOG), MAX_LOG);
    zone->remembered[zone->n_remembered].samples = log2(samples);
    zone->remembered[zone->n_remembered].visibility = level;
    zone->n_remembered++;
}

static QbStatus check_report(const QbNoiseStop *stop, const QbNoiseReport *report, double samples)
{
    if (report->grid.columns != stop->grid.columns || report->grid.rows != stop->grid.rows)
        return qb_fail(QB_ERR_ARG, "a report of %d x %d zones, expected %d x %d",
                       report->grid.columns, report->grid.rows, stop->grid.columns,
                       stop->grid.rows);
    if (samples != 0 && !(samples > stop->samples && samples <= MAX_SAMPLES))
        return qb_fail(QB_ERR_ARG, "a picture of %g samples a pixel after one of %g", samples,
                       stop->samples);
    for (int z = 0; z < stop->n_zones; z++)
        if (report->zones[z].visibility < 0)
            return qb_fail(QB_ERR_ARG, "zone %d has the visibility %g, expected at least 0", z,
                           report->zones[z].visibility);
    return QB_OK;
}

QbStatus qb_noise_stop_add(QbNoiseStop *stop, const QbNoiseReport *report, double samples)
{
    if (!stop || !report)
        return qb_fail(QB_ERR_ARG, "qb_noise_stop_add: no %s given", stop ? "report" : "stop");
    QbStatus status = check_report(stop, report, samples);
    if (status)
        return status;
    if (samples > 0)
        stop->samples = samples;
    for (int z = 0; z < stop->n_zones; z++) {
        Zone *zone = &stop->zones[z];
        zone->last = report->zones[z].visibility;
        /* Not a number compares false: what cannot be told is not below. */
        bool below = zone->last <= 1;
        zone->n_below = !below ? 0 : zone->n_below < INT32_MAX ? zone->n_below + 1 : INT32_MAX;
        if (samples > 0 && isfinite(zone->last))
            remember(zone, samples, zone->last);
    }
    return QB_OK;
}

void qb_noise_stop_zone(QbNoiseZoneState *out, const QbNoiseStop *stop, int zone)
{
    *out = (QbNoiseZoneState){.samples_needed = NAN};
    if (zone < 0 || zone >= stop->n_zones)
        return;
    out->n_below = stop->zones[zone].n_below;
    out->done = out->n_below >= stop->n_checks;
    out->samples_needed = samples_needed(stop, &stop->zones[zone]);
}

bool qb_noise_stop_done(const QbNoiseStop *stop)
{
    for (int z = 0; z < stop->n_zones; z++)
        if (stop->zones[z].n_below < stop->n_checks)
            return false;
    return true;
}

double qb_noise_stop_samples_left(const QbNoiseStop *stop)
{
    double most = 0;
    for (int z = 0; z < stop->n_zones; z++) {
        if (stop->zones[z].n_below >= stop->n_checks)
            continue;
        double left = samples_needed(stop, &stop->zones[z]) - stop->samples;
        if (isnan(left))
            return NAN;
        most = left > most ? left : most;
    }
    return most;
}
