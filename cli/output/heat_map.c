/* heat_map.c: draws where noise is.
 *
 * From top to bottom: which picture, the verdict, how it was reached; the picture with its zones,
 * or the error at each of its pixels; the scale of colours. An error map has no end of its scale
 * that holds for all metrics, so it ends where all but the worst pixels lie, and says where that
 * is. */
// SPDX-License-Identifier: Apache-2.0
#include "output/heat_map.h"

#include "base/exit_code.h"
#include "base/report.h"
#include "output/canvas.h"
#include "output/caption.h"
#include "output/noise_colors.h"
#include "output/noise_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONG_SIDE = 640, /* of the picture */
    LEAST_WIDTH = 480,
    MARGIN = 24,
    TOP = 92,
    LEGEND = 78, /* under the picture, with the margin */
    BAR_HEIGHT = 12,
    BAR_STEPS = 128,
    TITLE_SIZE = 20,
    TEXT_SIZE = 13,
    LEAST_LABEL = 9
};

static const Ink paper = {255, 255, 255, 1}, dark = {32, 34, 40, 1}, soft = {112, 116, 126, 1},
                 shade = {0, 0, 0, 0.55}, grid_ink = {255, 255, 255, 0.25},
                 white = {255, 255, 255, 1};

typedef struct Map {
    Canvas *canvas;
    const NoiseRun *run;
    const NoiseRecord *record;
    double left, width, height; /* of the picture */
    double canvas_width;
} Map;

static Ink ink_of(const uint8_t color[3], double opacity)
{
    return (Ink){color[0], color[1], color[2], opacity};
}

static void map_begin(Map *map, const char *file)
{
    double width = map->record->info.width, height = map->record->info.height;
    double scale = LONG_SIDE / fmax(width, height);
    map->width = fmax(width * scale, 1);
    map->height = fmax(height * scale, 1);
    map->canvas_width = ceil(fmax(map->width, LEAST_WIDTH)) + 2 * MARGIN;
    map->left = (map->canvas_width - map->width) / 2;
    map->canvas =
        canvas_new(file, (int)map->canvas_width, (int)ceil(TOP + map->height + LEGEND), paper);
}

static int map_end(Map *map)
{
    int code = canvas_write(map->canvas);
    canvas_free(&map->canvas);
    return code;
}

/* "learned: qboost-noise, svm  |  tone reinhard" */
static void add_how(Text *out, const Map *map)
{
    const NoiseRun *run = map->run;
    text_add(out, run->way);
    if (run->model)
        text_addf(out, ": %s, %s", run->model, run->classifier);
    if (map->record->other) {
        text_add(out, ": ");
        caption_add_name(out, map->record->other, 32);
    }
    if (noise_is_light(map->record)) {
        text_add(out, "  |  tone ");
        noise_add_tone(out, &run->tone);
    }
}

/* what: the second line. */
static void draw_head(const Map *map, const char *what)
{
    Text text = {0};
    int columns = (int)((map->canvas_width - 2 * MARGIN) / canvas_text_width(TITLE_SIZE, "x"));
    caption_add_name(&text, map->record->path, columns);
    canvas_text(map->canvas, MARGIN, 34, TITLE_SIZE, TEXT_START, dark, text.data);
    canvas_text(map->canvas, MARGIN, 56, TEXT_SIZE, TEXT_START, dark, what);
    text_clear(&text);
    add_how(&text, map);
    canvas_text(map->canvas, MARGIN, 75, TEXT_SIZE, TEXT_START, soft, text.data);
    text_free(&text);
}

/* Where a zone lies on the canvas. */
static void place_zone(double at[4], const Map *map, int zone)
{
    int width = map->record->info.width, height = map->record->info.height;
    NoiseRect rect = noise_zone_rect(map->run->grid, width, height, zone);
    at[0] = map->left + map->width * rect.x / width;
    at[1] = TOP + map->height * rect.y / height;
    at[2] = map->width * rect.width / width;
    at[3] = map->height * rect.height / height;
}

