/* pooling.h: how the scores of a video's frames become one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_POOLING_H
#define QB_SCORE_POOLING_H

#include <qboost/video.h>

typedef struct QbPooling {
    const char *name, *help;
    /* Of sorted[n] (n >= 1, ascending, each 0..1), 0..1; NULL: pools logits, not scores. */
    double (*pool)(const double *sorted, int64_t n);
} QbPooling;

/* NULL past the last one. */
const QbPooling *qb_pooling_at(int index);
/* QB_ERR_ARG, with the list of those there are, when there is none of that name. */
QbStatus qb_pooling_find(const QbPooling **out, const char *name);

#endif
