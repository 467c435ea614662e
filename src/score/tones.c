/* tones.c: from words to tones to a score; see method.h. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include "score/method.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char SEPARATORS[] = " ,\t";

void qb_tones_deinit(QbTones *tones)
{
    for (int i = 0; i < tones->n_words; i++)
        qb_free(tones->word[i]);
    *tones = (QbTones){0};
}

static QbStatus add_word(QbTones *tones, const char *word, size_t length)
{
    if (tones->n_words == QB_SCORE_MAX_WORDS)
        return qb_fail(QB_ERR_ARG, "more than %d words", QB_SCORE_MAX_WORDS);
    for (int i = 0; i < tones->n_words; i++)
        if (strlen(tones->word[i]) == length && !memcmp(tones->word[i], word, length))
            return qb_fail(QB_ERR_ARG, "the word \"%s\" is given twice", tones->word[i]);
    char *copy = qb_strndup(word, length);
    if (!copy)
        return QB_ERR_NOMEM;
    tones->tone_of[tones->n_words] = tones->n_tones;
    tones->word[tones->n_words++] = copy;
    return QB_OK;
}

static QbStatus parse_words(QbTones *tones, const char *text)
{
    for (const char *tone = text;;) {
        const char *end = tone + strcspn(tone, "/");
        int before = tones->n_words;
        if (tones->n_tones == QB_SCORE_MAX_TONES)
            return qb_fail(QB_ERR_ARG, "more than %d tones", QB_SCORE_MAX_TONES);
        for (const char *p = tone + strspn(tone, SEPARATORS); p < end; p += strspn(p, SEPARATORS)) {
            size_t length = strcspn(p, " ,\t/");
            QbStatus status = add_word(tones, p, length);
            if (status)
                return status;
            p += length;
        }
        if (tones->n_words == before)
            return qb_fail(QB_ERR_ARG, "tone %d of \"%s\" has no word", tones->n_tones + 1, text);
        tones->n_tones++;
        if (!*end)
            break;
        tone = end + 1;
    }
    return tones->n_tones > 1 ? QB_OK
                              : qb_fail(QB_ERR_ARG,
                                        "\"%s\" is one tone; a score needs two or more, "
                                        "separated by /",
                                        text);
}

static QbStatus parse_weights(QbTones *tones, const char *text)
{
    int n = 0;
    for (const char *p = text + strspn(text, SEPARATORS); *p; p += strspn(p, SEPARATORS)) {
        char *end;
        double weight = qb_parse_double(p, &end);
        if (end == p || !(weight >= 0 && weight <= 1) || !strchr(SEPARATORS, *end))
            return qb_fail(QB_ERR_ARG, "weights \"%s\": numbers from 0 to 1 are expected", text);
        if (n < QB_SCORE_MAX_TONES)
            tones->weight[n] = weight;
        n++;
        p = end;
    }
    return n == tones->n_tones ? QB_OK
                               : qb_fail(QB_ERR_ARG, "%d weights for %d tones", n, tones->n_tones);
}

QbStatus qb_tones_parse(QbTones *out, const char *tones, const char *weights)
{
    *out = (QbTones){0};
    QbStatus status = parse_words(out, tones);
    if (!status && weights)
        status = parse_weights(out, weights);
    else if (!status)
        for (int t = 0; t < out->n_tones; t++)
            out->weight[t] = 1.0 - (double)t / (out->n_tones - 1);
    if (status)
        qb_tones_deinit(out);
    return status;
}

void qb_tones_score(QbScore *out, const QbTones *tones, const double *logit, double temperature)
{
    double level[QB_SCORE_MAX_TONES] = {0}, highest = -INFINITY, sum = 0;
    int count[QB_SCORE_MAX_TONES] = {0};
    for (int i = 0; i < tones->n_words; i++) {
        level[tones->tone_of[i]] += logit[i];
        count[tones->tone_of[i]]++;
    }
    for (int t = 0; t < tones->n_tones; t++) {
        level[t] /= count[t];
        highest = fmax(highest, level[t]);
    }
    for (int t = 0; t < tones->n_tones; t++) {
        out->probability[t] = exp((level[t] - highest) / temperature);
        sum += out->probability[t];
    }
    out->score = 0;
    out->entropy = 0;
    for (int t = 0; t < tones->n_tones; t++) {
        double p = out->probability[t] /= sum;
        out->score += tones->weight[t] * p;
        out->entropy -= p > 0 ? p * log(p) : 0;
    }
    out->entropy /= log(tones->n_tones);
    /* Rounding may pass the top of the range; what is not a number stays so. */
    if (out->score > 1)
        out->score = 1;
    if (out->entropy > 1)
        out->entropy = 1;
}
