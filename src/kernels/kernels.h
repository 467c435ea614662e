/* kernels.h: THE function table. Every hot loop of the library is a slot here.
 *
 * The reference (`*_ref.c`, plain C) fills every slot and is the definition of correct; `*_avx2.c`
 * and
 * `*_avx512.c` replace the slots they do faster. A slot is coarse, runs on one thread, never
 * allocates, and works for any size >= 1 unless its comment says otherwise. Splitting work over
 * threads is the engine's business (engine/ops.c); no slot's result may depend on how its rows were
 * split, so every output element is summed in one order that depends on k alone.
 *
 * Pointers may be unaligned unless marked; outputs never overlap inputs unless "in place" is said.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_KERNELS_H
#define QB_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef enum QbAct {
    QB_ACT_NONE = 0,
    QB_ACT_RELU6,
    QB_ACT_GELU,       /* exact, with erf */
    QB_ACT_QUICK_GELU, /* x * sigmoid(1.702 x) */
    QB_ACT_SILU,       /* x * sigmoid(x) */
    QB_ACT_COUNT
} QbAct;

/* ---- Matrix products: C[m, n] = act(A[m, k] . W[n, k]^T + bias[n]) + residual[m, n] -------------
 *
 * W is packed once by the functions of kernels/pack.h into panels of QB_PANEL output columns, the
 * last panel padded with zero bytes; the layout is the same for every instruction set:
 *   f32, f16, bf16   panel p: [k][QB_PANEL] elements
 *   q8_0, q4_0       panel p: [k / 32] of the struct below
 *   q4_k, q5_k, q6_k panel p: [k / 256] of theirs
 * packed is 64-byte aligned; k is a multiple of 1, 32 and 256. c may equal residual (same ld).
 *
 * Whole numbers stand in fours of consecutive k, the fours of the panel's columns side by side.
 * They are unsigned; activations come as signed bytes with a scale for 32 and a sum for 16, which
 * takes back what was added to a weight, or multiplies a minimum. What a weight stands for is in
 * the comment of its struct, evaluated in f32 (where scale products are exact). */
enum { QB_PANEL = 16, QB_Q8_BLOCK = 32, QB_Q8_SUM = 16, QB_Q8_FOURS = QB_Q8_BLOCK / 4 };

typedef uint8_t QbFour[QB_PANEL][4];

/* scale * (q - 128) */
typedef struct QbPackedQ8Block {
    QbFour q[QB_Q8_FOURS];
    float scale[QB_PANEL];
} QbPackedQ8Block;

/* scale * (q - 8). A byte has four j in its low half and four j + 4 in its high half. */
typedef struct QbPackedQ4Block {
    QbFour q[QB_Q8_FOURS / 2];
    uint16_t scale[QB_PANEL]; /* half */
} QbPackedQ4Block;

enum { QB_K_SUBS = 8 }; /* blocks of 32 in 256 */

/* d * scale * q - dmin * min; d and dmin are halves. */
typedef struct QbPackedKScales {
    uint16_t d[QB_PANEL], dmin[QB_PANEL];
    uint8_t scale[QB_K_SUBS][QB_PANEL], min[QB_K_SUBS][QB_PANEL];
} QbPackedKScales;

typedef struct QbPackedQ4KBlock {
    QbFour q[QB_K_SUBS][QB_Q8_FOURS / 2]; /* halves of bytes as in q4_0 */
    QbPackedKScales s;
} QbPackedQ4KBlock;

typedef struct QbPackedQ5KBlock {
    QbFour q[QB_K_SUBS][QB_Q8_FOURS];
    QbPackedKScales s;
} QbPackedQ5KBlock;

/* d * scale * (q - 32), a scale for 16. */
typedef struct QbPackedQ6KBlock {
    QbFour q[QB_K_SUBS][QB_Q8_FOURS];
    uint16_t d[QB_PANEL], unused[QB_PANEL];
    int8_t scale[QB_K_SUBS][2][QB_PANEL];
} QbPackedQ6KBlock;

typedef struct QbGemm {
    int m, n, k;
    const float *a; /* [m][lda], lda >= k; f32, f16 and bf16 only */
    ptrdiff_t lda;
    const int8_t *a_q8;    /* the other types: [m][k], in -127 … 127 */
    const float *a_scale;  /* [m][k / 32] */
    const int16_t *a_sum;  /* [m][k / 16]: of 16 consecutive a_q8 */
    const void *packed;    /* ceil(n / QB_PANEL) panels */
    const float *bias;     /* [n] or NULL */
    const float *residual; /* [m][ldr] or NULL, added after act */
    ptrdiff_t ldr;
    float *c; /* [m][ldc]; only n columns of a row are written */
    ptrdiff_t ldc;
    QbAct act;
} QbGemm;

/* ---- Convolution on pictures stored [y][x][channel] --------------------------------------------
 */
