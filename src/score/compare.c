/* compare.c: which of two pictures is better (public side: <qboost/compare.h>). */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/time.h"
#include "score/scorer.h"

#include <math.h>
#include <qboost/compare.h>

/* Variance of the tones' weights under the tones' probabilities. */
static double variance(const QbTones *tones, const QbScore *score)
{
    double sum = 0;
    for (int t = 0; t < tones->n_tones; t++) {
        double off = tones->weight[t] - score->score;
        sum += score->probability[t] * off * off;
    }
    return sum;
}

QbStatus qb_compare_scores(QbComparison *out, const QbScorer *scorer, const QbScore *first,
                           const QbScore *second)
{
    if (!out || !scorer || !first || !second)
        return qb_fail(QB_ERR_ARG, "qb_compare_scores: an argument is NULL");
    double v1 = variance(&scorer->settings.tones, first);
    double v2 = variance(&scorer->settings.tones, second);
    double difference = first->score - second->score, deviation = sqrt(v1 + v2);
    if (!isfinite(difference) || !isfinite(deviation))
        return qb_fail(QB_ERR_ARG, "qb_compare_scores: not scores");
    double p = deviation > 0 ? 0.5 * erfc(-difference / deviation * M_SQRT1_2)
                             : 0.5 * ((difference > 0) - (difference < 0)) + 0.5;
    *out = (QbComparison){.p_first = p,
                          .score = {first->score, second->score},
                          .deviation = {sqrt(v1), sqrt(v2)},
                          .p_first_in_front = NAN,
                          .p_first_behind = NAN,
                          .total_ms = first->total_ms + second->total_ms};
    return QB_OK;
}

bool qb_scorer_can_pair(const QbScorer *scorer)
{
    return scorer->settings.pair_template.text != NULL;
}

/* Of the picture in front, against the one behind it. */
static QbStatus ask(double *p_front, QbScorer *s, const QbIds *ids, const int32_t id[2],
                    const QbImage *front, const QbImage *behind)
{
    float logit[2];
    QbStatus status = qb_session_eval(logit, s->session, ids->id, ids->n,
                                      (const QbImage *const[]){front, behind}, 2, id, 2);
    if (status)
        return status;
    *p_front = 1 / (1 + exp((double)logit[1] - (double)logit[0]));
    return isnan(*p_front)
               ? qb_fail(QB_ERR_FORMAT, "%s: the model gave no finite logits", s->model->name)
               : QB_OK;
}

static QbStatus begin(QbIds *ids, int32_t id[2], const QbScorer *s)
{
    static const char *const places[2] = {"first", "second"};
    for (int i = 0; i < 2; i++) {
        int pieces;
        QbStatus status = qb_word_id(&id[i], &pieces, s->model->tokenizer, places[i]);
        if (status)
            return status;
    }
    return qb_prompt_ids(ids, s->model->tokenizer, &s->settings.pair_template,
                         s->settings.pair_prompt, 2);
}

QbStatus qb_compare_pair(QbComparison *out, QbScorer *scorer, const QbImage *first,
                         const QbImage *second)
{
    if (!out || !scorer || !first || !second)
        return qb_fail(QB_ERR_ARG, "qb_compare_pair: an argument is NULL");
    if (!qb_scorer_can_pair(scorer))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: was not taught to compare two pictures",
                       scorer->model->name);
    double start = qb_now_ms(), front = 0.5, second_in_front = 0.5;
    QbSessionTimes times;
    QbIds ids = {0};
    int32_t id[2];
    QbStatus status = begin(&ids, id, scorer);
    if (!status)
        status = ask(&front, scorer, &ids, id, first, second);
    if (!status)
        status = ask(&second_in_front, scorer, &ids, id, second, first);
    qb_ids_deinit(&ids);
    qb_session_take_times(&times, scorer->session);
    if (status)
        return status;
    *out = (QbComparison){.p_first = (front + 1 - second_in_front) / 2,
                          .score = {NAN, NAN},
                          .deviation = {NAN, NAN},
                          .p_first_in_front = front,
                          .p_first_behind = 1 - second_in_front,
                          .total_ms = qb_now_ms() - start};
    return QB_OK;
}
