/* act_vec.h: activations in place and the gated product, over a Vec. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_ACT_VEC_H
#define QB_KERNELS_ACT_VEC_H

#include "kernels/vec_math.h"

/* act is a constant where this is expanded. */
VEC_INLINE void activate_with(float *x, ptrdiff_t n, const QbAct act)
{
    for (ptrdiff_t i = 0; i < n; i += VEC_LANES)
        vec_store_first(x + i, vec_act(vec_load_first(x + i, n - i), act), n - i);
}

static void activate(float *x, size_t n, QbAct act)
{
    switch (act) {
    case QB_ACT_RELU6:
        activate_with(x, (ptrdiff_t)n, QB_ACT_RELU6);
        break;
    case QB_ACT_GELU:
        activate_with(x, (ptrdiff_t)n, QB_ACT_GELU);
        break;
    case QB_ACT_QUICK_GELU:
        activate_with(x, (ptrdiff_t)n, QB_ACT_QUICK_GELU);
        break;
    case QB_ACT_SILU:
        activate_with(x, (ptrdiff_t)n, QB_ACT_SILU);
        break;
    default:
        break;
    }
}

static void silu_mul(float *y, const float *gate, const float *up, size_t n)
{
    for (ptrdiff_t i = 0, left; (left = (ptrdiff_t)n - i) > 0; i += VEC_LANES) {
        Vec value = vec_act(vec_load_first(gate + i, left), QB_ACT_SILU);
        vec_store_first(y + i, vec_mul(value, vec_load_first(up + i, left)), left);
    }
}

#endif