typedef struct QbDepthwise {
    const float *x; /* [height][width][channels] */
    int height, width, channels;
    const float *weight; /* [kernel * kernel][channels] */
    const float *bias;   /* [channels] */
    int kernel, stride;
    int pad_top, pad_left; /* zeros in front; behind as many as needed */
    int out_width;
    float *y;  /* [out_height][out_width][channels] */
    QbAct act; /* QB_ACT_NONE or QB_ACT_RELU6 */
} QbDepthwise;

typedef struct QbIm2col {
    const float *x; /* [height][width][channels] */
    int height, width, channels;
    int kernel, stride, pad_top, pad_left;
    int out_width;
    ptrdiff_t ldy; /* >= kernel * kernel * channels; the rest of a row is left alone */
} QbIm2col;

/* ---- Attention of one head: y[i] = softmax(scale * q[i] . k^T) . v --------------------- */
typedef struct QbAttention {
    const float *q; /* [n_query][ldq], head_dim used */
    const float *k; /* [n_key][ldk] */
    const float *v; /* [n_key][ldv] */
    float *y;       /* [n_query][ldy] */
    ptrdiff_t ldq, ldk, ldv, ldy;
    int n_query, n_key, head_dim;
    /* Query i sees keys 0 … first_visible - 1 + i (causal), all of them when first_visible < 0. */
    int first_visible;
    int n_shared; /* keys from n_shared on, and their values, lie gap rows further down */
    int gap;
    float scale;
    float *scratch; /* qb_attention_scratch(n_key) floats, 64-byte aligned */
} QbAttention;

/* Query rows that a kernel may do together. */
enum { QB_ATTENTION_ROWS = 8 };
static inline size_t qb_attention_scratch(int n_key)
{
    return (size_t)QB_ATTENTION_ROWS * (((size_t)n_key + 31) & ~(size_t)15);
}

/* ---- Pillow's antialiased resampling (8 bits per channel, 3 channels, fixed point)
 * --------------- For output position i: source positions first[i] … first[i] + count[i] - 1 with
 * weights weight[i * max_count + j], 22 fractional bits; result = clip8((2^21 + sum p * weight) >>
 * 22). */
typedef struct QbResampleAxis {
    const int32_t *first, *count, *weight;
    int max_count;
} QbResampleAxis;

/* ---- Filters of pictures, row by row ------------------------------------------------------------
 * Statistics of two pictures a and b under a window whose weights sum to 1. */
enum {
    QB_MOMENT_MEAN_A,
    QB_MOMENT_MEAN_B,
    QB_MOMENT_VAR_A,
    QB_MOMENT_VAR_B,
    QB_MOMENT_COV,
    QB_MOMENTS
};
typedef struct QbMoments {
    float *row[QB_MOMENTS]; /* [n] each */
} QbMoments;

/* ---- FLIP: what the metric's parts hand each other, rows of n ---
 */
typedef struct QbFlipFeatures {
    /* Of image and reference: first and second derivatives along x and y. */
    const float *dx[2], *dy[2], *ddx[2], *ddy[2];
} QbFlipFeatures;

