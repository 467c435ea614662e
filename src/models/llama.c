/* llama.c: the LLaMA decoder (Touvron et al. 2023, arXiv 2302.13971), prefill first.
 *
 *   x = embeddings of text and pictures, position by position
 *   each layer:
 *     n = RMSNorm(x);  q, k, v = Wq n, Wk n, Wv n;  q, k turned by RoPE;  k, v to the cache
 *     x += Wo attention(q, cache)      causal, n_heads / n_kv_heads queries a key head
 *     n = RMSNorm(x);  x += Wdown (silu(Wgate n) * Wup n)
 *   last row: RMSNorm, then the head, for the words that are wanted (session.c)
 *
 * With two ways, both norms, Wk and Wv of a row depend on whether it is text or a picture's; rows
 * of a kind are brought together for the matrices. Rows that nobody reads stop after the last
 * layer's keys and values. Several prompts with the same beginning lie behind each other, and only
 * attention and positions know of it. */
// SPDX-License-Identifier: Apache-2.0
#include "models/llama.h"

#include "base/error.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 512, MAX_WIDTH = 65536, MAX_VOCAB = 1 << 20, MAX_CONTEXT = 8192 };

/* Whole heads are turned, and positions are not stretched. */
static QbStatus check_rope(const QbLlama *m, const QbLoader *loader, const char *prefix)
{
    const char *file = qb_gguf_name(loader->gguf), *scaling = "none";
    char key[96];
    int rope_dims = 0;
    QbStatus status;
    snprintf(key, sizeof key, "%s.rope.scaling.type", prefix);
    if ((status = qb_gguf_get_string_or(&scaling, loader->gguf, key)))
        return status;
    if (strcmp(scaling, "none"))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: %s is \"%s\", only \"none\" can be done", file, key,
                       scaling);
    snprintf(key, sizeof key, "%s.rope.dimension_count", prefix);
    if (!qb_gguf_has_key(loader->gguf, key))
        return QB_OK;
    if ((status = qb_load_int(&rope_dims, loader, 1, MAX_WIDTH, prefix, "rope.dimension_count")))
        return status;
    return rope_dims == m->head_dim
               ? QB_OK
               : qb_fail(QB_ERR_UNSUPPORTED,
                         "%s: %s is %d, only the head's width of %d can be done", file, key,
                         rope_dims, m->head_dim);
}

static QbStatus load_shape(QbLlama *m, const QbLoader *loader, const char *prefix)
{
    const char *file = qb_gguf_name(loader->gguf);
    char key[96];
    QbStatus status;
    if ((status = qb_load_int(&m->n_layers, loader, 1, MAX_LAYERS, prefix, "block_count")) ||
        (status = qb_load_int(&m->n_embd, loader, 1, MAX_WIDTH, prefix, "embedding_length")) ||
        (status = qb_load_int(&m->n_ff, loader, 1, MAX_WIDTH, prefix, "feed_forward_length")) ||
        (status = qb_load_int(&m->n_heads, loader, 1, 1024, prefix, "attention.head_count")) ||
        (status = qb_load_int(&m->n_context, loader, 1, 1 << 24, prefix, "context_length")))
        return status;
    /* Longer prompts than this are not used by any scoring, and the cache is sized by it. */
    if (m->n_context > MAX_CONTEXT)
        m->n_context = MAX_CONTEXT;
    uint32_t n_kv_heads = (uint32_t)m->n_heads, n_vocab = 0;
    float rope_base = 10000.0f;
    size_t n_tokens = 0;
    snprintf(key, sizeof key, "%s.attention.head_count_kv", prefix);
    if ((status = qb_gguf_get_u32_or(&n_kv_heads, loader->gguf, key)))
        return status;
    snprintf(key, sizeof key, "%s.rope.freq_base", prefix);
    if ((status = qb_gguf_get_f32_or(&rope_base, loader->gguf, key)))
        return status;
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", prefix);
    if ((status = qb_gguf_get_f32(&m->norm_eps, loader->gguf, key)) ||
        (status = qb_gguf_get_array_length(&n_tokens, loader->gguf, "tokenizer.ggml.tokens")))
        return status;
    snprintf(key, sizeof key, "%s.vocab_size", prefix);
    n_vocab = n_tokens < MAX_VOCAB ? (uint32_t)n_tokens : MAX_VOCAB;
    if ((status = qb_gguf_get_u32_or(&n_vocab, loader->gguf, key)))
        return status;
    if (n_kv_heads < 1 || n_kv_heads > (uint32_t)m->n_heads || m->n_heads % (int)n_kv_heads ||
        m->n_embd % m->n_heads || m->n_embd / m->n_heads % 2)
        return qb_fail(QB_ERR_FORMAT, "%s: %d heads and %u key heads do not divide a width of %d",
                       file, m->n_heads, n_kv_heads, m->n_embd);
    if (n_vocab < 1 || n_vocab > MAX_VOCAB || n_vocab < n_tokens)
        return qb_fail(QB_ERR_FORMAT, "%s: a vocabulary of %u for %zu tokens", file, n_vocab,
                       n_tokens);
    if (!(m->norm_eps > 0 && m->norm_eps < 1) || !(rope_base > 1))
        return qb_fail(QB_ERR_FORMAT, "%s: norm epsilon %g or rope base %g is out of range", file,
                       (double)m->norm_eps, (double)rope_base);
    m->n_kv_heads = (int)n_kv_heads;
    m->head_dim = m->n_embd / m->n_heads;
    m->n_vocab = (int)n_vocab;
    m->rope_base = rope_base;
    return check_rope(m, loader, prefix);
}

