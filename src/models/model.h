/* model.h: what a QbModel is inside (public side: <qboost/model.h>). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_MODEL_H
#define QB_MODELS_MODEL_H

#include "models/arch.h"
#include "models/manners.h"
#include "tokenizer/tokenizer.h"

#include <pthread.h>
#include <qboost/model.h>

struct QbModel {
    QbGguf *gguf;
    QbGguf *mmproj; /* of a pair, else NULL */
    QbStore store;
    QbKernels kernels;
    const QbModelArch *arch;
    void *weights; /* arch's, in store */
    QbTokenizer *tokenizer;
    const char *name;
    QbManners manners;
    int64_t n_parameters;
    QbInfo info;
    pthread_mutex_t hash_mutex;
    char hash[33]; /* empty until asked for */
};

/* The GGUF inside the library; *out_size bytes, 64-byte aligned. */
const void *qb_embedded_model(size_t *out_size);

#endif