typedef struct QbKernels {
    const char *level; /* "ref", "avx2", "avx512": the best level that replaced a slot */

    void (*gemm_f32)(const QbGemm *g);
    void (*gemm_f16)(const QbGemm *g);
    void (*gemm_bf16)(const QbGemm *g);
    void (*gemm_q8_0)(const QbGemm *g);
    void (*gemm_q4_0)(const QbGemm *g);
    void (*gemm_q4_k)(const QbGemm *g);
    void (*gemm_q5_k)(const QbGemm *g);
    void (*gemm_q6_k)(const QbGemm *g);

    /* Row x[k] -> q[k], scale[k / 32], sum[k / 16] of q; k % 32 == 0. scale = max|x| / 127, q =
     * round half away from zero of x / scale, all zeros when max|x| is 0. */
    void (*quantize_q8)(int8_t *q, float *scale, int16_t *sum, const float *x, int k);

    /* y[n]. f16: IEEE half incl. subnormals, infinities, NaN. q8_0: GGUF blocks of 34 bytes,
     * n % 32 == 0. */
    void (*f32_from_f16)(float *y, const void *x, size_t n);
    void (*f32_from_bf16)(float *y, const void *x, size_t n);
    void (*f32_from_q8_0)(float *y, const void *x, size_t n);

    /* Rows of n. rms: y = x / sqrt(mean(x^2) + eps) * w. layer: y = (x - mean) / sqrt(var + eps) *
     * w + b. y may be x. */
    void (*rms_norm)(float *y, const float *x, const float *w, int n, float eps);
    void (*layer_norm)(float *y, const float *x, const float *w, const float *b, int n, float eps);

    /* y = silu(gate) * up, y may be either. */
    void (*silu_mul)(float *y, const float *gate, const float *up, size_t n);

    /* Rotates the pairs (2i, 2i+1) of x[n_heads][head_dim] in place; cosine, sine [head_dim / 2].
     */
    void (*rope_pairs)(float *x, const float *cosine, const float *sine, int n_heads, int head_dim);

    void (*attention)(const QbAttention *a);

    /* One output row, y[out_width][channels] of p->y. */
    void (*depthwise_row)(const QbDepthwise *p, int out_y);

    /* One output row as a matrix: y[out_width][ldy], columns in the order (ky, kx, channel). */
    void (*im2col_row)(float *y, const QbIm2col *p, int out_y);

    /* Of x[n_pixels][ld], channels 0 … n_channels-1: mean and sqrt(max(variance, 0) + eps),
     * population variance; sums in double (or lanes of f32 over at most 256 pixels, then double).
     */
    void (*channel_mean_std)(float *mean, float *std, const float *x, size_t n_pixels, ptrdiff_t ld,
                             int n_channels, float eps);

    /* y[n_pixels * 3] = u8 * gain[c] + offset[c]. */
    void (*normalize_u8)(float *y, const uint8_t *x, size_t n_pixels, const float gain[3],
                         const float offset[3]);

    /* One row: y[out_width * 3] from x[...]. */
    void (*resample_row)(uint8_t *y, const uint8_t *x, const QbResampleAxis *axis, int out_width);
    /* Output row out_y of n_bytes from rows of x, row_bytes apart. */
    void (*resample_column)(uint8_t *y, const uint8_t *x, size_t row_bytes, size_t n_bytes,
                            const QbResampleAxis *axis, int out_y);
    /* Luma of n pixels: (299 R + 587 G + 114 B) * 0.001f, rounded once, so the same bits at every
     * level. */
    void (*luma_u8)(float *y, const uint8_t *rgb, size_t n);

    /* y[n] = sum over t of taps[t] * x[i + t]; x has n + n_taps - 1 floats. column: the same over
     * rows[t][i]. */
    void (*filter_row)(float *y, const float *x, const float *taps, int n_taps, size_t n);
    void (*filter_column)(float *y, const float *const *rows, const float *taps, int n_taps,
                          size_t n);

    /* A window's moments, first down the columns, then of those (n + n_taps - 1 each) along the
     * row. Every variance is taken around a value near its mean, so that little of it is lost. */
    void (*moments_column)(const QbMoments *y, const float *const *a, const float *const *b,
                           const float *taps, int n_taps, size_t n);
    void (*moments_row)(const QbMoments *y, const QbMoments *x, const float *taps, int n_taps,
                        size_t n);

    /* SSIM's two factors of each pixel: structure = contrast and structure (with c2), ssim = that
     * times the factor of luminance (with c1). */
    void (*ssim_row)(float *ssim, float *structure, const QbMoments *m, float c1, float c2,
                     size_t n);
    /* VIF's information of each pixel: its two logarithms' arguments; b is the reference. */
    void (*vif_row)(float *kept, float *all, const QbMoments *m, float noise, size_t n);
    /* 1 - gradient magnitude similarity with constant c (Prewitt's operator); a[3], b[3]: rows
     * above, at and below, n + 2 floats each from the pixel left of the first. */
    void (*gms_row)(float *y, const float *const *a, const float *const *b, float c, size_t n);

    /* FLIP: linear RGB, times gain and (tone_mapped) by the ACES curve, clamped to 0 … 1, as
     * opponent colours (kernels/flip.h). */
    void (*flip_opponent)(float *const out[3], const float *const rgb[3], float gain,
                          int tone_mapped, size_t n);
    /* The difference of two filtered opponent colours, 0 … 1. */
    void (*flip_colour)(float *y, const float *const a[3], const float *const b[3], size_t n);
    /* y = y ^ (1 - feature difference), in place; 0 stays 0. */
    void (*flip_error)(float *y, const QbFlipFeatures *f, size_t n);
} QbKernels;

/* Fills the table for a set of QB_CPU_ bits (base/cpu.h). */
void qb_kernels_init(QbKernels *k, unsigned cpu);

/* One init a family and level; each is defined in kernels/<family>_<level>.c. */
#define QB_KERNEL_FAMILIES(X, level) \
    X(matmul, level)                 \
    X(quant, level)                  \
    X(norm, level)                   \
    X(act, level)                    \
    X(rope, level)                   \
    X(attention, level) X(conv, level) X(pixel, level) X(filter, level) X(flip, level)
#define QB_KERNEL_DECLARE(family, level) void qb_##family##_init_##level(QbKernels *k);
QB_KERNEL_FAMILIES(QB_KERNEL_DECLARE, ref)
QB_KERNEL_FAMILIES(QB_KERNEL_DECLARE, avx2)
QB_KERNEL_FAMILIES(QB_KERNEL_DECLARE, avx512)

#endif
