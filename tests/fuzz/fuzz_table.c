/* fuzz_table.c: any bytes as a table of labels and, behind a form feed, one of scores (without:
 * both are the same), then joined and scored. Seeds: corpus/table. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/eval.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL when it is refused. */
static QbTable *open_table(const uint8_t *data, size_t size)
{
    QbTable *table;
    uint8_t *text = malloc(size ? size : 1); /* exactly size, so that the sanitizer sees the end */
    memcpy(text, data, size);
    if (qb_table_open_memory(&table, text, size, "fuzz", NULL) ? table != NULL : !table)
        abort();
    free(text);
    return table;
}

static void check_rows(const QbTable *table)
{
    double *scores = malloc(sizeof(double) * qb_table_count(table));
    QbTableScoring scoring;
    qb_table_scoring_init(&scoring);
    for (size_t i = 0; i < qb_table_count(table); i++) {
        QbTableRow row;
        qb_table_row(&row, table, i);
        if (!*row.name || !row.dataset || isinf(row.opinion) || isinf(row.score) ||
            !row.logit != !qb_table_word_count(table))
            abort();
        for (int word = 0; word < qb_table_word_count(table); word++)
            if (isinf(row.logit[word]) || !qb_table_word(table, word))
                abort();
    }
    if (qb_table_scores(scores, table, &scoring))
        abort();
    for (int compat = 0; compat < 2; compat++) {
        scoring.method = "binary";
        scoring.qbench_compat = compat;
        if (!qb_table_scores(scores, table, &scoring))
            for (size_t i = 0; i < qb_table_count(table); i++)
                if (scores[i] < 0 || scores[i] > 1)
                    abort();
    }
    free(scores);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *split = size ? memchr(data, '\f', size) : NULL;
    size_t first = split ? (size_t)(split - data) : size;
    QbTable *labels = open_table(data, first), *joined;
    QbTable *scores = split ? open_table(split + 1, size - first - 1) : open_table(data, size);
    QbTableJoin info;
    if (labels && scores) {
        check_rows(labels);
        if (!qb_table_join(&joined, &info, labels, scores)) {
            if (qb_table_count(joined) != qb_table_count(labels) ||
                info.n_unscored > qb_table_count(labels) || info.n_unused > qb_table_count(scores))
                abort();
            check_rows(joined);
            qb_table_free(&joined);
        }
    }
    qb_table_free(&labels);
    qb_table_free(&scores);
    return 0;
}