static QbStatus load_way(QbLlamaWay *w, const QbLoader *loader, const QbLlama *m, int i,
                         const char *set, int flags)
{
    int kv = m->n_kv_heads * m->head_dim;
    size_t n_embd = (size_t)m->n_embd;
    QbStatus status;
    (void)((status = qb_load_vector(&w->attn_norm, loader, n_embd, "blk.%d.attn_norm%s.weight", i,
                                    set)) ||
           (status =
                qb_load_linear(&w->k, loader, flags, kv, m->n_embd, "blk.%d.attn_k%s", i, set)) ||
           (status =
                qb_load_linear(&w->v, loader, flags, kv, m->n_embd, "blk.%d.attn_v%s", i, set)) ||
           (status =
                qb_load_vector(&w->ffn_norm, loader, n_embd, "blk.%d.ffn_norm%s.weight", i, set)));
    return status;
}

static QbStatus load_layer(QbLlamaLayer *l, const QbLoader *loader, const QbLlama *m, int i,
                           int flags)
{
    static const char *const sets[QB_LLAMA_MAX_WAYS] = {"", "_image"};
    int wide = m->n_heads * m->head_dim;
    QbStatus status = QB_OK;
    for (int way = 0; way < m->n_ways && !status; way++)
        status = load_way(&l->ways[way], loader, m, i, sets[way], flags);
    (void)(status ||
           (status = qb_load_linear(&l->q, loader, flags, wide, m->n_embd, "blk.%d.attn_q", i)) ||
           (status =
                qb_load_linear(&l->o, loader, flags, m->n_embd, wide, "blk.%d.attn_output", i)) ||
           (status = qb_load_linear(&l->gate, loader, flags, m->n_ff, m->n_embd, "blk.%d.ffn_gate",
                                    i)) ||
           (status =
                qb_load_linear(&l->up, loader, flags, m->n_ff, m->n_embd, "blk.%d.ffn_up", i)) ||
           (status =
                qb_load_linear(&l->down, loader, flags, m->n_embd, m->n_ff, "blk.%d.ffn_down", i)));
    return status;
}

/* Angles in float as the reference implementations have them: position * base^(-2i / head_dim). */
static QbStatus make_rope(QbLlama *m, const QbLoader *loader)
{
    int half = m->head_dim / 2;
    size_t values = (size_t)m->n_context * (size_t)half;
    float *cosine = qb_store_take(loader->store, values, sizeof *cosine);
    float *sine = qb_store_take(loader->store, values, sizeof *sine);
    if (!cosine || !sine)
        return QB_ERR_NOMEM;
    for (int i = 0; i < half; i++) {
        float frequency = (float)(1.0 / pow(m->rope_base, 2.0 * i / m->head_dim));
        for (int p = 0; p < m->n_context; p++) {
            float angle = (float)p * frequency;
            cosine[(size_t)p * (size_t)half + (size_t)i] = cosf(angle);
            sine[(size_t)p * (size_t)half + (size_t)i] = sinf(angle);
        }
    }
    m->rope_cos = cosine;
    m->rope_sin = sine;
    return QB_OK;
}

