/* watch_report.c: see watch_report.h. */
// SPDX-License-Identifier: Apache-2.0
#include "output/watch_report.h"

#include "output/noise_text.h"

#include <math.h>
#include <stdio.h>

enum { CELL_WIDTH = 9 };

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

const char *watch_zone_state(const QbNoiseZoneState *state)
{
    return state->done ? "done" : state->n_below > 0 ? "below" : "visible";
}

int watch_n_done(const WatchRun *run, const QbNoiseStop *stop)
{
    int n = 0;
    for (int z = 0; z < run->grid.columns * run->grid.rows; z++) {
        QbNoiseZoneState state;
        qb_noise_stop_zone(&state, stop, z);
        n += state.done;
    }
    return n;
}

void watch_add_samples_left(Text *out, const QbNoiseStop *stop)
{
    double left = qb_noise_stop_samples_left(stop);
    if (!(left > 0) || left > 1e12)
        return;
    /* It is an estimate: two digits. */
    double unit = left < 100 ? 1 : pow(10, floor(log10(left)) - 1);
    double rounded = ceil(left / unit) * unit;
    text_addf(out, "about %.0f more sample%s", rounded, rounded == 1 ? "" : "s");
}

static const char *color_of(const QbNoiseZoneState *state)
{
    return state->done ? GREEN : state->n_below > 0 ? YELLOW : RED;
}

/* "done", "2 of 3", or how noisy it is. */
static void add_cell(Text *out, const WatchRun *run, const QbNoiseZoneState *state,
                     const QbNoiseZone *zone)
{
    Text cell = {0};
    if (state->done)
        text_add(&cell, "done");
    else if (state->n_below > 0)
        text_addf(&cell, "%d of %d", state->n_below, run->n_checks);
    else
        noise_add_number(&cell, zone->noise);
    text_addf(out, "%s%*s%s", run->colors ? color_of(state) : "", CELL_WIDTH, cell.data,
              run->colors ? PLAIN : "");
    text_free(&cell);
}

/* Where cells would not fit: '.' done, a digit for so many checks below, '#' visible. */
static void add_sign(Text *out, const WatchRun *run, const QbNoiseZoneState *state)
{
    char sign = state->done          ? '.'
                : state->n_below > 9 ? '+'
                : state->n_below > 0 ? (char)('0' + state->n_below)
                                     : '#';
    text_addf(out, "%s%c%s", run->colors ? color_of(state) : "", sign, run->colors ? PLAIN : "");
}

static bool has_cells(const WatchRun *run)
{
    int columns = run->columns > 0 ? run->columns : 80;
    return run->grid.columns * CELL_WIDTH < columns;
}

static void add_zones(Text *out, const WatchRun *run, const WatchCheck *check)
{
    for (int z = 0; z < run->grid.columns * run->grid.rows; z++) {
        bool first = z % run->grid.columns == 0;
        QbNoiseZoneState state;
        qb_noise_stop_zone(&state, check->stop, z);
        if (has_cells(run)) {
            add_cell(out, run, &state, &check->report->zones[z]);
        } else {
            text_add(out, first ? "  " : "");
            add_sign(out, run, &state);
        }
        if ((z + 1) % run->grid.columns == 0)
            text_add_char(out, '\n');
    }
}

static void add_legend(Text *out, const WatchRun *run)
{
    if (has_cells(run) && run->n_checks > 1)
        text_addf(
            out,
            "For each zone: its noise (0 = none can be seen), or for how many of %d checks in "
            "a row none could, or done.\n",
            run->n_checks);
    else if (has_cells(run))
        text_add(out, "For each zone: its noise (0 = none can be seen), or done.\n");
    else
        text_add(out, "For each zone: # noise can be seen, 1 2 … for so many checks in a row none "
                      "could, . done.\n");
}

void watch_add_check(Text *out, const WatchRun *run, const WatchCheck *check)
{
    int n = run->grid.columns * run->grid.rows;
    if (check->index == 1 && !check->restarted)
        add_legend(out, run);
    text_addf(out, "%lld: ", (long long)check->index);
    text_add_printable(out, check->path);
    if (check->other) {
        text_add(out, " and ");
        text_add_printable(out, check->other);
    }
    if (check->samples > 0)
        text_addf(out, ", %.10g sample%s", check->samples, check->samples == 1 ? "" : "s");
    text_add(out, ": ");
    noise_add_verdict(out, check->report);
    text_addf(out, "; %d of %d done", watch_n_done(run, check->stop), n);
    Text left = {0};
    watch_add_samples_left(&left, check->stop);
    if (left.length > 0)
        text_addf(out, "; %s", left.data);
    text_free(&left);
    text_add_char(out, '\n');
    add_zones(out, run, check);
}
