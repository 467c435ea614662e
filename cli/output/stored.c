/* stored.c: a growing list of records and the orders it can be printed in. */
// SPDX-License-Identifier: Apache-2.0
#include "output/stored.h"

#include <stdlib.h>
#include <string.h>

struct Stored {
    struct Item {
        Record record;
        char *path, *error;
        size_t order;
    } * items;
    size_t n_items, capacity;
};

typedef struct Item Item;

Stored *stored_new(void)
{
    return cli_calloc(1, sizeof(Stored));
}

void stored_free(Stored **stored)
{
    if (!*stored)
        return;
    for (size_t i = 0; i < (*stored)->n_items; i++) {
        free((*stored)->items[i].path);
        free((*stored)->items[i].error);
    }
    free((*stored)->items);
    free(*stored);
    *stored = NULL;
}

void stored_add(Stored *stored, const Record *record)
{
    if (stored->n_items == stored->capacity) {
        stored->capacity = stored->capacity ? stored->capacity * 2 : 64;
        stored->items = cli_realloc(stored->items, stored->capacity, sizeof *stored->items);
    }
    Item *item = &stored->items[stored->n_items];
    *item = (Item){.record = *record, .path = cli_strdup(record->path), .order = stored->n_items++};
    item->record.path = item->path;
    if (record->error)
        item->record.error = item->error = cli_strdup(record->error);
}

/* 0 unless one of the two failed: what failed comes last. */
static int compare_failed(const Item *a, const Item *b)
{
    return (a->error != NULL) - (b->error != NULL);
}

static int compare_order(const Item *a, const Item *b)
{
    return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_scores(const void *x, const void *y)
{
    const Item *a = x, *b = y;
    int failed = compare_failed(a, b);
    double p = a->record.score.score, q = b->record.score.score;
    if (failed || a->error || p == q)
        return failed ? failed : compare_order(a, b);
    return p < q ? -1 : 1;
}

static int compare_scores_down(const void *x, const void *y)
{
    const Item *a = x, *b = y;
    int failed = compare_failed(a, b);
    double p = a->record.score.score, q = b->record.score.score;
    if (failed || a->error || p == q)
        return failed ? failed : compare_order(a, b);
    return p > q ? -1 : 1;
}

static int compare_paths(const void *x, const void *y)
{
    const Item *a = x, *b = y;
    int failed = compare_failed(a, b), paths = strcmp(a->path, b->path);
    return failed ? failed : paths ? paths : compare_order(a, b);
}

void stored_each(Stored *stored, const char *order, bool (*each)(const Record *, void *user),
                 void *user)
{
    static const struct {
        const char *name;
        int (*compare)(const void *, const void *);
    } orders[] = {
        {"score", compare_scores}, {"-score", compare_scores_down}, {"path", compare_paths}};
    size_t i = 0;
    while (strcmp(orders[i].name, order))
        i++;
    if (stored->n_items > 0)
        qsort(stored->items, stored->n_items, sizeof *stored->items, orders[i].compare);
    for (i = 0; i < stored->n_items; i++)
        if (!each(&stored->items[i].record, user))
            return;
}