static void draw_grid(const Map *map)
{
    QbNoiseGrid grid = map->run->grid;
    double at[4];
    for (int c = 1; c < grid.columns; c++) {
        place_zone(at, map, c);
        canvas_line(map->canvas, at[0], TOP, at[0], TOP + map->height, 1, grid_ink);
    }
    for (int r = 1; r < grid.rows; r++) {
        place_zone(at, map, r * grid.columns);
        canvas_line(map->canvas, map->left, at[1], map->left + map->width, at[1], 1, grid_ink);
    }
}

static void frame_zone(const Map *map, int zone)
{
    double at[4];
    if (zone < 0)
        return;
    place_zone(at, map, zone);
    const double inset = 2;
    double left = at[0] + inset, right = at[0] + at[2] - inset;
    double top = at[1] + inset, bottom = at[1] + at[3] - inset;
    const double corners[][2] = {
        {left, top}, {right, top}, {right, bottom}, {left, bottom}, {left, top}};
    /* White within black stands out from the picture and from the paper beside it. */
    canvas_polyline(map->canvas, corners, 5, 4, dark);
    canvas_polyline(map->canvas, corners, 5, 2, white);
}

/* ---- the scale of colours -----------------------------------------------------------------------
 */

typedef struct Mark {
    double at; /* 0 … 1 */
    const char *text;
} Mark;

static void draw_scale(const Map *map, void (*color_of)(uint8_t color[3], double),
                       const Mark *marks, int n_marks)
{
    double left = MARGIN, width = map->canvas_width - 2 * MARGIN, y = TOP + map->height + 18;
    double step = width / BAR_STEPS;
    for (int i = 0; i < BAR_STEPS; i++) {
        uint8_t color[3];
        color_of(color, (i + 0.5) / BAR_STEPS);
        /* each reaches under the next, lest the paper shines through */
        canvas_rect(map->canvas, left + i * step, y, i + 1 < BAR_STEPS ? 2 * step : step,
                    BAR_HEIGHT, ink_of(color, 1));
    }
    for (int i = 0; i < n_marks; i++) {
        TextAnchor anchor = marks[i].at <= 0   ? TEXT_START
                            : marks[i].at >= 1 ? TEXT_END
                                               : TEXT_MIDDLE;
        double x = left + marks[i].at * width;
        canvas_line(map->canvas, x, y + BAR_HEIGHT, x, y + BAR_HEIGHT + 5, 1, soft);
        canvas_text(map->canvas, x, y + BAR_HEIGHT + 20, TEXT_SIZE, anchor, soft, marks[i].text);
    }
}

/* ---- zones --------------------------------------------------------------------------------------
 */

static void draw_label(const Map *map, const double at[4], double noise, bool worst)
{
    Text text = {0};
    noise_add_number(&text, noise);
    double size = fmin(worst ? 22 : 16, fmin(at[3] * 0.6, at[2] * 1.4 / (double)text.length));
    if (size >= LEAST_LABEL)
        canvas_text(map->canvas, at[0] + at[2] / 2, at[1] + at[3] / 2 + size * 0.35, size,
                    TEXT_MIDDLE, white, text.data);
    text_free(&text);
}

static void draw_zones(const Map *map)
{
    const QbNoiseReport *report = map->record->report;
    int worst = noise_worst_zone(report);
    canvas_rect(map->canvas, map->left, TOP, map->width, map->height, shade);
    for (int z = 0; z < report->grid.columns * report->grid.rows; z++) {
        double at[4], noise = report->zones[z].noise;
        uint8_t color[3];
        if (!(noise > 0))
            continue;
        place_zone(at, map, z);
        noise_color(color, noise);
        canvas_rect(map->canvas, at[0], at[1], at[2], at[3], ink_of(color, 0.3 + 0.3 * noise));
    }
    draw_grid(map);
    for (int z = 0; z < report->grid.columns * report->grid.rows; z++) {
        double at[4], noise = report->zones[z].noise;
        place_zone(at, map, z);
        if (noise > 0 || isnan(noise))
            draw_label(map, at, noise, z == worst);
    }
    if (worst >= 0 && report->zones[worst].noise > 0)
        frame_zone(map, worst);
}

