/* compare.h: which of two pictures is better, and how sure that is. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_COMPARE_H
#define QBOOST_COMPARE_H

#include <qboost/scorer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QbComparison {
    /* Probability that the first is the better one, 0..1; 0.5 = no telling. */
    double p_first;
    /* By scores: of each picture, and the standard deviation of its tones' weights. By the pair
     * prompt: NAN. */
    double score[2], deviation[2];
    /* By the pair prompt: p_first as asked with the first picture in front, and with the second one
     * in front; their difference is the model's preference for a place. By scores: NAN. */
    double p_first_in_front, p_first_behind;
    double total_ms;
} QbComparison;

/* From two scores by the same scorer: each is taken as a normal distribution with the mean and the
 * variance of the tones' weights under the tones' probabilities, and
 *     p_first = Phi((m1 - m2) / sqrt(v1 + v2))
 * (Thurstone's law of comparative judgment, case III, 1927). */
QB_API QbStatus qb_compare_scores(QbComparison *out, const QbScorer *scorer, const QbScore *first,
                                  const QbScore *second);

/* Both pictures in one prompt, asked once in each order, for models that were taught to compare
 * (qb_scorer_can_pair); QB_ERR_UNSUPPORTED for others. */
QB_API QbStatus qb_compare_pair(QbComparison *out, QbScorer *scorer, const QbImage *first,
                                const QbImage *second);
QB_API bool qb_scorer_can_pair(const QbScorer *scorer);

#ifdef __cplusplus
}
#endif
#endif
