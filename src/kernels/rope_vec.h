/* rope_vec.h: rotary position embedding over a Vec, the last dimensions of a head one by one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_ROPE_VEC_H
#define QB_KERNELS_ROPE_VEC_H

#include "kernels/kernels.h"

VEC_INLINE void rotate(float *x0, float *x1, float c, float s)
{
    float a = *x0, b = *x1;
    *x0 = a * c - b * s;
    *x1 = b * c + a * s;
}

static void rope_pairs(float *x, const float *cosine, const float *sine, int n_heads, int head_dim)
{
    const int half = head_dim / 2;
    for (int h = 0; h < n_heads; h++, x += head_dim) {
        int i = 0;
        for (; i + VEC_LANES / 2 <= half; i += VEC_LANES / 2) {
            Vec c = vec_load_twice(cosine + i), s = vec_load_twice(sine + i);
            Vec value = vec_load(x + 2 * i);
            vec_store(x + 2 * i, vec_fmaddsub(value, c, vec_mul(vec_swap_pairs(value), s)));
        }
        for (; i < half; i++)
            rotate(&x[2 * i], &x[2 * i + 1], cosine[i], sine[i]);
    }
}

#endif
