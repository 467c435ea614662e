/* matmul_q8_vec.h: the Q8_0 matrix product over a Vec; behind matmul_vec.h. The *_<isa>.c defines
 * Q8_ROWS (rows of a tile of TILE_PANELS panels), Q8_SLIM_ROWS (of SLIM_PANELS), the type VecInt of
 * VEC_LANES 32-bit sums, one a column, and q8_load(w)          VEC_LANES columns of 4 bytes
 *   q8_start(w)         the sums of a block before its first product; w: its VEC_LANES columns
 *   q8_dot(acc, w, a)   plus the products of 4 consecutive k: w [VEC_LANES][4] bytes, a 4 bytes in
 * an int q8_float(acc)       as floats all exact. A block's float sum is one fma, in the order of
 * the blocks, so every level gives the bits of the reference. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_MATMUL_Q8_VEC_H
#define QB_KERNELS_MATMUL_Q8_VEC_H

enum { Q8_BLOCK_ROWS = 48, Q8_GROUPS = QB_Q8_BLOCK / 4 };

VEC_INLINE void q8_block(Vec sum[][MAX_VECS], const QbPackedQ8Block *const *w, const int8_t *a,
                         ptrdiff_t lda, const float *a_scale, ptrdiff_t n_blocks, const int rows,
                         const int vecs)
{
    VecInt acc[TILE_ROWS][MAX_VECS];
    VEC_UNROLL
    for (int v = 0; v < vecs; v++) {
        VecInt start = q8_start(&w[v / PANEL_VECS]->q[0][v % PANEL_VECS * VEC_LANES][0]);
        VEC_UNROLL
        for (int r = 0; r < rows; r++)
            acc[r][v] = start;
    }
    for (int j = 0; j < Q8_GROUPS; j++) {
        VecInt weights[MAX_VECS];
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            weights[v] = q8_load(&w[v / PANEL_VECS]->q[j][v % PANEL_VECS * VEC_LANES][0]);
        VEC_UNROLL
        for (int r = 0; r < rows; r++) {
            int four;
            memcpy(&four, a + r * lda + j * 4, sizeof four);
            VEC_UNROLL
            for (int v = 0; v < vecs; v++)
                acc[r][v] = q8_dot(acc[r][v], weights[v], four);
        }
    }
    VEC_UNROLL
    for (int v = 0; v < vecs; v++) {
        Vec scale = vec_load(&w[v / PANEL_VECS]->scale[v % PANEL_VECS * VEC_LANES]);
        VEC_UNROLL
        for (int r = 0; r < rows; r++)
            sum[r][v] = vec_fmadd(q8_float(acc[r][v]),
                                  vec_mul(vec_set(a_scale[r * n_blocks]), scale), sum[r][v]);
    }
}

/* rows and panels are constants where this is expanded. */
VEC_INLINE void q8_tile(const QbGemm *g, const Place *at, const int rows, const int panels)
{
    const int vecs = panels * PANEL_VECS;
    const ptrdiff_t n_blocks = g->k / QB_Q8_BLOCK;
    const int8_t *a = g->a_q8 + (ptrdiff_t)at->row * g->k;
    const float *a_scale = g->a_scale + at->row * n_blocks;
    const QbPackedQ8Block *w[SLIM_PANELS];
    Vec sum[TILE_ROWS][MAX_VECS];
    VEC_UNROLL
    for (int p = 0; p < panels; p++)
        w[p] = (const QbPackedQ8Block *)g->packed + (at->column / QB_PANEL + p) * n_blocks;
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            sum[r][v] = vec_zero();
    }
    for (ptrdiff_t b = 0; b < n_blocks; b++) {
        q8_block(sum, w, a + b * QB_Q8_BLOCK, g->k, a_scale + b, n_blocks, rows, vecs);
        VEC_UNROLL
        for (int p = 0; p < panels; p++)
            w[p]++;
    }
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            vec_store(at->sums + (r * vecs + v) * VEC_LANES, sum[r][v]);
    }
}

/* The switch turns the height of a tile into a constant. */
#define Q8_CASE(rows, max_rows, panels)                      \
    case rows:                                               \
        q8_tile(g, at, rows <= max_rows ? rows : 1, panels); \
        break;
#define DEFINE_Q8_TILE(name, max_rows, panels)                                             \
    static __attribute__((noinline)) void name(const QbGemm *g, const Place *at, int rows) \
    {                                                                                      \
        switch (rows) {                                                                    \
            Q8_CASE(1, max_rows, panels)                                                   \
            Q8_CASE(2, max_rows, panels)                                                   \
            Q8_CASE(3, max_rows, panels)                                                   \
            Q8_CASE(4, max_rows, panels)                                                   \
            Q8_CASE(5, max_rows, panels)                                                   \
            Q8_CASE(6, max_rows, panels)                                                   \
        }                                                                                  \
        finish(g, at, rows, panels *QB_PANEL);                                             \
    }
DEFINE_Q8_TILE(q8_narrow, Q8_ROWS, 1)
DEFINE_Q8_TILE(q8_wide, Q8_ROWS, TILE_PANELS)
DEFINE_Q8_TILE(q8_slim, Q8_SLIM_ROWS, SLIM_PANELS)

static void q8_panel_group(const QbGemm *g, int first, int rows, int column, Tile do_tile,
                           int max_rows)
{
    float sums[TILE_ROWS * MAX_VECS * VEC_LANES];
    int tiles = (rows + max_rows - 1) / max_rows;
    for (int t = 0; t < tiles; t++) {
        int begin = rows * t / tiles, height = rows * (t + 1) / tiles - begin;
        Place at = {.row = first + begin, .column = column, .sums = sums};
        do_tile(g, &at, height);
    }
}

static void gemm_q8_0(const QbGemm *g)
{
    for (int first = 0; first < g->m; first += Q8_BLOCK_ROWS) {
        int rows = g->m - first > Q8_BLOCK_ROWS ? Q8_BLOCK_ROWS : g->m - first;
        int column = 0;
        if (rows <= Q8_SLIM_ROWS)
            for (; column + (SLIM_PANELS - 1) * QB_PANEL < g->n; column += SLIM_PANELS * QB_PANEL)
                q8_panel_group(g, first, rows, column, q8_slim, Q8_SLIM_ROWS);
        for (; column + (TILE_PANELS - 1) * QB_PANEL < g->n; column += TILE_PANELS * QB_PANEL)
            q8_panel_group(g, first, rows, column, q8_wide, Q8_ROWS);
        for (; column < g->n; column += QB_PANEL)
            q8_panel_group(g, first, rows, column, q8_narrow, Q8_ROWS);
    }
}

#endif
