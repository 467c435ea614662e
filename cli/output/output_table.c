/* output_table.c: the table for people: score, the tones' probabilities, a bar, the file. Rows can
 * be printed as they come because the columns' widths follow from the header alone. On a narrow
 * terminal the bar gets shorter, then goes; then the tones go; then the file's name is cut. */
// SPDX-License-Identifier: Apache-2.0
#include "output/output.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    BAR_WIDTH = 20,
    SMALLEST_BAR = 5,
    SCORE_WIDTH = 7,
    SMALLEST_COLUMN = 7,
    SEPARATOR = 2,
    ENOUGH_FOR_FILE = 28, /* before the bar gets room */
    LEAST_FOR_FILE = 16   /* before the tones do */
};

/* What a row has room for. */
typedef struct Layout {
    int n_tones, bar, file; /* bar 0 = none */
} Layout;

/* "P(good)" */
static int tone_title(char *title, size_t size, const RunInfo *run, int tone)
{
    Text name = {0};
    text_add_printable(&name, qb_scorer_tone_name(run->scorer, tone));
    snprintf(title, size, "P(%s)", name.data ? name.data : "");
    text_free(&name);
    int width = (int)strlen(title);
    return width < SMALLEST_COLUMN ? SMALLEST_COLUMN : width;
}

static Layout make_layout(const RunInfo *run)
{
    Layout layout = {run->n_tones, BAR_WIDTH, INT_MAX};
    if (run->columns <= 0)
        return layout;
    char title[64];
    int room = run->columns - SCORE_WIDTH - SEPARATOR, tones = 0;
    for (int tone = 0; tone < run->n_tones; tone++)
        tones += SEPARATOR + tone_title(title, sizeof title, run, tone);
    if (room - tones < LEAST_FOR_FILE)
        layout.n_tones = tones = 0;
    int bar = room - tones - SEPARATOR - ENOUGH_FOR_FILE;
    layout.bar = bar > BAR_WIDTH ? BAR_WIDTH : bar < SMALLEST_BAR ? 0 : bar;
    room -= tones + (layout.bar > 0 ? SEPARATOR + layout.bar : 0);
    layout.file = room > 1 ? room : 1;
    return layout;
}

static const char *score_color(double score)
{
    return score >= 2.0 / 3 ? "\033[32m" : score >= 1.0 / 3 ? "\033[33m" : "\033[31m";
}

static void add_bar(Text *out, const RunInfo *run, double score, int width)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double cells = score * width;
    int full = run->utf8 ? (int)cells : (int)(cells + 0.5);
    int part = run->utf8 ? (int)((cells - full) * 8) : 0;
    for (int i = 0; i < full; i++)
        text_add(out, run->utf8 ? "█" : "#");
    if (part > 0)
        text_add(out, eighths[part]);
    if (run->colors)
        text_add(out, "\033[0;2m");
    for (int i = full + (part > 0); i < width; i++)
        text_add(out, run->utf8 ? "·" : "-");
}

static void begin(Text *out, const RunInfo *run)
{
    char title[64];
    const Layout layout = make_layout(run);
    if (run->colors)
        text_add(out, "\033[1m");
    text_addf(out, "%*s", SCORE_WIDTH, "SCORE");
    for (int tone = 0; tone < layout.n_tones; tone++) {
        int width = tone_title(title, sizeof title, run, tone);
        text_addf(out, "  %*s", width, title);
    }
    if (layout.bar > 0)
        text_addf(out, "  %-*s", layout.bar, "");
    text_add(out, "  FILE");
    text_add(out, run->colors ? "\033[0m\n" : "\n");
}

/* "8 frames of 8.3 s", "75 frames of 1:15": what of a video was judged. */
static void add_extent(Text *out, const VideoResult *video)
{
    text_addf(out, "%lld frame%s", (long long)video->n_frames, video->n_frames == 1 ? "" : "s");
    if (video->duration_s < 60) {
        text_addf(out, " of %.1f s", video->duration_s);
    } else if (!isnan(video->duration_s)) {
        text_add(out, " of ");
        text_add_duration(out, video->duration_s);
    }
    if (video->partial)
        text_add(out, ", partial");
}

/* In so many columns, the extent left out where it would take too many of them. */
static void add_name(Text *out, const RunInfo *run, const Record *record, int columns)
{
    Text path = {0}, extent = {0};
    text_add_printable(&path, record->path);
    if (record->video)
        add_extent(&extent, record->video);
    if (extent.length + SEPARATOR + LEAST_FOR_FILE > (size_t)columns)
        text_clear(&extent);
    if (extent.length > 0)
        columns -= (int)extent.length + SEPARATOR;
    text_add(out, "  ");
    text_add_fitted(out, path.data ? path.data : "", columns, run->utf8);
    if (extent.length > 0)
        text_addf(out, run->colors ? "  \033[2m%s\033[0m" : "  %s", extent.data);
    text_add_char(out, '\n');
    text_free(&extent);
    text_free(&path);
}

static void record_row(Text *out, const RunInfo *run, const Record *record, int64_t index)
{
    (void)index;
    if (record->error)
        return; /* told on stderr */
    double score = record->score.score;
    const Layout layout = make_layout(run);
    const char *color = run->colors ? score_color(score) : "";
    text_addf(out, "%s%*.3f%s", color, SCORE_WIDTH, scale_apply(run->scale, score),
              run->colors ? "\033[0m" : "");
    for (int tone = 0; tone < layout.n_tones; tone++) {
        char title[64];
        int width = tone_title(title, sizeof title, run, tone);
        text_addf(out, "  %*.3f", width, record->score.probability[tone]);
    }
    if (layout.bar > 0) {
        text_addf(out, "  %s", color);
        add_bar(out, run, score, layout.bar);
        text_add(out, run->colors ? "\033[0m" : "");
    }
    add_name(out, run, record, layout.file);
}

static void end(Text *out, const RunInfo *run, int64_t n_records)
{
    (void)out, (void)run, (void)n_records;
}

const OutputFormat output_table = {
    .name = "table", .begin = begin, .record = record_row, .end = end};
