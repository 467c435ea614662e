/* matmul_quant_vec.h: the matrix products of weights of whole numbers over a Vec; behind
 * matmul_vec.h. A stretch of 256 k of a few panels is first brought into one form, fours of bytes
 * and float scales, that stays in the first-level cache while all rows pass by; q8_0's are in it
 * already, q5_k and q6_k need their scales alone.
 *
 * The *_<isa>.c defines QUANT_ROWS (rows of a tile of TILE_PANELS panels, at most 6), QUANT_UNROLL
 * (VEC_UNROLL where that helps, or nothing), the type VecInt of VEC_LANES 32-bit sums, one a
 * column, and, form being a constant,
 *   quant_split(low, high, q)      VEC_LANES columns of halves of bytes into two of bytes
 *   quant_load(q, form)            VEC_LANES columns of 4 bytes
 *   quant_sum(sums, first, second) in every lane: sums[0] * first + sums[1] * second
 *   quant_offset(form)             what quant_dot's weights are too large by
 *   quant_dot(acc, w, a, form)     plus the products of 4 consecutive k, a: 4 bytes in an int
 *   quant_float(acc)               as floats
 * all exact. The float operations of a block are those of the reference, in its order, so every
 * level gives its bits. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_MATMUL_QUANT_VEC_H
#define QB_KERNELS_MATMUL_QUANT_VEC_H

enum {
    QUANT_PASS_ROWS = 96, /* rows that share a stretch of weights */
    STRETCH = QB_K_SUBS,  /* in blocks of 32 */
    FOUR_BYTES = sizeof(QbFour),
    BLOCK_BYTES = QB_Q8_FOURS * FOUR_BYTES
};

/* A stretch of one panel: block b has its bytes at q + b * q_step, its scales at scale + b *
 * scale_step; behind a block's QB_PANEL scales are the second ones of q6_k, the minimums of q4_k
 * and q5_k. */
typedef struct Stretch {
    const uint8_t *q;
    const float *scale;
    ptrdiff_t q_step, scale_step;
} Stretch;

typedef struct StretchRoom {
    uint8_t q[STRETCH][BLOCK_BYTES];
    float scale[STRETCH][2][QB_PANEL];
} StretchRoom;

/* ---- into the common form ---------------------------------------------------------------------
 */

VEC_INLINE void split_block(uint8_t *out, const QbFour *in)
{
    VEC_UNROLL
    for (int i = 0; i < BLOCK_BYTES / 2; i += VEC_LANES * 4)
        quant_split(out + i, out + BLOCK_BYTES / 2 + i, (const uint8_t *)in + i);
}

VEC_INLINE void scale_block(float *out, const uint16_t *d, const uint8_t *factor)
{
    VEC_UNROLL
    for (int c = 0; c < QB_PANEL; c += VEC_LANES)
        vec_store(out + c, vec_mul(vec_load_half(d + c), vec_load_uint8(factor + c)));
}

/* Block b to b + n_blocks - 1 of a panel; b is a multiple of STRETCH. */
VEC_INLINE Stretch quant_stretch(StretchRoom *room, const char *panel, int b, int n_blocks,
                                 const QuantForm form)
{
    Stretch s = {room->q[0], room->scale[0][0], BLOCK_BYTES, 2 * QB_PANEL};
    if (form == FORM_Q8_0) {
        const QbPackedQ8Block *block = (const QbPackedQ8Block *)panel + b;
        return (Stretch){block->q[0][0], block->scale, sizeof *block,
                         sizeof *block / sizeof(float)};
    }
    if (form == FORM_Q4_0) {
        const QbPackedQ4Block *block = (const QbPackedQ4Block *)panel + b;
        for (int j = 0; j < n_blocks; j++, block++) {
            split_block(room->q[j], block->q);
            for (int c = 0; c < QB_PANEL; c += VEC_LANES)
                vec_store(room->scale[j][0] + c, vec_load_half(block->scale + c));
        }
        return s;
    }
    if (form == FORM_Q6_K) {
        const QbPackedQ6KBlock *block = (const QbPackedQ6KBlock *)panel + b / STRETCH;
        for (int i = 0; i < STRETCH * 2 * QB_PANEL; i += VEC_LANES)
            vec_store(room->scale[0][0] + i, vec_mul(vec_load_half(block->d + i % QB_PANEL),
                                                     vec_load_int8(block->scale[0][0] + i)));
        s.q = block->q[0][0][0];
        return s;
    }
    const QbPackedQ4KBlock *four = (const QbPackedQ4KBlock *)panel + b / STRETCH;
    const QbPackedQ5KBlock *five = (const QbPackedQ5KBlock *)panel + b / STRETCH;
    const QbPackedKScales *scales = form == FORM_Q4_K ? &four->s : &five->s;
    for (int j = 0; j < STRETCH; j++) {
        scale_block(room->scale[j][0], scales->d, scales->scale[j]);
        scale_block(room->scale[j][1], scales->dmin, scales->min[j]);
        if (form == FORM_Q4_K)
            split_block(room->q[j], four->q[j]);
    }
    if (form == FORM_Q5_K)
        s.q = five->q[0][0][0];
    return s;
}

