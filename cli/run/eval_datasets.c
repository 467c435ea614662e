/* eval_datasets.c: see eval_datasets.h. Rows are sorted by the name of their set once, so that many
 * rows and many sets take no time. */
// SPDX-License-Identifier: Apache-2.0
#include "run/eval_datasets.h"

#include "base/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More are no data sets: the column is another one. */
enum { MOST_DATASETS = 1000 };

typedef struct Entry {
    const char *name;
    size_t row;
} Entry;

static int by_name(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int by_row(const void *a, const void *b)
{
    size_t x = ((const Entry *)a)->row, y = ((const Entry *)b)->row;
    return (x > y) - (x < y);
}

/* out[count]: sorted by name, rows of a name by their place. */
static Entry *sort_rows(const EvalSource *source, size_t count)
{
    Entry *entries = cli_calloc(count + 1, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        QbTableRow row;
        qb_table_row(&row, source->table, i);
        entries[i] = (Entry){*row.dataset ? row.dataset : source->dataset, i};
    }
    qsort(entries, count, sizeof *entries, by_name);
    return entries;
}

/* first[n]: the first row of each set, in the table's order. Returns n, or -1 if there are too
 * many. */
static int list_sets(Entry first[MOST_DATASETS], const Entry *entries, size_t count)
{
    int n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(entries[i].name, entries[i - 1].name) == 0)
            continue;
        if (n == MOST_DATASETS)
            return -1;
        first[n++] = entries[i];
    }
    qsort(first, (size_t)n, sizeof *first, by_row);
    return n;
}

/* Numbers the sets by their first rows, and gives each row its set's number. */
static void number_rows(EvalDatasets *out, const Entry *first, const Entry *entries, size_t count)
{
    for (int d = 0; d < out->n; d++) {
        out->items[d].name = first[d].name;
        out->of[first[d].row] = d;
    }
    for (size_t i = 1; i < count; i++)
        if (strcmp(entries[i].name, entries[i - 1].name) == 0)
            out->of[entries[i].row] = out->of[entries[i - 1].row];
}

static void count_rows(EvalDatasets *out, const QbTable *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        QbTableRow row;
        qb_table_row(&row, table, i);
        out->items[out->of[i]].n++;
        out->items[out->of[i]].n_rated += isfinite(row.opinion);
    }
}

static void drop_unrated(EvalDatasets *out, size_t count)
{
    int number[MOST_DATASETS], n = 0;
    for (int d = 0; d < out->n; d++) {
        number[d] = out->items[d].n_rated ? n : -1;
        if (out->items[d].n_rated)
            out->items[n++] = out->items[d];
        else
            report("%s: none of its %zu files has an opinion; it is left out", out->items[d].name,
                   out->items[d].n);
    }
    for (size_t i = 0; i < count; i++)
        out->of[i] = number[out->of[i]];
    out->n = n;
}

int eval_datasets_init(EvalDatasets *out, const EvalSource *source)
{
    size_t count = qb_table_count(source->table);
    Entry first[MOST_DATASETS];
    Entry *entries = sort_rows(source, count);
    *out = (EvalDatasets){.n = list_sets(first, entries, count)};
    if (out->n >= 0) {
        out->items = cli_calloc((size_t)out->n + 1, sizeof *out->items);
        out->of = cli_calloc(count + 1, sizeof *out->of);
        number_rows(out, first, entries, count);
        count_rows(out, source->table, count);
        drop_unrated(out, count);
    }
    free(entries);
    if (out->n >= 0)
        return CLI_OK;
    report("%s: more than %d data sets; --dataset-column says which column names them",
           source->path, MOST_DATASETS);
    return CLI_USAGE;
}

void eval_datasets_deinit(EvalDatasets *datasets)
{
    free(datasets->items);
    free(datasets->of);
    *datasets = (EvalDatasets){0};
}

EvalPairs *eval_datasets_pairs(const EvalDatasets *datasets, const QbTable *table,
                               const double *scores)
{
    EvalPairs *pairs = cli_calloc((size_t)datasets->n + 1, sizeof *pairs);
    for (int d = 0; d < datasets->n; d++) {
        pairs[d].score = cli_calloc(datasets->items[d].n_rated + 1, sizeof(double));
        pairs[d].opinion = cli_calloc(datasets->items[d].n_rated + 1, sizeof(double));
    }
    for (size_t i = 0; i < qb_table_count(table); i++) {
        QbTableRow row;
        qb_table_row(&row, table, i);
        if (datasets->of[i] < 0 || !isfinite(row.opinion) || !isfinite(scores[i]))
            continue;
        EvalPairs *p = &pairs[datasets->of[i]];
        p->score[p->n] = scores[i];
        p->opinion[p->n++] = row.opinion;
    }
    return pairs;
}
