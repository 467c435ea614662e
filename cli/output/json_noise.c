/* json_noise.c: the noise of pictures as JSON. Rows and columns are counted from 1, as in texts. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json_parts.h"
#include "output/noise_record.h"

#include <qboost/qboost.h>

json_t *json_noise_zone(const QbNoiseReport *report, int width, int height, int zone)
{
    json_t *object = json_object();
    NoiseRect rect = noise_zone_rect(report->grid, width, height, zone);
    json_put(object, "row", json_integer(zone / report->grid.columns + 1));
    json_put(object, "column", json_integer(zone % report->grid.columns + 1));
    json_put(object, "x", json_integer(rect.x));
    json_put(object, "y", json_integer(rect.y));
    json_put(object, "width", json_integer(rect.width));
    json_put(object, "height", json_integer(rect.height));
    json_put(object, "noise", json_finite(report->zones[zone].noise));
    json_put(object, "visibility", json_finite(report->zones[zone].visibility));
    return object;
}

static void put_input(json_t *object, const QbLightInfo *info)
{
    json_put(object, "width", json_integer(info->width));
    json_put(object, "height", json_integer(info->height));
    json_put(object, "format", json_text(info->format));
    json_put(object, "light", json_boolean(info->is_light));
    json_put(object, "nan", json_integer(info->n_nan));
    json_put(object, "infinite", json_integer(info->n_infinite));
    json_put(object, "negative", json_integer(info->n_negative));
    json_put(object, "missing", json_text(info->missing));
    json_put(object, "samples", info->samples > 0 ? json_integer(info->samples) : json_null());
}

/* The reference, its features or the second half. */
static json_t *other(const NoiseRecord *record)
{
    json_t *object = json_object();
    json_put_path(object, record->other);
    if (!record->error && record->other_info.width > 0)
        put_input(object, &record->other_info);
    return object;
}

static json_t *measures(const NoiseRun *run, const NoiseRecord *record, int zone)
{
    json_t *object = json_object();
    for (int m = 0; m < run->n_metrics; m++) {
        const NoiseMeasure *measure = &record->measures[m];
        json_t *value = NULL;
        if (!*measure->obstacle)
            value = json_finite(zone < 0 ? measure->whole : measure->zones[zone]);
        json_put(object, run->metrics[m]->name, value);
    }
    return object;
}

static json_t *zones(const NoiseRun *run, const NoiseRecord *record)
{
    json_t *list = json_array();
    for (int z = 0; z < run->grid.columns * run->grid.rows; z++) {
        json_t *zone = json_noise_zone(record->report, record->info.width, record->info.height, z);
        if (run->n_metrics > 0)
            json_put(zone, "metrics", measures(run, record, z));
        json_array_append_new(list, zone);
    }
    return list;
}

static void put_result(json_t *object, const NoiseRun *run, const NoiseRecord *record)
{
    json_t *input = json_object(), *tone = NULL;
    put_input(input, &record->info);
    json_put(object, "input", input);
    json_put(object, "noise", json_finite(record->report->noise));
    json_put(object, "visibility", json_finite(record->report->visibility));
    json_put(object, "noisy_share", json_finite(record->report->noisy_share));
    if (run->n_metrics > 0)
        json_put(object, "metrics", measures(run, record, -1));
    json_put(object, "zones", zones(run, record));
    if (noise_is_light(record)) {
        tone = json_object();
        json_put(tone, "curve", json_text(run->tone.curve));
        json_put(tone, "exposure", json_finite(run->tone.exposure));
    }
    json_put(object, "tone", tone);
    if (record->note)
        json_put(object, "note", json_text(record->note));
    if (record->warning)
        json_put(object, "warning", json_text(record->warning));
    if (record->heat_map)
        json_put(object, "heat_map", json_text(record->heat_map));
    if (record->map)
        json_put(object, "map", json_text(record->map));
    json_put(object, "ms", json_milliseconds(record->ms));
}

static json_t *grid(QbNoiseGrid of)
{
    json_t *object = json_object();
    json_put(object, "columns", json_integer(of.columns));
    json_put(object, "rows", json_integer(of.rows));
    return object;
}

void noise_add_features(Text *out, const char *path, const QbLightInfo *info, QbNoiseGrid of,
                        const char *file, int64_t size_bytes)
{
    json_t *object = json_object(), *input = json_object();
    json_put(object, "schema", json_string("qboost.noise-features/1"));
    json_put_path(object, path);
    put_input(input, info);
    json_put(object, "input", input);
    json_put(object, "grid", grid(of));
    json_put(object, "features", json_text(file));
    json_put(object, "bytes", json_integer(size_bytes));
    json_put(object, "version", json_string(qb_version()));
    json_add_object(out, object);
    text_add_char(out, '\n');
}

static json_t *record_object(const NoiseRun *run, const NoiseRecord *record)
{
    json_t *object = json_object();
    json_put(object, "schema", json_string("qboost.noise/1"));
    json_put_path(object, record->path);
    if (record->other)
        json_put(object, run->other, other(record));
    if (record->error) {
        json_put(object, "error", json_text(record->error));
        json_put(object, "error_kind", json_text(record->error_kind));
    } else {
        put_result(object, run, record);
    }
    json_put(object, "way", json_string(run->way));
    json_put(object, "grid", grid(run->grid));
    if (run->model) {
        json_put(object, "model", json_text(run->model));
        json_put(object, "classifier", json_text(run->classifier));
    }
    json_put(object, "cpu", json_string(qb_cpu_level()));
    json_put(object, "version", json_string(qb_version()));
    return object;
}

static void record_line(Text *out, const NoiseRun *run, const NoiseRecord *record, int64_t index)
{
    (void)index;
    json_add_object(out, record_object(run, record));
    text_add_char(out, '\n');
}

static void nothing(Text *out, const NoiseRun *run)
{
    (void)out, (void)run;
}

static void end_lines(Text *out, const NoiseRun *run, int64_t n_records)
{
    (void)out, (void)run, (void)n_records;
}

static void begin_array(Text *out, const NoiseRun *run)
{
    (void)run;
    text_add(out, "[");
}

static void record_element(Text *out, const NoiseRun *run, const NoiseRecord *record, int64_t index)
{
    text_add(out, index > 0 ? ",\n " : "\n ");
    json_add_object(out, record_object(run, record));
}

static void end_array(Text *out, const NoiseRun *run, int64_t n_records)
{
    (void)run;
    text_add(out, n_records > 0 ? "\n]\n" : "]\n");
}

const NoiseFormat noise_json = {
    .name = "json", .begin = begin_array, .record = record_element, .end = end_array};
const NoiseFormat noise_jsonl = {
    .name = "jsonl", .begin = nothing, .record = record_line, .end = end_lines};
