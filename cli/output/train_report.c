/* train_report.c: see train_report.h. Scenes are rows, what tells them columns. */
// SPDX-License-Identifier: Apache-2.0
#include "output/train_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_WIDTH = 9, LONGEST_NAME = 32 };

/* What is said of all scenes together, one a row. */
typedef struct Summary {
    const char *title;
    size_t offset; /* of the double in QbNoiseAccuracy */
} Summary;

static const Summary summaries[] = {{"all", offsetof(QbNoiseAccuracy, accuracy)},
                                    {"balanced", offsetof(QbNoiseAccuracy, balanced_accuracy)},
                                    {"noise missed", offsetof(QbNoiseAccuracy, missed)},
                                    {"false alarms", offsetof(QbNoiseAccuracy, false_alarm)},
                                    {"octaves off", offsetof(QbNoiseAccuracy, octaves)}};

static int width_of(const char *name)
{
    int n = (int)strlen(name);
    return n > LEAST_WIDTH ? n : LEAST_WIDTH;
}

/* A name in so many columns, cut in its middle if need be. */
static void add_name(Text *out, const char *name, int width)
{
    Text printable = {0}, fitted = {0};
    text_add_printable(&printable, name);
    text_add_fitted(&fitted, printable.data ? printable.data : "", width, false);
    text_add(out, fitted.data ? fitted.data : "");
    for (size_t n = fitted.length; n < (size_t)width; n++)
        text_add_char(out, ' ');
    text_free(&printable);
    text_free(&fitted);
}

static void add_value(Text *out, const char *column, double value)
{
    if (isfinite(value))
        text_addf(out, "  %*.3f", width_of(column), value);
    else
        text_addf(out, "  %*s", width_of(column), "-");
}

static int name_width(const TrainReport *report)
{
    size_t longest = strlen("noise missed");
    for (int i = 0; i < report->n_scenes; i++)
        if (strlen(report->scenes[i]) > longest)
            longest = strlen(report->scenes[i]);
    return longest < LONGEST_NAME ? (int)longest : LONGEST_NAME;
}

static void add_scene(Text *out, const TrainReport *report, int scene, int width)
{
    add_name(out, report->scenes[scene], width);
    text_addf(out, "  %5zu  %5zu", report->n_zones[scene], report->n_noisy[scene]);
    for (int r = 0; r < report->n_results; r++) {
        const QbNoiseAccuracy *scenes = report->results[r].scenes;
        add_value(out, report->results[r].name, scenes[scene].n > 0 ? scenes[scene].accuracy : NAN);
    }
    text_add_char(out, '\n');
}

static void add_table(Text *out, const TrainReport *report)
{
    int width = name_width(report);
    bool any_baseline = false;
    text_add(out, "Share of zones told rightly, each scene by what was learned from the others:\n");
    add_name(out, "scene", width);
    text_add(out, "  zones  noisy");
    for (int r = 0; r < report->n_results; r++) {
        text_addf(out, "  %*s", width_of(report->results[r].name), report->results[r].name);
        any_baseline |= report->results[r].is_baseline;
    }
    text_add_char(out, '\n');
    for (int i = 0; i < report->n_scenes; i++)
        add_scene(out, report, i, width);
    for (size_t s = 0; s < sizeof summaries / sizeof *summaries; s++) {
        add_name(out, summaries[s].title, width);
        text_addf(out, "  %5s  %5s", "", "");
        for (int r = 0; r < report->n_results; r++) {
            const char *all = (const char *)&report->results[r].all;
            add_value(out, report->results[r].name,
                      *(const double *)(const void *)(all + summaries[s].offset));
        }
        text_add_char(out, '\n');
    }
    if (any_baseline)
        text_add(out, "Of a baseline, the threshold that is best on the other scenes decides.\n");
}

void train_add_report(Text *out, const TrainReport *report)
{
    size_t n = 0, n_noisy = 0;
    for (int i = 0; i < report->n_scenes; i++) {
        n += report->n_zones[i];
        n_noisy += report->n_noisy[i];
    }
    text_addf(out, "%zu zone%s of %d scene%s, %zu of them noisy\n", n, n == 1 ? "" : "s",
              report->n_scenes, report->n_scenes == 1 ? "" : "s", n_noisy);
    if (report->features) {
        text_add_printable(out, report->features);
        text_add(out, ": features written\n");
    }
    if (report->n_results > 0)
        add_table(out, report);
    if (report->model) {
        text_add_printable(out, report->model);
        text_addf(out, ": %s trained in %.1f s\n", report->classifier, report->seconds);
    }
}
