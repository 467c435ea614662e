/* manners.h: what a file says of how its model wants to be asked: the keys qboost.*. Only that:
 * what a file leaves open is filled in where questions are put together (score/settings.h).
 *
 * In a template <image> is the place of a picture and {prompt} that of the question. A template for
 * answers has {images} instead, which becomes ask_image for one picture, and for several ask_images
 * for each ({nth} = first, second, …) with ask_join in between. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_MANNERS_H
#define QB_MODELS_MANNERS_H

#include "weights/gguf_read.h"

#include <qboost/image.h>

/* Texts are borrowed from the file; NULL = it does not say. */
typedef struct QbManners {
    const char *variant;         /* name of the published way of asking that the rest is from */
    const char *prompt_template; /* for a score: one <image>, at least one {prompt} */
    const char *rate_prompt;     /* what {prompt} becomes then */
    const char *method;          /* any text: the methods are not known here */
    const char *fit;             /* a name of models/fit.h; the architecture has checked it */
    const char *ask_template;    /* for answers: one {images} (or <image>), at least one {prompt} */
    const char *ask_image, *ask_images, *ask_join;
    QbDecode decode;
} QbManners;

/* QB_ERR_FORMAT when a text is not what the comments above say. */
QbStatus qb_manners_load(QbManners *out, const QbGguf *gguf);

#endif
