/* train_pictures.h: what a model sees of the zones of pictures that tables name, and how visible
 * their noise is against a reference. Each picture is looked at once. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TRAIN_PICTURES_H
#define QBOOST_CLI_TRAIN_PICTURES_H

#include "session/noise_args.h"

#include <qboost/noise_train.h>

typedef struct TrainPictures TrainPictures;

TrainPictures *train_pictures_new(const NoiseArgs *args, QbNoiseGrid grid);
void train_pictures_free(TrainPictures **pictures);

typedef struct TrainPicture {
    const float *values;      /* [rows * columns][qb_noise_zone_feature_count()]; borrowed */
    double samples;           /* by the header; NAN = it does not say */
    QbNoiseReport against;    /* the reference, where there is one */
    double reference_samples; /* by its header; NAN = it does not say, or there is none */
} TrainPicture;

/* reference: NULL = none. false: *error is why, owned. */
bool train_pictures_look(TrainPicture *out, char **error, TrainPictures *pictures, const char *path,
                         const char *reference);

#endif
