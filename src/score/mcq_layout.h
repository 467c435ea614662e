/* mcq_layout.h: how a question and its options are laid out in one text:
 * QUESTION between "A. OPTION\nB. OPTION\n…" after. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_MCQ_LAYOUT_H
#define QB_SCORE_MCQ_LAYOUT_H

#include <qboost/scorer.h>

typedef struct QbMcqLayout {
    const char *name, *help;
    const char *architecture; /* whose models are asked so unasked; "": those without another */
    const char *between, *after;
} QbMcqLayout;

/* NULL past the last one; find: NULL when there is none of that name; for: never NULL. */
const QbMcqLayout *qb_mcq_layout_at(int index);
const QbMcqLayout *qb_mcq_layout_find(const char *name);
const QbMcqLayout *qb_mcq_layout_for(const char *architecture);

#endif
