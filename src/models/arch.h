/* arch.h: what an architecture is: one const descriptor in one file, one line in arch_list.c.
 *
 * An architecture turns a picture into image tokens (rows of the decoder's width) and names its
 * LLaMA decoder. It knows no prompt, no scoring method and no program. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_ARCH_H
#define QB_MODELS_ARCH_H

#include "models/fit.h"
#include "models/info.h"
#include "models/llama.h"

typedef struct QbModelArch {
    const char *name; /* general.architecture in the file */
    const char *help; /* one line */
    /* general.architecture of a file with the decoder alone, whose vision side comes in a second
     * file (llama.cpp's pairs); or NULL */
    const char *decoder_name;

    /* Reads and checks everything in the file; what it makes belongs to loader->store. */
    QbStatus (*load)(void **out_weights, const QbLoader *loader);

    const QbLlama *(*decoder)(const void *weights);
    unsigned fits;                     /* bits 1 << QbFit: those that encode can do */
    QbFit (*fit)(const void *weights); /* the file's own */
    int (*image_token_count)(const void *weights);
    void (*describe)(QbInfo *info, const void *weights);

    /* Activations of the vision side. Called twice: while sizes are added up, and for real. state:
     * state_bytes, zeroed. */
    size_t state_bytes;
    void (*layout)(void *state, QbOps *ops, QbArena *arena, const void *weights);

    /* Picture -> tokens[image_token_count][n_embd]. preprocess_ms: time of making the tower's
     * input. fit: one of fits. */
    QbStatus (*encode)(float *tokens, double *preprocess_ms, void *state, const QbOps *ops,
                       QbResizer *resizer, const void *weights, const QbImage *image, QbFit fit);
} QbModelArch;

/* NULL past the last one. */
const QbModelArch *qb_model_arch_at(int index);
const QbModelArch *qb_model_arch_find(const char *name);
const QbModelArch *qb_model_arch_find_decoder(const char *name);

#endif
