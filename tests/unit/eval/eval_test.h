/* eval_test.h: tables out of texts and files, and an evaluation of a table's scores. */
// SPDX-License-Identifier: Apache-2.0
#ifndef EVAL_TEST_H
#define EVAL_TEST_H

#include <qboost/eval.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of an exact copy, so that a sanitizer sees a step over the end. */
static inline QbStatus open_bytes(QbTable **out, const char *text, size_t size,
                                  const QbTableOptions *options)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    QbStatus status = qb_table_open_memory(out, copy, size, "a table", options);
    free(copy);
    return status;
}

static inline QbTable *table_of(const char *text)
{
    QbTable *table;
    if (open_bytes(&table, text, strlen(text), NULL))
        fail_msg("%s", qb_last_error());
    return table;
}

static inline QbTableRow row_of(const QbTable *table, size_t index)
{
    QbTableRow row;
    assert_true(index < qb_table_count(table));
    qb_table_row(&row, table, index);
    return row;
}

/* The logit of a word, NAN when the table does not have it. */
static inline double logit_of(const QbTable *table, size_t index, const char *word)
{
    QbTableRow row = row_of(table, index);
    for (int i = 0; i < qb_table_word_count(table); i++)
        if (!strcmp(qb_table_word(table, i), word))
            return row.logit[i];
    return NAN;
}

/* That a text is refused, saying so. */
static inline void refuse(const char *text, QbStatus expected, const char *said)
{
    QbTable *table = (QbTable *)1;
    QbStatus status = open_bytes(&table, text, strlen(text), NULL);
    if (status != expected || !strstr(qb_last_error(), said))
        fail_msg("%.60s: status %d, \"%s\"; expected %d, \"%s\"", text, status, qb_last_error(),
                 expected, said);
    assert_null(table);
}

#endif
