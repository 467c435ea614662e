/* noise_separated.c: the noise of pictures as comma or tab separated values: a row a picture, its
 * metrics and the noise of its zones in columns of their own. */
// SPDX-License-Identifier: Apache-2.0
#include "output/noise_record.h"
#include "output/separated.h"

#include <math.h>
#include <stdio.h>

static const char *const first[] = {"other",       "width",     "height",
                                    "format",      "noise",     "visibility",
                                    "noisy_share", "worst_row", "worst_column"};
enum { N_FIRST = sizeof first / sizeof *first };

static int zone_count(const NoiseRun *run)
{
    return run->grid.columns * run->grid.rows;
}

static void add_header(Text *out, const NoiseRun *run, const Dialect *d)
{
    d->add_field(out, "path");
    for (int i = 0; i < N_FIRST; i++)
        separated_add(out, d, first[i]);
    for (int m = 0; m < run->n_metrics; m++)
        separated_add(out, d, run->metrics[m]->name);
    for (int z = 0; z < zone_count(run); z++) {
        char title[48];
        snprintf(title, sizeof title, "noise_%d_%d", z / run->grid.columns + 1,
                 z % run->grid.columns + 1);
        separated_add(out, d, title);
    }
    separated_add(out, d, "warning");
    separated_add(out, d, "error");
    text_add(out, d->line_end);
}

/* Empty where it cannot be told; "inf" stays. */
static void add_known(Text *out, const Dialect *d, double value)
{
    if (isnan(value))
        separated_add_empty(out, d, 1);
    else
        separated_add_number(out, d, "%.9g", value);
}

static void add_result(Text *out, const NoiseRun *run, const NoiseRecord *record, const Dialect *d)
{
    const QbNoiseReport *report = record->report;
    int worst = noise_worst_zone(report);
    text_addf(out, "%c%d%c%d", d->separator, record->info.width, d->separator, record->info.height);
    separated_add(out, d, record->info.format);
    add_known(out, d, report->noise);
    add_known(out, d, report->visibility);
    add_known(out, d, report->noisy_share);
    add_known(out, d, worst < 0 ? NAN : worst / run->grid.columns + 1);
    add_known(out, d, worst < 0 ? NAN : worst % run->grid.columns + 1);
    for (int m = 0; m < run->n_metrics; m++)
        add_known(out, d, *record->measures[m].obstacle ? NAN : record->measures[m].whole);
    for (int z = 0; z < zone_count(run); z++)
        add_known(out, d, report->zones[z].noise);
}

static void add_row(Text *out, const NoiseRun *run, const NoiseRecord *record, const Dialect *d)
{
    d->add_field(out, record->path);
    separated_add(out, d, record->other ? record->other : "");
    if (record->error)
        separated_add_empty(out, d, N_FIRST - 1 + run->n_metrics + zone_count(run));
    else
        add_result(out, run, record, d);
    separated_add(out, d, !record->error && record->warning ? record->warning : "");
    separated_add(out, d, record->error ? record->error : "");
    text_add(out, d->line_end);
}

static void begin_csv(Text *out, const NoiseRun *run)
{
    add_header(out, run, &dialect_csv);
}

static void begin_tsv(Text *out, const NoiseRun *run)
{
    add_header(out, run, &dialect_tsv);
}

static void record_csv(Text *out, const NoiseRun *run, const NoiseRecord *record, int64_t index)
{
    (void)index;
    add_row(out, run, record, &dialect_csv);
}

static void record_tsv(Text *out, const NoiseRun *run, const NoiseRecord *record, int64_t index)
{
    (void)index;
    add_row(out, run, record, &dialect_tsv);
}

static void end(Text *out, const NoiseRun *run, int64_t n_records)
{
    (void)out, (void)run, (void)n_records;
}

const NoiseFormat noise_csv = {.name = "csv", .begin = begin_csv, .record = record_csv, .end = end};
const NoiseFormat noise_tsv = {.name = "tsv", .begin = begin_tsv, .record = record_tsv, .end = end};
