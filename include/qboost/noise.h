/* noise.h: noise of computer-generated pictures: can it be seen, where, and may the renderer stop?
 *
 * A picture is judged in zones. However it is judged (by a learned model without a reference,
 * against a converged picture, against features of one, from two halves of a render's samples), a
 * zone gets a visibility: 1 = people just see noise, proportional to the noise above and below, so
 * that it falls with the root of the number of samples; and from that a noise of 0 (none visible) …
 * 1. All calls are pure: the same pictures give the same numbers for any number of threads. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_NOISE_H
#define QBOOST_NOISE_H

#include <qboost/light.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { QB_NOISE_MAX_ZONES = 1024, QB_NOISE_MIN_ZONE_SIDE = 16 };

/* Zone z = row * columns + column covers x from width * column / columns (rounded down) up to the
 * next column's, y alike. The literature's grid is 4 x 4. */
typedef struct QbNoiseGrid {
    int columns, rows;
} QbNoiseGrid;

typedef struct QbNoiseZone {
    double visibility; /* >= 0; 1 = just visible; NAN = cannot be told */
    double noise;      /* 0 (none visible) … 1: 1 - 1 / visibility above 1, else 0 */
} QbNoiseZone;

typedef struct QbNoiseReport {
    QbNoiseGrid grid;
    double visibility, noise; /* of the worst zone: where a person looks */
    double noisy_share;       /* of the zones, 0 … 1: visibility above 1 */
    QbNoiseZone zones[QB_NOISE_MAX_ZONES];
} QbNoiseReport;

/* Zones of which more than 1 pixel in 100 holds no light (qb_light_unreal_count) cannot be told:
 * what replaces it is flat, and would pass for clean. To be called after judging, with each picture
 * that the report was made from; report and light are of one picture size. */
QB_API void qb_noise_report_doubt(QbNoiseReport *report, const QbLight *light);

/* ---- Without a reference: a learned model ------------------------------------------------------
 */

/* Immutable, may be shared by threads. */
typedef struct QbNoiseModel QbNoiseModel;

/* path: a GGUF file by qb_noise_model_save (<qboost/noise_train.h>), NULL = the model inside the
 * library. *out: owned by the caller. */
QB_API QbStatus qb_noise_model_open(QbNoiseModel **out, const char *path);
QB_API void qb_noise_model_close(QbNoiseModel **model);
QB_API const char *qb_noise_model_name(const QbNoiseModel *model);       /* borrowed from model */
QB_API const char *qb_noise_model_classifier(const QbNoiseModel *model); /* "svm", … */

/* QB_ERR_ARG when a zone would have a side below QB_NOISE_MIN_ZONE_SIDE. */
QB_API QbStatus qb_noise_judge(QbNoiseReport *out, const QbNoiseModel *model, const QbImage *image,
                               QbNoiseGrid grid, int n_threads);

/* ---- Against a reference ------------------------------------------------------------------------
 */

typedef struct QbNoiseMetricInfo {
    const char *name, *summary; /* "ms-ssim"; the paper stands in the summary */
    double best;                /* of equal pictures; INFINITY for PSNR */
    bool higher_is_better;
    bool needs_light; /* works on QbLight (both pictures), the others on what the screen shows */
    int min_side;     /* of the picture */
} QbNoiseMetricInfo;

/* NULL past the last one. Borrowed from the library. */
QB_API const QbNoiseMetricInfo *qb_noise_metric_info(int index);

typedef struct QbNoisePair {
    const QbImage *image, *reference;
    const QbLight *image_light, *reference_light; /* NULL where there is none */
} QbNoisePair;

/* Sizes must agree (QB_ERR_ARG). whole: of the whole picture. zones[rows * columns]: the same
 * pooled within each zone, NAN where it is undefined; NULL = not wanted. map[height][width]: the
 * error at each pixel, 0 = none, upwards; NULL = not wanted. */
QB_API QbStatus qb_noise_measure(double *whole, double *zones, float *map, const char *metric,
                                 const QbNoisePair *pair, QbNoiseGrid grid, int n_threads);

/* Zones by the metric "visibility" (docs/noise.md). */
QB_API QbStatus qb_noise_judge_pair(QbNoiseReport *out, const QbNoisePair *pair, QbNoiseGrid grid,
                                    int n_threads);

/* ---- Against features of a reference, and from two halves --------------------------------------
 */

/* What is left of a picture to judge others by: at most QB_NOISE_FEATURE_BYTES a zone in a file. */
typedef struct QbNoiseFeatures QbNoiseFeatures;
enum { QB_NOISE_FEATURE_BYTES = 1024 };

QB_API QbStatus qb_noise_features_new(QbNoiseFeatures **out, const QbImage *image, QbNoiseGrid grid,
                                      int n_threads);
QB_API QbStatus qb_noise_features_open(QbNoiseFeatures **out, const char *path);
QB_API QbStatus qb_noise_features_save(const QbNoiseFeatures *features, const char *path);
QB_API void qb_noise_features_free(QbNoiseFeatures **features);
QB_API void qb_noise_features_size(const QbNoiseFeatures *features, int *out_width, int *out_height,
                                   QbNoiseGrid *out_grid);

/* The image must have the size of the reference that the features are of, and not be that very
 * picture (QB_ERR_ARG). */
QB_API QbStatus qb_noise_judge_features(QbNoiseReport *out, const QbImage *image,
                                        const QbNoiseFeatures *reference, int n_threads);

/* Of the mean of two pictures made of disjoint samples, equally many: half their difference has the
 * mean's noise. QB_ERR_ARG when they are the same picture. */
QB_API QbStatus qb_noise_judge_halves(QbNoiseReport *out, const QbImage *a, const QbImage *b,
                                      const QbImage *mean, QbNoiseGrid grid, int n_threads);

/* ---- When to stop -------------------------------------------------------------------------------
 */

/* Follows the successive pictures of one render; one thread at a time. */
typedef struct QbNoiseStop QbNoiseStop;

/* n_checks: how many reports in a row a zone must be below visibility, >= 1. */
QB_API QbStatus qb_noise_stop_new(QbNoiseStop **out, QbNoiseGrid grid, int n_checks);
QB_API void qb_noise_stop_free(QbNoiseStop **stop);

/* samples: per pixel of the picture reported on; 0 = unknown, else more than before (QB_ERR_ARG).
 */
QB_API QbStatus qb_noise_stop_add(QbNoiseStop *stop, const QbNoiseReport *report, double samples);

typedef struct QbNoiseZoneState {
    int n_below; /* reports in a row, ending with the last */
    bool done;   /* n_below has reached n_checks */
    /* Samples a pixel at which it should become invisible; NAN = cannot be told yet. */
    double samples_needed;
} QbNoiseZoneState;

QB_API void qb_noise_stop_zone(QbNoiseZoneState *out, const QbNoiseStop *stop, int zone);

/* Every zone is done now. */
QB_API bool qb_noise_stop_done(const QbNoiseStop *stop);

/* Samples still to come, of the zone that needs most; NAN = cannot be told. */
QB_API double qb_noise_stop_samples_left(const QbNoiseStop *stop);

#ifdef __cplusplus
}
#endif
#endif
