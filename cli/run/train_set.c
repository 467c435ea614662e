/* train_set.c: see train_set.h. */
// SPDX-License-Identifier: Apache-2.0
#include "run/train_set.h"

#include "base/report.h"
#include "base/text.h"
#include "base/whole_file.h"
#include "output/separated.h"

#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static void grow(TrainSet *set)
{
    size_t capacity = set->capacity ? set->capacity * 2 : 256;
    size_t row = (size_t)qb_noise_zone_feature_count() * sizeof *set->values;
    set->values = cli_realloc(set->values, capacity, row);
    set->visibility = cli_realloc(set->visibility, capacity, sizeof *set->visibility);
    set->samples = cli_realloc(set->samples, capacity, sizeof *set->samples);
    set->scene = cli_realloc(set->scene, capacity, sizeof *set->scene);
    set->zone = cli_realloc(set->zone, capacity, sizeof *set->zone);
    for (int b = 0; b < set->n_baselines; b++)
        set->baselines[b].values =
            cli_realloc(set->baselines[b].values, capacity, sizeof *set->baselines[b].values);
    set->capacity = capacity;
}

typedef struct SceneName {
    const char *name; /* borrowed from the set */
    int index;
} SceneName;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const SceneName *)a)->name, ((const SceneName *)b)->name);
}

static int scene_of(TrainSet *set, const char *name)
{
    const SceneName wanted = {.name = name};
    SceneName *const *found = tfind(&wanted, &set->scene_tree, compare_names);
    if (found)
        return (*found)->index;
    set->scenes = cli_realloc(set->scenes, (size_t)set->n_scenes + 1, sizeof *set->scenes);
    set->scenes[set->n_scenes] = cli_strdup(name);
    SceneName *added = cli_alloc(sizeof *added);
    *added = (SceneName){.name = set->scenes[set->n_scenes], .index = set->n_scenes};
    if (!tsearch(added, &set->scene_tree, compare_names))
        cli_out_of_memory();
    return set->n_scenes++;
}

size_t train_set_add(TrainSet *set, const TrainZone *zone)
{
    size_t n_values = (size_t)qb_noise_zone_feature_count(), at = set->n;
    if (at == set->capacity)
        grow(set);
    memcpy(set->values + at * n_values, zone->values, n_values * sizeof *set->values);
    set->visibility[at] = zone->visibility;
    set->samples[at] = zone->samples;
    set->scene[at] = scene_of(set, zone->scene);
    set->zone[at] = zone->zone;
    for (int b = 0; b < set->n_baselines; b++)
        set->baselines[b].values[at] = NAN;
    return set->n++;
}

int train_set_baseline(TrainSet *set, const char *name)
{
    for (int b = 0; b < set->n_baselines; b++)
        if (strcmp(set->baselines[b].name, name) == 0)
            return b;
    TrainBaseline baseline = {.name = cli_strdup(name),
                              .values = cli_calloc(set->capacity, sizeof(double))};
    for (size_t i = 0; i < set->capacity; i++)
        baseline.values[i] = NAN;
    set->baselines =
        cli_realloc(set->baselines, (size_t)set->n_baselines + 1, sizeof *set->baselines);
    set->baselines[set->n_baselines] = baseline;
    return set->n_baselines++;
}

void train_set_free(TrainSet *set)
{
    tdestroy(set->scene_tree, free);
    for (int i = 0; i < set->n_scenes; i++)
        free(set->scenes[i]);
    for (int b = 0; b < set->n_baselines; b++) {
        free(set->baselines[b].name);
        free(set->baselines[b].values);
    }
    free(set->scenes);
    free(set->baselines);
    free(set->values);
    free(set->visibility);
    free(set->samples);
    free(set->scene);
    free(set->zone);
    *set = (TrainSet){0};
}

void train_set_examples(QbNoiseExamples *out, const TrainSet *set)
{
    *out = (QbNoiseExamples){.n = set->n,
                             .values = set->values,
                             .visibility = set->visibility,
                             .scene = set->scene,
                             .n_scenes = set->n_scenes};
}

/* ---- the table of features ------------------------------------------------------------------ */

static void add_head(Text *out, const TrainSet *set)
{
    text_add(out, "scene,zone,samples,visibility");
    for (int b = 0; b < set->n_baselines; b++) {
        Text name = {0};
        text_addf(&name, "baseline:%s", set->baselines[b].name);
        separated_add(out, &dialect_csv, name.data);
        text_free(&name);
    }
    for (int k = 0; k < qb_noise_zone_feature_count(); k++)
        separated_add(out, &dialect_csv, qb_noise_zone_feature_name(k));
    text_add(out, dialect_csv.line_end);
}

/* Digits that give a double, and a float, back exactly; nothing for what is not known. */
static void add_double(Text *out, double value)
{
    if (isnan(value))
        separated_add_empty(out, &dialect_csv, 1);
    else
        separated_add_number(out, &dialect_csv, "%.17g", value);
}

static void add_row(Text *out, const TrainSet *set, size_t i)
{
    int n_values = qb_noise_zone_feature_count();
    dialect_csv.add_field(out, set->scenes[set->scene[i]]);
    separated_add_number(out, &dialect_csv, "%.0f", set->zone[i]);
    add_double(out, set->samples[i]);
    add_double(out, set->visibility[i]);
    for (int b = 0; b < set->n_baselines; b++)
        add_double(out, set->baselines[b].values[i]);
    for (int k = 0; k < n_values; k++)
        separated_add_number(out, &dialect_csv, "%.9g",
                             (double)set->values[i * (size_t)n_values + (size_t)k]);
    text_add(out, dialect_csv.line_end);
}

bool train_set_save(const TrainSet *set, const char *path)
{
    Text text = {0};
    add_head(&text, set);
    for (size_t i = 0; i < set->n; i++)
        add_row(&text, set, i);
    bool good = whole_file_write(path, text.data, text.length);
    if (!good)
        report("%s: cannot be written: %s", path, strerror(errno));
    text_free(&text);
    return good;
}
