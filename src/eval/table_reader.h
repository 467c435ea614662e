/* table_reader.h: what the formats of tables share: which column is which, and values out of
 * texts. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_EVAL_TABLE_READER_H
#define QB_EVAL_TABLE_READER_H

#include "eval/table.h"

typedef enum {
    QB_COLUMN_NAME,
    QB_COLUMN_OPINION,
    QB_COLUMN_SCORE,
    QB_COLUMN_DATASET,
    QB_COLUMN_ERROR,
    QB_COLUMN_ROLES, /* how many there are; those below are no roles */
    QB_COLUMN_LOGIT,
    QB_COLUMN_LOGITS,      /* JSON: an object of word and number */
    QB_COLUMN_NAME_BASE64, /* JSON: a name that is not UTF-8, as qboost writes it */
    QB_COLUMN_OTHER
} QbColumnKind;

typedef struct {
    const char *name; /* as it is written, in the table's texts */
    QbColumnKind kind;
    int rank; /* in the list of known names: 0 goes before 1 */
    int word; /* of the table; for QB_COLUMN_LOGIT */
} QbColumn;

typedef struct {
    QbTable *table;
    const QbTableOptions *options;
    QbColumn *columns; /* all that have been seen, owned */
    int n_columns, column_capacity;
    int chosen[QB_COLUMN_ROLES]; /* index in columns; -1 = none so far */
} QbTableReader;

/* Appends a column and tells what it is; *out is its index in reader->columns. */
QbStatus qb_table_reader_add_column(int *out, QbTableReader *reader, const char *name,
                                    size_t length);

/* Chooses a column for each role that has none yet, out of present[n]. Once chosen it stays, so
 * that all rows are on one scale. */
QbStatus qb_table_reader_choose(QbTableReader *reader, const int *present, int n);

/* Whether the columns seen have what a table needs and the options ask for; else an error that
 * lists them. */
QbStatus qb_table_reader_check(const QbTableReader *reader);

/* A value of the last row; columns that were not chosen are passed over. Blanks around numbers are
 * skipped, a blank text is no value. */
QbStatus qb_table_reader_set_text(QbTableReader *reader, const QbColumn *column, const char *text,
                                  size_t length);
QbStatus qb_table_reader_set_number(QbTableReader *reader, const QbColumn *column, double value);

/* text[size] without NUL bytes and byte order mark, not empty. */
QbStatus qb_table_read_csv(QbTableReader *reader, const char *text, size_t size);
QbStatus qb_table_read_json(QbTableReader *reader, const char *text, size_t size);

#endif
