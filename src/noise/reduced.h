/* reduced.h: what a feature file keeps of a reference: at up to 18 x 18 places of every zone the
 * picture's band (band_pass.h) and the least contrast seen there (visibility.h).
 *
 * At these places noise is the difference from what is kept, exactly, as with the whole reference;
 * the zone's visibility is a mean over fewer pixels. (Statistics of the reference, such as its
 * energy in bands, are smaller still, but texture and noise then differ by their energies alone,
 * which needs many more pixels to tell: docs/noise-method.md.) Values are rounded as in the file
 * when features are made: fresh ones and those of a file judge alike. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_REDUCED_H
#define QB_NOISE_REDUCED_H

#include "noise/report.h"

enum { QB_PLACES_SIDE = 18, QB_PLACE_BYTES = 3 /* in a file: half, and the gain's code */ };

struct QbNoiseFeatures {
    int width, height;
    QbNoiseGrid grid, places; /* places of a zone */
    int n_zone_places;
    size_t n_places; /* of the picture; place p of zone z is z * n_zone_places + p */
    float *band;     /* [n_places]; owned */
    uint8_t *code;   /* [n_places], of 1 / T; owned */
};

/* Zeroed values; grid passed qb_noise_grid_check with QB_NOISE_MIN_ZONE_SIDE. On failure *out is
 * NULL. */
QbStatus qb_noise_features_alloc(QbNoiseFeatures **out, QbNoiseGrid grid, int width, int height);

/* A file's bytes; name: used in error texts. */
QbStatus qb_noise_features_read(QbNoiseFeatures **out, const uint8_t *data, size_t n,
                                const char *name);

#endif
