/* scorer.h: a picture in, a score out (and answers to questions).
 *
 * A QbScorer is one session on a model: it owns activations, the KV cache and its threads. One
 * thread at a time may use it; several scorers may share a model. Scoring allocates nothing, but
 * for scratch memory of the scaling, which grows to what the largest picture so far has needed.
 *
 * Score: 0..1, higher = better. The model is asked prompt; the logits of a few words at the
 * answer's first position, grouped into tones from best to worst, become
 *     p = softmax(mean logit of each tone / temperature),  score = sum(weight * p)
 * (Q-Boost, arXiv 2312.15300, sections on TTI and MPE). Methods:
 *   tti     good | average | poor                                  T = 1    weights 1, .5, 0
 *   mpe     good high fine | average medium acceptable | poor low bad       the same
 *   binary  good | poor                                            T = 100  weights 1, 0
 *   levels  excellent | good | fair | poor | bad                   T = 1    weights 1 .75 .5 .25 0
 *
 * A word stands for the token that the tokenizer gives for it with a space in front. A word of
 * several tokens is represented by the first of them (as upstream does for "moderate"); two words
 * of different tones that share that token are an error, as is a word whose first token is a bare
 * space or a single byte. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_SCORER_H
#define QBOOST_SCORER_H

#include <qboost/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QbScorer QbScorer;

enum { QB_SCORE_MAX_TONES = 8, QB_SCORE_MAX_WORDS = 32 };

typedef struct QbScorerOptions {
    size_t size; /* set by qb_scorer_options_init */
    int threads; /* 0 = all CPUs. The score does not depend on it, to the bit */
    const char
        *prompt_file; /* a text file with any of the settings below (docs/prompts.md), or NULL */
    /* Each of the following overrides the prompt file, which overrides the model's own default. */
    const char *method;  /* "tti", "mpe", "binary", "levels"; NULL = the model's default */
    const char *prompt;  /* the question; NULL = the model's default */
    const char *tones;   /* "good high / average / poor": words by tone, best first; or NULL */
    const char *weights; /* "1 0.5 0": one number in 0..1 a tone; NULL = evenly from 1 to 0 */
    double temperature;  /* > 0; 0 = the method's default */
} QbScorerOptions;

QB_API void qb_scorer_options_init(QbScorerOptions *options);

typedef struct QbScore {
    double score;                           /* 0..1, higher = better */
    double entropy;                         /* of the tones, 0 (sure) .. 1 (uniform): H / ln(n) */
    double probability[QB_SCORE_MAX_TONES]; /* one a tone, best tone first; sums to 1 */
    float logit[QB_SCORE_MAX_WORDS];        /* one a word, as the model gave it */
    double preprocess_ms, vision_ms, prefill_ms, total_ms;
} QbScore;

/* The methods there are: name and one line of help; NULL past the last one. Borrowed from the
 * library. */
QB_API const char *qb_method_name(int index);
QB_API const char *qb_method_help(int index);

/* *out: owned by the caller, freed by qb_scorer_free; NULL on failure. options: NULL for defaults;
 * its texts are read during the call only. model: borrowed until the scorer is freed. */
QB_API QbStatus qb_scorer_new(QbScorer **out, const QbModel *model, const QbScorerOptions *options);

/* Accepts NULL and pointers to NULL; sets *scorer to NULL. */
QB_API void qb_scorer_free(QbScorer **scorer);

/* out: filled on success, untouched otherwise. */
QB_API QbStatus qb_scorer_score_image(QbScore *out, QbScorer *scorer, const QbImage *image);

/* Answers a question about a picture, greedily, with at most max_tokens tokens (>= 1).
 * *out: UTF-8, borrowed from scorer until its next call. */
QB_API QbStatus qb_scorer_ask(const char **out, QbScorer *scorer, const QbImage *image,
                              const char *question, int max_tokens);

/* What the scorer was set to. Texts are borrowed from scorer. */
QB_API const char *qb_scorer_method(const QbScorer *scorer); /* "custom": with words of your own */
QB_API const char *qb_scorer_prompt(const QbScorer *scorer);
QB_API double qb_scorer_temperature(const QbScorer *scorer);
QB_API int qb_scorer_threads(const QbScorer *scorer);

QB_API int qb_scorer_tone_count(const QbScorer *scorer);
QB_API const char *qb_scorer_tone_name(const QbScorer *scorer, int tone); /* its first word */
QB_API double qb_scorer_tone_weight(const QbScorer *scorer, int tone);

QB_API int qb_scorer_word_count(const QbScorer *scorer);
QB_API const char *qb_scorer_word(const QbScorer *scorer, int word);
QB_API int qb_scorer_word_tone(const QbScorer *scorer, int word);
QB_API int qb_scorer_word_token(const QbScorer *scorer, int word);  /* the id that is read */
QB_API int qb_scorer_word_pieces(const QbScorer *scorer, int word); /* tokens it splits into */

#ifdef __cplusplus
}
#endif
#endif
