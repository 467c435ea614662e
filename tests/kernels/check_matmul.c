/* check_matmul.c: the matrix products of every level against the reference, and the rule that a
 * result does not depend on how the rows were split. --bench gives each shape as a ratio to a loop
 * of nothing but fma. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

#include "kernels/pack.h"
#include "kernels/scalar.h"
#include "weights/encode.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef enum Weights {
    W_F32,
    W_F16,
    W_BF16,
    W_Q8_0,
    W_Q4_0,
    W_Q4_K,
    W_Q5_K,
    W_Q6_K,
    W_COUNT
} Weights;

static const struct {
    const char *name;
    size_t slot;
    QbPack *pack;
    int values; /* of a block; panel_bytes are what it takes in a panel */
    size_t panel_bytes;
    QbType type;
    int halves[2]; /* where a block in a file has half floats */
} kinds[W_COUNT] = {
    {"f32", offsetof(QbKernels, gemm_f32), qb_pack_f32, 1, 64, QB_TYPE_F32, {0}},
    {"f16", offsetof(QbKernels, gemm_f16), qb_pack_16, 1, 32, QB_TYPE_F16, {0}},
    {"bf16", offsetof(QbKernels, gemm_bf16), qb_pack_16, 1, 32, QB_TYPE_BF16, {0}},
    {"q8_0",
     offsetof(QbKernels, gemm_q8_0),
     qb_pack_q8_0,
     32,
     sizeof(QbPackedQ8Block),
     QB_TYPE_Q8_0,
     {0, 0}},
    {"q4_0",
     offsetof(QbKernels, gemm_q4_0),
     qb_pack_q4_0,
     32,
     sizeof(QbPackedQ4Block),
     QB_TYPE_Q4_0,
     {0, 0}},
    {"q4_k",
     offsetof(QbKernels, gemm_q4_k),
     qb_pack_q4_k,
     256,
     sizeof(QbPackedQ4KBlock),
     QB_TYPE_Q4_K,
     {0, 2}},
    {"q5_k",
     offsetof(QbKernels, gemm_q5_k),
     qb_pack_q5_k,
     256,
     sizeof(QbPackedQ5KBlock),
     QB_TYPE_Q5_K,
     {0, 2}},
    {"q6_k",
     offsetof(QbKernels, gemm_q6_k),
     qb_pack_q6_k,
     256,
     sizeof(QbPackedQ6KBlock),
     QB_TYPE_Q6_K,
     {208, 208}},
};

typedef void (*Gemm)(const QbGemm *g);

static Gemm slot_of(const QbKernels *k, Weights weights)
{
    Gemm gemm;
    memcpy(&gemm, (const char *)k + kinds[weights].slot, sizeof gemm);
    return gemm;
}

/* k, up to a whole number of blocks. */
static int whole_blocks(Weights weights, int k)
{
    return (k + kinds[weights].values - 1) / kinds[weights].values * kinds[weights].values;
}

/* One product with all of its memory. */
typedef struct Problem {
    QbGemm g;
    Weights weights;
    CheckFill fill;
    CheckBuffer a, a_q8, a_scale, a_sum, packed, bias, residual, c;
    float *w; /* owned, [n][k]: the weights as floats */
} Problem;

static uint16_t random_half(CheckFill fill)
{
    if (fill == CHECK_FILL_ZERO)
        return (uint16_t)(check_random() & 0x8000);
    if (fill == CHECK_FILL_TINY && check_random_below(4))
        return (uint16_t)(check_random() & 0x83ff); /* subnormal */
    /* exponents 2^-6 … 2^1, or all finite ones */
    int exponent = fill == CHECK_FILL_EXTREME ? check_random_below(31) : 9 + check_random_below(8);
    return (uint16_t)((check_random() & 0x83ff) | (unsigned)exponent << 10);
}