/* ---- tiles ------------------------------------------------------------------------------------
 */

/* A tile's rows of A in a stretch. */
typedef struct QuantRows {
    const int8_t *q;
    const float *scale;
    const int16_t *sum;
    ptrdiff_t n_blocks; /* of a whole row */
} QuantRows;

/* Fours first … last - 1 of a block, on top of acc. */
VEC_INLINE void quant_fours(VecInt acc[][MAX_VECS], const Stretch *w, const QuantRows *a, int b,
                            const int first, const int last, const int rows, const int vecs,
                            const QuantForm form)
{
    QUANT_UNROLL
    for (int j = first; j < last; j++) {
        VecInt weights[MAX_VECS];
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            weights[v] = quant_load(w[v / PANEL_VECS].q + b * w[v / PANEL_VECS].q_step +
                                        j * FOUR_BYTES + v % PANEL_VECS * VEC_LANES * 4,
                                    form);
        VEC_UNROLL
        for (int r = 0; r < rows; r++) {
            int four;
            memcpy(&four, a->q + (r * a->n_blocks + b) * QB_Q8_BLOCK + j * 4, sizeof four);
            VEC_UNROLL
            for (int v = 0; v < vecs; v++)
                acc[r][v] = quant_dot(acc[r][v], weights[v], four, form);
        }
    }
}

VEC_INLINE void quant_start(VecInt acc[][MAX_VECS], const QuantRows *a, int b, const int first,
                            const int second, const int rows, const int vecs)
{
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        VecInt start = quant_sum(a->sum + (r * a->n_blocks + b) * 2, first, second);
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            acc[r][v] = start;
    }
}

VEC_INLINE void quant_block(Vec sum[][MAX_VECS], const Stretch *w, const QuantRows *a, int b,
                            const int rows, const int vecs, const QuantForm form)
{
    const int offset = quant_offset(form), half = QB_Q8_FOURS / 2;
    VecInt acc[QUANT_ROWS][MAX_VECS], more[QUANT_ROWS][MAX_VECS];
    if (form == FORM_Q6_K) {
        quant_start(acc, a, b, -offset, 0, rows, vecs);
        quant_fours(acc, w, a, b, 0, half, rows, vecs, form);
        quant_start(more, a, b, 0, -offset, rows, vecs);
        quant_fours(more, w, a, b, half, QB_Q8_FOURS, rows, vecs, form);
    } else {
        quant_start(acc, a, b, -offset, -offset, rows, vecs);
        quant_fours(acc, w, a, b, 0, QB_Q8_FOURS, rows, vecs, form);
        if (form == FORM_Q4_K || form == FORM_Q5_K)
            quant_start(more, a, b, -1, -1, rows, vecs);
    }
    VEC_UNROLL
    for (int v = 0; v < vecs; v++) {
        const float *at =
            w[v / PANEL_VECS].scale + b * w[v / PANEL_VECS].scale_step + v % PANEL_VECS * VEC_LANES;
        VEC_UNROLL
        for (int r = 0; r < rows; r++) {
            Vec part = vec_mul(quant_float(acc[r][v]), vec_load(at));
            if (form == FORM_Q4_K || form == FORM_Q5_K || form == FORM_Q6_K)
                part = vec_fmadd(quant_float(more[r][v]), vec_load(at + QB_PANEL), part);
            sum[r][v] = vec_fmadd(part, vec_set(a->scale[r * a->n_blocks + b]), sum[r][v]);
        }
    }
}

/* at->k_first, k_last count blocks. rows, panels and form are constants where this is expanded. */
VEC_INLINE void quant_tile(const QbGemm *g, const Place *at, const Stretch *w, const int rows,
                           const int panels, const QuantForm form)
{
    const int vecs = panels * PANEL_VECS;
    const ptrdiff_t n_blocks = g->k / QB_Q8_BLOCK, from = at->row * n_blocks + at->k_first;
    const QuantRows a = {g->a_q8 + from * QB_Q8_BLOCK, g->a_scale + from, g->a_sum + 2 * from,
                         n_blocks};
    Vec sum[QUANT_ROWS][MAX_VECS];
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            sum[r][v] = at->k_first ? vec_load(at->sums + (r * vecs + v) * VEC_LANES) : vec_zero();
    }
    for (int b = 0; b < at->k_last - at->k_first; b++)
        quant_block(sum, w, &a, b, rows, vecs, form);
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            vec_store(at->sums + (r * vecs + v) * VEC_LANES, sum[r][v]);
    }
}