QbStatus qb_llama_load(QbLlama *m, const QbLoader *loader, const char *prefix, int n_ways,
                       int flags)
{
    *m = (QbLlama){.n_ways = n_ways};
    QbStatus status = load_shape(m, loader, prefix);
    if (status)
        return status;
    m->layers = qb_store_take(loader->store, (size_t)m->n_layers, sizeof *m->layers);
    if (!m->layers)
        return QB_ERR_NOMEM;
    for (int i = 0; i < m->n_layers && !status; i++)
        status = load_layer(&m->layers[i], loader, m, i, flags);
    bool tied = !qb_loader_has(loader, "output.weight");
    (void)(status ||
           (status = qb_load_embedding(&m->embedding, loader, m->n_vocab, m->n_embd,
                                       "token_embd.weight")) ||
           (status =
                qb_load_vector(&m->output_norm, loader, (size_t)m->n_embd, "output_norm.weight")) ||
           (status = qb_load_linear(&m->output, loader, flags, m->n_vocab, m->n_embd, "%s",
                                    tied ? "token_embd" : "output")) ||
           (status = make_rope(m, loader)));
    return status;
}

void qb_llama_layout(QbLlamaState *s, QbOps *ops, QbArena *arena, const QbLlama *m, int max_rows)
{
    size_t rows = (size_t)max_rows, wide = (size_t)m->n_heads * (size_t)m->head_dim;
    qb_kv_cache_layout(&s->cache, arena, m->n_layers, m->n_context, m->n_kv_heads * m->head_dim);
    s->max_rows = max_rows;
    s->x = qb_arena_take(arena, rows * (size_t)m->n_embd, sizeof(float));
    s->h = qb_arena_take(arena, rows * (size_t)m->n_embd, sizeof(float));
    s->way = qb_arena_take(arena, rows, 1);
    s->q = qb_arena_take(arena, rows * wide, sizeof(float));
    s->attn = qb_arena_take(arena, rows * wide, sizeof(float));
    s->gate = qb_arena_take(arena, rows * (size_t)m->n_ff, sizeof(float));
    s->up = qb_arena_take(arena, rows * (size_t)m->n_ff, sizeof(float));
    qb_ops_want_attention(ops, m->n_context);
    for (int i = 0; i < m->n_layers; i++) {
        const QbLlamaLayer *l = &m->layers[i];
        const QbLinear *all[] = {&l->q, &l->o, &l->gate, &l->up, &l->down};
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            qb_ops_want_linear(ops, all[j], max_rows);
        for (int way = 0; way < m->n_ways; way++) {
            qb_ops_want_linear(ops, &l->ways[way].k, max_rows);
            qb_ops_want_linear(ops, &l->ways[way].v, max_rows);
        }
    }
    qb_ops_want_linear(ops, &m->output, max_rows);
}

/* Where rows stand: the last n_each rows belong to the last sequence, those before them to the one
 * before, and so on; all others are the first one's. Every sequence ends in front of position end.
 */
typedef struct {
    int n_rows, n_sequences, n_each, end;
} Span;

static int first_rows(const Span *span)
{
    return span->n_rows - (span->n_sequences - 1) * span->n_each;
}

static int position_of(const Span *span, int row)
{
    int n_first = first_rows(span);
    return row < n_first ? span->end - n_first + row
                         : span->end - span->n_each + (row - n_first) % span->n_each;
}

typedef struct {
    const QbOps *ops;
    const QbLlama *m;
    float *x;
    ptrdiff_t ld;
    int n_heads;
    const Span *span;
} RopeJob;

static void rope_rows(int begin, int end, int thread, void *user)
{
    (void)thread;
    const RopeJob *job = user;
    ptrdiff_t half = job->m->head_dim / 2;
    for (int row = begin; row < end; row++) {
        ptrdiff_t angle = position_of(job->span, row) * half;
        job->ops->kernels->rope_pairs(job->x + row * job->ld, job->m->rope_cos + angle,
                                      job->m->rope_sin + angle, job->n_heads, job->m->head_dim);
    }
}

