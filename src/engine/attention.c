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
    int n_first;              /* queries of the first sequence */
    int n_blocks;             /* of queries of all sequences */
    int first_blocks, blocks; /* of the first sequence, of every other one */
} AttentionJob;

/* Queries query … query + n_query - 1 of all, which are in one sequence. */
typedef struct {
    int sequence, query, n_query, first_visible;
} Block;

static Block block_at(const AttentionJob *job, int index)
{
    const QbAttentionLayer *layer = job->layer;
    int later = index - job->first_blocks;
    int sequence = later < 0 ? 0 : 1 + later / job->blocks;
    int number = sequence ? later % job->blocks : index;
    int begin = sequence ? job->n_first + (sequence - 1) * layer->n_each : 0;
    int visible = sequence ? layer->n_key - layer->n_each + 1 : layer->first_visible;
    int rest = (sequence ? layer->n_each : job->n_first) - number * QUERY_BLOCK;
    return (Block){
        .sequence = sequence,
        .query = begin + number * QUERY_BLOCK,
        .n_query = rest < QUERY_BLOCK ? rest : QUERY_BLOCK,
        .first_visible = layer->first_visible < 0 ? -1 : visible + number * QUERY_BLOCK,
    };
}

static void attention_pieces(int begin, int end, int thread, void *user)
{
    const AttentionJob *job = user;
    const QbAttentionLayer *layer = job->layer;
    int group = layer->n_heads / layer->n_kv_heads;
    for (int piece = begin; piece < end; piece++) {
        int head = piece / job->n_blocks;
        int column = head * layer->head_dim;
        int kv_column = head / group * layer->head_dim;
        Block block = block_at(job, piece % job->n_blocks);
        /* Keys behind the last query's horizon are never looked at. */
        int horizon = block.first_visible + block.n_query - 1;
        bool causal = block.first_visible >= 0;
        job->ops->kernels->attention(&(QbAttention){
            .q = layer->q.x + block.query * layer->q.ld + column,
            .k = layer->k.x + kv_column,
            .v = layer->v.x + kv_column,
            .y = layer->y + block.query * layer->ldy + column,
            .ldq = layer->q.ld,
            .ldk = layer->k.ld,
            .ldv = layer->v.ld,
            .ldy = layer->ldy,
            .n_query = block.n_query,
            .n_key = causal && horizon < layer->n_key ? horizon : layer->n_key,
            .head_dim = layer->head_dim,
            .first_visible = block.first_visible,
            .n_shared = layer->n_shared,
            .gap = block.sequence * (layer->n_key - layer->n_shared),
            .scale = layer->scale,
            .scratch = qb_ops_scratch(job->ops, thread),
        });
    }
}

void qb_op_attention(const QbOps *ops, const QbAttentionLayer *layer)
{
    assert(layer->n_heads % layer->n_kv_heads == 0);
    assert(qb_attention_scratch(layer->n_key) <= ops->scratch_floats);
    int others = layer->n_sequences > 1 ? layer->n_sequences - 1 : 0;
    AttentionJob job = {.ops = ops, .layer = layer, .n_first = layer->n_query};
    if (others) {
        job.n_first -= others * layer->n_each;
        job.blocks = (layer->n_each + QUERY_BLOCK - 1) / QUERY_BLOCK;
    }
    assert(job.n_first >= 0);
    job.first_blocks = (job.n_first + QUERY_BLOCK - 1) / QUERY_BLOCK;
    job.n_blocks = job.first_blocks + others * job.blocks;
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

int qb_kv_cache_common_prefix(const QbKvCache *cache, const uint64_t *row_key, int n)
{
    int same = 0;
    while (same < n && same < cache->length && cache->row_key[same] == row_key[same])
        same++;
    return same;
}

int qb_kv_cache_keep_prefix(QbKvCache *cache, const uint64_t *row_key, int n)
{
    return cache->length = qb_kv_cache_common_prefix(cache, row_key, n);
}