int heat_map_write_zones(const char *file, const NoiseRun *run, const NoiseRecord *record,
                         const QbImage *image)
{
    static const Mark marks[] = {
        {0, "0: none visible"}, {0.5, "0.5: twice what can be seen"}, {1, "1"}};
    Map map = {.run = run, .record = record};
    Text verdict = {0};
    noise_add_verdict(&verdict, record->report);
    map_begin(&map, file);
    draw_head(&map, verdict.data);
    canvas_image(map.canvas, map.left, TOP, map.width, map.height, image);
    draw_zones(&map);
    draw_scale(&map, noise_color, marks, 3);
    text_free(&verdict);
    return map_end(&map);
}

/* ---- errors -------------------------------------------------------------------------------------
 */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Where all but one in 200 pixels lie; of large maps by an even sample. */
static double scale_end(const float *map, size_t n)
{
    enum { MOST = 1000000 };
    size_t step = n / MOST + 1, n_taken = 0;
    float *taken = cli_calloc(n / step + 1, sizeof *taken), highest = 0;
    for (size_t i = 0; i < n; i += step)
        taken[n_taken++] = map[i];
    qsort(taken, n_taken, sizeof *taken, compare_floats);
    float end = taken[(n_taken - 1) - (n_taken - 1) / 200];
    free(taken);
    for (size_t i = 0; i < n && !(end > 0); i++)
        highest = map[i] > highest ? map[i] : highest;
    return (double)(end > 0 ? end : highest);
}

static QbStatus color_errors(QbImage **out, const float *map, int width, int height, double end)
{
    size_t n = (size_t)width * (size_t)height;
    uint8_t *rgb = cli_calloc(n, 3);
    for (size_t i = 0; i < n; i++)
        error_color(rgb + 3 * i, end > 0 ? (double)map[i] / end : 0);
    QbStatus status = qb_image_new_rgb(out, rgb, width, height, (size_t)width * 3);
    free(rgb);
    return status;
}

static void add_measured(Text *out, const Map *map, int metric, int worst)
{
    const NoiseMeasure *measure = &map->record->measures[metric];
    text_addf(out, "%s ", map->run->metrics[metric]->name);
    noise_add_measure(out, measure->whole);
    if (worst < 0)
        return;
    text_add(out, ", worst zone ");
    noise_add_measure(out, measure->zones[worst]);
    text_addf(out, " (row %d, column %d)", worst / map->run->grid.columns + 1,
              worst % map->run->grid.columns + 1);
}

int heat_map_write_errors(const char *file, const NoiseRun *run, const NoiseRecord *record,
                          int metric, const float *map_of_errors)
{
    Map map = {.run = run, .record = record};
    QbImage *image = NULL;
    Text text = {0};
    char middle[32], last[32];
    int width = record->info.width, height = record->info.height;
    double end = scale_end(map_of_errors, (size_t)width * (size_t)height);
    if (color_errors(&image, map_of_errors, width, height, end) != QB_OK) {
        report("%s: %s", file, qb_last_error());
        return CLI_FAILED;
    }
    int worst = noise_worst_measure(run->metrics[metric], record->measures[metric].zones,
                                    run->grid.columns * run->grid.rows);
    snprintf(middle, sizeof middle, "%.3g", end / 2);
    snprintf(last, sizeof last, "%.3g and above", end);
    const Mark marks[] = {{0, "0: no error"}, {0.5, middle}, {1, last}};
    add_measured(&text, &map, metric, worst);
    map_begin(&map, file);
    draw_head(&map, text.data);
    canvas_image(map.canvas, map.left, TOP, map.width, map.height, image);
    draw_grid(&map);
    frame_zone(&map, end > 0 ? worst : -1);
    draw_scale(&map, error_color, marks, end > 0 ? 3 : 1);
    qb_image_free(&image);
    text_free(&text);
    return map_end(&map);
}
