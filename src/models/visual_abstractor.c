/* visual_abstractor.c: the visual abstractor of mPLUG-Owl2 (Ye et al. 2023, arXiv 2311.04257,
 * section 3; upstream's visual_encoder.py).
 *
 *   x = the learned queries; X = the tower's rows, the same for every layer
 *   each layer:
 *     a  = LN_q(x);  kv = a, then LN_kv(X)
 *     q  = Wq (a + pos);  k = Wk (kv + pos);  v = Wv kv        no positions in v
 *     x  = a + Wo attention(q, k, v)      to the NORMED queries, as upstream has it, not to x
 *     x += W2 LN_ffn(silu(W1 n) * W3 n)   n = LN_2(x)
 *
 * Positions are sines and cosines: of the query's number; of the class token zeros; of a patch its
 * column in the first half and its row in the second. Files may leave them out. */
// SPDX-License-Identifier: Apache-2.0
#include "models/visual_abstractor.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const float NORM_EPS = 1e-5f; /* PyTorch's default, whatever the configuration says */

/* ---- positions --------------------------------------------------------------------------------
 */

/* In float, as upstream computes them: y[n] = sin(p w_0) …, cos(p w_0) …, w_i = 10000^(-2i / n). */
static void sines(float *y, int n, int position)
{
    int half = n / 2;
    for (int i = 0; i < half; i++) {
        float angle = (float)position * (1.0f / powf(10000.0f, (float)i / (float)half));
        y[i] = sinf(angle);
        y[half + i] = cosf(angle);
    }
}

static void query_positions(float *y, const QbAbstractor *m)
{
    for (int i = 0; i < m->n_queries; i++)
        sines(y + (ptrdiff_t)i * m->width, m->width, i);
}

static void patch_positions(float *y, const QbAbstractor *m, int grid)
{
    int half = m->width / 2;
    memset(y, 0, (size_t)m->width * sizeof *y); /* the class token */
    for (int i = 0; i < grid * grid; i++) {
        float *row = y + (ptrdiff_t)(1 + i) * m->width;
        sines(row, half, i % grid);
        sines(row + half, half, i / grid);
    }
}

static QbStatus copy_positions(float *y, const QbLoader *loader, size_t n, const char *name, int i)
{
    const float *file;
    QbStatus status = qb_load_vector(&file, loader, n, "a.blk.%d.%s.weight", i, name);
    if (!status)
        memcpy(y, file, n * sizeof *y);
    return status;
}

/* The file's; or computed, once for all layers (*shared, NULL at first). */
static QbStatus load_positions(QbAbstractorLayer *l, float **shared, const QbLoader *loader,
                               const QbAbstractor *m, int grid, int i)
{
    size_t width = (size_t)m->width, n_query_values = (size_t)m->n_queries * width;
    size_t n_memory_values = (size_t)m->n_memory * width;
    bool has_q = qb_loader_has(loader, "a.blk.%d.q_pos.weight", i);
    bool has_k = qb_loader_has(loader, "a.blk.%d.k_pos.weight", i);
    float *pos = has_q || has_k ? NULL : *shared;
    l->pos = pos;
    if (pos)
        return QB_OK;
    if ((!has_q || !has_k) && m->width % 4)
        return qb_fail(QB_ERR_FORMAT, "%s: a.blk.%d has no positions, and a width of %d gives none",
                       qb_gguf_name(loader->gguf), i, m->width);
    if (!(pos = qb_store_take(loader->store, n_query_values + n_memory_values, sizeof *pos)))
        return QB_ERR_NOMEM;
    QbStatus status = QB_OK;
    if (has_q)
        status = copy_positions(pos, loader, n_query_values, "q_pos", i);
    else
        query_positions(pos, m);
    if (has_k && !status)
        status = copy_positions(pos + n_query_values, loader, n_memory_values, "k_pos", i);
    else if (!has_k)
        patch_positions(pos + n_query_values, m, grid);
    if (!has_q && !has_k)
        *shared = pos;
    l->pos = pos;
    return status;
}

/* ---- loading ----------------------------------------------------------------------------------
 */

static QbStatus load_norm(const float **w, const float **b, const QbLoader *loader, int n, int i,
                          const char *name)
{
    QbStatus status = qb_load_vector(w, loader, (size_t)n, "a.blk.%d.%s.weight", i, name);
    return status ? status : qb_load_vector(b, loader, (size_t)n, "a.blk.%d.%s.bias", i, name);
}