static void rope(const QbOps *ops, const QbLlama *m, float *x, int n_heads, const Span *span)
{
    RopeJob job = {ops, m, x, (ptrdiff_t)n_heads * m->head_dim, n_heads, span};
    qb_pool_run(ops->pool, rope_rows, &job, span->n_rows, 16);
}

/* Rows first … the result - 1, of n_rows, go the same way, which is *out. */
static int run_end(const QbLlamaWay **out, const QbLlamaState *s, const QbLlama *m, int layer,
                   int first, int n_rows)
{
    int way = m->n_ways > 1 ? s->way[first] : 0;
    int end = m->n_ways > 1 ? first + 1 : n_rows;
    while (end < n_rows && s->way[end] == way)
        end++;
    *out = &m->layers[layer].ways[way];
    return end;
}

enum Norm { ATTN_NORM, FFN_NORM };

static void norm(QbLlamaState *s, const QbOps *ops, const QbLlama *m, int layer, enum Norm which,
                 int first, int n_rows)
{
    const QbLlamaWay *way;
    for (int row = first, end; row < n_rows; row = end) {
        end = run_end(&way, s, m, layer, row, n_rows);
        ptrdiff_t at = (ptrdiff_t)row * m->n_embd;
        qb_op_rms_norm(ops, s->h + at, s->x + at,
                       which == ATTN_NORM ? way->attn_norm : way->ffn_norm, end - row, m->n_embd,
                       m->norm_eps);
    }
}

/* The rows go the same way in K and V, and lie apart: they are brought together in s->attn, their
 * keys or values in s->q (nobody needs these two yet), so that weights are fetched once. */
static void make_keys_of_way(float *k, float *v, QbLlamaState *s, const QbOps *ops,
                             const QbLlama *m, const QbLlamaLayer *l, int way, int n_rows)
{
    const struct {
        const QbLinear *weights;
        float *to;
    } parts[] = {{&l->ways[way].k, k}, {&l->ways[way].v, v}};
    size_t kv = (size_t)(m->n_kv_heads * m->head_dim), width = (size_t)m->n_embd;
    float *next = s->attn;
    for (int row = 0; row < n_rows; row++)
        if (s->way[row] == way) {
            memcpy(next, s->h + (size_t)row * width, width * sizeof *next);
            next += width;
        }
    int n = (int)((size_t)(next - s->attn) / width);
    for (int part = 0; part < 2 && n > 0; part++) {
        qb_op_linear(ops, parts[part].weights, s->q, (ptrdiff_t)kv, (QbRows){s->attn, m->n_embd}, n,
                     QB_ACT_NONE, (QbRows){0});
        const float *from = s->q;
        for (int row = 0; row < n_rows; row++)
            if (s->way[row] == way) {
                memcpy(parts[part].to + (size_t)row * kv, from, kv * sizeof *from);
                from += kv;
            }
    }
}

/* Keys and values of all rows; their normed states stay in s->h. */
static void make_keys(QbLlamaState *s, const QbOps *ops, const QbLlama *m, int layer,
                      const Span *span)
{
    const QbRows h = {s->h, m->n_embd}, none = {0};
    const QbLlamaLayer *l = &m->layers[layer];
    int kv = m->n_kv_heads * m->head_dim, n_rows = span->n_rows;
    float *k = s->cache.k + qb_kv_cache_offset(&s->cache, layer, s->cache.length);
    float *v = s->cache.v + qb_kv_cache_offset(&s->cache, layer, s->cache.length);
    norm(s, ops, m, layer, ATTN_NORM, 0, n_rows);
    if (m->n_ways == 1) {
        qb_op_linear(ops, &l->ways[0].k, k, kv, h, n_rows, QB_ACT_NONE, none);
        qb_op_linear(ops, &l->ways[0].v, v, kv, h, n_rows, QB_ACT_NONE, none);
    } else {
        for (int way = 0; way < m->n_ways; way++)
            make_keys_of_way(k, v, s, ops, m, l, way, n_rows);
    }
    rope(ops, m, k, m->n_kv_heads, span);
}

/* Moves the last row of every sequence behind all others, from the back, so that none is
 * overwritten before it has moved. */
