/* noise_record.h: what is told of the noise in pictures, and the formats that it is told in. A
 * NoiseFormat turns records into text; writing it is left to the caller, each record with one
 * write(). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_RECORD_H
#define QBOOST_CLI_NOISE_RECORD_H

#include "base/text.h"

#include <qboost/noise.h>

enum { NOISE_MOST_METRICS = 32 };

/* What all records of a run have in common. Texts are borrowed. */
typedef struct NoiseRun {
    const char *way;                /* "learned", "reference", … */
    const char *other;              /* what the other file of a record is to it, or NULL */
    const char *model, *classifier; /* NULL where no model judges */
    QbNoiseGrid grid;
    QbToneMapping tone; /* of light */
    const QbNoiseMetricInfo *metrics[NOISE_MOST_METRICS];
    int n_metrics;
    bool with_zones; /* the table has a picture's zones */
    bool colors, utf8;
    int columns; /* of the terminal that shows the records; 0 = no limit */
} NoiseRun;

/* One metric of one picture. */
typedef struct NoiseMeasure {
    char obstacle[80]; /* why it is not defined for the picture, or "" */
    double whole;
    double *zones; /* [rows * columns]; borrowed */
} NoiseMeasure;

/* One picture's result. Texts are borrowed. */
typedef struct NoiseRecord {
    const char *path;
    const char *error; /* NULL when judged. Then only path, other and error_kind mean anything */
    const char *error_kind;
    const char *other;      /* path of the reference, its features or the second half, or NULL */
    const char *warning;    /* why the result says nothing, or NULL */
    const char *note;       /* what was odd about the file, or NULL */
    QbLightInfo info;       /* of the picture, of halves the first */
    QbLightInfo other_info; /* width 0 where the other is no picture */
    const QbNoiseReport *report;
    const NoiseMeasure *measures; /* [n_metrics] */
    const char *heat_map, *map;   /* files that were drawn, or NULL */
    double ms;
} NoiseRecord;

typedef struct NoiseFormat {
    const char *name;
    void (*begin)(Text *out, const NoiseRun *run);
    void (*record)(Text *out, const NoiseRun *run, const NoiseRecord *record, int64_t index);
    void (*end)(Text *out, const NoiseRun *run, int64_t n_records);
} NoiseFormat;

extern const NoiseFormat noise_table, noise_csv, noise_tsv, noise_json, noise_jsonl;

/* name: one of output_format_names. */
const NoiseFormat *noise_format_find(const char *name);

/* Adds the object that tells, as JSON, of a picture's features of that grid in file. */
void noise_add_features(Text *out, const char *path, const QbLightInfo *info, QbNoiseGrid grid,
                        const char *file, int64_t size_bytes);

/* Index of the zone with the highest visibility, or of the metric's worst; -1 when none can be
 * told.
 */
int noise_worst_zone(const QbNoiseReport *report);
int noise_worst_measure(const QbNoiseMetricInfo *metric, const double *zones, int n_zones);

typedef struct NoiseRect {
    int x, y, width, height;
} NoiseRect;

/* Where in a picture of that size a zone is. */
NoiseRect noise_zone_rect(QbNoiseGrid grid, int width, int height, int zone);

/* Some light was mapped for this record. */
bool noise_is_light(const NoiseRecord *record);

#endif
