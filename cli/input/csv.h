/* csv.h: rows of comma separated values as RFC 4180 has them: fields may stand in quotes, then with
 * commas, line ends and doubled quotes in them; lines may end in CRLF or LF. A byte order mark in
 * front and blank lines are passed over. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_CSV_H
#define QBOOST_CLI_CSV_H

#include <stdbool.h>
#include <stdint.h>

typedef struct CsvRow {
    const char *const *fields; /* [n]; borrowed until the next row is read */
    int n;
    int64_t line; /* that it begins on, from 1 */
} CsvRow;

typedef struct Csv Csv;

/* false: errno says why the file cannot be opened. */
bool csv_open(Csv **out, const char *path);
void csv_close(Csv **csv);

/* false at the end, and where the file is damaged or cannot be read. */
bool csv_next(Csv *csv, CsvRow *out);

/* What is wrong, at row.line; NULL when there was nothing. Borrowed from csv. */
const char *csv_error(const Csv *csv);

#endif
