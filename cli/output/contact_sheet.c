/* contact_sheet.c: lays thumbnails out in rows on a dark, neutral ground.
 *
 * Each cell: a panel with the thumbnail in its middle, a thin bar as long as the score, the score
 * in the bar's colour and the file's name. */
// SPDX-License-Identifier: Apache-2.0
#include "output/contact_sheet.h"

#include "base/exit_code.h"
#include "base/report.h"
#include "output/caption.h"
#include "output/font.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BOX_WIDTH = CONTACT_SHEET_BOX_WIDTH,
    BOX_HEIGHT = CONTACT_SHEET_BOX_HEIGHT,
    PAD = 8, /* between thumbnail and the edge of its panel */
    PANEL_WIDTH = BOX_WIDTH + 2 * PAD,
    PANEL_HEIGHT = BOX_HEIGHT + 2 * PAD,
    CAPTION_HEIGHT = 48,
    GAP = 20,
    MARGIN = 32,
    HEADER_HEIGHT = 64,
    BAR_HEIGHT = 4,
    SCORE_SIZE = 22,
    NAME_SIZE = 15,
    TITLE_SIZE = 28,
    MAX_COLUMNS = 12
};

static const uint8_t ground[3] = {24, 24, 26}, panel[3] = {36, 36, 39}, track[3] = {58, 58, 62},
                     bright[3] = {236, 236, 238}, soft[3] = {158, 158, 164};

typedef struct Cell {
    char *path;
    double score; /* 0..1 */
    int64_t order;
    QbImage *thumbnail;
} Cell;

struct ContactSheet {
    Cell cells[CONTACT_SHEET_MAX];
    int n_cells;
    int64_t n_given;
};

ContactSheet *contact_sheet_new(void)
{
    return cli_calloc(1, sizeof(ContactSheet));
}

static void free_cell(Cell *cell)
{
    qb_image_free(&cell->thumbnail);
    free(cell->path);
}

void contact_sheet_free(ContactSheet **sheet)
{
    if (!*sheet)
        return;
    for (int i = 0; i < (*sheet)->n_cells; i++)
        free_cell(&(*sheet)->cells[i]);
    free(*sheet);
    *sheet = NULL;
}