static QbStatus load_linear(QbLinear *out, const QbLoader *loader, int n, int k, int i,
                            const char *name)
{
    return qb_load_linear(out, loader, QB_LOAD_BIAS, n, k, "a.blk.%d.%s", i, name);
}

static QbStatus load_layer(QbAbstractorLayer *l, const QbLoader *loader, const QbAbstractor *m,
                           int i)
{
    int w = m->width, ff = m->n_ff;
    QbStatus status;
    (void)((status = load_norm(&l->ln_q_w, &l->ln_q_b, loader, w, i, "ln_q")) ||
           (status = load_norm(&l->ln_kv_w, &l->ln_kv_b, loader, w, i, "ln_kv")) ||
           (status = load_linear(&l->q, loader, w, w, i, "attn_q")) ||
           (status = load_linear(&l->k, loader, w, w, i, "attn_k")) ||
           (status = load_linear(&l->v, loader, w, w, i, "attn_v")) ||
           (status = load_linear(&l->o, loader, w, w, i, "attn_out")) ||
           (status = load_norm(&l->ln2_w, &l->ln2_b, loader, w, i, "ln2")) ||
           (status = load_linear(&l->gate, loader, ff, w, i, "ffn_gate")) ||
           (status = load_linear(&l->up, loader, ff, w, i, "ffn_up")) ||
           (status = load_norm(&l->ffn_ln_w, &l->ffn_ln_b, loader, ff, i, "ffn_ln")) ||
           (status = load_linear(&l->down, loader, w, ff, i, "ffn_down")));
    return status;
}

static QbStatus load_shape(QbAbstractor *m, const QbLoader *loader, const char *prefix, int width)
{
    char part[64], key[96];
    snprintf(part, sizeof part, "%s.abstractor", prefix);
    snprintf(key, sizeof key, "%s.layer_norm_epsilon", part);
    m->ffn_eps = 1e-6f;
    QbStatus status;
    if ((status = qb_load_int(&m->n_layers, loader, 1, 512, part, "block_count")) ||
        (status = qb_load_int(&m->width, loader, 1, 16384, part, "embedding_length")) ||
        (status = qb_load_int(&m->n_ff, loader, 1, 65536, part, "feed_forward_length")) ||
        (status = qb_load_int(&m->n_queries, loader, 1, 4096, part, "query_count")) ||
        (status = qb_load_int(&m->n_heads, loader, 1, 1024, part, "attention.head_count")) ||
        (status = qb_gguf_get_f32_or(&m->ffn_eps, loader->gguf, key)))
        return status;
    if (m->width != width || m->width % m->n_heads || !(m->ffn_eps > 0 && m->ffn_eps < 1))
        return qb_fail(
            QB_ERR_FORMAT,
            "%s: an abstractor of width %d with %d heads on a tower of width %d, norm epsilon %g",
            qb_gguf_name(loader->gguf), m->width, m->n_heads, width, (double)m->ffn_eps);
    return QB_OK;
}

QbStatus qb_abstractor_load(QbAbstractor *m, const QbLoader *loader, const char *prefix, int width,
                            int grid)
{
    *m = (QbAbstractor){.n_memory = 1 + grid * grid};
    QbStatus status = load_shape(m, loader, prefix, width);
    if (status)
        return status;
    float *shared = NULL;
    m->layers = qb_store_take(loader->store, (size_t)m->n_layers, sizeof *m->layers);
    if (!m->layers)
        return QB_ERR_NOMEM;
    status = qb_load_vector(&m->queries, loader, (size_t)m->n_queries * (size_t)m->width,
                            "a.query.weight");
    for (int i = 0; i < m->n_layers && !status; i++)
        (void)((status = load_layer(&m->layers[i], loader, m, i)) ||
               (status = load_positions(&m->layers[i], &shared, loader, m, grid, i)));
    return status;
}

/* ---- running ----------------------------------------------------------------------------------
 */

