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
    QbIds prompt; /* for one picture */
    /* The words that are read: those of settings.tones first, then those of other methods. */
    int n_words;
    const char *word[QB_SCORE_MAX_WORDS]; /* of settings.tones; the others owned */
    int32_t word_id[QB_SCORE_MAX_WORDS];
    int word_pieces[QB_SCORE_MAX_WORDS];
    float *logits; /* [n_vocab], for answers; taken at the first question */
    char *answer;  /* NUL-terminated */
    size_t answer_capacity;
};

/* Fills the words from the settings; with all_methods also with the words of every method that the
 * model's vocabulary and the room suffice for. */
QbStatus qb_scorer_find_words(QbScorer *scorer, bool all_methods);
void qb_scorer_drop_words(QbScorer *scorer);

#endif
