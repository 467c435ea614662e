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

enum { QB_SCORE_MAX_TONES = 8, QB_SCORE_MAX_WORDS = 32, QB_MCQ_MAX_OPTIONS = 26 };

typedef struct QbScorerOptions {
    size_t size; /* set by qb_scorer_options_init */
    int threads; /* 0 = all CPUs. The score does not depend on it, to the bit */
    /* A text file with any of the settings below but mcq_layout (docs/prompts.md), or NULL. */
    const char *prompt_file;
    /* Each of the following overrides the prompt file, which overrides the model's own default. */
    const char *method;  /* "tti", "mpe", "binary", "levels"; NULL = the model's default */
    const char *prompt;  /* the question; NULL = the model's default */
    const char *tones;   /* "good high / average / poor": words by tone, best first; or NULL */
    const char *weights; /* "1 0.5 0": one number in 0..1 a tone; NULL = evenly from 1 to 0 */
    double temperature;  /* > 0; 0 = the method's default */
    /* A published way of asking (a name of qb_variant_name): template, prompt, method and fit
     * together; prompt, method and fit given beside it count. NULL = the model's own. */
    const char *variant;
    const char *fit;        /* "crop" or "pad": what is done to oblong pictures; NULL = as above */
    const char *mcq_layout; /* a name of qb_mcq_layout_name; NULL = the architecture's */
    /* What the pictures are. NULL: pictures. Frames of videos: "frames", each asked about as a
     * picture; "clip", all of a video in one prompt, which few models were taught (Q-Align);
     * "auto": "clip" where the model was, else "frames". Where nobody names a method, frames are
     * read by mpe in the place of tti, as Q-Boost does for video. */
    const char *video;
    /* Also read the words of every method (qb_method_name) whose words the model knows, for
     * qb_scorer_apply_method. They come after the method's own and have no tone. */
    bool all_methods;
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

/* The published ways of asking: name and one line of help; NULL past the last one. */
QB_API const char *qb_variant_name(int index);
QB_API const char *qb_variant_help(int index);
/* Whether models of the architecture can be asked so. */
QB_API bool qb_variant_is_for(int index, const char *architecture);

/* The layouts of questions with options: name and one line of help; NULL past the last one. */
QB_API const char *qb_mcq_layout_name(int index);
QB_API const char *qb_mcq_layout_help(int index);

/* *out: owned by the caller, freed by qb_scorer_free; NULL on failure. options: NULL for defaults;
 * its texts are read during the call only. model: borrowed until the scorer is freed. */
QB_API QbStatus qb_scorer_new(QbScorer **out, const QbModel *model, const QbScorerOptions *options);

/* Accepts NULL and pointers to NULL; sets *scorer to NULL. */
QB_API void qb_scorer_free(QbScorer **scorer);

/* out: filled on success, untouched otherwise. */
QB_API QbStatus qb_scorer_score_image(QbScore *out, QbScorer *scorer, const QbImage *image);

/* The same for several pictures (n_images >= 1), with the same scores to the bit, in somewhat
 * less time: each weight is fetched once for a group of them. Times in out[n_images] are an even
 * share. On failure, as when one of the pictures cannot be scored, out is not to be used. */
QB_API QbStatus qb_scorer_score_images(QbScore *out, QbScorer *scorer, const QbImage *const *images,
                                       int n_images);

/* The frames of one clip in one prompt, in their order; for a scorer whose qb_scorer_video is
 * "clip". More than qb_scorer_max_frames of them are QB_ERR_LIMIT. */
QB_API QbStatus qb_scorer_score_clip(QbScore *out, QbScorer *scorer, const QbImage *const *frames,
                                     int n_frames);
QB_API int qb_scorer_max_frames(const QbScorer *scorer); /* 0 unless "clip" */

/* What the scorer's words say with these logits[qb_scorer_word_count], as averaged over frames.
 * Times are 0. */
QB_API QbStatus qb_scorer_score_logits(QbScore *out, const QbScorer *scorer, const double *logits);

/* The same read by method (an index of qb_method_name) at that method's own temperature: of out
 * only score, entropy and probability are set. QB_ERR_UNSUPPORTED when a word of it is not among
 * the scorer's. */
QB_API QbStatus qb_scorer_apply_method(QbScore *out, const QbScorer *scorer, int method,
                                       const double *logits);

/* Questions about one picture or several (n_images >= 1), in the model's conversation template.
 * Several questions on the same pictures cost little more than one: what the model has read of the
 * pictures is kept. */

/* Answers greedily, with at most max_tokens tokens (>= 1). *out: UTF-8, borrowed from scorer until
 * its next call. */
QB_API QbStatus qb_scorer_ask(const char **out, QbScorer *scorer, const QbImage *const *images,
                              int n_images, const char *question, int max_tokens);

typedef struct QbCandidate {
    double log_probability; /* natural logarithm, <= 0: log softmax over the whole vocabulary */
    int token;              /* the id that stands for the word (see above) */
    int pieces;             /* tokens that the word splits into; only the first one is judged */
} QbCandidate;

/* How likely each of words[n_words] (>= 1) is at the answer's first position. out[n_words] is
 * untouched on failure. question: NULL = the scorer's prompt, put as it is for a score (one picture
 * then). */
QB_API QbStatus qb_scorer_candidates(QbCandidate *out, QbScorer *scorer,
                                     const QbImage *const *images, int n_images,
                                     const char *question, const char *const *words, int n_words);

typedef struct QbMcq {
    int best;                                   /* the most likely option, the first among equals */
    double log_probability[QB_MCQ_MAX_OPTIONS]; /* of its letter, over the whole vocabulary */
    double probability[QB_MCQ_MAX_OPTIONS];     /* of its letter among the options; sums to 1 */
    int token[QB_MCQ_MAX_OPTIONS];
} QbMcq;

/* A question with options[n_options] (2 to 26), which get the letters A, B, …; laid out as the
 * scorer's mcq_layout says. out: filled on success, untouched otherwise. */
QB_API QbStatus qb_scorer_mcq(QbMcq *out, QbScorer *scorer, const QbImage *const *images,
                              int n_images, const char *question, const char *const *options,
                              int n_options);

/* What the scorer was set to. Texts are borrowed from scorer. */
QB_API const char *qb_scorer_method(const QbScorer *scorer); /* "custom": with words of your own */
QB_API const char *qb_scorer_prompt(const QbScorer *scorer);
/* "": none that is published */
QB_API const char *qb_scorer_variant(const QbScorer *scorer);
/* With <image> and {prompt}; of questions with {images} or <image>, which stands for ask_image, or
 * for each of several pictures ask_images ({nth} = first, second, …) with ask_join between them. */
QB_API const char *qb_scorer_template(const QbScorer *scorer);
QB_API const char *qb_scorer_ask_template(const QbScorer *scorer);
QB_API const char *qb_scorer_ask_image(const QbScorer *scorer);
QB_API const char *qb_scorer_ask_images(const QbScorer *scorer);
QB_API const char *qb_scorer_ask_join(const QbScorer *scorer);
/* "crop" (shortest edge, then the middle), "pad" (to a square) or "view" (whole, any shape). */
QB_API const char *qb_scorer_fit(const QbScorer *scorer);
QB_API const char *qb_scorer_mcq_layout(const QbScorer *scorer);
QB_API const char *qb_scorer_video(const QbScorer *scorer); /* "", "frames" or "clip" */
QB_API double qb_scorer_temperature(const QbScorer *scorer);
QB_API int qb_scorer_threads(const QbScorer *scorer);

QB_API int qb_scorer_tone_count(const QbScorer *scorer);
QB_API const char *qb_scorer_tone_name(const QbScorer *scorer, int tone); /* its first word */
QB_API double qb_scorer_tone_weight(const QbScorer *scorer, int tone);

QB_API int qb_scorer_word_count(const QbScorer *scorer);
QB_API const char *qb_scorer_word(const QbScorer *scorer, int word);
QB_API int qb_scorer_word_tone(const QbScorer *scorer, int word);   /* -1: of another method */
QB_API int qb_scorer_word_token(const QbScorer *scorer, int word);  /* the id that is read */
QB_API int qb_scorer_word_pieces(const QbScorer *scorer, int word); /* tokens it splits into */

#ifdef __cplusplus
}
#endif
#endif
