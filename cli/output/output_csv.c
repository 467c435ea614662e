/* output_csv.c: comma separated values as RFC 4180 has them (CRLF, quotes doubled, bytes of a path
 * as they are), and tab separated ones, where tab, line ends and backslash are escaped as \t \n \r
 * \\. */
// SPDX-License-Identifier: Apache-2.0
#include "output/output.h"

#include <string.h>

typedef struct Dialect {
    char separator;
    const char *line_end;
    void (*add_field)(Text *out, const char *value);
} Dialect;

static void add_csv_field(Text *out, const char *value)
{
    if (!value[strcspn(value, ",\"\r\n")]) {
        text_add(out, value);
        return;
    }
    text_add_char(out, '"');
    for (; *value; value++) {
        if (*value == '"')
            text_add_char(out, '"');
        text_add_char(out, *value);
    }
    text_add_char(out, '"');
}

static void add_tsv_field(Text *out, const char *value)
{
    static const char special[] = "\t\n\r\\", letter[] = "tnr\\";
    for (; *value; value++) {
        const char *at = strchr(special, *value);
        if (at) {
            text_add_char(out, '\\');
            text_add_char(out, letter[at - special]);
        } else {
            text_add_char(out, *value);
        }
    }
}

static const Dialect csv = {',', "\r\n", add_csv_field}, tsv = {'\t', "\n", add_tsv_field};

static void add_next(Text *out, const Dialect *d, const char *value)
{
    text_add_char(out, d->separator);
    d->add_field(out, value);
}

static void add_number(Text *out, const Dialect *d, const char *format, double value)
{
    text_add_char(out, d->separator);
    text_addf(out, format, value);
}

static bool is_fixed_tone(const char *name)
{
    for (const char *const *fixed = output_fixed_tones; *fixed; fixed++)
        if (strcmp(name, *fixed) == 0)
            return true;
    return false;
}

static void add_header(Text *out, const RunInfo *run, const Dialect *d)
{
    static const char *const before[] = {"width", "height", "format", "score", NULL};
    static const char *const after[] = {"entropy",    "decode_ms", "preprocess_ms", "vision_ms",
                                        "prefill_ms", "total_ms",  "model",         "method",
                                        "error",      NULL};
    text_add(out, "path");
    for (const char *const *name = before; *name; name++)
        add_next(out, d, *name);
    for (const char *const *name = output_fixed_tones; *name; name++) {
        text_addf(out, "%cp_%s", d->separator, *name);
    }
    for (int tone = 0; tone < run->n_tones; tone++) {
        const char *name = qb_scorer_tone_name(run->scorer, tone);
        Text title = {0};
        text_addf(&title, "p_%s", name);
        if (!is_fixed_tone(name))
            add_next(out, d, title.data);
        text_free(&title);
    }
    for (const char *const *name = after; *name; name++)
        add_next(out, d, *name);
    text_add(out, d->line_end);
}

static void add_probabilities(Text *out, const RunInfo *run, const Dialect *d, const QbScore *score)
{
    for (const char *const *name = output_fixed_tones; *name; name++) {
        int tone = output_tone(run, *name);
        if (tone >= 0)
            add_number(out, d, "%.9g", score->probability[tone]);
        else
            text_add_char(out, d->separator);
    }
    for (int tone = 0; tone < run->n_tones; tone++)
        if (!is_fixed_tone(qb_scorer_tone_name(run->scorer, tone)))
            add_number(out, d, "%.9g", score->probability[tone]);
}

static void add_row(Text *out, const RunInfo *run, const Record *record, const Dialect *d)
{
    const QbScore *score = &record->score;
    d->add_field(out, record->path);
    if (record->error) {
        int empty = 4 + 3 + 6;
        for (int tone = 0; tone < run->n_tones; tone++)
            empty += !is_fixed_tone(qb_scorer_tone_name(run->scorer, tone));
        for (int i = 0; i < empty; i++)
            text_add_char(out, d->separator);
    } else {
        text_addf(out, "%c%d%c%d", d->separator, record->width, d->separator, record->height);
        add_next(out, d, record->format);
        add_number(out, d, "%.9g", scale_apply(run->scale, score->score));
        add_probabilities(out, run, d, score);
        add_number(out, d, "%.9g", score->entropy);
        const double ms[] = {record->decode_ms, score->preprocess_ms, score->vision_ms,
                             score->prefill_ms, record->decode_ms + score->total_ms};
        for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
            add_number(out, d, "%.3f", ms[i]);
    }
    add_next(out, d, run->model);
    add_next(out, d, run->method);
    add_next(out, d, record->error ? record->error : "");
    text_add(out, d->line_end);
}

static void begin_csv(Text *out, const RunInfo *run)
{
    add_header(out, run, &csv);
}

static void begin_tsv(Text *out, const RunInfo *run)
{
    add_header(out, run, &tsv);
}

static void record_csv(Text *out, const RunInfo *run, const Record *record, int64_t index)
{
    (void)index;
    add_row(out, run, record, &csv);
}

static void record_tsv(Text *out, const RunInfo *run, const Record *record, int64_t index)
{
    (void)index;
    add_row(out, run, record, &tsv);
}

static void end(Text *out, const RunInfo *run, int64_t n_records)
{
    (void)out, (void)run, (void)n_records;
}

const OutputFormat output_csv = {
    .name = "csv", .begin = begin_csv, .record = record_csv, .end = end};
const OutputFormat output_tsv = {
    .name = "tsv", .begin = begin_tsv, .record = record_tsv, .end = end};
