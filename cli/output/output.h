/* output.h: results as text. An OutputFormat turns records into text; writing it is left to the
 * caller, who writes each record with one write(). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_OUTPUT_H
#define QBOOST_CLI_OUTPUT_H

#include "base/text.h"
#include "output/scale.h"

#include <qboost/qboost.h>
#include <stdint.h>

/* What all records of a run have in common. Texts are borrowed from model and scorer. */
typedef struct RunInfo {
    const char *model;
    const char *model_hash; /* NULL when the format does without it: it costs reading the file */
    const char *method, *variant, *fit, *cpu; /* variant "": none that is published */
    char settings[33];                        /* hash of everything that decides about a score */
    const Scale *scale;
    const QbScorer *scorer; /* for tones and words */
    int n_tones, n_words;
    bool colors, utf8;
    int columns;                  /* of the terminal that shows the records; 0 = no limit */
    const struct VideoRun *video; /* NULL: the records are of pictures */
} RunInfo;

/* RunInfo's part about videos. */
typedef struct VideoRun {
    const char *pool;              /* a name of qb_pool_name */
    const QbVideoOptions *options; /* which frames are taken */
} VideoRun;

/* Record's part about a video. Texts are borrowed. */
typedef struct VideoResult {
    const char *codec;
    double fps, duration_s; /* NAN = not known */
    int64_t n_frames;       /* that were judged */
    int rotation;           /* applied, degrees clockwise */
    bool partial;
    const char *damage;       /* why it is partial, or NULL */
    const char *const *notes; /* NULL-terminated */
    const char *timeline;     /* file of its timeline, or NULL */
} VideoResult;

/* One input's result. */
typedef struct Record {
    const char *path;  /* borrowed */
    const char *error; /* borrowed; NULL when scored. Then only path and error_kind mean anything */
    const char *error_kind;
    int width, height;
    const char *format; /* of a video the container; borrowed from the library */
    double decode_ms;
    QbScore score;
    const VideoResult *video; /* borrowed; NULL for a picture */
} Record;

typedef struct OutputFormat {
    const char *name;
    bool needs_model_hash;
    void (*begin)(Text *out, const RunInfo *run);
    void (*record)(Text *out, const RunInfo *run, const Record *record, int64_t index);
    void (*end)(Text *out, const RunInfo *run, int64_t n_records);
} OutputFormat;

extern const OutputFormat output_table, output_csv, output_tsv, output_json, output_jsonl;

extern const char *const output_format_names[]; /* NULL-terminated */

/* name: one of output_format_names. */
const OutputFormat *output_find(const char *name);

/* Index of the tone of that name, -1 when the method has none. */
int output_tone(const RunInfo *run, const char *name);

/* The tones that every record names, whatever the method: good, average, poor. */
extern const char *const output_fixed_tones[];

#endif
