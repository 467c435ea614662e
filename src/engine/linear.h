/* linear.h: a weight matrix as the kernels want it, packed once when a model is opened. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_ENGINE_LINEAR_H
#define QB_ENGINE_LINEAR_H

#include "base/threads.h"
#include "engine/store.h"
#include "kernels/kernels.h"

typedef enum QbWeightType {
    QB_WEIGHT_F32,
    QB_WEIGHT_F16,
    QB_WEIGHT_BF16,
    QB_WEIGHT_Q8_0
} QbWeightType;

typedef struct QbLinear {
    int n, k; /* outputs, inputs */
    QbWeightType type;
    const void *packed; /* panels as kernels.h has them, from a QbStore */
    const float *bias;  /* [n] or NULL, borrowed */
} QbLinear;

/* Packs src[n][k] (row-major; GGUF blocks for q8_0, then k % 32 == 0) into memory from store.
 * bias: borrowed, [n] or NULL. pool: packs in parallel. */
QbStatus qb_linear_init(QbLinear *out, QbStore *store, QbPool *pool, const void *src,
                        QbWeightType type, int n, int k, const float *bias);

#endif