static void fill_weights_16(Problem *p)
{
    size_t count = (size_t)p->g.n * (size_t)p->g.k;
    uint16_t *w = malloc(count * sizeof *w);
    for (size_t i = 0; i < count; i++) {
        w[i] = random_half(p->fill);
        p->w[i] = qb_float_from_half(w[i]);
        if (p->weights == W_BF16) {
            float value = check_fill_value(p->fill);
            memcpy(&w[i], (char *)&value + 2, 2);
            p->w[i] = qb_float_from_bfloat(w[i]);
        }
    }
    qb_pack_16(p->packed.data, w, p->g.n, p->g.k, 0, (int)qb_panel_count((size_t)p->g.n));
    free(w);
}

/* Random blocks; of extreme ones every value is the smallest or the largest that there is. */
static void fill_weights_blocks(Problem *p)
{
    const QbType type = kinds[p->weights].type;
    const size_t bytes = (size_t)qb_type_block_bytes(type),
                 values = (size_t)kinds[p->weights].values;
    const size_t n_blocks = (size_t)p->g.n * (size_t)p->g.k / values;
    const unsigned flip = p->weights == W_Q8_0 ? 0x80 : 0;
    uint8_t *w = malloc(n_blocks * bytes);
    for (size_t b = 0; b < n_blocks; b++) {
        uint8_t *block = w + b * bytes;
        for (size_t i = 0; i < bytes; i++)
            block[i] =
                (uint8_t)(p->fill == CHECK_FILL_EXTREME ? (check_random() & 1 ? 0xff : 0) ^ flip
                                                        : check_random());
        for (int i = 0; i < 2; i++) {
            uint16_t half = random_half(p->fill);
            memcpy(block + kinds[p->weights].halves[i], &half, 2);
        }
    }
    qb_type_decode(p->w, type, w, n_blocks * values);
    kinds[p->weights].pack(p->packed.data, w, p->g.n, p->g.k, 0,
                           (int)qb_panel_count((size_t)p->g.n));
    free(w);
}

static void fill_activations_q8(Problem *p)
{
    size_t count = (size_t)p->g.m * (size_t)p->g.k;
    p->a_q8 = check_buffer(count);
    p->a_scale = check_buffer(count / QB_Q8_BLOCK * sizeof(float));
    p->a_sum = check_buffer(count / QB_Q8_SUM * sizeof(int16_t));
    int8_t *q = p->a_q8.data;
    memset(p->a_sum.data, 0, p->a_sum.bytes);
    for (size_t i = 0; i < count; i++)
        q[i] = (int8_t)(p->fill == CHECK_FILL_EXTREME ? (check_random() & 1 ? -127 : 127)
                                                      : check_random_below(255) - 127);
    for (size_t i = 0; i < count; i++) {
        int16_t *sum = (int16_t *)p->a_sum.data + i / QB_Q8_SUM;
        *sum = (int16_t)(*sum + q[i]);
    }
    for (size_t b = 0; b < count / QB_Q8_BLOCK; b++)
        ((float *)p->a_scale.data)[b] = fabsf(check_fill_value(p->fill));
    p->g.a_q8 = p->a_q8.data;
    p->g.a_scale = p->a_scale.data;
    p->g.a_sum = p->a_sum.data;
}

/* Rows of A, residual and C lie `slack` floats further apart than they must. */
static void problem_init(Problem *p, Weights weights, int m, int n, int k, int slack,
                         CheckFill fill)
{
    *p = (Problem){.weights = weights, .fill = fill};
    p->g = (QbGemm){.m = m, .n = n, .k = k, .lda = k + slack, .ldr = n + slack, .ldc = n + slack};
    size_t bytes = qb_packed_size((size_t)n, (size_t)k, (size_t)kinds[weights].values,
                                  kinds[weights].panel_bytes);
    p->packed = check_buffer((bytes + 63) / 64 * 64);
    p->w = malloc((size_t)n * (size_t)k * sizeof(float));
    if (weights == W_F32) {
        check_fill(p->w, (size_t)n * (size_t)k, fill);
        qb_pack_f32(p->packed.data, p->w, n, k, 0, (int)qb_panel_count((size_t)n));
    } else if (weights >= W_Q8_0) {
        fill_weights_blocks(p);
    } else {
        fill_weights_16(p);
    }
    if (weights >= W_Q8_0) {
        fill_activations_q8(p);
    } else {
        p->a = check_floats((size_t)(m - 1) * (size_t)p->g.lda + (size_t)k, fill);
        p->g.a = p->a.data;
    }
    p->bias = check_floats((size_t)n, fill);
    p->residual = check_floats((size_t)(m - 1) * (size_t)p->g.ldr + (size_t)n, fill);
    p->c = check_buffer(p->residual.bytes);
    p->g.packed = p->packed.data;
    p->g.c = p->c.data;
}

