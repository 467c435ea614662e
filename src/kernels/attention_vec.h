/* attention_vec.h: one head's attention over a Vec. Queries go in groups of up to
 * QB_ATTENTION_ROWS, each with a row of scratch: scores of all keys, softmax, weighted sum of the
 * values. In which group a query is does not matter: a score is a dot product in VEC_LANES parts,
 * added up by one tree (vec_sum_each), and the values add up in the order of the keys. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_ATTENTION_VEC_H
#define QB_KERNELS_ATTENTION_VEC_H

#include "kernels/attention.h"
#include "kernels/vec_math.h"

#include <stdbool.h>
#include <string.h>

/* A tile of scores: TILE_QUERIES queries and as many keys as make VEC_LANES sums; one query has
 * VEC_LANES. */
enum { TILE_QUERIES = VEC_LANES / 4, VALUE_VECS = 2 };

/* VEC_LANES dimensions from d on, those of the mask unless whole. */
VEC_INLINE void score_step(Vec acc[VEC_LANES], const float *const *q, const float *const *k, int d,
                           const int queries, VecMask mask, const bool whole)
{
    const int keys = VEC_LANES / queries;
    Vec part[TILE_QUERIES];
    VEC_UNROLL
    for (int i = 0; i < queries; i++)
        part[i] = whole ? vec_load(q[i] + d) : vec_load_masked(q[i] + d, mask);
    VEC_UNROLL
    for (int j = 0; j < keys; j++) {
        Vec other = whole ? vec_load(k[j] + d) : vec_load_masked(k[j] + d, mask);
        VEC_UNROLL
        for (int i = 0; i < queries; i++)
            acc[i * keys + j] = vec_fmadd(part[i], other, acc[i * keys + j]);
    }
}

/* tile[q * keys + j] = scale * q[q] . k[j]. rows: where key 0 would lie if all keys lay as these
 * do. Keys from n on repeat the last one. */
VEC_INLINE void score_tile(float *tile, const QbAttention *a, const float *rows, int query, int key,
                           int n, const int queries)
{
    const int keys = VEC_LANES / queries;
    const float *q[TILE_QUERIES], *k[VEC_LANES];
    Vec acc[VEC_LANES];
    VEC_UNROLL
    for (int i = 0; i < queries; i++)
        q[i] = a->q + (query + i) * a->ldq;
    VEC_UNROLL
    for (int j = 0; j < keys; j++)
        k[j] = rows + (key + j < n ? key + j : n - 1) * a->ldk;
    VEC_UNROLL
    for (int t = 0; t < VEC_LANES; t++)
        acc[t] = vec_zero();
    int d = 0;
    for (; d + VEC_LANES <= a->head_dim; d += VEC_LANES)
        score_step(acc, q, k, d, queries, vec_mask(VEC_LANES), true);
    if (d < a->head_dim)
        score_step(acc, q, k, d, queries, vec_mask(a->head_dim - d), false);
    vec_store(tile, vec_mul(vec_sum_each(acc), vec_set(a->scale)));
}

/* scratch[i * ld + j] for the queries of a group and keys first … n - 1, which lie behind each
 * other; less than VEC_LANES more are written in a row. */
static void range_scores(const QbAttention *a, int query, int rows, int first, int n, ptrdiff_t ld)
{
    enum { TILE_KEYS = VEC_LANES / TILE_QUERIES };
    const float *k = a->k + (first < a->n_shared ? 0 : a->gap) * a->ldk;
    float tile[VEC_LANES];
    int i = 0;
    for (; i + TILE_QUERIES <= rows; i += TILE_QUERIES) {
        for (int key = first; key < n; key += TILE_KEYS) {
            score_tile(tile, a, k, query + i, key, n, TILE_QUERIES);
            for (int r = 0; r < TILE_QUERIES; r++)
                memcpy(a->scratch + (i + r) * ld + key, tile + r * TILE_KEYS,
                       TILE_KEYS * sizeof *tile);
        }
    }
    for (; i < rows; i++)
        for (int key = first; key < n; key += VEC_LANES)
            score_tile(a->scratch + i * ld + key, a, k, query + i, key, n, 1);
}

/* The same for keys 0 … n - 1. What the first part writes too much, the second one overwrites. */
static void group_scores(const QbAttention *a, int query, int rows, int n, ptrdiff_t ld)
{
    int n_shared = qb_attention_shared(a, n);
    range_scores(a, query, rows, 0, n_shared, ld);
    range_scores(a, query, rows, n_shared, n, ld);
}