void qb_abstractor_layout(QbAbstractorState *s, QbOps *ops, QbArena *arena, const QbAbstractor *m)
{
    size_t queries = (size_t)m->n_queries, keys = queries + (size_t)m->n_memory;
    size_t row_bytes = (size_t)m->width * sizeof(float);
    float **small[] = {&s->x, &s->q, &s->attn}, **large[] = {&s->kv, &s->kv_pos, &s->k, &s->v};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        *small[i] = qb_arena_take(arena, queries, row_bytes);
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        *large[i] = qb_arena_take(arena, keys, row_bytes);
    s->gate = qb_arena_take(arena, queries * (size_t)m->n_ff, sizeof(float));
    s->up = qb_arena_take(arena, queries * (size_t)m->n_ff, sizeof(float));
    qb_ops_want_attention(ops, (int)keys);
    for (int i = 0; i < m->n_layers; i++) {
        const QbAbstractorLayer *l = &m->layers[i];
        const QbLinear *all[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            qb_ops_want_linear(ops, all[j], (int)keys);
    }
}

typedef struct {
    float *y;
    const float *a, *b;
    int n;
} AddJob;

static void add_rows(int begin, int end, int thread, void *user)
{
    (void)thread;
    const AddJob *job = user;
    for (ptrdiff_t i = (ptrdiff_t)begin * job->n; i < (ptrdiff_t)end * job->n; i++)
        job->y[i] = job->a[i] + job->b[i];
}

/* y = a + b, [m][n]. */
static void add(const QbOps *ops, float *y, const float *a, const float *b, int m, int n)
{
    AddJob job = {y, a, b, n};
    qb_pool_run(ops->pool, add_rows, &job, m, 16);
}

/* s->kv, whose first rows are the normed queries -> s->attn. */
static void attend(QbAbstractorState *s, const QbOps *ops, const QbAbstractor *m,
                   const QbAbstractorLayer *l)
{
    const QbRows none = {0};
    int n = m->n_queries, keys = n + m->n_memory, w = m->width, head_dim = w / m->n_heads;
    add(ops, s->kv_pos, s->kv, l->pos, keys, w);
    qb_op_linear(ops, &l->q, s->q, w, (QbRows){s->kv_pos, w}, n, QB_ACT_NONE, none);
    qb_op_linear(ops, &l->k, s->k, w, (QbRows){s->kv_pos, w}, keys, QB_ACT_NONE, none);
    qb_op_linear(ops, &l->v, s->v, w, (QbRows){s->kv, w}, keys, QB_ACT_NONE, none);
    qb_op_attention(ops, &(QbAttentionLayer){
                             .q = {s->q, w},
                             .k = {s->k, w},
                             .v = {s->v, w},
                             .y = s->attn,
                             .ldy = w,
                             .n_query = n,
                             .n_key = keys,
                             .n_heads = m->n_heads,
                             .n_kv_heads = m->n_heads,
                             .head_dim = head_dim,
                             .first_visible = -1,
                             .scale = 1.0f / sqrtf((float)head_dim),
                         });
}

static void layer_forward(QbAbstractorState *s, const QbOps *ops, const QbAbstractor *m,
                          const QbAbstractorLayer *l, const float *memory)
{
    const QbRows none = {0};
    int n = m->n_queries, w = m->width, ff = m->n_ff;
    qb_op_layer_norm(ops, s->kv, s->x, l->ln_q_w, l->ln_q_b, n, w, NORM_EPS);
    qb_op_layer_norm(ops, s->kv + (ptrdiff_t)n * w, memory, l->ln_kv_w, l->ln_kv_b, m->n_memory, w,
                     NORM_EPS);
    attend(s, ops, m, l);
    qb_op_linear(ops, &l->o, s->x, w, (QbRows){s->attn, w}, n, QB_ACT_NONE, (QbRows){s->kv, w});

    QbRows h = {s->q, w};
    qb_op_layer_norm(ops, s->q, s->x, l->ln2_w, l->ln2_b, n, w, NORM_EPS);
    qb_op_linear(ops, &l->gate, s->gate, ff, h, n, QB_ACT_NONE, none);
    qb_op_linear(ops, &l->up, s->up, ff, h, n, QB_ACT_NONE, none);
    qb_op_silu_mul(ops, s->gate, s->up, n, ff);
    qb_op_layer_norm(ops, s->gate, s->gate, l->ffn_ln_w, l->ffn_ln_b, n, ff, m->ffn_eps);
    qb_op_linear(ops, &l->down, s->x, w, (QbRows){s->gate, ff}, n, QB_ACT_NONE, (QbRows){s->x, w});
}

void qb_abstractor_forward(QbAbstractorState *s, const QbOps *ops, const QbAbstractor *m,
                           const float *memory)
{
    memcpy(s->x, m->queries, (size_t)m->n_queries * (size_t)m->width * sizeof *s->x);
    for (int i = 0; i < m->n_layers; i++)
        layer_forward(s, ops, m, &m->layers[i], memory);
}