static void problem_deinit(Problem *p)
{
    CheckBuffer *buffers[] = {&p->a,      &p->a_q8, &p->a_scale,  &p->a_sum,
                              &p->packed, &p->bias, &p->residual, &p->c};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        check_buffer_free(buffers[i]);
    free(p->w);
}

static float activation(const Problem *p, int row, int i)
{
    if (p->weights < W_Q8_0)
        return p->g.a[row * p->g.lda + i];
    ptrdiff_t at = (ptrdiff_t)row * p->g.k + i;
    return (float)p->g.a_q8[at] * p->g.a_scale[at / QB_Q8_BLOCK];
}

/* How far a level may be from the reference at (row, column).
 *
 * A sum of k products rounds k times on its way (twice that in the reference, which rounds the
 * products too): each level is within k u / (1 - k u) * S of the true sum, S = sum|a w|, the
 * reference within (k + 1) u / (1 - (k + 1) u) * S; together less than (k + 2) FLT_EPSILON * S.
 * Weights of whole numbers give the reference's bits up to the activation. Each subnormal product
 * adds half of the smallest subnormal in each. Bias and residual round once each in both; the
 * activation passes errors on with its slope and adds its own. */
static double element_bound(const Problem *p, int row, int column)
{
    const QbGemm *g = &p->g;
    double magnitude = 0.0, sum = 0.0;
    for (int i = 0; i < g->k; i++) {
        double product = (double)activation(p, row, i) * p->w[(size_t)column * (size_t)g->k + i];
        magnitude += fabs(product);
        sum += product;
    }
    double bias = g->bias ? g->bias[column] : 0.0;
    double residual = g->residual ? g->residual[row * g->ldr + column] : 0.0;
    double before = (g->k + 2.0) * FLT_EPSILON * magnitude + (double)g->k * 0x1p-149 +
                    FLT_EPSILON * (magnitude + fabs(bias));
    double result = check_act(sum + bias, g->act);
    return before * CHECK_ACT_SLOPE + check_act_error(sum + bias, g->act) +
           FLT_EPSILON * (fabs(result) + fabs(residual) + before);
}

/* The same for a whole row, without activation or with relu6: S <= sum|a| max|w|. */
static double row_bound(const Problem *p, int row, double largest_weight)
{
    const QbGemm *g = &p->g;
    double magnitude = 0.0, bias = 0.0, residual = 0.0;
    for (int i = 0; i < g->k; i++)
        magnitude += fabs((double)activation(p, row, i)) * largest_weight;
    for (int column = 0; column < g->n; column++) {
        bias = g->bias ? fmax(bias, fabs((double)g->bias[column])) : 0.0;
        residual =
            g->residual ? fmax(residual, fabs((double)g->residual[row * g->ldr + column])) : 0.0;
    }
    return (g->k + 5.0) * FLT_EPSILON * (magnitude + bias + residual) + (double)g->k * 0x1p-149;
}

/* For small problems every element has its own bound; of large ones 500 that are drawn, the others
 * that of their row. Returns an element that is too far off, or -1. */