/* scores[n] -> exp(score - largest), zeros from there up to `end`; returns 1 / their sum. */
static float exponentials(float *scores, int n, int end)
{
    Vec largest = vec_set(-INFINITY), sum = vec_zero();
    int whole = n / VEC_LANES * VEC_LANES;
    for (int j = 0; j < whole; j += VEC_LANES)
        largest = vec_max(largest, vec_load(scores + j));
    float top = vec_largest(largest);
    for (int j = whole; j < n; j++)
        top = fmaxf(top, scores[j]);
    for (int j = n; j < whole + VEC_LANES; j++)
        scores[j] = -INFINITY;
    for (int j = 0; j < n; j += VEC_LANES) {
        Vec e = vec_exp(vec_sub(vec_load(scores + j), vec_set(top)));
        vec_store(scores + j, e);
        sum = vec_add(sum, e);
    }
    for (int j = n; j < end; j++)
        scores[j] = 0.0f;
    return 1.0f / vec_sum(sum);
}

/* y[row + r][d …] = factor * sum over keys of scratch[row + r][key] * v[key][d …]: `rows` rows,
 * `vecs` vectors; of the last one the lanes of the mask unless whole. */
VEC_INLINE void value_tile(const QbAttention *a, int query, int row, int n, ptrdiff_t ld, int d,
                           const float *factor, const int rows, const int vecs, VecMask mask,
                           const bool whole)
{
    const float *v = a->v + d, *p = a->scratch + row * ld;
    Vec acc[QB_ATTENTION_ROWS][VALUE_VECS];
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        VEC_UNROLL
        for (int t = 0; t < vecs; t++)
            acc[r][t] = vec_zero();
    }
    for (int key = 0, end = qb_attention_shared(a, n);; end = n, v += a->gap * a->ldv) {
        for (; key < end; key++, v += a->ldv) {
            Vec value[VALUE_VECS];
            VEC_UNROLL
            for (int t = 0; t < vecs; t++)
                value[t] =
                    whole ? vec_load(v + t * VEC_LANES) : vec_load_masked(v + t * VEC_LANES, mask);
            VEC_UNROLL
            for (int r = 0; r < rows; r++) {
                Vec weight = vec_set(p[r * ld + key]);
                VEC_UNROLL
                for (int t = 0; t < vecs; t++)
                    acc[r][t] = vec_fmadd(weight, value[t], acc[r][t]);
            }
        }
        if (end == n)
            break;
    }
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        float *y = a->y + (query + row + r) * a->ldy + d;
        VEC_UNROLL
        for (int t = 0; t < vecs; t++) {
            Vec value = vec_mul(acc[r][t], vec_set(factor[row + r]));
            if (whole)
                vec_store(y + t * VEC_LANES, value);
            else
                vec_store_masked(y + t * VEC_LANES, value, mask);
        }
    }
}

/* `rows` rows of y. */
VEC_INLINE void value_rows(const QbAttention *a, int query, int row, int n, ptrdiff_t ld,
                           const float *factor, const int rows)
{
    enum { STEP = VALUE_VECS * VEC_LANES };
    const VecMask all = vec_mask(VEC_LANES);
    int d = 0;
    for (; d + STEP <= a->head_dim; d += STEP)
        value_tile(a, query, row, n, ld, d, factor, rows, VALUE_VECS, all, true);
    for (; d + VEC_LANES <= a->head_dim; d += VEC_LANES)
        value_tile(a, query, row, n, ld, d, factor, rows, 1, all, true);
    if (d < a->head_dim)
        value_tile(a, query, row, n, ld, d, factor, rows, 1, vec_mask(a->head_dim - d), false);
}

static void attention(const QbAttention *a)
{
    const ptrdiff_t ld = (ptrdiff_t)(qb_attention_scratch(a->n_key) / QB_ATTENTION_ROWS);
    for (int query = 0; query < a->n_query; query += QB_ATTENTION_ROWS) {
        int rows = a->n_query - query < QB_ATTENTION_ROWS ? a->n_query - query : QB_ATTENTION_ROWS;
        int n = qb_attention_visible(a, query + rows -
                                            1); /* the most that any query of the group sees */
        float factor[QB_ATTENTION_ROWS];
        if (n > 0)
            group_scores(a, query, rows, n, ld);
        for (int i = 0; i < rows; i++) {
            int visible = qb_attention_visible(a, query + i);
            if (visible > 0)
                factor[i] = exponentials(a->scratch + i * ld, visible, n);
            else { /* no key: zeros */
                factor[i] = 0.0f;
                for (int j = 0; j < n; j++)
                    a->scratch[i * ld + j] = 0.0f;
            }
        }
        int row = 0;
        for (; row + VALUE_ROWS <= rows; row += VALUE_ROWS)
            value_rows(a, query, row, n, ld, factor, VALUE_ROWS);
        for (; row < rows; row++)
            value_rows(a, query, row, n, ld, factor, 1);
    }
}

#endif
