/* eval_report.c: see eval_report.h. For people and papers three decimals, as the field prints them;
 * CSV and JSON have everything. */
// SPDX-License-Identifier: Apache-2.0
#include "output/eval_report.h"

#include "output/separated.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const eval_format_names[] = {"table", "csv", "tsv", "markdown", "latex", "json", NULL};

/* ---- cells for people -------------------------------------------------------------------------
 */

enum { DATASET, SOURCE, METHOD, N, FAILED, SRCC, PLCC, PLCC4, PLCC5, KRCC, RMSE, N_COLUMNS };

static const char *const titles[] = {"data set", "scores of", "method", "n",    "failed", "SRCC",
                                     "PLCC",     "PLCC-4",    "PLCC-5", "KRCC", "RMSE"};

typedef struct Grid {
    Text *cells; /* [n_rows][N_COLUMNS] */
    bool shown[N_COLUMNS];
    int n_rows;
} Grid;

static void add_value(Text *out, const QbEvalValue *value, bool interval, bool utf8)
{
    if (!isfinite(value->value)) {
        text_add(out, "-");
        return;
    }
    text_addf(out, "%.3f", value->value);
    if (interval && isfinite(value->low) && isfinite(value->high))
        text_addf(out, utf8 ? " [%.3f, %.3f]" : " [%.3f %.3f]", value->low, value->high);
}

static void add_name(Text *out, const char *name)
{
    enum { MOST_COLUMNS = 48 };
    Text printable = {0};
    text_add_printable(&printable, name);
    text_add_fitted(out, printable.data ? printable.data : "", MOST_COLUMNS, true);
    text_free(&printable);
}

static void fill_row(Text *cell, const EvalRow *row)
{
    const QbEvalResult *v = &row->value;
    if (row->n_means)
        text_addf(&cell[DATASET], "mean of %d", row->n_means);
    else
        add_name(&cell[DATASET], row->dataset);
    add_name(&cell[SOURCE], row->source);
    text_add_printable(&cell[METHOD], row->method);
    text_addf(&cell[N], "%lld", (long long)v->n);
    text_addf(&cell[FAILED], "%lld", (long long)row->n_failed);
    add_value(&cell[SRCC], &v->srcc, true, true);
    add_value(&cell[PLCC], &v->plcc, true, true);
    add_value(&cell[PLCC4], &v->plcc_logistic4, false, true);
    add_value(&cell[PLCC5], &v->plcc_logistic5, false, true);
    add_value(&cell[KRCC], &v->krcc, false, true);
    add_value(&cell[RMSE], &v->rmse, false, true);
}

/* A column that says the same everywhere is left out, where that loses nothing. */
static Grid make_grid(const EvalReport *report)
{
    Grid grid = {.n_rows = report->n};
    grid.cells = cli_calloc((size_t)report->n * N_COLUMNS, sizeof *grid.cells);
    for (int c = 0; c < N_COLUMNS; c++)
        grid.shown[c] = c != SOURCE && c != FAILED;
    for (int i = 0; i < report->n; i++) {
        fill_row(grid.cells + i * N_COLUMNS, &report->rows[i]);
        grid.shown[SOURCE] |= strcmp(report->rows[i].source, report->rows[0].source) != 0;
        grid.shown[FAILED] |= report->rows[i].n_failed > 0;
    }
    return grid;
}

static void free_grid(Grid *grid)
{
    for (int i = 0; i < grid->n_rows * N_COLUMNS; i++)
        text_free(&grid->cells[i]);
    free(grid->cells);
}

static const char *cell_of(const Grid *grid, int row, int column)
{
    const char *data = grid->cells[row * N_COLUMNS + column].data;
    return data ? data : "";
}

static bool is_left(int column)
{
    return column <= METHOD;
}

/* ---- the table --------------------------------------------------------------------------------
 */

static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void add_padded(Text *out, const char *text, int width, bool left)
{
    if (left)
        text_add(out, text);
    for (int i = width_of(text); i < width; i++)
        text_add_char(out, ' ');
    if (!left)
        text_add(out, text);
}

static void add_line(Text *out, const Grid *grid, const int *widths, int row)
{
    bool first = true;
    for (int c = 0; c < N_COLUMNS; c++) {
        if (!grid->shown[c])
            continue;
        if (!first)
            text_add(out, "  ");
        first = false;
        add_padded(out, row < 0 ? titles[c] : cell_of(grid, row, c), widths[c], is_left(c));
    }
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = 0;
    text_add_char(out, '\n');
}