static int64_t worst_element(const Problem *p, const float *want)
{
    const QbGemm *g = &p->g;
    const bool exact = p->weights >= W_Q8_0 && g->act <= QB_ACT_RELU6;
    const int64_t total = (int64_t)g->m * g->n;
    const bool all = total * g->k <= 4000000;
    int64_t worst = -1;
    for (int64_t i = 0; i < (all ? total : 500); i++) {
        int64_t at = all ? i : (int64_t)(check_random() % (uint64_t)total);
        int row = (int)(at / g->n), column = (int)(at % g->n);
        double difference = fabs((double)g->c[row * g->ldc + column] - want[row * g->ldc + column]);
        if (!(difference <= (exact ? 0.0 : element_bound(p, row, column))))
            worst = at;
    }
    if (all || g->act > QB_ACT_RELU6)
        return worst;
    double largest = 0.0;
    for (size_t i = 0; i < (size_t)g->n * (size_t)g->k; i++)
        largest = fmax(largest, fabs((double)p->w[i]));
    for (int row = 0; row < g->m; row++) {
        double bound = exact ? 0.0 : row_bound(p, row, largest);
        for (ptrdiff_t column = 0; column < g->n; column++)
            if (!(fabs((double)g->c[row * g->ldc + column] - want[row * g->ldc + column]) <= bound))
                worst = (int64_t)row * g->n + column;
    }
    return worst;
}

static void compare(const Problem *p, const float *want, const char *level)
{
    const QbGemm *g = &p->g;
    int64_t worst = worst_element(p, want), at = worst < 0 ? 0 : worst;
    ptrdiff_t in_c = at / g->n * g->ldc + at % g->n;
    check_true(worst < 0, "%s differs at row %d, column %d: %g, expected %g", level,
               (int)(at / g->n), (int)(at % g->n), (double)g->c[in_c], (double)want[in_c]);
    bool gaps = true;
    for (int row = 0; row + 1 < g->m; row++)
        for (ptrdiff_t i = row * g->ldc + g->n; i < (row + 1) * g->ldc; i++)
            gaps &= !memcmp(&g->c[i], &want[i], sizeof *want);
    check_true(gaps && check_guard_intact(&p->c), "%s wrote beside C", level);
}

static void check_problem(Problem *p, const QbKernels *levels, int n_levels)
{
    float *want = malloc(p->c.bytes);
    slot_of(&levels[0], p->weights)(&p->g);
    memcpy(want, p->g.c, p->c.bytes);
    for (int l = 1; l < n_levels; l++) {
        memset(p->g.c, CHECK_PATTERN, p->c.bytes);
        slot_of(&levels[l], p->weights)(&p->g);
        compare(p, want, levels[l].level);
    }
    free(want);
}

static void check_case(Weights weights, int m, int n, int k, int slack, CheckFill fill, QbAct act,
                       bool bias, bool residual, const QbKernels *levels, int n_levels)
{
    Problem p;
    check_title("gemm_%s m %d n %d k %d slack %d fill %d act %d bias %d residual %d",
                kinds[weights].name, m, n, k, slack, (int)fill, (int)act, bias, residual);
    problem_init(&p, weights, m, n, k, slack, fill);
    p.g.act = act;
    p.g.bias = bias ? p.bias.data : NULL;
    p.g.residual = residual ? p.residual.data : NULL;
    check_problem(&p, levels, n_levels);
    problem_deinit(&p);
}

/* C in the place of the residual. */
static void check_in_place(Weights weights, QbAct act, const QbKernels *levels, int n_levels)
{
    enum { M = 29, N = 75 };
    Problem p;
    problem_init(&p, weights, M, N, whole_blocks(weights, 96), 3, CHECK_FILL_PLAIN);
    check_title("gemm_%s in place, act %d", kinds[weights].name, (int)act);
    p.g.act = act;
    float *apart = malloc(p.c.bytes);
    for (int l = 0; l < n_levels; l++) {
        p.g.residual = p.residual.data;
        slot_of(&levels[l], weights)(&p.g);
        memcpy(apart, p.g.c, p.c.bytes);
        memcpy(p.g.c, p.residual.data, p.c.bytes);
        p.g.residual = p.g.c;
        slot_of(&levels[l], weights)(&p.g);
        bool same = true;
        for (int row = 0; row < M; row++)
            same &= !memcmp(apart + row * p.g.ldc, p.g.c + row * p.g.ldc, N * sizeof *apart);
        check_true(same, "%s: c == residual gives another result", levels[l].level);
    }
    free(apart);
    problem_deinit(&p);
}

