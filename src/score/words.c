/* words.c: which words a scorer reads, and what their logits say by one method or another (public
 * side: <qboost/scorer.h>). */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "score/scorer.h"

#include <math.h>
#include <string.h>

static int find_word(const QbScorer *s, const char *word)
{
    for (int i = 0; i < s->n_words; i++)
        if (!strcmp(s->word[i], word))
            return i;
    return -1;
}

/* Two tones that read the same logit would say nothing about the picture. */
static QbStatus check_tokens(const QbTones *tones, const int32_t *id)
{
    for (int i = 0; i < tones->n_words; i++)
        for (int j = 0; j < i; j++)
            if (id[i] == id[j] && tones->tone_of[i] != tones->tone_of[j])
                return qb_fail(QB_ERR_ARG, "the words \"%s\" and \"%s\" begin with the same token",
                               tones->word[j], tones->word[i]);
    return QB_OK;
}

/* Ids of all words of tones, and pieces; a word that the model does not know is QB_ERR_ARG. */
static QbStatus find_ids(int32_t *id, int *pieces, const QbScorer *s, const QbTones *tones)
{
    for (int i = 0; i < tones->n_words; i++) {
        QbStatus status = qb_word_id(&id[i], &pieces[i], s->model->tokenizer, tones->word[i]);
        if (status)
            return status;
    }
    return check_tokens(tones, id);
}

static QbStatus add_words(QbScorer *s, const QbTones *tones, const int32_t *id, const int *pieces)
{
    for (int i = 0; i < tones->n_words; i++) {
        if (find_word(s, tones->word[i]) >= 0)
            continue;
        if (!(s->word[s->n_words] = qb_strdup(tones->word[i])))
            return QB_ERR_NOMEM;
        s->word_id[s->n_words] = id[i];
        s->word_pieces[s->n_words++] = pieces[i];
    }
    return QB_OK;
}

static QbStatus add_method(QbScorer *s, const QbScoreMethod *method)
{
    int32_t id[QB_SCORE_MAX_WORDS];
    int pieces[QB_SCORE_MAX_WORDS];
    QbTones tones;
    QbStatus status = qb_tones_parse(&tones, method->tones, method->weights);
    if (status)
        return status;
    if (s->n_words + tones.n_words <= QB_SCORE_MAX_WORDS) {
        status = find_ids(id, pieces, s, &tones);
        status = status == QB_ERR_ARG ? QB_OK /* a method that this model cannot do */
                 : status             ? status
                                      : add_words(s, &tones, id, pieces);
    }
    qb_tones_deinit(&tones);
    return status;
}

QbStatus qb_scorer_find_words(QbScorer *s, bool all_methods)
{
    const QbTones *tones = &s->settings.tones;
    QbStatus status = find_ids(s->word_id, s->word_pieces, s, tones);
    if (status)
        return status;
    for (; s->n_words < tones->n_words; s->n_words++)
        s->word[s->n_words] = tones->word[s->n_words];
    for (int i = 0; all_methods && qb_score_method_at(i) && !status; i++)
        status = add_method(s, qb_score_method_at(i));
    return status;
}

void qb_scorer_drop_words(QbScorer *s)
{
    for (int i = s->settings.tones.n_words; i < s->n_words; i++)
        qb_free((char *)s->word[i]);
    s->n_words = 0;
}

static QbStatus check_score(const QbScore *score)
{
    bool good = score->score >= 0 && score->score <= 1;
    return good ? QB_OK : qb_fail(QB_ERR_ARG, "the logits are not finite numbers");
}

QbStatus qb_scorer_score_logits(QbScore *out, const QbScorer *s, const double *logits)
{
    if (!out || !s || !logits)
        return qb_fail(QB_ERR_ARG, "qb_scorer_score_logits: an argument is NULL");
    QbScore score = {0};
    for (int i = 0; i < s->n_words; i++)
        score.logit[i] = (float)logits[i];
    qb_tones_score(&score, &s->settings.tones, logits, s->settings.temperature);
    QbStatus status = check_score(&score);
    if (!status)
        *out = score;
    return status;
}

/* picked[n_words of tones] out of logits[n_words of s]. */
static QbStatus pick(double *picked, const QbScorer *s, const QbTones *tones, const char *method,
                     const double *logits)
{
    for (int i = 0; i < tones->n_words; i++) {
        int at = find_word(s, tones->word[i]);
        if (at < 0)
            return qb_fail(QB_ERR_UNSUPPORTED, "%s: the word \"%s\" is not read", method,
                           tones->word[i]);
        picked[i] = logits[at];
    }
    return QB_OK;
}

QbStatus qb_scorer_apply_method(QbScore *out, const QbScorer *s, int method, const double *logits)
{
    const QbScoreMethod *m = qb_score_method_at(method);
    if (!out || !s || !logits || !m)
        return qb_fail(QB_ERR_ARG, "qb_scorer_apply_method: %s",
                       m ? "an argument is NULL" : "there is no such method");
    double picked[QB_SCORE_MAX_WORDS];
    QbTones tones;
    QbScore score = {0};
    QbStatus status = qb_tones_parse(&tones, m->tones, m->weights);
    if (status)
        return status;
    status = pick(picked, s, &tones, m->name, logits);
    if (!status) {
        qb_tones_score(&score, &tones, picked, m->temperature);
        status = check_score(&score);
    }
    qb_tones_deinit(&tones);
    if (!status)
        *out = score;
    return status;
}
