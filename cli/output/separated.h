/* separated.h: rows of values with a separator between them: comma separated values as RFC 4180 has
 * them (CRLF, quotes doubled, bytes of a path as they are), and tab separated ones, where tab, line
 * ends and backslash are escaped as \t \n \r \\. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_SEPARATED_H
#define QBOOST_CLI_SEPARATED_H

#include "output/output.h"

typedef struct Dialect {
    char separator;
    const char *line_end;
    void (*add_field)(Text *out, const char *value);
} Dialect;

extern const Dialect dialect_csv, dialect_tsv;

/* The separator and then the value; the first of a row is added by add_field. */
void separated_add(Text *out, const Dialect *d, const char *value);
void separated_add_number(Text *out, const Dialect *d, const char *format, double value);
void separated_add_empty(Text *out, const Dialect *d, int n);

/* Of p_good, p_average, p_poor, then of the method's other tones; score NULL: their names. */
void separated_add_tones(Text *out, const Dialect *d, const RunInfo *run, const QbScore *score);
int separated_tone_columns(const RunInfo *run);

#endif