/* Rows in groups of `group` against all rows at once: equal to the bit. */
static void check_split(Weights weights, int m, int n, int k, int group, QbAct act,
                        const QbKernels *levels, int n_levels)
{
    Problem p;
    problem_init(&p, weights, m, n, k, 0, CHECK_FILL_PLAIN);
    check_title("gemm_%s m %d n %d k %d in groups of %d", kinds[weights].name, m, n, k, group);
    p.g.act = act;
    p.g.bias = p.bias.data;
    float *whole = malloc(p.c.bytes);
    for (int l = 0; l < n_levels; l++) {
        slot_of(&levels[l], weights)(&p.g);
        memcpy(whole, p.c.data, p.c.bytes);
        memset(p.c.data, CHECK_PATTERN, p.c.bytes);
        for (int row = 0; row < m; row += group) {
            QbGemm part = p.g;
            part.m = m - row < group ? m - row : group;
            part.a = p.g.a ? p.g.a + row * p.g.lda : NULL;
            part.a_q8 = p.g.a_q8 ? p.g.a_q8 + (ptrdiff_t)row * k : NULL;
            part.a_scale = p.g.a_scale ? p.g.a_scale + (ptrdiff_t)row * (k / QB_Q8_BLOCK) : NULL;
            part.a_sum = p.g.a_sum ? p.g.a_sum + (ptrdiff_t)row * (k / QB_Q8_SUM) : NULL;
            part.c = p.g.c + row * p.g.ldc;
            slot_of(&levels[l], weights)(&part);
        }
        check_true(!memcmp(whole, p.c.data, p.c.bytes), "%s depends on the split of rows",
                   levels[l].level);
    }
    free(whole);
    problem_deinit(&p);
}

static void check_sizes(Weights weights, const QbKernels *levels, int n_levels)
{
    static const int rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 23, 24, 25, 37};
    static const int columns[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100};
    static const int depths[] = {1, 2, 3, 16, 27, 33};
    for (size_t m = 0; m < sizeof rows / sizeof *rows; m++) {
        for (size_t n = 0; n < sizeof columns / sizeof *columns; n++) {
            int k = weights < W_Q8_0 ? depths[check_random_below(6)]
                                     : whole_blocks(weights, 32 * (1 + check_random_below(20)));
            QbAct act = (QbAct)check_random_below(QB_ACT_COUNT);
            CheckFill fill = (CheckFill)check_random_below(CHECK_FILL_EXTREME);
            int options = check_random_below(4);
            check_case(weights, rows[m], columns[n], k, check_random_below(4), fill, act,
                       options & 1, options & 2, levels, n_levels);
        }
    }
    for (int fill = 0; fill < CHECK_FILL_COUNT; fill++)
        for (int act = 0; act < QB_ACT_COUNT; act++)
            check_case(weights, 14, 50, whole_blocks(weights, 64), 1, (CheckFill)fill, (QbAct)act,
                       true, true, levels, n_levels);
}

