/* rope_ref.c: the definition of rotary position embedding (Su et al. 2021, RoFormer, eq. 34), of
 * neighbouring dimensions of a head, as GGUF's LLaMA files have them. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

static void rope_pairs_ref(float *x, const float *cosine, const float *sine, int n_heads,
                           int head_dim)
{
    for (int h = 0; h < n_heads; h++, x += head_dim) {
        for (int i = 0; i < head_dim / 2; i++) {
            float x0 = x[2 * i], x1 = x[2 * i + 1];
            x[2 * i] = x0 * cosine[i] - x1 * sine[i];
            x[2 * i + 1] = x1 * cosine[i] + x0 * sine[i];
        }
    }
}

void qb_rope_init_ref(QbKernels *k)
{
    k->rope_pairs = rope_pairs_ref;
}
