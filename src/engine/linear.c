/* linear.c: packing of weight matrices; see linear.h. */
// SPDX-License-Identifier: Apache-2.0
#include "engine/linear.h"

#include "base/error.h"

// clang-format off
static const QbWeightForm forms[] = {
    [QB_WEIGHT_F32]  = {"f32",    1, QB_PANEL * sizeof(float),    qb_pack_f32,  offsetof(QbKernels, gemm_f32),  false},
    [QB_WEIGHT_F16]  = {"f16",    1, QB_PANEL * sizeof(uint16_t), qb_pack_16,   offsetof(QbKernels, gemm_f16),  false},
    [QB_WEIGHT_BF16] = {"bf16",   1, QB_PANEL * sizeof(uint16_t), qb_pack_16,   offsetof(QbKernels, gemm_bf16), false},
    [QB_WEIGHT_Q8_0] = {"q8_0",  32, sizeof(QbPackedQ8Block),     qb_pack_q8_0, offsetof(QbKernels, gemm_q8_0), true},
    [QB_WEIGHT_Q4_0] = {"q4_0",  32, sizeof(QbPackedQ4Block),     qb_pack_q4_0, offsetof(QbKernels, gemm_q4_0), true},
    [QB_WEIGHT_Q4_K] = {"q4_k", 256, sizeof(QbPackedQ4KBlock),    qb_pack_q4_k, offsetof(QbKernels, gemm_q4_k), true},
    [QB_WEIGHT_Q5_K] = {"q5_k", 256, sizeof(QbPackedQ5KBlock),    qb_pack_q5_k, offsetof(QbKernels, gemm_q5_k), true},
    [QB_WEIGHT_Q6_K] = {"q6_k", 256, sizeof(QbPackedQ6KBlock),    qb_pack_q6_k, offsetof(QbKernels, gemm_q6_k), true},
};
// clang-format on

const QbWeightForm *qb_weight_form(QbWeightType type)
{
    return &forms[type];
}

typedef struct {
    QbPack *pack;
    void *dst;
    const void *src;
    int n, k;
} PackJob;

static void pack_panels(int begin, int end, int thread, void *user)
{
    (void)thread;
    const PackJob *job = user;
    job->pack(job->dst, job->src, job->n, job->k, begin, end);
}

QbStatus qb_linear_init(QbLinear *out, QbStore *store, QbPool *pool, const void *src,
                        QbWeightType type, int n, int k, const float *bias)
{
    const QbWeightForm *form = qb_weight_form(type);
    *out = (QbLinear){.n = n, .k = k, .type = type, .bias = bias};
    if (k % form->values)
        return qb_fail(QB_ERR_FORMAT, "%s rows of %d values: not a multiple of %d", form->name, k,
                       form->values);
    size_t size = qb_packed_size((size_t)n, (size_t)k, (size_t)form->values, form->panel_bytes);
    if (n < 1 || k < 1 || size == 0)
        return qb_fail(QB_ERR_LIMIT, "a weight matrix of %d x %d is too large", n, k);
    void *packed = qb_store_take(store, 1, size);
    if (!packed)
        return QB_ERR_NOMEM;
    PackJob job = {form->pack, packed, src, n, k};
    qb_pool_run(pool, pack_panels, &job, (int)qb_panel_count((size_t)n), 4);
    out->packed = packed;
    return QB_OK;
}
