/* timeline_draw.c: draws a timeline.
 *
 * From top to bottom: what was judged and its score; the score of each frame over time as a line
 * with dots (of merged frames the mean, with a band from the lowest to the highest), the pooled
 * score as a broken line; the worst frames, each tied to its place on the line. The vertical axis
 * shows the part of the scale that the scores lie in, but never less than a quarter of it, so that
 * a steady video looks steady. */
// SPDX-License-Identifier: Apache-2.0
#include "output/timeline.h"

#include "base/exit_code.h"
#include "output/canvas.h"
#include "output/caption.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 960,
    LEFT = 64, /* of the plot */
    RIGHT = 900,
    TOP = 96,
    PLOT_HEIGHT = 240,
    BOTTOM = TOP + PLOT_HEIGHT,
    TIE = 64, /* from the plot to the thumbnails */
    THUMB_TOP = BOTTOM + TIE,
    THUMB_SIDE = 156, /* of the box */
    THUMB_LEAST = 92, /* its width, for the caption's sake */
    THUMB_GAP = 14,
    CAPTION = 44, /* under a thumbnail, with the margin */
    TITLE_SIZE = 22,
    TEXT_SIZE = 13,
    MOST_DOTS = 160
};

static const Ink paper = {255, 255, 255, 1}, dark = {32, 34, 40, 1}, soft = {112, 116, 126, 1},
                 grid = {232, 234, 238, 1}, axis = {176, 180, 188, 1}, line = {62, 100, 168, 1},
                 band = {62, 100, 168, 0.22}, pooled = {32, 34, 40, 0.75}, tie = {150, 154, 162, 1};

typedef struct Plot {
    Canvas *canvas;
    const Timeline *timeline;
    const RunInfo *run;
    const Record *record;
    double length_s;  /* of the horizontal axis */
    double low, high; /* of the vertical axis, 0..1 */
    double step;      /* of its lines */
    double thumb_width, thumb_height;
} Plot;

static double x_of(const Plot *plot, double time_s)
{
    return LEFT + (RIGHT - LEFT) * time_s / plot->length_s;
}

static double y_of(const Plot *plot, double score)
{
    return BOTTOM - PLOT_HEIGHT * (score - plot->low) / (plot->high - plot->low);
}

static Ink ink_of(double score)
{
    uint8_t rgb[3];
    caption_color(rgb, fmin(fmax(score, 0), 1));
    /* darker than on the dark ground of contact sheets */
    return (Ink){(uint8_t)(rgb[0] * 0.86), (uint8_t)(rgb[1] * 0.86), (uint8_t)(rgb[2] * 0.86), 1};
}

static void format_score(char *text, size_t size, const Plot *plot, double score, int digits)
{
    const Scale *scale = plot->run->scale;
    digits -= scale->high - scale->low > 10 ? 2 : 0;
    snprintf(text, size, "%.*f", digits, scale_apply(scale, score));
}

static void format_time(char *text, size_t size, double time_s, double step_s)
{
    Text t = {0};
    if (step_s < 1)
        text_addf(&t, "%.*f s", step_s < 0.1 ? 2 : 1, time_s);
    else
        text_add_duration(&t, time_s);
    snprintf(text, size, "%s", t.data);
    text_free(&t);
}

/* The ends of the vertical axis: on lines of the grid. */
static void choose_range(Plot *plot)
{
    const double least = 0.25;
    double low = plot->record->score.score, high = low;
    for (int i = 0; i < plot->timeline->n_spans; i++) {
        low = fmin(low, plot->timeline->spans[i].lowest);
        high = fmax(high, plot->timeline->spans[i].highest);
    }
    double missing = fmax(least - (high - low), 0) / 2;
    low = fmax(low - missing - 0.02, 0);
    high = fmin(high + missing + 0.02, 1);
    plot->step = high - low > 0.5 ? 0.2 : high - low > 0.3 ? 0.1 : 0.05;
    plot->low = fmax(floor(low / plot->step + 1e-9) * plot->step, 0);
    plot->high = fmin(ceil(high / plot->step - 1e-9) * plot->step, 1);
}

/* Between 4 and 10 steps, of a length that clocks have. */
static double time_step(double length_s)
{
    static const double steps[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1,    2,    5,    10,   15,
                                   30,   60,   120,  300, 600, 900, 1800, 3600, 7200, 14400};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (length_s / steps[i] <= 10)
            return steps[i];
    return ceil(length_s / 8 / 3600) * 3600;
}