/* Best first; pictures of the same score in the order they came. */
static int compare_cells(const void *a, const void *b)
{
    const Cell *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void contact_sheet_add(ContactSheet *sheet, const Record *record, QbImage **thumbnail)
{
    Cell cell = {NULL, record->score.score, sheet->n_given++, *thumbnail};
    Cell *place = &sheet->cells[sheet->n_cells];
    if (sheet->n_cells == CONTACT_SHEET_MAX) {
        place = &sheet->cells[0];
        for (int i = 1; i < sheet->n_cells; i++)
            if (compare_cells(&sheet->cells[i], place) > 0)
                place = &sheet->cells[i];
        if (compare_cells(&cell, place) > 0)
            return;
        free_cell(place);
    } else {
        sheet->n_cells++;
    }
    cell.path = cli_strdup(record->path);
    *thumbnail = NULL;
    *place = cell;
}

static void fill(Pixels *canvas, int x0, int y0, int width, int height, const uint8_t color[3])
{
    for (int y = y0; y < y0 + height; y++)
        for (int x = x0; x < x0 + width; x++)
            memcpy(canvas->rgb + 3 * ((size_t)y * (size_t)canvas->width + (size_t)x), color, 3);
}

static void paste(Pixels *canvas, int x, int y, const QbImage *image)
{
    size_t row = (size_t)qb_image_width(image) * 3;
    for (int i = 0; i < qb_image_height(image); i++)
        memcpy(canvas->rgb + 3 * ((size_t)(y + i) * (size_t)canvas->width + (size_t)x),
               qb_image_pixels(image) + (size_t)i * row, row);
}

static QbStatus draw_cell(Pixels *canvas, int x, int y, const Cell *cell, const RunInfo *run)
{
    uint8_t color[3];
    char score[32];
    Text name = {0};
    double shown = cell->score < 0 ? 0 : cell->score > 1 ? 1 : cell->score;
    caption_color(color, shown);
    fill(canvas, x, y, PANEL_WIDTH, PANEL_HEIGHT, panel);
    paste(canvas, x + (PANEL_WIDTH - qb_image_width(cell->thumbnail)) / 2,
          y + (PANEL_HEIGHT - qb_image_height(cell->thumbnail)) / 2, cell->thumbnail);
    y += PANEL_HEIGHT;
    fill(canvas, x, y, PANEL_WIDTH, BAR_HEIGHT, track);
    fill(canvas, x, y, (int)(shown * PANEL_WIDTH + 0.5), BAR_HEIGHT, color);
    y += BAR_HEIGHT + 8;
    snprintf(score, sizeof score, "%.3f", scale_apply(run->scale, cell->score));
    QbStatus status = font_draw(canvas, x, y, SCORE_SIZE, color, score);
    int name_x = x + font_width((int)strlen(score) + 1, SCORE_SIZE);
    caption_add_name(&name, cell->path, (x + PANEL_WIDTH - name_x) / font_width(1, NAME_SIZE));
    /* both stand on the same line: the letters' feet are 7/10 down */
    if (status == QB_OK && name.data)
        status = font_draw(canvas, name_x, y + (SCORE_SIZE - NAME_SIZE) * 7 / 10, NAME_SIZE, soft,
                           name.data);
    text_free(&name);
    return status;
}

static QbStatus draw_header(Pixels *canvas, const ContactSheet *sheet, const RunInfo *run)
{
    Text line = {0};
    QbStatus status = font_draw(canvas, MARGIN, MARGIN - 4, TITLE_SIZE, bright, "qboost");
    if (sheet->n_given > sheet->n_cells)
        text_addf(&line, "the best %d of %lld pictures", sheet->n_cells, (long long)sheet->n_given);
    else
        text_addf(&line, "%d picture%s, best first", sheet->n_cells,
                  sheet->n_cells == 1 ? "" : "s");
    int room = canvas->width - 2 * MARGIN - font_width(8, TITLE_SIZE);
    if (font_width((int)(line.length + strlen(run->model) + strlen(run->method)) + 12, NAME_SIZE) <
        room)
        text_addf(&line, "  |  %s, %s", run->model, run->method);
    if (status == QB_OK)
        status =
            font_draw(canvas, MARGIN + font_width(8, TITLE_SIZE),
                      MARGIN - 4 + (TITLE_SIZE - NAME_SIZE) * 7 / 10, NAME_SIZE, soft, line.data);
    text_free(&line);
    return status;
}

/* About four columns for three rows. */
static int columns_for(int n)
{
    int columns = (int)ceil(sqrt(n * 1.1));
    columns = columns > MAX_COLUMNS ? MAX_COLUMNS : columns < 2 ? 2 : columns;
    return columns;
}

/* A canvas without pixels for n pictures; returns its columns. */
static int lay_out(Pixels *canvas, int n)
{
    int columns = columns_for(n), rows = (n + columns - 1) / columns;
    *canvas = (Pixels){NULL, 2 * MARGIN + columns * (PANEL_WIDTH + GAP) - GAP,
                       2 * MARGIN + HEADER_HEIGHT - GAP + rows * (PANEL_HEIGHT + CAPTION_HEIGHT)};
    return columns;
}

bool contact_sheet_may_be(uint32_t width, uint32_t height)
{
    Pixels canvas;
    for (int n = 1; n <= CONTACT_SHEET_MAX; n++) {
        lay_out(&canvas, n);
        if ((uint32_t)canvas.width == width && (uint32_t)canvas.height == height)
            return true;
    }
    return false;
}

int contact_sheet_write(const ContactSheet *sheet, const RunInfo *run, const char *file)
{
    Pixels canvas;
    int n = sheet->n_cells, columns = lay_out(&canvas, n);
    Cell *sorted = cli_alloc((size_t)(n + 1) * sizeof *sorted);
    QbImage *image = NULL;
    canvas.rgb = cli_alloc((size_t)canvas.width * (size_t)canvas.height * 3);
    memcpy(sorted, sheet->cells, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, compare_cells);
    fill(&canvas, 0, 0, canvas.width, canvas.height, ground);
    QbStatus status = draw_header(&canvas, sheet, run);
    for (int i = 0; i < n && status == QB_OK; i++)
        status =
            draw_cell(&canvas, MARGIN + i % columns * (PANEL_WIDTH + GAP),
                      MARGIN + HEADER_HEIGHT - GAP + i / columns * (PANEL_HEIGHT + CAPTION_HEIGHT),
                      &sorted[i], run);
    if (status == QB_OK)
        status = qb_image_new_rgb(&image, canvas.rgb, canvas.width, canvas.height,
                                  (size_t)canvas.width * 3);
    if (status == QB_OK)
        status = qb_image_save_png(image, file);
    if (status != QB_OK)
        report("contact sheet: %s", qb_last_error());
    qb_image_free(&image);
    free(canvas.rgb);
    free(sorted);
    return status == QB_OK ? CLI_OK : status == QB_ERR_NOMEM ? CLI_LIMIT : CLI_FAILED;
}
