/* attention.h: all heads of an attention layer, and the KV cache that the decoder's layers share.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_ENGINE_ATTENTION_H
#define QB_ENGINE_ATTENTION_H

#include "engine/ops.h"

#include <stdbool.h>

/* Heads side by side in the columns of a row; head h of the queries uses key head
 * h / (n_heads / n_kv_heads). */
typedef struct QbAttentionLayer {
    QbRows q;    /* [n_query][n_heads * head_dim] */
    QbRows k, v; /* [n_key][n_kv_heads * head_dim] */
    float *y;    /* [n_query][ldy], n_heads * head_dim used */
    ptrdiff_t ldy;
    int n_query, n_key, n_heads, n_kv_heads, head_dim;
    int first_visible; /* as in QbAttention: causal offset, or -1 for all keys */
    float scale;
} QbAttentionLayer;

void qb_ops_want_attention(QbOps *ops, int max_keys);
void qb_op_attention(const QbOps *ops, const QbAttentionLayer *layer);

/* Keys and values of every layer for the positions seen so far, and what stood at each position, so
 * that a new prompt recomputes only what follows the longest common prefix. */
typedef struct QbKvCache {
    float *k, *v;      /* [n_layers][capacity][width] */
    uint64_t *row_key; /* [capacity]: tells what was fed at a position */
    int n_layers, capacity, width;
    int length; /* positions filled */
} QbKvCache;

void qb_kv_cache_layout(QbKvCache *cache, QbArena *arena, int n_layers, int capacity, int width);

static inline size_t qb_kv_cache_offset(const QbKvCache *cache, int layer, int position)
{
    return ((size_t)layer * (size_t)cache->capacity + (size_t)position) * (size_t)cache->width;
}

/* Positions of row_key[n] that the cache already holds, and forgets everything behind them. */
int qb_kv_cache_keep_prefix(QbKvCache *cache, const uint64_t *row_key, int n);

#endif
