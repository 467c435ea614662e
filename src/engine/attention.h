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
    /* Several sequences of n_key keys each that begin with the same n_shared keys: the rows of keys
     * are those, then what is the first sequence's own, the second's, and so on. The last n_each
     * queries are the last sequence's, and so on; all others are the first one's. In causal
     * attention the last query of every sequence sees all keys of it. */
    int n_sequences; /* 0 and 1: one, and the rest is not read */
    int n_shared, n_each;
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

/* Positions of row_key[n] that the cache already holds. */
int qb_kv_cache_common_prefix(const QbKvCache *cache, const uint64_t *row_key, int n);

/* The same, and forgets everything behind them. */
int qb_kv_cache_keep_prefix(QbKvCache *cache, const uint64_t *row_key, int n);

#endif
