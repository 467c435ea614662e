/* matmul_vec.h: the float matrix products over a Vec. Before including it a *_<isa>.c includes its
 * vec_<isa>.h and defines the shapes of the register tiles:
 *   TILE_ROWS x TILE_PANELS  for many rows;  SLIM_ROWS x SLIM_PANELS  for at most SLIM_ROWS rows.
 * Whatever the tile, an element is summed by fma in the order of k from zero, so the split of rows
 * (and the level, up to the activation) never shows in a result. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_MATMUL_VEC_H
#define QB_KERNELS_MATMUL_VEC_H

#include "kernels/vec_math.h"

#include <stdbool.h>
#include <string.h>

enum {
    PANEL_VECS = QB_PANEL / VEC_LANES,
    MAX_VECS = SLIM_PANELS * PANEL_VECS,
    /* Rows that share a pass over the weights, and how much of k they share at a time: a group of
     * panels (64 KiB of f32) and the rows (288 KiB) fit the second-level cache together. */
    BLOCK_ROWS = 144,
    BLOCK_DEPTH = 512
};

typedef enum WeightType { WEIGHT_F32, WEIGHT_F16, WEIGHT_BF16 } WeightType;

/* LANES weights from element i on. */
VEC_INLINE Vec load_weights(const void *packed, ptrdiff_t i, WeightType type)
{
    if (type == WEIGHT_F32)
        return vec_load((const float *)packed + i);
    if (type == WEIGHT_F16)
        return vec_load_half((const uint16_t *)packed + i);
    return vec_load_bfloat((const uint16_t *)packed + i);
}

/* The types of matmul_quant_vec.h. */
typedef enum QuantForm { FORM_Q8_0, FORM_Q4_0, FORM_Q4_K, FORM_Q5_K, FORM_Q6_K } QuantForm;

/* Where a tile is: rows and columns of C, a stretch of k and A's values in it. */
typedef struct Place {
    int row, column;
    int k_first, k_last;
    const float *a; /* [rows][lda], from k_first on */
    ptrdiff_t lda;
    float *sums; /* [rows][panels * QB_PANEL]: of the stretches before, then of this one too */
    bool direct; /* the last stretch, and nothing but a bias and a clamp to do: straight into C */
} Place;

/* Rows a multiple of the page size apart fall into the same few sets of the cache and push each
 * other out. Such a tile's stretch of A is copied to rows with a better distance. */
enum { COPY_LD = BLOCK_DEPTH + 16, COPY_MIN_ROWS = 5, WAY_BYTES = 4096, LINE_BYTES = 64 };

static bool needs_copy(ptrdiff_t lda, int rows)
{
    size_t step = (size_t)lda * sizeof(float) % WAY_BYTES;
    return rows >= COPY_MIN_ROWS && (step < LINE_BYTES || step > WAY_BYTES - LINE_BYTES);
}

static void copy_rows(float *copy, const float *a, ptrdiff_t lda, int rows, int depth)
{
    for (int r = 0; r < rows; r++)
        memcpy(copy + r * COPY_LD, a + r * lda, (size_t)depth * sizeof *a);
}

/* Bias, activation and residual: sums of a tile, [rows][width], into C. act is a constant where
 * this is expanded; the sums come through memory so that the tiles stay small. */
VEC_INLINE void finish_tile(const QbGemm *g, const Place *at, int rows, int width, const QbAct act)
{
    for (int v = 0; v < width && at->column + v < g->n; v += VEC_LANES) {
        const int column = at->column + v, left = g->n - column;
        const float *sums = at->sums + v;
        Vec bias = g->bias ? vec_load_first(g->bias + column, left) : vec_zero();
        for (int r = 0; r < rows; r++, sums += width) {
            Vec x = vec_act(vec_add(vec_load(sums), bias), act);
            if (g->residual)
                x = vec_add(x, vec_load_first(g->residual + (at->row + r) * g->ldr + column, left));
            vec_store_first(g->c + (at->row + r) * g->ldc + column, x, left);
        }
    }
}

