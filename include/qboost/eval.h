/* eval.h: how well scores agree with people's opinions, as the field reports it.
 *
 * Tables of pictures with opinions, scores or logits are read from CSV, TSV, JSON and JSON lines, a
 * table of scores is joined with one of opinions, and pairs of the two become correlations. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_EVAL_H
#define QBOOST_EVAL_H

#include <qboost/error.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tables ---------------------------------------------------------------------------------- */

typedef struct QbTable QbTable;

typedef struct QbTableOptions {
    size_t size; /* set by qb_table_options_init */
    /* Columns (CSV) or keys (JSON); NULL = the first of the known names that is there
     * (docs/eval.md lists them). */
    const char *name_column, *opinion_column, *score_column, *dataset_column;
    /* A table without a column of opinions, or without one of scores or logits, is an error that
     * lists the columns there are. Default: no. */
    bool need_opinions, need_scores;
} QbTableOptions;

QB_API void qb_table_options_init(QbTableOptions *options);

/* The format is told by the content. JSON may be an array, objects one behind the other with or
 * without anything in between, or lines. Numbers may be written as texts. Columns "logit_<word>",
 * and the objects "logits" that qboost and Q-Align write, are logits. options: NULL for defaults.
 * *out: owned by the caller, freed by qb_table_free; NULL on failure, whose text names the line or
 * the record. */
QB_API QbStatus qb_table_open(QbTable **out, const char *path, const QbTableOptions *options);
/* The same from memory. name: for error texts. */
QB_API QbStatus qb_table_open_memory(QbTable **out, const void *data, size_t size_bytes,
                                     const char *name, const QbTableOptions *options);

/* Accepts NULL and pointers to NULL; sets *table to NULL. */
QB_API void qb_table_free(QbTable **table);

/* Texts and logits are borrowed from the table. */
typedef struct QbTableRow {
    const char *name;    /* of the picture or video, as it is written */
    const char *dataset; /* "" when the table does not say */
    double opinion;      /* MOS or the like, on the data set's scale; NAN = not known */
    double score;        /* NAN = none */
    const char *error;   /* why there is no score ("error" of qboost's own output), or NULL */
    const double *logit; /* [qb_table_word_count]; NAN = none */
} QbTableRow;

QB_API size_t qb_table_count(const QbTable *table);
QB_API void qb_table_row(QbTableRow *out, const QbTable *table, size_t index);
QB_API int qb_table_word_count(const QbTable *table);
QB_API const char *qb_table_word(const QbTable *table, int index); /* NULL past the last one */

typedef struct QbTableJoin {
    size_t n_unscored; /* rows of labels for which scores has none; in *out they have an error */
    size_t n_unused;   /* rows of scores that no label names */
} QbTableJoin;

/* Opinions and data sets of labels, in its order, with the scores and logits of the rows of scores
 * that name the same file. Names are the same when they are equal or, where there is no equal one,
 * when one is the end of the other behind a '/'. Of rows of scores with one name the last counts,
 * as after a resumed run; two different names that fit one label are QB_ERR_ARG. *out: owned by the
 * caller. info may be NULL. */
QB_API QbStatus qb_table_join(QbTable **out, QbTableJoin *info, const QbTable *labels,
                              const QbTable *scores);

/* ---- scores from logits ---------------------------------------------------------------------- */

typedef struct QbTableScoring {
    size_t size;        /* set by qb_table_scoring_init */
    const char *method; /* a name of qb_method_name; NULL = the table's own scores, unless tones */
    /* Words, weights and temperature of one's own, as in QbScorerOptions. */
    const char *tones, *weights;
    double temperature; /* 0 = the method's */
    /* Q-Bench's formula as its code writes it, e^(a/T) / (e^(a/T) + e^(b/T)) in double with the C
     * library's exp: its last bits break ties that exact arithmetic keeps, and the published rank
     * correlations have that in them. Two tones of one word each. */
    bool qbench_compat;
} QbTableScoring;

QB_API void qb_table_scoring_init(QbTableScoring *scoring);

