/* attention.c: see attention.h. */
// SPDX-License-Identifier: Apache-2.0
#include "engine/attention.h"

#include <assert.h>

enum {
    QUERY_BLOCK = 32,
    SMALL_ATTENTION = 1 << 18 /* multiply-adds that are not worth waking a thread for */
};

void qb_ops_want_attention(QbOps *ops, int max_keys)
{
    qb_ops_want_scratch(ops, qb_attention_scratch(max_keys));
}

typedef struct {
    const QbOps *ops;
    const QbAttentionLayer *layer;
    int n_blocks;
} AttentionJob;

static void attention_pieces(int begin, int end, int thread, void *user)
{
    const AttentionJob *job = user;
    const QbAttentionLayer *layer = job->layer;
    int group = layer->n_heads / layer->n_kv_heads;
    for (int piece = begin; piece < end; piece++) {
        int head = piece / job->n_blocks;
        int query = piece % job->n_blocks * QUERY_BLOCK;
        int column = head * layer->head_dim;
        int kv_column = head / group * layer->head_dim;
        int n_query = layer->n_query - query < QUERY_BLOCK ? layer->n_query - query : QUERY_BLOCK;
        bool causal = layer->first_visible >= 0;
        int first_visible = causal ? layer->first_visible + query : -1;
        /* Keys behind the last query's horizon are never looked at. */
        int horizon = first_visible + n_query - 1;
        job->ops->kernels->attention(&(QbAttention){
            .q = layer->q.x + query * layer->q.ld + column,
            .k = layer->k.x + kv_column,
            .v = layer->v.x + kv_column,
            .y = layer->y + query * layer->ldy + column,
            .ldq = layer->q.ld,
            .ldk = layer->k.ld,
            .ldv = layer->v.ld,
            .ldy = layer->ldy,
            .n_query = n_query,
            .n_key = causal && horizon < layer->n_key ? horizon : layer->n_key,
            .head_dim = layer->head_dim,
            .first_visible = first_visible,
            .scale = layer->scale,
            .scratch = qb_ops_scratch(job->ops, thread),
        });
    }
}

void qb_op_attention(const QbOps *ops, const QbAttentionLayer *layer)
{
    assert(layer->n_heads % layer->n_kv_heads == 0);
    assert(qb_attention_scratch(layer->n_key) <= ops->scratch_floats);
    AttentionJob job = {ops, layer, (layer->n_query + QUERY_BLOCK - 1) / QUERY_BLOCK};
    int pieces = job.n_blocks * layer->n_heads;
    int64_t work = (int64_t)layer->n_query * layer->n_key * layer->n_heads * layer->head_dim;
    qb_pool_run(ops->pool, attention_pieces, &job, pieces, work > SMALL_ATTENTION ? 1 : pieces);
}

void qb_kv_cache_layout(QbKvCache *cache, QbArena *arena, int n_layers, int capacity, int width)
{
    size_t rows = (size_t)n_layers * (size_t)capacity;
    *cache = (QbKvCache){.n_layers = n_layers, .capacity = capacity, .width = width};
    cache->k = qb_arena_take(arena, rows, (size_t)width * sizeof *cache->k);
    cache->v = qb_arena_take(arena, rows, (size_t)width * sizeof *cache->v);
    cache->row_key = qb_arena_take(arena, (size_t)capacity, sizeof *cache->row_key);
}

int qb_kv_cache_keep_prefix(QbKvCache *cache, const uint64_t *row_key, int n)
{
    int same = 0;
    while (same < n && same < cache->length && cache->row_key[same] == row_key[same])
        same++;
    cache->length = same;
    return same;
}
