/* fit.h: the ways of making a picture fit, by name: as files and people write them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_FIT_H
#define QB_MODELS_FIT_H

#include "image/preprocess.h"

#include <stdbool.h>

/* "pad", "crop", "view"; NULL for other numbers. */
const char *qb_fit_name(QbFit fit);
bool qb_fit_find(QbFit *out, const char *name);

/* A set of them is the bits 1 << fit. "crop, pad" for error texts, into out[n]. */
void qb_fit_list(char *out, size_t n, unsigned fits);

#endif
