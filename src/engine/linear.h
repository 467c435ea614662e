/* linear.h: a weight matrix as the kernels want it, packed once when a model is opened. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_ENGINE_LINEAR_H
#define QB_ENGINE_LINEAR_H

#include "base/threads.h"
#include "engine/store.h"
#include "kernels/kernels.h"
#include "kernels/pack.h"

#include <stdbool.h>

typedef enum QbWeightType {
    QB_WEIGHT_F32,
    QB_WEIGHT_F16,
    QB_WEIGHT_BF16,
    QB_WEIGHT_Q8_0,
    QB_WEIGHT_Q4_0,
    QB_WEIGHT_Q4_K,
    QB_WEIGHT_Q5_K,
    QB_WEIGHT_Q6_K
} QbWeightType;

/* What there is to know about a type; a new one is a row of the table in linear.c. */
typedef struct QbWeightForm {
    const char *name;
    int values;         /* rows are a multiple of this long */
    size_t panel_bytes; /* of that many k of a packed panel */
    QbPack *pack;
    size_t gemm;    /* which slot: offset in QbKernels */
    bool quantised; /* activations go in as int8 with scales and sums */
} QbWeightForm;

const QbWeightForm *qb_weight_form(QbWeightType type);

typedef struct QbLinear {
    int n, k; /* outputs, inputs */
    QbWeightType type;
    const void *packed; /* panels as kernels.h has them, from a QbStore */
    const float *bias;  /* [n] or NULL, borrowed */
} QbLinear;

/* Packs src[n][k] (row-major, as a GGUF file has it) into memory from store. Rows that are no whole
 * number of blocks are refused. bias: borrowed, [n] or NULL. pool: packs in parallel. */
QbStatus qb_linear_init(QbLinear *out, QbStore *store, QbPool *pool, const void *src,
                        QbWeightType type, int n, int k, const float *bias);

#endif
