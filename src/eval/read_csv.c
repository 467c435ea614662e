/* read_csv.c: tables of separated values, by libcsv: quotes, blanks and line ends are its business.
 *
 * The separator is the one of tab, comma and semicolon that the header has most of. The file is
 * handed over line by line, so that an error can name the line. */
// SPDX-License-Identifier: Apache-2.0
#include "eval/table_reader.h"

#include "base/error.h"
#include "base/mem.h"

#include <csv.h>
#include <string.h>

enum { BUFFER_STEP = 4096 };

typedef struct {
    QbTableReader *reader;
    bool in_header, row_ended;
    int n_fields;  /* of the row so far */
    bool *is_used; /* [columns], owned: those whose values are kept */
    QbStatus status;
} CsvReader;

/* libcsv grows its buffer by malloc's rules, which do not tell the old size: it is kept in front.
 */
static void *grow(void *block, size_t size)
{
    size_t total, before = 0;
    char *start = block ? (char *)block - QB_MEM_ALIGN : NULL;
    if (start)
        memcpy(&before, start, sizeof before);
    char *grown = qb_add_size(&total, size, QB_MEM_ALIGN) ? qb_realloc(start, before, total) : NULL;
    if (!grown)
        return NULL;
    memcpy(grown, &total, sizeof total);
    return grown + QB_MEM_ALIGN;
}

static void drop(void *block)
{
    if (block)
        qb_free((char *)block - QB_MEM_ALIGN);
}

static QbStatus take_field(CsvReader *csv, const char *text, size_t length)
{
    QbTableReader *reader = csv->reader;
    QbTableRow *row;
    int column;
    if (csv->in_header)
        return qb_table_reader_add_column(&column, reader, text, length);
    QbStatus status = csv->n_fields ? QB_OK : qb_table_add_row(&row, reader->table);
    column = csv->n_fields++;
    /* too many are counted and told at the row's end */
    if (status || column >= reader->n_columns || !csv->is_used[column])
        return status;
    return qb_table_reader_set_text(reader, &reader->columns[column], text, length);
}

/* What is known when the header ends. */
static QbStatus end_header(CsvReader *csv)
{
    QbTableReader *reader = csv->reader;
    int n = reader->n_columns, all[QB_TABLE_MAX_COLUMNS];
    for (int i = 0; i < n; i++)
        all[i] = i;
    csv->in_header = false;
    csv->is_used = qb_calloc((size_t)n, sizeof *csv->is_used);
    QbStatus status = csv->is_used ? qb_table_reader_choose(reader, all, n) : QB_ERR_NOMEM;
    for (int i = 0; i < n && !status; i++) {
        const QbColumn *column = &reader->columns[i];
        bool is_role = column->kind < QB_COLUMN_ROLES;
        csv->is_used[i] =
            is_role ? reader->chosen[column->kind] == i : column->kind == QB_COLUMN_LOGIT;
        for (int k = 0; k < i && column->kind == QB_COLUMN_LOGIT && !status; k++)
            if (csv->is_used[k] && reader->columns[k].kind == QB_COLUMN_LOGIT &&
                reader->columns[k].word == column->word)
                status = qb_fail(QB_ERR_FORMAT, "two columns \"%s\"", column->name);
    }
    return status ? status : qb_table_reader_check(reader);
}

static QbStatus end_row(CsvReader *csv)
{
    int n_fields = csv->n_fields;
    csv->n_fields = 0;
    if (csv->in_header)
        return end_header(csv);
    if (n_fields == csv->reader->n_columns)
        return QB_OK;
    return qb_fail(QB_ERR_FORMAT, "%d field%s, but the header has %d", n_fields,
                   n_fields == 1 ? "" : "s", csv->reader->n_columns);
}

/* libcsv cannot be stopped: after a failure the rest of the line is passed over. */
static void on_field(void *text, size_t length, void *user)
{
    CsvReader *csv = user;
    if (!csv->status)
        csv->status = take_field(csv, text, length);
}

static void on_row(int terminator, void *user)
{
    CsvReader *csv = user;
    (void)terminator;
    csv->row_ended = true;
    if (!csv->status)
        csv->status = end_row(csv);
}

/* Of the first line that is not blank, outside quotes. */
static unsigned char find_separator(const char *text, size_t size)
{
    static const char separators[] = "\t,;";
    size_t counts[3] = {0}, i = 0;
    bool quoted = false;
    while (i < size && (text[i] == '\n' || text[i] == '\r'))
        i++;
    for (; i < size && (quoted || (text[i] != '\n' && text[i] != '\r')); i++) {
        const char *at = quoted ? NULL : strchr(separators, text[i]);
        quoted ^= text[i] == '"';
        if (at)
            counts[at - separators]++;
    }
    int most = 0;
    for (int s = 1; s < 3; s++)
        most = counts[s] > counts[most] ? s : most;
    return counts[most] ? (unsigned char)separators[most] : ',';
}

/* The length of a line with its end: LF, CR LF or CR. */
static size_t line_length(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size && text[i] != '\n' && text[i] != '\r')
        i++;
    if (i < size && text[i] == '\r' && i + 1 < size && text[i + 1] == '\n')
        i++;
    return i < size ? i + 1 : i;
}

static QbStatus parser_status(struct csv_parser *parser)
{
    switch (csv_error(parser)) {
    case CSV_ENOMEM:
        return QB_ERR_NOMEM;
    case CSV_ETOOBIG:
        return qb_fail(QB_ERR_LIMIT, "%s", csv_strerror(CSV_ETOOBIG));
    default:
        return qb_fail(QB_ERR_FORMAT, "a quote inside a field that is not in quotes, or without "
                                      "its other half");
    }
}

static QbStatus read_lines(size_t *line, CsvReader *csv, struct csv_parser *parser,
                           const char *text, size_t size)
{
    size_t at = 0, record = 0; /* bytes of the row so far: a field in quotes may have line ends */
    while (at < size && !csv->status) {
        size_t length = line_length(text + at, size - at);
        ++*line;
        record = (csv->row_ended ? 0 : record) + length;
        csv->row_ended = false;
        if (record > QB_TABLE_MAX_RECORD)
            return qb_fail(QB_ERR_LIMIT, "a row of more than %d bytes", QB_TABLE_MAX_RECORD);
        if (csv_parse(parser, text + at, length, on_field, on_row, csv) != length)
            return csv->status ? csv->status : parser_status(parser);
        at += length;
    }
    if (!csv->status && csv_fini(parser, on_field, on_row, csv))
        return csv->status ? csv->status : parser_status(parser);
    return csv->status;
}

QbStatus qb_table_read_csv(QbTableReader *reader, const char *text, size_t size)
{
    struct csv_parser parser;
    CsvReader csv = {.reader = reader, .in_header = true};
    size_t line = 0;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    csv_set_realloc_func(&parser, grow);
    csv_set_free_func(&parser, drop);
    csv_set_blk_size(&parser, BUFFER_STEP);
    csv_set_delim(&parser, find_separator(text, size));
    QbStatus status = read_lines(&line, &csv, &parser, text, size);
    if (status && status != QB_ERR_NOMEM)
        qb_fail_prefix(status, "line %zu", line);
    csv_free(&parser);
    qb_free(csv.is_used);
    return status;
}