static void gather_last_rows(QbLlamaState *s, const QbLlama *m, const Span *span)
{
    size_t width = (size_t)m->n_embd;
    for (int i = span->n_sequences - 1; i >= 0; i--) {
        size_t from = (size_t)(first_rows(span) + i * span->n_each - 1);
        size_t to = (size_t)(span->n_rows - span->n_sequences + i);
        memmove(s->x + to * width, s->x + from * width, width * sizeof *s->x);
        memmove(s->h + to * width, s->h + from * width, width * sizeof *s->h);
        s->way[to] = s->way[from];
    }
}

/* Keys and values are made for all rows; only the rows `on`, the last ones, go on. */
static void layer_forward(QbLlamaState *s, const QbOps *ops, const QbLlama *m, int i,
                          const Span *all, const Span *on)
{
    const QbLlamaLayer *l = &m->layers[i];
    const QbRows none = {0};
    int kv = m->n_kv_heads * m->head_dim, wide = m->n_heads * m->head_dim;
    int n = on->n_rows, first = all->n_rows - n;

    make_keys(s, ops, m, i, all);
    if (n == 0)
        return;
    if (first > 0)
        gather_last_rows(s, m, all);
    float *x = s->x + (ptrdiff_t)first * m->n_embd, *h = s->h + (ptrdiff_t)first * m->n_embd;
    qb_op_linear(ops, &l->q, s->q, wide, (QbRows){h, m->n_embd}, n, QB_ACT_NONE, none);
    rope(ops, m, s->q, m->n_heads, on);
    qb_op_attention(ops, &(QbAttentionLayer){
                             .q = {s->q, wide},
                             .k = {s->cache.k + qb_kv_cache_offset(&s->cache, i, 0), kv},
                             .v = {s->cache.v + qb_kv_cache_offset(&s->cache, i, 0), kv},
                             .y = s->attn,
                             .ldy = wide,
                             .n_query = n,
                             .n_key = on->end,
                             .n_heads = m->n_heads,
                             .n_kv_heads = m->n_kv_heads,
                             .head_dim = m->head_dim,
                             .first_visible = on->end - first_rows(on) + 1,
                             .scale = 1.0f / sqrtf((float)m->head_dim),
                             .n_sequences = on->n_sequences,
                             .n_shared = all->end - all->n_each,
                             .n_each = on->n_each,
                         });
    qb_op_linear(ops, &l->o, x, m->n_embd, (QbRows){s->attn, wide}, n, QB_ACT_NONE,
                 (QbRows){x, m->n_embd});
    norm(s, ops, m, i, FFN_NORM, first, all->n_rows);
    qb_op_linear(ops, &l->gate, s->gate, m->n_ff, (QbRows){h, m->n_embd}, n, QB_ACT_NONE, none);
    qb_op_linear(ops, &l->up, s->up, m->n_ff, (QbRows){h, m->n_embd}, n, QB_ACT_NONE, none);
    qb_op_silu_mul(ops, s->gate, s->up, n, m->n_ff);
    qb_op_linear(ops, &l->down, x, m->n_embd, (QbRows){s->gate, m->n_ff}, n, QB_ACT_NONE,
                 (QbRows){x, m->n_embd});
}

static void forward(QbLlamaState *s, const QbOps *ops, const QbLlama *m, const Span *all, bool read)
{
    int n_read = read ? all->n_sequences : 0;
    const Span last = {n_read, all->n_sequences, 1, all->end};
    assert(all->n_rows <= s->max_rows && s->cache.length + all->n_rows <= s->cache.capacity);
    assert(first_rows(all) == all->end - s->cache.length);
    for (int i = 0; i < m->n_layers; i++)
        layer_forward(s, ops, m, i, all, i == m->n_layers - 1 ? &last : all);
    s->cache.length = all->end;
    if (read)
        qb_op_rms_norm(ops, s->h, s->x + (ptrdiff_t)(all->n_rows - n_read) * m->n_embd,
                       m->output_norm, n_read, m->n_embd, m->norm_eps);
}

void qb_llama_forward(QbLlamaState *s, const QbOps *ops, const QbLlama *m, int n_rows,
                      int read_last)
{
    forward(s, ops, m, &(Span){n_rows, 1, 0, s->cache.length + n_rows}, read_last);
}

void qb_llama_forward_batch(QbLlamaState *s, const QbOps *ops, const QbLlama *m, int n_rows,
                            int n_sequences, int n_shared, int length)
{
    forward(s, ops, m, &(Span){n_rows, n_sequences, length - n_shared, length}, true);
}
