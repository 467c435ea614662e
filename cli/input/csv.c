/* csv.c: see csv.h. One character after the other; a row's fields lie behind each other in one
 * block. */
// SPDX-License-Identifier: Apache-2.0
#include "input/csv.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_FIELDS = 4096, LONGEST_ROW = 1 << 20 };

struct Csv {
    FILE *file;
    int64_t line;
    Text row;       /* fields, each with its NUL */
    size_t *starts; /* [MOST_FIELDS] in row */
    const char **fields;
    int n;
    unsigned char pushed[4]; /* bytes to be read again, the last one first */
    int n_pushed;
    const char *error;
};

/* Without stdio's ungetc, which takes one byte, and without seeking, which pipes cannot. */
static int get_byte(Csv *csv)
{
    return csv->n_pushed > 0 ? csv->pushed[--csv->n_pushed] : getc_unlocked(csv->file);
}

static void put_back(Csv *csv, int c)
{
    csv->pushed[csv->n_pushed++] = (unsigned char)c;
}

static void skip_mark(Csv *csv)
{
    unsigned char mark[3];
    size_t n = fread(mark, 1, sizeof mark, csv->file);
    if (n < sizeof mark || memcmp(mark, "\xef\xbb\xbf", sizeof mark) != 0)
        while (n > 0)
            put_back(csv, mark[--n]);
}

bool csv_open(Csv **out, const char *path)
{
    FILE *file = fopen(path, "re");
    struct stat info;
    if (file && fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        fclose(file);
        errno = EISDIR;
        return false;
    }
    if (!file)
        return false;
    Csv *csv = cli_calloc(1, sizeof *csv);
    csv->file = file;
    csv->line = 1;
    csv->starts = cli_calloc(MOST_FIELDS, sizeof *csv->starts);
    csv->fields = cli_calloc(MOST_FIELDS, sizeof *csv->fields);
    skip_mark(csv);
    *out = csv;
    return true;
}

void csv_close(Csv **csv)
{
    if (!*csv)
        return;
    fclose((*csv)->file);
    text_free(&(*csv)->row);
    free((*csv)->starts);
    free((*csv)->fields);
    free(*csv);
    *csv = NULL;
}

static bool fail(Csv *csv, const char *error)
{
    csv->error = error;
    return false;
}

static bool add_byte(Csv *csv, int c)
{
    if (c == 0)
        return fail(csv, "has a NUL byte; it is no text");
    if (csv->row.length >= LONGEST_ROW)
        return fail(csv, "the row is longer than 1 MiB; is a quote missing?");
    csv->line += c == '\n';
    text_add_char(&csv->row, (char)c);
    return true;
}

/* Behind the opening quote. *next: what follows the closing one. */
static bool read_quoted(Csv *csv, int *next)
{
    for (;;) {
        int c = get_byte(csv);
        if (c == EOF)
            return fail(csv, "a quote is not closed");
        if (c == '"' && (c = get_byte(csv)) != '"') {
            *next = c;
            return true;
        }
        if (!add_byte(csv, c))
            return false;
    }
}

static bool ends_field(int c)
{
    return c == ',' || c == '\n' || c == EOF;
}

/* A line's end of two bytes becomes one. */
static int read_end(Csv *csv, int c)
{
    if (c != '\r')
        return c;
    int next = get_byte(csv);
    if (next == '\n' || next == EOF)
        return next;
    put_back(csv, next);
    return c;
}

/* *end: what ended the field. */
static bool read_field(Csv *csv, int *end)
{
    if (csv->n == MOST_FIELDS)
        return fail(csv, "has more than 4096 columns");
    csv->starts[csv->n++] = csv->row.length;
    int c = get_byte(csv);
    if (c == '"') {
        if (!read_quoted(csv, &c))
            return false;
        c = read_end(csv, c);
        if (!ends_field(c))
            return fail(csv, "something follows a closing quote");
    } else {
        for (c = read_end(csv, c); !ends_field(c); c = read_end(csv, get_byte(csv))) {
            if (c == '"')
                return fail(csv, "a quote stands within a field that does not begin with one");
            if (!add_byte(csv, c))
                return false;
        }
    }
    text_add_bytes(&csv->row, "", 1);
    *end = c;
    return true;
}

bool csv_next(Csv *csv, CsvRow *out)
{
    int end = '\n';
    while (!csv->error && end != EOF) {
        out->line = csv->line;
        csv->n = 0;
        text_clear(&csv->row);
        do {
            if (!read_field(csv, &end))
                return false;
        } while (end == ',');
        csv->line += end == '\n';
        if (ferror(csv->file))
            return fail(csv, strerror(errno));
        if (csv->n == 1 && csv->row.length == 1)
            continue; /* a blank line */
        for (int i = 0; i < csv->n; i++)
            csv->fields[i] = csv->row.data + csv->starts[i];
        out->fields = csv->fields;
        out->n = csv->n;
        return true;
    }
    return false;
}

const char *csv_error(const Csv *csv)
{
    return csv->error;
}
