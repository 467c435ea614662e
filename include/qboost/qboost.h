/* qboost.h: everything that programs may use. How good does this picture look to a person?
 *
 *     QbModel *model = NULL;
 *     QbScorer *scorer = NULL;
 *     QbImage *image = NULL;
 *     QbScore score;
 *     if (qb_model_open(&model, NULL, NULL) || qb_scorer_new(&scorer, model, NULL) ||
 *         qb_image_open(&image, "photo.jpg", NULL) ||
 *         qb_scorer_score_image(&score, scorer, image))
 *         fprintf(stderr, "%s\n", qb_last_error());
 *     else
 *         printf("%.3f\n", score.score);
 *     qb_image_free(&image);
 *     qb_scorer_free(&scorer);
 *     qb_model_close(&model);
 *
 * The library never prints, never exits and reads neither environment nor arguments. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_QBOOST_H
#define QBOOST_QBOOST_H

#include <qboost/compare.h>
#include <qboost/convert.h>
#include <qboost/cpu.h>
#include <qboost/error.h>
#include <qboost/eval.h>
#include <qboost/image.h>
#include <qboost/light.h>
#include <qboost/model.h>
#include <qboost/noise.h>
#include <qboost/noise_train.h>
#include <qboost/scorer.h>
#include <qboost/video.h>

#define QBOOST_VERSION_MAJOR 0
#define QBOOST_VERSION_MINOR 1
#define QBOOST_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0": the version of the library that is running. */
QB_API const char *qb_version(void);

#ifdef __cplusplus
}
#endif
#endif
