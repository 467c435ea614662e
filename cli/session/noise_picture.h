/* noise_picture.h: a picture as noise is judged in it: its light, and what a screen shows of it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_PICTURE_H
#define QBOOST_CLI_NOISE_PICTURE_H

#include "base/text.h"
#include "session/noise_args.h"

typedef struct NoisePicture {
    QbLight *light;   /* owned */
    QbImage *image;   /* owned; tone-mapped */
    QbLightInfo info; /* of light */
} NoisePicture;

/* path: of a file; what error texts call it when is_stdin. On failure *error is why: owned, freed
 * by free(). */
QbStatus noise_picture_open(NoisePicture *out, char **error, const char *path, bool is_stdin,
                            const NoiseArgs *args);

/* The mean of two pictures of one size. On failure *error is why: owned. */
QbStatus noise_picture_mean(NoisePicture *out, char **error, const NoisePicture *a,
                            const NoisePicture *b, const NoiseArgs *args);

void noise_picture_free(NoisePicture *picture);

/* What was odd about the file, as one sentence: samples that are not a number, infinite or
 * negative, channels that are missing. Nothing when there is nothing to say. */
void noise_picture_add_note(Text *out, const QbLightInfo *info);

#endif