static void finish(const QbGemm *g, const Place *at, int rows, int width)
{
    switch (g->act) {
    case QB_ACT_RELU6:
        finish_tile(g, at, rows, width, QB_ACT_RELU6);
        break;
    case QB_ACT_GELU:
        finish_tile(g, at, rows, width, QB_ACT_GELU);
        break;
    case QB_ACT_QUICK_GELU:
        finish_tile(g, at, rows, width, QB_ACT_QUICK_GELU);
        break;
    case QB_ACT_SILU:
        finish_tile(g, at, rows, width, QB_ACT_SILU);
        break;
    default:
        finish_tile(g, at, rows, width, QB_ACT_NONE);
    }
}

/* A tile of C. rows, panels and type are constants where this is expanded, so that acc lives in
 * registers. */
VEC_INLINE void tile(const QbGemm *g, const Place *at, const int rows, const int panels,
                     const WeightType type)
{
    const int vecs = panels * PANEL_VECS;
    const ptrdiff_t panel_size = (ptrdiff_t)g->k * QB_PANEL;
    const size_t element = type == WEIGHT_F32 ? sizeof(float) : sizeof(uint16_t);
    const char *w = (const char *)g->packed +
                    (size_t)(at->column / QB_PANEL * panel_size + at->k_first * QB_PANEL) * element;
    const float *a = at->a;
    const ptrdiff_t lda = at->lda;
    Vec acc[TILE_ROWS][MAX_VECS];
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            acc[r][v] = at->k_first ? vec_load(at->sums + (r * vecs + v) * VEC_LANES) : vec_zero();
    }
    for (int i = 0; i < at->k_last - at->k_first; i++) {
        Vec weights[MAX_VECS];
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            weights[v] =
                load_weights(w + (size_t)i * QB_PANEL * element,
                             v / PANEL_VECS * panel_size + v % PANEL_VECS * VEC_LANES, type);
        VEC_UNROLL
        for (int r = 0; r < rows; r++) {
            Vec x = vec_set(a[r * lda + i]);
            VEC_UNROLL
            for (int v = 0; v < vecs; v++)
                acc[r][v] = vec_fmadd(x, weights[v], acc[r][v]);
        }
    }
    float *out = at->direct ? g->c + at->row * g->ldc + at->column : at->sums;
    const ptrdiff_t ld = at->direct ? g->ldc : vecs * VEC_LANES;
    if (at->direct) {
        const Vec low = vec_set(g->act == QB_ACT_RELU6 ? 0.0f : -INFINITY);
        const Vec high = vec_set(g->act == QB_ACT_RELU6 ? 6.0f : INFINITY);
        VEC_UNROLL
        for (int v = 0; v < vecs; v++) {
            Vec bias = g->bias ? vec_load(g->bias + at->column + v * VEC_LANES) : vec_zero();
            VEC_UNROLL
            for (int r = 0; r < rows; r++)
                acc[r][v] = vec_clamp(vec_add(acc[r][v], bias), low, high);
        }
    }
    VEC_UNROLL
    for (int r = 0; r < rows; r++) {
        VEC_UNROLL
        for (int v = 0; v < vecs; v++)
            vec_store(out + r * ld + v * VEC_LANES, acc[r][v]);
    }
}

/* The switch turns the height of a tile into a constant. */
#define TILE_CASE(rows, max_rows, panels, type)                 \
    case rows:                                                  \
        tile(g, at, rows <= max_rows ? rows : 1, panels, type); \
        break;
