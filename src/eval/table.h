/* table.h: the rows of a QbTable and what readers and the join build them with. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_EVAL_TABLE_H
#define QB_EVAL_TABLE_H

#include <qboost/eval.h>

/* What a file from a stranger may take. */
enum {
    QB_TABLE_MAX_ROWS = 10000000,
    QB_TABLE_MAX_LOGITS = 100000000, /* rows times words */
    QB_TABLE_MAX_WORDS = 64,
    QB_TABLE_MAX_COLUMNS = 1024,
    QB_TABLE_MAX_NAME = 4096,          /* bytes of the name of a picture */
    QB_TABLE_MAX_RECORD = 4 * 1048576, /* bytes of a row or an object */
    QB_TABLE_MAX_BYTES = 1073741824,
};

typedef struct QbTextBlock QbTextBlock;

struct QbTable {
    QbTableRow *rows; /* [row_capacity], n_rows of them used; without logits */
    size_t n_rows, row_capacity;
    double *logits; /* [row_capacity][stride]; stride >= n_words, 0 until there is a word */
    size_t stride;
    int n_words;
    const char *word[QB_TABLE_MAX_WORDS]; /* in texts */
    QbTextBlock *texts;                   /* the newest; owned */
};

/* *out: owned by the caller, freed by qb_table_free. */
QbStatus qb_table_new(QbTable **out);

/* One more row, with nothing in it. *out: valid until the next one. */
QbStatus qb_table_add_row(QbTableRow **out, QbTable *table);

/* A copy that lives as long as the table. */
QbStatus qb_table_add_text(const char **out, QbTable *table, const char *text, size_t length);

/* The index of a word, which is added when it is new. */
QbStatus qb_table_add_word(int *out, QbTable *table, const char *word, size_t length);

/* Of the last row. */
void qb_table_set_logit(QbTable *table, int word, double logit);

#endif