static void draw_head(const Plot *plot)
{
    const Record *record = plot->record;
    const VideoResult *video = record->video;
    char score[32];
    Text text = {0};
    format_score(score, sizeof score, plot, record->score.score, 3);
    canvas_text(plot->canvas, RIGHT, 48, 28, TEXT_END, ink_of(record->score.score), score);
    caption_add_name(&text, record->path, 52);
    canvas_text(plot->canvas, LEFT, 40, TITLE_SIZE, TEXT_START, dark, text.data);
    text_clear(&text);
    text_addf(&text, "%lld frame%s, %dx%d, %s", (long long)video->n_frames,
              video->n_frames == 1 ? "" : "s", record->width, record->height, video->codec);
    if (video->partial)
        text_add(&text, ", partial");
    text_addf(&text, "  |  %s, %s, pool %s", plot->run->model, plot->run->method,
              plot->run->video->pool);
    canvas_text(plot->canvas, LEFT, 64, TEXT_SIZE, TEXT_START, soft, text.data);
    text_free(&text);
}

static void draw_scale(const Plot *plot)
{
    char label[32];
    for (int i = 0; plot->low + i * plot->step < plot->high + 1e-9; i++) {
        double score = plot->low + i * plot->step, y = y_of(plot, score);
        canvas_line(plot->canvas, LEFT, y, RIGHT, y, 1, grid);
        format_score(label, sizeof label, plot, score, 2);
        canvas_text(plot->canvas, LEFT - 10, y + TEXT_SIZE * 0.35, TEXT_SIZE, TEXT_END, soft,
                    label);
    }
    canvas_line(plot->canvas, LEFT, BOTTOM, RIGHT, BOTTOM, 1, axis);
}

/* Labels stand on paper of their own: ties pass behind them. */
static void draw_clock(const Plot *plot)
{
    double step = time_step(plot->length_s);
    for (int i = 0; i * step <= plot->length_s * (1 + 1e-9); i++) {
        char label[32];
        double x = x_of(plot, i * step);
        format_time(label, sizeof label, i * step, step);
        double width = canvas_text_width(TEXT_SIZE, label);
        canvas_line(plot->canvas, x, BOTTOM, x, BOTTOM + 5, 1, axis);
        canvas_rect(plot->canvas, x - width / 2 - 2, BOTTOM + 7, width + 4, TEXT_SIZE + 4, paper);
        canvas_text(plot->canvas, x, BOTTOM + 8 + TEXT_SIZE, TEXT_SIZE, TEXT_MIDDLE, soft, label);
    }
}

static void draw_pooled(const Plot *plot)
{
    enum { DASH = 7, PERIOD = 12 };
    char label[32];
    double y = y_of(plot, plot->record->score.score);
    for (int x = LEFT; x < RIGHT; x += PERIOD)
        canvas_line(plot->canvas, x, y, fmin(x + DASH, RIGHT), y, 1.5, pooled);
    format_score(label, sizeof label, plot, plot->record->score.score, 3);
    canvas_text(plot->canvas, RIGHT + 8, y + TEXT_SIZE * 0.35, TEXT_SIZE, TEXT_START, dark, label);
}

static void draw_line(const Plot *plot)
{
    const Timeline *timeline = plot->timeline;
    double points[TIMELINE_SPANS][2];
    int n = timeline->n_spans;
    for (int i = 0; i < n; i++) {
        const TimelineSpan *span = &timeline->spans[i];
        points[i][0] = x_of(plot, span->time_s);
        points[i][1] = y_of(plot, span->mean);
        double y = y_of(plot, span->highest), width = (RIGHT - LEFT) / (double)n;
        if (span->n > 1)
            canvas_rect(plot->canvas, points[i][0] - width / 2, y, width,
                        y_of(plot, span->lowest) - y, band);
    }
    canvas_polyline(plot->canvas, (const double(*)[2])points, n, n > MOST_DOTS ? 1.4 : 2, line);
    for (int i = 0; i < n && n <= MOST_DOTS; i++)
        canvas_circle(plot->canvas, points[i][0], points[i][1], n > MOST_DOTS / 2 ? 2.2 : 3.2,
                      line);
}