#define DEFINE_TILE(name, max_rows, panels, type)                                          \
    static __attribute__((noinline)) void name(const QbGemm *g, const Place *at, int rows) \
    {                                                                                      \
        switch (rows) {                                                                    \
            TILE_CASE(1, max_rows, panels, type)                                           \
            TILE_CASE(2, max_rows, panels, type)                                           \
            TILE_CASE(3, max_rows, panels, type)                                           \
            TILE_CASE(4, max_rows, panels, type)                                           \
            TILE_CASE(5, max_rows, panels, type)                                           \
            TILE_CASE(6, max_rows, panels, type)                                           \
            TILE_CASE(7, max_rows, panels, type)                                           \
            TILE_CASE(8, max_rows, panels, type)                                           \
            TILE_CASE(9, max_rows, panels, type)                                           \
            TILE_CASE(10, max_rows, panels, type)                                          \
            TILE_CASE(11, max_rows, panels, type)                                          \
            TILE_CASE(12, max_rows, panels, type)                                          \
        }                                                                                  \
    }
#define DEFINE_GEMM(suffix, type)                                      \
    DEFINE_TILE(narrow_##suffix, TILE_ROWS, 1, type)                   \
    DEFINE_TILE(wide_##suffix, TILE_ROWS, TILE_PANELS, type)           \
    DEFINE_TILE(slim_##suffix, SLIM_ROWS, SLIM_PANELS, type)           \
    static void gemm_##suffix(const QbGemm *g)                         \
    {                                                                  \
        gemm_blocks(g, narrow_##suffix, wide_##suffix, slim_##suffix); \
    }

typedef void (*Tile)(const QbGemm *g, const Place *at, int rows);

/* A block of rows of one group of panels: one stretch of k after the other, in tiles as even as
 * they come. */
static void panel_group(const QbGemm *g, int first, int rows, int column, Tile do_tile,
                        int max_rows, int panels)
{
    float sums[BLOCK_ROWS * TILE_PANELS * QB_PANEL];
    float copy[TILE_ROWS * COPY_LD];
    const bool plain = g->act <= QB_ACT_RELU6 && !g->residual && g->n - column >= panels * QB_PANEL;
    int tiles = (rows + max_rows - 1) / max_rows;
    for (int k = 0; k < g->k; k += BLOCK_DEPTH) {
        int k_last = g->k - k > BLOCK_DEPTH ? k + BLOCK_DEPTH : g->k;
        for (int t = 0; t < tiles; t++) {
            int begin = rows * t / tiles, height = rows * (t + 1) / tiles - begin;
            Place at = {.row = first + begin,
                        .column = column,
                        .k_first = k,
                        .k_last = k_last,
                        .a = g->a + (first + begin) * g->lda + k,
                        .lda = g->lda,
                        .sums = sums + begin * panels * QB_PANEL,
                        .direct = plain && k_last == g->k};
            if (needs_copy(g->lda, height)) {
                copy_rows(copy, at.a, g->lda, height, k_last - k);
                at.a = copy;
                at.lda = COPY_LD;
            }
            do_tile(g, &at, height);
            if (k_last == g->k && !plain)
                finish(g, &at, height, panels * QB_PANEL);
        }
    }
}

VEC_INLINE void gemm_blocks(const QbGemm *g, Tile narrow, Tile wide, Tile slim)
{
    for (int first = 0; first < g->m; first += BLOCK_ROWS) {
        int rows = g->m - first > BLOCK_ROWS ? BLOCK_ROWS : g->m - first;
        int column = 0;
        if (rows <= SLIM_ROWS)
            for (; column + (SLIM_PANELS - 1) * QB_PANEL < g->n; column += SLIM_PANELS * QB_PANEL)
                panel_group(g, first, rows, column, slim, SLIM_ROWS, SLIM_PANELS);
        for (; column + (TILE_PANELS - 1) * QB_PANEL < g->n; column += TILE_PANELS * QB_PANEL)
            panel_group(g, first, rows, column, wide, TILE_ROWS, TILE_PANELS);
        for (; column < g->n; column += QB_PANEL)
            panel_group(g, first, rows, column, narrow, TILE_ROWS, 1);
    }
}

DEFINE_GEMM(f32, WEIGHT_F32)
DEFINE_GEMM(f16, WEIGHT_F16)
DEFINE_GEMM(bf16, WEIGHT_BF16)

#endif
