/* act_vec.h: the gated product, over a Vec. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_ACT_VEC_H
#define QB_KERNELS_ACT_VEC_H

#include "kernels/vec_math.h"

static void silu_mul(float *y, const float *gate, const float *up, size_t n)
{
    for (ptrdiff_t i = 0, left; (left = (ptrdiff_t)n - i) > 0; i += VEC_LANES) {
        Vec value = vec_act(vec_load_first(gate + i, left), QB_ACT_SILU);
        vec_store_first(y + i, vec_mul(value, vec_load_first(up + i, left)), left);
    }
}

#endif
