/* scatter.c: draws the plot that papers show: score across, opinion up, the 4-parameter logistic as
 * a line. Dots get smaller and paler the more there are, so that ten thousand still show where they
 * crowd. */
// SPDX-License-Identifier: Apache-2.0
#include "output/scatter.h"

#include "base/exit_code.h"
#include "output/canvas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 720,
    HEIGHT = 600,
    LEFT = 84,
    RIGHT = 688,
    TOP = 84,
    BOTTOM = 528,
    TICK_SIZE = 14,
    LABEL_SIZE = 16,
    TITLE_SIZE = 20,
    CURVE_POINTS = 240
};

static const Ink paper = {255, 255, 255, 1}, dark = {32, 34, 40, 1}, soft = {100, 104, 114, 1},
                 grid = {234, 236, 240, 1}, axis = {150, 154, 162, 1}, curve = {200, 66, 44, 1};

/* An axis from low to high with a line every step. */
typedef struct Axis {
    double low, high, step;
    int decimals;
} Axis;

typedef struct Plot {
    Canvas *canvas;
    Axis x, y;
} Plot;

/* 1, 2 or 5 times a power of ten, four to nine of them. */
static Axis make_axis(double low, double high)
{
    double span = high - low, size = fmax(fmax(fabs(low), fabs(high)), 1);
    if (!(span > size * 1e-9 && isfinite(span))) /* a point, as far as a plot can show */
        span = size * 0.1;
    double power = pow(10, floor(log10(span))), step = power;
    static const double parts[] = {0.1, 0.2, 0.5, 1};
    for (int i = 0; i < 4; i++) {
        step = power * parts[i];
        if (span / step <= 8)
            break;
    }
    Axis a = {.low = floor((low - 0.005 * span) / step) * step,
              .high = ceil((high + 0.005 * span) / step) * step,
              .step = step};
    a.decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    return a;
}

static double x_of(const Plot *plot, double value)
{
    return LEFT + (RIGHT - LEFT) * (value - plot->x.low) / (plot->x.high - plot->x.low);
}

static double y_of(const Plot *plot, double value)
{
    return BOTTOM - (BOTTOM - TOP) * (value - plot->y.low) / (plot->y.high - plot->y.low);
}

static void draw_axes(const Plot *plot)
{
    char label[32];
    Canvas *c = plot->canvas;
    int n = (int)lround((plot->x.high - plot->x.low) / plot->x.step);
    for (int i = 0; i <= n; i++) {
        double value = plot->x.low + i * plot->x.step, x = x_of(plot, value);
        canvas_line(c, x, TOP, x, BOTTOM, 1, grid);
        snprintf(label, sizeof label, "%.*f", plot->x.decimals, value + 0.0);
        canvas_text(c, x, BOTTOM + 22, TICK_SIZE, TEXT_MIDDLE, soft, label);
    }
    n = (int)lround((plot->y.high - plot->y.low) / plot->y.step);
    for (int i = 0; i <= n; i++) {
        double value = plot->y.low + i * plot->y.step, y = y_of(plot, value);
        canvas_line(c, LEFT, y, RIGHT, y, 1, grid);
        snprintf(label, sizeof label, "%.*f", plot->y.decimals, value + 0.0);
        canvas_text(c, LEFT - 10, y + TICK_SIZE * 0.35, TICK_SIZE, TEXT_END, soft, label);
    }
    canvas_line(c, LEFT, BOTTOM, RIGHT, BOTTOM, 1, axis);
    canvas_line(c, LEFT, TOP, LEFT, BOTTOM, 1, axis);
    canvas_text(c, (LEFT + RIGHT) / 2.0, BOTTOM + 52, LABEL_SIZE, TEXT_MIDDLE, dark, "score");
    canvas_text_upward(c, 28, (TOP + BOTTOM) / 2.0, LABEL_SIZE, TEXT_MIDDLE, dark, "opinion");
}

static void draw_dots(const Plot *plot, const double *score, const double *opinion, size_t n)
{
    double crowd = fmin(fmax(log10((double)n) - 2, 0) / 2, 1); /* 0 up to 100, 1 from 10,000 */
    Ink ink = {46, 98, 178, 0.75 - 0.5 * crowd};
    for (size_t i = 0; i < n; i++)
        canvas_circle(plot->canvas, x_of(plot, score[i]), y_of(plot, opinion[i]), 4 - 2.2 * crowd,
                      ink);
}

static void draw_curve(const Plot *plot, const QbLogistic *mapping, double low, double high)
{
    double points[CURVE_POINTS][2];
    if (!mapping->n_params)
        return;
    for (int i = 0; i < CURVE_POINTS; i++) {
        double x = low + (high - low) * i / (CURVE_POINTS - 1);
        double y = fmin(fmax(qb_logistic_map(mapping, x), plot->y.low), plot->y.high);
        points[i][0] = x_of(plot, x);
        points[i][1] = y_of(plot, y);
    }
    canvas_polyline(plot->canvas, (const double(*)[2])points, CURVE_POINTS, 2.5, curve);
}

static void add_figure(Text *out, const char *name, double value)
{
    if (isfinite(value))
        text_addf(out, "%s%.3f", name, value);
}

static void draw_head(const Plot *plot, const EvalRow *row)
{
    const QbEvalResult *v = &row->value;
    Text text = {0};
    text_add_fitted(&text, row->dataset, 40, false);
    canvas_text(plot->canvas, LEFT, 36, TITLE_SIZE, TEXT_START, dark, text.data);
    text_clear(&text);
    text_add(&text, row->method);
    if (strcmp(row->source, row->dataset)) {
        text_add(&text, ", ");
        text_add_fitted(&text, row->source, 36, false);
    }
    canvas_text(plot->canvas, LEFT, 60, TICK_SIZE, TEXT_START, soft, text.data);
    text_clear(&text);
    add_figure(&text, "SRCC ", v->srcc.value);
    add_figure(&text, "   PLCC ", v->plcc.value);
    canvas_text(plot->canvas, RIGHT, 36, LABEL_SIZE, TEXT_END, dark, text.data);
    text_clear(&text);
    text_addf(&text, "n = %lld", (long long)v->n);
    if (isfinite(v->plcc_logistic4.value))
        text_addf(&text, "   fitted: PLCC %.3f, RMSE %.3g", v->plcc_logistic4.value, v->rmse.value);
    canvas_text(plot->canvas, RIGHT, 60, TICK_SIZE, TEXT_END, soft, text.data);
    text_free(&text);
}

int scatter_write(const EvalRow *row, const double *score, const double *opinion, size_t n,
                  const char *file)
{
    double low[2] = {score[0], opinion[0]}, high[2] = {score[0], opinion[0]};
    for (size_t i = 1; i < n; i++) {
        low[0] = fmin(low[0], score[i]);
        high[0] = fmax(high[0], score[i]);
        low[1] = fmin(low[1], opinion[i]);
        high[1] = fmax(high[1], opinion[i]);
    }
    Plot plot = {.canvas = canvas_new(file, WIDTH, HEIGHT, paper),
                 .x = make_axis(low[0], high[0]),
                 .y = make_axis(low[1], high[1])};
    draw_axes(&plot);
    draw_dots(&plot, score, opinion, n);
    draw_curve(&plot, &row->value.logistic4, low[0], high[0]);
    draw_head(&plot, row);
    int code = canvas_write(plot.canvas);
    canvas_free(&plot.canvas);
    return code;
}