/* Left edges: each thumbnail as near to its place in time as its neighbours allow. */
static void place_thumbnails(double *left, const Plot *plot)
{
    int n = plot->timeline->n_worst;
    double pitch = plot->thumb_width + THUMB_GAP, first = LEFT, last = RIGHT - plot->thumb_width;
    for (int i = 0; i < n; i++) {
        double wanted = x_of(plot, plot->timeline->worst[i].time_s) - plot->thumb_width / 2;
        left[i] = fmax(wanted, i > 0 ? left[i - 1] + pitch : first);
    }
    for (int i = n - 1; i >= 0; i--)
        left[i] = fmin(left[i], i < n - 1 ? left[i + 1] - pitch : last);
}

static void draw_ties(const Plot *plot, const double *left)
{
    const Timeline *timeline = plot->timeline;
    for (int i = 0; i < timeline->n_worst; i++) {
        const TimelineFrame *frame = &timeline->worst[i];
        double x = x_of(plot, frame->time_s), middle = left[i] + plot->thumb_width / 2;
        const double way[][2] = {{x, y_of(plot, frame->score)},
                                 {x, BOTTOM + 28},
                                 {middle, THUMB_TOP - 8},
                                 {middle, THUMB_TOP}};
        canvas_polyline(plot->canvas, way, 4, 1, tie);
    }
}

/* Over the line: where on it the worst frames are. */
static void draw_marks(const Plot *plot)
{
    const Timeline *timeline = plot->timeline;
    for (int i = 0; i < timeline->n_worst; i++) {
        double x = x_of(plot, timeline->worst[i].time_s), y = y_of(plot, timeline->worst[i].score);
        canvas_circle(plot->canvas, x, y, 6.5, paper);
        canvas_circle(plot->canvas, x, y, 5, ink_of(timeline->worst[i].score));
    }
}

static void draw_thumbnail(const Plot *plot, const TimelineFrame *frame, double left)
{
    char text[32];
    double y = THUMB_TOP + plot->thumb_height + 20;
    double width = qb_image_width(frame->thumbnail), height = qb_image_height(frame->thumbnail);
    double scale = fmin(plot->thumb_width / width, plot->thumb_height / height);
    canvas_image(plot->canvas, left + (plot->thumb_width - width * scale) / 2, THUMB_TOP,
                 width * scale, height * scale, frame->thumbnail);
    format_score(text, sizeof text, plot, frame->score, 3);
    canvas_text(plot->canvas, left, y, TEXT_SIZE + 2, TEXT_START, ink_of(frame->score), text);
    format_time(text, sizeof text, frame->time_s, plot->length_s < 60 ? 0.1 : 1);
    canvas_text(plot->canvas, left + plot->thumb_width, y, TEXT_SIZE, TEXT_END, soft, text);
}

/* All boxes have the first one's shape; frames of another, which are rare, are fitted in. */
static void measure_thumbnails(Plot *plot)
{
    const QbImage *image = plot->timeline->worst[0].thumbnail;
    double width = qb_image_width(image), height = qb_image_height(image);
    double scale = THUMB_SIDE / fmax(width, height);
    plot->thumb_width = fmax(width * scale, THUMB_LEAST);
    plot->thumb_height = height * scale;
}

int timeline_write(const Timeline *timeline, const RunInfo *run, const Record *record,
                   const char *file)
{
    Plot plot = {.timeline = timeline, .run = run, .record = record};
    double left[TIMELINE_WORST], duration = record->video->duration_s;
    plot.length_s = isnan(duration) ? timeline->end_s : fmax(duration, timeline->end_s);
    if (!(plot.length_s > 0))
        plot.length_s = 1;
    choose_range(&plot);
    measure_thumbnails(&plot);
    int height = (int)ceil(THUMB_TOP + plot.thumb_height + CAPTION);
    plot.canvas = canvas_new(file, WIDTH, height, paper);
    place_thumbnails(left, &plot);
    draw_head(&plot);
    draw_scale(&plot);
    draw_ties(&plot, left);
    draw_clock(&plot);
    draw_line(&plot);
    draw_pooled(&plot);
    draw_marks(&plot);
    for (int i = 0; i < timeline->n_worst; i++)
        draw_thumbnail(&plot, &timeline->worst[i], left[i]);
    int code = canvas_write(plot.canvas);
    canvas_free(&plot.canvas);
    return code;
}
