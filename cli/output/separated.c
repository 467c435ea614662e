/* separated.c: fields of CSV and TSV, and the columns that tones have in both. */
// SPDX-License-Identifier: Apache-2.0
#include "output/separated.h"

#include <string.h>

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

const Dialect dialect_csv = {',', "\r\n", add_csv_field};
const Dialect dialect_tsv = {'\t', "\n", add_tsv_field};

void separated_add(Text *out, const Dialect *d, const char *value)
{
    text_add_char(out, d->separator);
    d->add_field(out, value);
}

void separated_add_number(Text *out, const Dialect *d, const char *format, double value)
{
    text_add_char(out, d->separator);
    text_addf(out, format, value);
}

void separated_add_empty(Text *out, const Dialect *d, int n)
{
    for (int i = 0; i < n; i++)
        text_add_char(out, d->separator);
}

static bool is_fixed_tone(const char *name)
{
    for (const char *const *fixed = output_fixed_tones; *fixed; fixed++)
        if (strcmp(name, *fixed) == 0)
            return true;
    return false;
}

/* tone: -1 = the method has none of that name. */
static void add_tone(Text *out, const Dialect *d, const QbScore *score, const char *name, int tone)
{
    Text title = {0};
    text_addf(&title, "p_%s", name);
    if (!score)
        separated_add(out, d, title.data);
    else if (tone < 0)
        separated_add_empty(out, d, 1);
    else
        separated_add_number(out, d, "%.9g", score->probability[tone]);
    text_free(&title);
}

void separated_add_tones(Text *out, const Dialect *d, const RunInfo *run, const QbScore *score)
{
    for (const char *const *name = output_fixed_tones; *name; name++)
        add_tone(out, d, score, *name, output_tone(run, *name));
    for (int tone = 0; tone < run->n_tones; tone++) {
        const char *name = qb_scorer_tone_name(run->scorer, tone);
        if (!is_fixed_tone(name))
            add_tone(out, d, score, name, tone);
    }
}

int separated_tone_columns(const RunInfo *run)
{
    int n = 0;
    for (const char *const *name = output_fixed_tones; *name; name++)
        n++;
    for (int tone = 0; tone < run->n_tones; tone++)
        n += !is_fixed_tone(qb_scorer_tone_name(run->scorer, tone));
    return n;
}