static void add_table(Text *out, const EvalReport *report)
{
    Grid grid = make_grid(report);
    int widths[N_COLUMNS];
    for (int c = 0; c < N_COLUMNS; c++) {
        widths[c] = width_of(titles[c]);
        for (int i = 0; i < grid.n_rows; i++) {
            int width = width_of(cell_of(&grid, i, c));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (int i = -1; i < grid.n_rows; i++)
        add_line(out, &grid, widths, i);
    free_grid(&grid);
}

/* ---- for papers -------------------------------------------------------------------------------
 */

static void add_markdown_text(Text *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("|\\`*_<[]", *text))
            text_add_char(out, '\\');
        text_add_char(out, *text);
    }
}

static void add_markdown(Text *out, const EvalReport *report)
{
    Grid grid = make_grid(report);
    for (int i = -2; i < grid.n_rows; i++) {
        text_add_char(out, '|');
        for (int c = 0; c < N_COLUMNS; c++) {
            if (!grid.shown[c])
                continue;
            text_add_char(out, ' ');
            if (i == -2)
                text_add(out, titles[c]);
            else if (i == -1)
                text_add(out, is_left(c) ? "---" : "---:");
            else if (is_left(c))
                add_markdown_text(out, cell_of(&grid, i, c));
            else
                text_add(out, cell_of(&grid, i, c));
            text_add(out, " |");
        }
        text_add_char(out, '\n');
    }
    free_grid(&grid);
}

static void add_latex_text(Text *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            text_add(out, "\\textbackslash{}");
        else if (*text == '~')
            text_add(out, "\\textasciitilde{}");
        else if (*text == '^')
            text_add(out, "\\textasciicircum{}");
        else {
            if (strchr("&%$#_{}", *text))
                text_add_char(out, '\\');
            text_add_char(out, *text);
        }
    }
}

static void add_latex(Text *out, const EvalReport *report)
{
    Grid grid = make_grid(report);
    text_add(out, "\\begin{tabular}{");
    for (int c = 0; c < N_COLUMNS; c++)
        if (grid.shown[c])
            text_add_char(out, is_left(c) ? 'l' : 'r');
    text_add(out, "}\n\\hline\n");
    for (int i = -1; i < grid.n_rows; i++) {
        bool first = true;
        for (int c = 0; c < N_COLUMNS; c++) {
            if (!grid.shown[c])
                continue;
            if (!first)
                text_add(out, " & ");
            first = false;
            add_latex_text(out, i < 0 ? titles[c] : cell_of(&grid, i, c));
        }
        text_add(out, i < 0 ? " \\\\\n\\hline\n" : " \\\\\n");
    }
    text_add(out, "\\hline\n\\end{tabular}\n");
    free_grid(&grid);
}

/* ---- for programs -----------------------------------------------------------------------------
 */

static void add_number(Text *out, const Dialect *d, double value)
{
    if (isfinite(value))
        separated_add_number(out, d, "%.12g", value);
    else
        separated_add_empty(out, d, 1);
}

static void add_separated(Text *out, const EvalReport *report, const Dialect *d)
{
    static const char *const names[] = {"srcc", "plcc", "plcc_logistic4", "plcc_logistic5",
                                        "krcc", "rmse", "rmse_logistic5"};
    d->add_field(out, "dataset");
    static const char *const first[] = {"source", "method",  "means", "n",
                                        "failed", "unrated", "parts"};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        separated_add(out, d, first[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char title[40];
        static const char *const endings[] = {"", "_low", "_high"};
        for (int e = 0; e < 3; e++) {
            snprintf(title, sizeof title, "%s%s", names[i], endings[e]);
            separated_add(out, d, title);
        }
    }
    text_add(out, d->line_end);
    for (int i = 0; i < report->n; i++) {
        const EvalRow *row = &report->rows[i];
        const QbEvalResult *v = &row->value;
        const QbEvalValue *values[] = {&v->srcc, &v->plcc, &v->plcc_logistic4, &v->plcc_logistic5,
                                       &v->krcc, &v->rmse, &v->rmse_logistic5};
        d->add_field(out, row->dataset);
        separated_add(out, d, row->source);
        separated_add(out, d, row->method);
        const int64_t counts[] = {row->n_means, v->n, row->n_failed, row->n_unrated, v->n_parts};
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            separated_add_number(out, d, "%.0f", (double)counts[c]);
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            add_number(out, d, values[k]->value);
            add_number(out, d, values[k]->low);
            add_number(out, d, values[k]->high);
        }
        text_add(out, d->line_end);
    }
}

void eval_report_add(Text *out, const EvalReport *report, const char *format)
{
    if (!strcmp(format, "csv"))
        add_separated(out, report, &dialect_csv);
    else if (!strcmp(format, "tsv"))
        add_separated(out, report, &dialect_tsv);
    else if (!strcmp(format, "markdown"))
        add_markdown(out, report);
    else if (!strcmp(format, "latex"))
        add_latex(out, report);
    else if (!strcmp(format, "json"))
        json_add_evaluation(out, report);
    else
        add_table(out, report);
}
