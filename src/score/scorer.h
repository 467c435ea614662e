/* scorer.h: what a QbScorer is inside. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_SCORER_H
#define QB_SCORE_SCORER_H

#include "models/session.h"
#include "score/settings.h"

struct QbScorer {
    const QbModel *model; /* borrowed */
    QbSession *session;
    QbSettings settings;
    QbIds prompt;
    int32_t word_id[QB_SCORE_MAX_WORDS];
    int word_pieces[QB_SCORE_MAX_WORDS];
    float *logits; /* [n_vocab], for answers; taken at the first question */
    char *answer;  /* NUL-terminated */
    size_t answer_capacity;
};

#endif
