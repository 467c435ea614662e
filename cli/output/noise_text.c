/* noise_text.c: the table for people: a verdict in words for each picture, metrics behind it, and,
 * for one picture, its zones as they lie in it. */
// SPDX-License-Identifier: Apache-2.0
#include "output/noise_text.h"

#include <math.h>
#include <string.h>

void noise_add_number(Text *out, double noise)
{
    if (isnan(noise))
        text_add(out, "?");
    else if (noise > 0 && noise < 0.005)
        text_add(out, "<0.01");
    else
        text_addf(out, "%.2f", noise > 0.99 && noise < 1 ? 0.99 : noise);
}

void noise_add_measure(Text *out, double value)
{
    if (isnan(value))
        text_add(out, "-");
    else
        text_addf(out, fabs(value) < 10 ? "%.4f" : "%.2f", value);
}

static void add_place(Text *out, QbNoiseGrid grid, int zone)
{
    text_addf(out, "(row %d, column %d)", zone / grid.columns + 1, zone % grid.columns + 1);
}

void noise_add_verdict(Text *out, const QbNoiseReport *report)
{
    int n = report->grid.columns * report->grid.rows, n_noisy = 0, n_unknown = 0;
    int worst = noise_worst_zone(report);
    for (int z = 0; z < n; z++) {
        n_noisy += report->zones[z].visibility > 1;
        n_unknown += isnan(report->zones[z].visibility) != 0;
    }
    if (n_noisy > 0) {
        text_addf(out, "noise visible in %d of %d zone%s, worst ", n_noisy, n, n == 1 ? "" : "s");
        noise_add_number(out, report->zones[worst].noise);
        text_add_char(out, ' ');
        add_place(out, report->grid, worst);
    } else if (n_unknown < n) {
        text_addf(out, "no noise visible in %d zone%s, visibility at most %.2f ", n - n_unknown,
                  n - n_unknown == 1 ? "" : "s", report->zones[worst].visibility);
        add_place(out, report->grid, worst);
    }
    if (n_unknown > 0)
        text_addf(out, "%s%d of %d zone%s cannot be told", n_unknown < n ? "; " : "", n_unknown, n,
                  n == 1 ? "" : "s");
}

void noise_add_tone(Text *out, const QbToneMapping *tone)
{
    text_add(out, tone->curve);
    if (tone->exposure != 0)
        text_addf(out, ", %+g stop%s", tone->exposure, fabs(tone->exposure) == 1 ? "" : "s");
}

/* ---- zones --------------------------------------------------------------------------------------
 */

enum { CELL = 7, MARGIN = 6 };

static const char *color_of(double noise)
{
    return isnan(noise)   ? "\033[2m"
           : noise >= 0.5 ? "\033[31m"
           : noise > 0    ? "\033[33m"
                          : "\033[32m";
}

static void add_cell(Text *out, double noise, bool colors)
{
    Text number = {0};
    noise_add_number(&number, noise);
    for (size_t i = number.length; i < CELL; i++)
        text_add_char(out, ' ');
    text_addf(out, "%s%s%s", colors ? color_of(noise) : "", number.data, colors ? "\033[0m" : "");
    text_free(&number);
}

void noise_add_zones(Text *out, const QbNoiseReport *report, bool colors, int columns)
{
    QbNoiseGrid grid = report->grid;
    if (columns > 0 && MARGIN + CELL * grid.columns > columns) {
        text_addf(out, "\n  %d columns of zones are too many for this terminal\n", grid.columns);
        return;
    }
    text_add(out, "\n  noise by zone, 0 = none visible\n");
    text_addf(out, "%*s", MARGIN, "");
    for (int c = 0; c < grid.columns; c++)
        text_addf(out, "%*d", CELL, c + 1);
    text_add_char(out, '\n');
    for (int r = 0; r < grid.rows; r++) {
        text_addf(out, "%*d", MARGIN, r + 1);
        for (int c = 0; c < grid.columns; c++)
            add_cell(out, report->zones[r * grid.columns + c].noise, colors);
        text_add_char(out, '\n');
    }
}

/* ---- the table ----------------------------------------------------------------------------------
 */

static void begin(Text *out, const NoiseRun *run)
{
    (void)out, (void)run;
}

static void add_path(Text *out, const char *path, const char *before)
{
    Text printable = {0};
    text_add_printable(&printable, path);
    text_addf(out, "%s%s", before, printable.data ? printable.data : "");
    text_free(&printable);
}

static void add_measures(Text *out, const NoiseRun *run, const NoiseRecord *record)
{
    const char *before = "  ";
    for (int m = 0; m < run->n_metrics; m++) {
        if (*record->measures[m].obstacle)
            continue;
        text_addf(out, "%s%s ", before, run->metrics[m]->name);
        noise_add_measure(out, record->measures[m].whole);
        before = ", ";
    }
    text_add(out, *before == ',' ? "\n" : "");
}

/* Of the whole, and of the zone where it is worst. */
static void add_metric(Text *out, const NoiseRun *run, const NoiseMeasure *measure, int m)
{
    enum { PLACE = 24 };
    Text whole = {0}, zone = {0}, place = {0};
    int worst =
        noise_worst_measure(run->metrics[m], measure->zones, run->grid.columns * run->grid.rows);
    noise_add_measure(&whole, measure->whole);
    noise_add_measure(&zone, worst >= 0 ? measure->zones[worst] : NAN);
    text_add(&place, "");
    if (worst >= 0)
        add_place(&place, run->grid, worst);
    text_addf(out, "%10s   %10s %-*s%s is better\n", whole.data, zone.data, PLACE, place.data,
              run->metrics[m]->higher_is_better ? "higher" : "lower");
    text_free(&whole);
    text_free(&zone);
    text_free(&place);
}

static void add_metrics(Text *out, const NoiseRun *run, const NoiseRecord *record)
{
    text_add(out, run->n_metrics > 0 ? "\n  metric            whole   worst zone\n" : "");
    for (int m = 0; m < run->n_metrics; m++) {
        const NoiseMeasure *measure = &record->measures[m];
        text_addf(out, "  %-12s ", run->metrics[m]->name);
        if (*measure->obstacle)
            text_addf(out, "%10s   %s\n", "-", measure->obstacle);
        else
            add_metric(out, run, measure, m);
    }
}

static void record_text(Text *out, const NoiseRun *run, const NoiseRecord *record, int64_t index)
{
    (void)index;
    if (record->error)
        return; /* told on stderr */
    add_path(out, record->path, "");
    if (record->other && strcmp(run->way, "halves") == 0)
        add_path(out, record->other, " + ");
    if (noise_is_light(record)) {
        text_add(out, " (light, tone ");
        noise_add_tone(out, &run->tone);
        text_add(out, ")");
    }
    text_add(out, ": ");
    if (record->warning)
        text_add(out, record->warning);
    else
        noise_add_verdict(out, record->report);
    text_add_char(out, '\n');
    if (run->with_zones)
        add_metrics(out, run, record);
    else
        add_measures(out, run, record);
    if (run->with_zones && !record->warning)
        noise_add_zones(out, record->report, run->colors, run->columns);
}

static void end(Text *out, const NoiseRun *run, int64_t n_records)
{
    (void)out, (void)run, (void)n_records;
}

const NoiseFormat noise_table = {
    .name = "table", .begin = begin, .record = record_text, .end = end};