static void check_model_sizes(const QbKernels *levels, int n_levels)
{
    static const struct {
        Weights weights;
        int m, n, k;
    } shapes[] = {
        /* the embedded model: stem, first and last blocks, head, decoder */
        {W_F32, 4000, 32, 27},
        {W_F32, 2500, 16, 32},
        {W_F32, 2000, 96, 16},
        {W_F32, 1000, 24, 144},
        {W_F32, 266, 1152, 192},
        {W_F32, 266, 192, 1152},
        {W_F32, 70000, 16, 16},
        {W_F32, 1, 256, 256},
        {W_F32, 5, 256, 1024},
        /* LLaMA 7B, a few columns of each */
        {W_F16, 3, 80, 4096},
        {W_F16, 14, 48, 11008},
        {W_BF16, 2, 48, 11008},
        {W_Q8_0, 1, 112, 4096},
        {W_Q8_0, 9, 48, 11008},
        {W_Q8_0, 200, 48, 4096},
        {W_Q4_0, 1, 80, 4096},
        {W_Q4_0, 97, 33, 11008},
        {W_Q4_K, 2, 112, 4096},
        {W_Q4_K, 115, 47, 11008},
        {W_Q5_K, 3, 112, 4096},
        {W_Q5_K, 96, 32, 11008},
        {W_Q6_K, 1, 100, 11008},
        {W_Q6_K, 193, 48, 4096},
        {W_F32, 13, 40, 11008},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_case(shapes[i].weights, shapes[i].m, shapes[i].n, shapes[i].k, 0, CHECK_FILL_PLAIN,
                   i % 2 ? QB_ACT_RELU6 : QB_ACT_NONE, true, i % 3 == 0, levels, n_levels);
}

static void run_checks(const QbKernels *levels, int n_levels)
{
    for (int weights = 0; weights < W_COUNT; weights++) {
        check_sizes((Weights)weights, levels, n_levels);
        for (int act = 0; act < QB_ACT_COUNT; act++)
            check_in_place((Weights)weights, (QbAct)act, levels, n_levels);
        static const int groups[] = {1, 2, 3, 4, 5, 12, 17};
        for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
            check_split((Weights)weights, 41, 90, whole_blocks((Weights)weights, 160), groups[i],
                        QB_ACT_GELU, levels, n_levels);
            check_split((Weights)weights, 26, 33, 4096, groups[i], QB_ACT_NONE, levels, n_levels);
        }
    }
    check_model_sizes(levels, n_levels);
}

/* ---- timing ---------------------------------------------------------------------------- */
/* Twelve chains of fma, more than latency times throughput of any core yet; a level's peak. */
enum { PEAK_LOOPS = 100000, PEAK_CHAINS = 12 };
static volatile float peak_sink;

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static double run_peak_avx2(void)
{
    __m256 x[PEAK_CHAINS], f = _mm256_set1_ps(0.999f), add = _mm256_set1_ps(1e-3f);
    for (int i = 0; i < PEAK_CHAINS; i++)
        x[i] = _mm256_set1_ps((float)i);
    for (int i = 0; i < PEAK_CHAINS; i++) /* unknown values, or chains could be left out */
        __asm__ volatile("" : "+x"(x[i]));
    for (int loop = 0; loop < PEAK_LOOPS; loop++) {
#pragma GCC unroll 16
        for (int i = 0; i < PEAK_CHAINS; i++)
            x[i] = _mm256_fmadd_ps(x[i], f, add);
    }
    for (int i = 1; i < PEAK_CHAINS; i++)
        x[0] = _mm256_add_ps(x[0], x[i]);
    peak_sink = _mm256_cvtss_f32(x[0]);
    return 2.0 * 8 * PEAK_CHAINS * PEAK_LOOPS;
}

__attribute__((target("avx512f"))) static double run_peak_avx512(void)
{
    __m512 x[PEAK_CHAINS], f = _mm512_set1_ps(0.999f), add = _mm512_set1_ps(1e-3f);
    for (int i = 0; i < PEAK_CHAINS; i++)
        x[i] = _mm512_set1_ps((float)i);
    for (int i = 0; i < PEAK_CHAINS; i++)
        __asm__ volatile("" : "+v"(x[i]));
    for (int loop = 0; loop < PEAK_LOOPS; loop++) {
#pragma GCC unroll 16
        for (int i = 0; i < PEAK_CHAINS; i++)
            x[i] = _mm512_fmadd_ps(x[i], f, add);
    }
    for (int i = 1; i < PEAK_CHAINS; i++)
        x[0] = _mm512_add_ps(x[0], x[i]);
    peak_sink = _mm512_cvtss_f32(x[0]);
    return 2.0 * 16 * PEAK_CHAINS * PEAK_LOOPS;
}
#endif