/* out[qb_table_count]: 0..1 from logits (any range for the table's own scores); NAN for a row
 * without. QB_ERR_UNSUPPORTED, naming it, when the table has no logit of a word. */
QB_API QbStatus qb_table_scores(double *out, const QbTable *table, const QbTableScoring *scoring);

/* ---- agreement ------------------------------------------------------------------------------- */

/* A fitted mapping of scores to opinions; src/stats/logistic_fit.h has the formulas. */
enum { QB_LOGISTIC_MAX_PARAMS = 5 };
typedef struct QbLogistic {
    int n_params;                     /* 4 or 5 */
    double b[QB_LOGISTIC_MAX_PARAMS]; /* unused ones are 0 */
} QbLogistic;

QB_API double qb_logistic_map(const QbLogistic *mapping, double score);

typedef struct QbEvalOptions {
    size_t size;       /* set by qb_eval_options_init */
    int resamples;     /* of the bootstrap; 0 = no intervals; default 1000 */
    uint64_t seed;     /* default 1: the same intervals every time */
    int64_t part_size; /* > 0: values are means over parts of so many pairs in their order, as CGIQA
                          is reported; a rest of less than half a part is left out, a longer one is
                          a part. Each part has its own fits */
    int threads;       /* 0 = all CPUs; results do not depend on it */
} QbEvalOptions;

QB_API void qb_eval_options_init(QbEvalOptions *options);

/* NAN where it is undefined (a constant list, too few pairs, no bootstrap). */
typedef struct QbEvalValue {
    double value;
    double low, high; /* ends of the 95 % bootstrap interval */
} QbEvalValue;

typedef struct QbEvalResult {
    int64_t n; /* pairs that were used */
    int n_parts;
    QbEvalValue srcc, plcc, krcc;               /* raw scores; -1..1, 1 = agreement */
    QbEvalValue plcc_logistic4, plcc_logistic5; /* after the fit */
    QbEvalValue rmse, rmse_logistic5;           /* after the 4- and 5-parameter fit, on the
                                                   opinions' scale; lower = better */
    QbLogistic logistic4, logistic5;            /* fitted to all n; n_params 0 = no fit */
    bool converged4, converged5;
} QbEvalResult;

/* score[n], opinion[n]: finite, at least 2 pairs. In the bootstrap the mappings are not fitted
 * anew. QB_ERR_ARG for a value that is not finite; what is undefined for these pairs is NAN in
 * *out. */
QB_API QbStatus qb_evaluate(QbEvalResult *out, const double *score, const double *opinion, size_t n,
                            const QbEvalOptions *options);

/* ---- calibration ----------------------------------------------------------------------------- */

typedef struct QbCalibration QbCalibration;

/* What a mapping was fitted to. Texts may be NULL = not known. */
typedef struct QbCalibrationInfo {
    size_t size; /* set by qb_calibration_info_init */
    const char *dataset, *model, *model_hash, *method;
    int64_t n;
    double srcc, plcc, rmse;            /* NAN = not known */
    double lowest, highest;             /* opinion of the data set: mapped scores are kept inside */
    double lowest_score, highest_score; /* scores that were fitted */
    QbLogistic mapping;
} QbCalibrationInfo;

QB_API void qb_calibration_info_init(QbCalibrationInfo *info);

/* A JSON file, written whole or not at all; numbers with 17 digits. */
QB_API QbStatus qb_calibration_save(const char *path, const QbCalibrationInfo *info);
/* *out: owned by the caller, freed by qb_calibration_free; NULL on failure. */
QB_API QbStatus qb_calibration_open(QbCalibration **out, const char *path);
QB_API void qb_calibration_free(QbCalibration **calibration);
/* Texts are borrowed from calibration. */
QB_API const QbCalibrationInfo *qb_calibration_info(const QbCalibration *calibration);
/* On the data set's scale, within lowest..highest. */
QB_API double qb_calibration_apply(const QbCalibration *calibration, double score);

#ifdef __cplusplus
}
#endif
#endif
