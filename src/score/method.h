/* method.h: scoring methods: which words are read, and what becomes of their logits. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_METHOD_H
#define QB_SCORE_METHOD_H

#include <qboost/scorer.h>

typedef struct QbScoreMethod {
    const char *name, *help;
    const char *tones;   /* "good high / average medium / poor low": best tone first */
    const char *weights; /* "1 0.5 0", or NULL: evenly from 1 to 0 */
    double temperature;
} QbScoreMethod;

/* NULL past the last one; find: NULL when there is none of that name. */
const QbScoreMethod *qb_score_method_at(int index);
const QbScoreMethod *qb_score_method_find(const char *name);
/* The same, but that is QB_ERR_ARG with the list of those there are. */
QbStatus qb_score_method_choose(const QbScoreMethod **out, const char *name);

/* Words by tone. */
typedef struct QbTones {
    int n_tones, n_words;
    char *word[QB_SCORE_MAX_WORDS];  /* owned */
    int tone_of[QB_SCORE_MAX_WORDS]; /* ascending */
    double weight[QB_SCORE_MAX_TONES];
} QbTones;

/* Reads the two texts of a method (or of a user). weights may be NULL. */
QbStatus qb_tones_parse(QbTones *out, const char *tones, const char *weights);
void qb_tones_deinit(QbTones *tones);

/* Fills score, entropy and probability of out from logit[n_words]:
 *   L_t = mean of the logits of tone t;  p = softmax(L / temperature);  score = sum weight_t p_t
 * (Q-Boost, arXiv 2312.15300: TTI is one word a tone, MPE several; the binary form is Q-Bench's,
 * arXiv 2309.14181). Entropy: -sum p ln p / ln n_tones. */
void qb_tones_score(QbScore *out, const QbTones *tones, const double *logit, double temperature);

#endif