/* Floating-point operations a second that this core does at best, just now. */
static double peak_now(const char *level)
{
    double flops = 0.0, begin = qb_now_ms();
#if defined(__x86_64__)
    if (!strcmp(level, "avx2"))
        flops = run_peak_avx2();
    if (!strcmp(level, "avx512"))
        flops = run_peak_avx512();
#else
    (void)level;
#endif
    return flops / ((qb_now_ms() - begin) * 1e-3);
}

/* Kernel and peak loop in turns, the best of each: the machine may be shared. */
static void bench_shape(Weights weights, int m, int n, int k, const QbKernels *levels, int n_levels)
{
    Problem p;
    check_title("gemm_%-5s m %5d n %5d k %5d", kinds[weights].name, m, n, k);
    if (!strstr(check.title, check_bench_filter))
        return;
    problem_init(&p, weights, m, n, k, 0, CHECK_FILL_PLAIN);
    p.g.bias = p.bias.data;
    p.g.act = QB_ACT_RELU6;
    double flops = 2.0 * m * n * k;
    printf("%s", check.title);
    for (int l = 1; l < n_levels; l++) {
        double best = INFINITY, peak = 0.0;
        double until = qb_now_ms() + 400.0;
        for (int run = 0; run < 5 || qb_now_ms() < until; run++) {
            double begin = qb_now_ms();
            slot_of(&levels[l], weights)(&p.g);
            best = fmin(best, (qb_now_ms() - begin) * 1e-3);
            peak = fmax(peak, peak_now(levels[l].level));
        }
        printf("  %s %7.1f GFLOP/s = %5.1f %% of fma peak", levels[l].level, flops / best * 1e-9,
               flops / best / peak * 100.0);
    }
    printf("\n");
    problem_deinit(&p);
}

static void run_bench(const QbKernels *levels, int n_levels)
{
    static const struct {
        Weights weights;
        int m, n, k;
    } shapes[] = {
        {W_F32, 66976, 32, 27},    {W_F32, 66976, 16, 32},    {W_F32, 66976, 96, 16},
        {W_F32, 16800, 24, 96},    {W_F32, 16800, 144, 24},   {W_F32, 4200, 40, 144},
        {W_F32, 4200, 240, 40},    {W_F32, 1064, 480, 80},    {W_F32, 1064, 80, 480},
        {W_F32, 1064, 672, 112},   {W_F32, 266, 1152, 192},   {W_F32, 266, 192, 1152},
        {W_F32, 266, 320, 1152},   {W_F32, 266, 1280, 320},   {W_F32, 1, 256, 256},
        {W_F32, 8, 1024, 256},     {W_F16, 577, 1024, 1024},  {W_F16, 1, 4096, 4096},
        {W_F16, 64, 1024, 4096},   {W_F16, 64, 512, 11008},   {W_BF16, 577, 1024, 1024},
        {W_F32, 577, 1024, 4096},  {W_Q8_0, 1, 4096, 4096},   {W_Q8_0, 64, 1024, 4096},
        {W_Q8_0, 96, 256, 4096},   {W_Q4_0, 96, 256, 4096},   {W_Q4_K, 96, 256, 4096},
        {W_Q5_K, 96, 256, 4096},   {W_Q6_K, 96, 256, 4096},   {W_Q8_0, 96, 256, 11008},
        {W_Q4_0, 96, 256, 11008},  {W_Q4_K, 96, 256, 11008},  {W_Q5_K, 96, 256, 11008},
        {W_Q6_K, 96, 256, 11008},  {W_Q8_0, 626, 4096, 4096}, {W_Q4_0, 626, 4096, 4096},
        {W_Q4_K, 626, 4096, 4096}, {W_Q6_K, 626, 4096, 4096}, {W_Q4_0, 1, 4096, 4096},
        {W_Q4_K, 1, 4096, 4096},   {W_Q6_K, 1, 4096, 4096},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        bench_shape(shapes[i].weights, shapes[i].m, shapes[i].n, shapes[i].k, levels, n_levels);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, run_checks, run_bench);
}
