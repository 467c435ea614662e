/* linear.c: packing of weight matrices; see linear.h. */
// SPDX-License-Identifier: Apache-2.0
#include "engine/linear.h"

#include "base/error.h"
#include "kernels/pack.h"

typedef struct {
    void *dst;
    const void *src;
    QbWeightType type;
    int n, k;
} PackJob;

static void pack_panels(int begin, int end, int thread, void *user)
{
    (void)thread;
    const PackJob *job = user;
    switch (job->type) {
    case QB_WEIGHT_F32:
        qb_pack_f32(job->dst, job->src, job->n, job->k, begin, end);
        break;
    case QB_WEIGHT_F16:
    case QB_WEIGHT_BF16:
        qb_pack_16(job->dst, job->src, job->n, job->k, begin, end);
        break;
    case QB_WEIGHT_Q8_0:
        qb_pack_q8_0(job->dst, job->src, job->n, job->k, begin, end);
        break;
    }
}

static size_t packed_size(QbWeightType type, size_t n, size_t k)
{
    return type == QB_WEIGHT_F32    ? qb_packed_size_f32(n, k)
           : type == QB_WEIGHT_Q8_0 ? qb_packed_size_q8_0(n, k)
                                    : qb_packed_size_16(n, k);
}

QbStatus qb_linear_init(QbLinear *out, QbStore *store, QbPool *pool, const void *src,
                        QbWeightType type, int n, int k, const float *bias)
{
    *out = (QbLinear){.n = n, .k = k, .type = type, .bias = bias};
    if (type == QB_WEIGHT_Q8_0 && k % QB_Q8_BLOCK)
        return qb_fail(QB_ERR_FORMAT, "q8_0 rows of %d values: not a multiple of %d", k,
                       QB_Q8_BLOCK);
    size_t size = packed_size(type, (size_t)n, (size_t)k);
    if (n < 1 || k < 1 || size == 0)
        return qb_fail(QB_ERR_LIMIT, "a weight matrix of %d x %d is too large", n, k);
    void *packed = qb_store_take(store, 1, size);
    if (!packed)
        return QB_ERR_NOMEM;
    PackJob job = {packed, src, type, n, k};
    qb_pool_run(pool, pack_panels, &job, (int)qb_panel_count((size_t)n), 4);
    out->packed = packed;
    return QB_OK;
}
