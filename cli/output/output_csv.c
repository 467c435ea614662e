/* output_csv.c: records as comma or tab separated values. */
// SPDX-License-Identifier: Apache-2.0
#include "output/separated.h"

#include <math.h>

static const char *const picture_columns[] = {"width", "height", "format", NULL};
static const char *const video_columns[] = {"width",      "height", "container", "codec", "fps",
                                            "duration_s", "frames", "partial",   NULL};

static const char *const *file_columns(const RunInfo *run)
{
    return run->video ? video_columns : picture_columns;
}

static void add_names(Text *out, const Dialect *d, const char *const *names)
{
    for (; *names; names++)
        separated_add(out, d, *names);
}

static void add_header(Text *out, const RunInfo *run, const Dialect *d)
{
    static const char *const after[] = {"entropy",   "decode_ms",  "preprocess_ms",
                                        "vision_ms", "prefill_ms", "total_ms",
                                        "model",     "method",     NULL};
    d->add_field(out, "path");
    add_names(out, d, file_columns(run));
    separated_add(out, d, "score");
    separated_add_tones(out, d, run, NULL);
    add_names(out, d, after);
    if (run->video)
        separated_add(out, d, "pool");
    separated_add(out, d, "error");
    text_add(out, d->line_end);
}

/* Empty where the number is not known. */
static void add_known(Text *out, const Dialect *d, double value)
{
    if (isnan(value))
        separated_add_empty(out, d, 1);
    else
        separated_add_number(out, d, "%.9g", value);
}

static void add_file(Text *out, const Record *record, const Dialect *d)
{
    const VideoResult *video = record->video;
    text_addf(out, "%c%d%c%d", d->separator, record->width, d->separator, record->height);
    separated_add(out, d, record->format);
    if (!video)
        return;
    separated_add(out, d, video->codec);
    add_known(out, d, video->fps);
    add_known(out, d, video->duration_s);
    text_addf(out, "%c%lld", d->separator, (long long)video->n_frames);
    separated_add(out, d, video->partial ? "1" : "0");
}

static void add_result(Text *out, const RunInfo *run, const Record *record, const Dialect *d)
{
    const QbScore *score = &record->score;
    const double ms[] = {record->decode_ms, score->preprocess_ms, score->vision_ms,
                         score->prefill_ms, record->decode_ms + score->total_ms};
    add_file(out, record, d);
    separated_add_number(out, d, "%.9g", scale_apply(run->scale, score->score));
    separated_add_tones(out, d, run, score);
    separated_add_number(out, d, "%.9g", score->entropy);
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
        separated_add_number(out, d, "%.3f", ms[i]);
}

static void add_nothing(Text *out, const RunInfo *run, const Dialect *d)
{
    int n = separated_tone_columns(run) + 1 /* score */ + 1 /* entropy */ + 5 /* times */;
    for (const char *const *name = file_columns(run); *name; name++)
        n++;
    separated_add_empty(out, d, n);
}

static void add_row(Text *out, const RunInfo *run, const Record *record, const Dialect *d)
{
    d->add_field(out, record->path);
    if (record->error)
        add_nothing(out, run, d);
    else
        add_result(out, run, record, d);
    separated_add(out, d, run->model);
    separated_add(out, d, run->method);
    if (run->video)
        separated_add(out, d, run->video->pool);
    separated_add(out, d, record->error ? record->error : "");
    text_add(out, d->line_end);
}

static void begin_csv(Text *out, const RunInfo *run)
{
    add_header(out, run, &dialect_csv);
}

static void begin_tsv(Text *out, const RunInfo *run)
{
    add_header(out, run, &dialect_tsv);
}

static void record_csv(Text *out, const RunInfo *run, const Record *record, int64_t index)
{
    (void)index;
    add_row(out, run, record, &dialect_csv);
}

static void record_tsv(Text *out, const RunInfo *run, const Record *record, int64_t index)
{
    (void)index;
    add_row(out, run, record, &dialect_tsv);
}

static void end(Text *out, const RunInfo *run, int64_t n_records)
{
    (void)out, (void)run, (void)n_records;
}

const OutputFormat output_csv = {
    .name = "csv", .begin = begin_csv, .record = record_csv, .end = end};
const OutputFormat output_tsv = {
    .name = "tsv", .begin = begin_tsv, .record = record_tsv, .end = end};
