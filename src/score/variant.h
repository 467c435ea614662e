/* variant.h: how published models are asked: the exact words, line ends and pictures that their
 * authors' code uses, by name. `qboost convert` writes one of them into a file (the keys qboost.*),
 * a scorer can be told to use another. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_VARIANT_H
#define QB_SCORE_VARIANT_H

#include <stdbool.h>

typedef struct QbVariant {
    const char *name, *help;
    const char *architectures;   /* that it is made for, separated by spaces */
    const char *prompt_template; /* scoring: one <image>, one {prompt}; may end in a stem */
    const char *rate_prompt;     /* what {prompt} becomes */
    const char *method;          /* a name of qb_score_method_at */
    const char *fit;             /* "crop" or "pad" */
    const char *ask_template;    /* any question: one {images}, one {prompt} */
    const char *ask_image;       /* what {images} becomes for one picture: one <image> */
    const char *ask_images;      /* for each of several: one <image>; {nth} = first, second, ... */
    const char *ask_join;        /* between them; may be empty */
    /* A clip's quality in one prompt: <image> stands for all frames, one behind the other; NULL =
     * the model was not taught that. */
    const char *clip_template, *clip_prompt;
    /* Which of two pictures is better, put as ask_template is; the next token is that of "first" or
     * "second". NULL = the model was not taught that. */
    const char *pair_template, *pair_prompt;
} QbVariant;

/* NULL past the last one; find: NULL when there is none of that name. */
const QbVariant *qb_variant_at(int index);
const QbVariant *qb_variant_find(const char *name);

bool qb_variant_suits(const QbVariant *variant, const char *architecture);

#endif
