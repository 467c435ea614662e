/* table_scores.c: scores out of a table's logits, by any method or by words of one's own. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "eval/table.h"
#include "score/method.h"

#include <math.h>
#include <string.h>

static const double OWN_TEMPERATURE = 1; /* of words without a method: that of TTI and MPE */
static const char COMPAT_METHOD[] = "binary";

/* What is read, and how. */
typedef struct {
    QbTones tones;
    double temperature;
    int column[QB_SCORE_MAX_WORDS]; /* of each of the tones' words: the table's */
} Recipe;

void qb_table_scoring_init(QbTableScoring *scoring)
{
    *scoring = (QbTableScoring){.size = sizeof *scoring};
}

static QbStatus check_scoring(const QbTableScoring *scoring)
{
    if (scoring->size != sizeof *scoring)
        return qb_fail(QB_ERR_ARG,
                       "qb_table_scores: options were not set up by qb_table_scoring_init");
    if (!(scoring->temperature >= 0) || !isfinite(scoring->temperature))
        return qb_fail(QB_ERR_ARG, "temperature %g: a number above 0 is expected",
                       scoring->temperature);
    bool from_logits = scoring->method || scoring->tones || scoring->qbench_compat;
    if (!from_logits && (scoring->weights || scoring->temperature > 0))
        return qb_fail(QB_ERR_ARG, "weights and a temperature need a method or tones");
    if (scoring->qbench_compat && scoring->weights)
        return qb_fail(QB_ERR_ARG, "Q-Bench's formula has no weights");
    return QB_OK;
}

/* Where the words are among the table's. */
static QbStatus find_words(Recipe *recipe, const QbTable *table)
{
    for (int i = 0; i < recipe->tones.n_words; i++) {
        int column = 0;
        while (column < table->n_words && strcmp(table->word[column], recipe->tones.word[i]) != 0)
            column++;
        if (column == table->n_words)
            return qb_fail(QB_ERR_UNSUPPORTED, "the table has no logits of the word \"%s\"",
                           recipe->tones.word[i]);
        recipe->column[i] = column;
    }
    return QB_OK;
}

/* *out: to be given back by qb_tones_deinit of its tones, on failure too. */
static QbStatus recipe_init(Recipe *out, const QbTableScoring *scoring, const QbTable *table)
{
    const QbScoreMethod *method = NULL;
    const char *name = scoring->method;
    *out = (Recipe){0};
    if (!name && !scoring->tones)
        name = COMPAT_METHOD;
    QbStatus status = name ? qb_score_method_choose(&method, name) : QB_OK;
    if (status)
        return status;
    const char *weights = scoring->weights;
    if (!weights && !scoring->tones)
        weights = method->weights;
    out->temperature = scoring->temperature > 0 ? scoring->temperature
                       : method                 ? method->temperature
                                                : OWN_TEMPERATURE;
    status = qb_tones_parse(&out->tones, scoring->tones ? scoring->tones : method->tones, weights);
    if (!status && scoring->qbench_compat && (out->tones.n_tones != 2 || out->tones.n_words != 2))
        status = qb_fail(QB_ERR_ARG, "Q-Bench's formula is of two tones of one word each");
    return status ? status : find_words(out, table);
}

/* Q-Bench, leaderboards/IQA_outputs/eval.ipynb: as it is written there, rounding and all. */
static double qbench_score(const double *logit, double temperature)
{
    return exp(logit[0] / temperature) /
           (exp(logit[0] / temperature) + exp(logit[1] / temperature));
}

static double score_row(const Recipe *recipe, const double *logits, bool qbench_compat)
{
    double logit[QB_SCORE_MAX_WORDS];
    QbScore score;
    for (int i = 0; i < recipe->tones.n_words; i++) {
        logit[i] = logits[recipe->column[i]];
        if (isnan(logit[i]))
            return NAN;
    }
    if (qbench_compat)
        return qbench_score(logit, recipe->temperature);
    qb_tones_score(&score, &recipe->tones, logit, recipe->temperature);
    return score.score;
}

QbStatus qb_table_scores(double *out, const QbTable *table, const QbTableScoring *scoring)
{
    QbTableRow row;
    Recipe recipe;
    if (!out || !table || !scoring)
        return qb_fail(QB_ERR_ARG, "qb_table_scores: an argument is NULL");
    QbStatus status = check_scoring(scoring);
    if (status)
        return status;
    if (!scoring->method && !scoring->tones && !scoring->qbench_compat) {
        for (size_t i = 0; i < table->n_rows; i++)
            out[i] = table->rows[i].score;
        return QB_OK;
    }
    status = recipe_init(&recipe, scoring, table);
    for (size_t i = 0; i < table->n_rows && !status; i++) {
        qb_table_row(&row, table, i);
        out[i] = score_row(&recipe, row.logit, scoring->qbench_compat);
    }
    qb_tones_deinit(&recipe.tones);
    return status;
}