/* The switch turns the height of a tile into a constant. */
#define QUANT_CASE(rows, panels, form)                                     \
    case rows:                                                             \
        quant_tile(g, at, w, rows <= QUANT_ROWS ? rows : 1, panels, form); \
        break;
#define DEFINE_QUANT_TILE(name, panels, form)                                                      \
    static __attribute__((noinline)) void name(const QbGemm *g, const Place *at, const Stretch *w, \
                                               int rows)                                           \
    {                                                                                              \
        switch (rows) {                                                                            \
            QUANT_CASE(1, panels, form)                                                            \
            QUANT_CASE(2, panels, form)                                                            \
            QUANT_CASE(3, panels, form)                                                            \
            QUANT_CASE(4, panels, form)                                                            \
            QUANT_CASE(5, panels, form)                                                            \
            QUANT_CASE(6, panels, form)                                                            \
        }                                                                                          \
    }
typedef void (*QuantTile)(const QbGemm *g, const Place *at, const Stretch *w, int rows);

/* ---- products ---------------------------------------------------------------------------------
 */

/* Some rows of one group of panels, one stretch of k after the other. panels and form are constants
 * where this is expanded. */
VEC_INLINE void quant_group(const QbGemm *g, int first, int rows, int column, QuantTile do_tile,
                            const size_t panel_bytes, const int panels, const QuantForm form)
{
    _Alignas(64) StretchRoom room[TILE_PANELS];
    _Alignas(64) float sums[QUANT_PASS_ROWS * TILE_PANELS * QB_PANEL];
    const int n_blocks = g->k / QB_Q8_BLOCK, tiles = (rows + QUANT_ROWS - 1) / QUANT_ROWS;
    const char *panel = (const char *)g->packed + (size_t)(column / QB_PANEL) * panel_bytes;
    for (int b = 0; b < n_blocks; b += STRETCH) {
        const int b_last = n_blocks - b > STRETCH ? b + STRETCH : n_blocks;
        Stretch w[TILE_PANELS];
        for (int p = 0; p < panels; p++)
            w[p] = quant_stretch(&room[p], panel + (size_t)p * panel_bytes, b, b_last - b, form);
        for (int t = 0; t < tiles; t++) {
            int begin = rows * t / tiles, height = rows * (t + 1) / tiles - begin;
            Place at = {.row = first + begin,
                        .column = column,
                        .k_first = b,
                        .k_last = b_last,
                        .sums = sums + begin * panels * QB_PANEL};
            do_tile(g, &at, w, height);
            if (b_last == n_blocks)
                finish(g, &at, height, panels * QB_PANEL);
        }
    }
}

VEC_INLINE void quant_gemm(const QbGemm *g, QuantTile narrow, QuantTile wide,
                           const size_t panel_bytes, const QuantForm form)
{
    for (int first = 0; first < g->m; first += QUANT_PASS_ROWS) {
        int rows = g->m - first > QUANT_PASS_ROWS ? QUANT_PASS_ROWS : g->m - first;
        int column = 0;
        for (; column + (TILE_PANELS - 1) * QB_PANEL < g->n; column += TILE_PANELS * QB_PANEL)
            quant_group(g, first, rows, column, wide, panel_bytes, TILE_PANELS, form);
        for (; column < g->n; column += QB_PANEL)
            quant_group(g, first, rows, column, narrow, panel_bytes, 1, form);
    }
}

#define DEFINE_QUANT_GEMM(type, values, packed_block, form)                        \
    DEFINE_QUANT_TILE(narrow_##type, 1, form)                                      \
    DEFINE_QUANT_TILE(wide_##type, TILE_PANELS, form)                              \
    static void gemm_##type(const QbGemm *g)                                       \
    {                                                                              \
        const size_t panel_bytes = (size_t)g->k / (values) * sizeof(packed_block); \
        quant_gemm(g, narrow_##type, wide_##type, panel_bytes, form);              \
    }
DEFINE_QUANT_GEMM(q8_0, QB_Q8_BLOCK, QbPackedQ8Block, FORM_Q8_0)
DEFINE_QUANT_GEMM(q4_0, QB_Q8_BLOCK, QbPackedQ4Block, FORM_Q4_0)
DEFINE_QUANT_GEMM(q4_k, QB_Q8_BLOCK *QB_K_SUBS, QbPackedQ4KBlock, FORM_Q4_K)
DEFINE_QUANT_GEMM(q5_k, QB_Q8_BLOCK *QB_K_SUBS, QbPackedQ5KBlock, FORM_Q5_K)
DEFINE_QUANT_GEMM(q6_k, QB_Q8_BLOCK *QB_K_SUBS, QbPackedQ6KBlock, FORM_Q6_K)

#endif
