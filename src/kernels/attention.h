/* attention.h: what the attention kernels of all levels share. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_ATTENTION_H
#define QB_KERNELS_ATTENTION_H

#include "kernels/kernels.h"

/* How many keys query i sees, 0 … n_key. */
static inline int qb_attention_visible(const QbAttention *a, int i)
{
    if (a->first_visible < 0 || i >= a->n_key - a->first_visible)
        return a->n_key;
    return a->first_visible + i;
}

/* How many of the first n keys lie in front of the gap; where there is none, all. */
static inline int qb_attention_shared(const QbAttention *a, int n)
{
    return a->gap == 0 || n < a->n_shared ? n : a->n_shared;
}

#endif
