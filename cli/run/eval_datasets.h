/* eval_datasets.h: the data sets that the rows of a table belong to. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_EVAL_DATASETS_H
#define QBOOST_CLI_EVAL_DATASETS_H

#include "run/eval_sources.h"

typedef struct EvalDataset {
    const char *name;  /* borrowed from the source */
    size_t n, n_rated; /* rows, and those with an opinion */
} EvalDataset;

typedef struct EvalDatasets {
    EvalDataset *items; /* [n], in the order in which they come first */
    int n;
    int *of; /* of each row of the table; -1 = of a set that nobody has rated */
} EvalDatasets;

/* What a row of the report is made of. */
typedef struct EvalPairs {
    double *score, *opinion; /* [n], owned */
    size_t n;
} EvalPairs;

/* Sets without a single opinion are left out, and told. Returns an exit code. Always to be freed.
 */
int eval_datasets_init(EvalDatasets *out, const EvalSource *source);
void eval_datasets_deinit(EvalDatasets *datasets);

/* [datasets->n], owned as are the pairs: scores[rows of table] with their opinions, where there are
 * both. */
EvalPairs *eval_datasets_pairs(const EvalDatasets *datasets, const QbTable *table,
                               const double *scores);

#endif
