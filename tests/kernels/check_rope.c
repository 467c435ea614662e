/* check_rope.c: rotary position embedding of every level against the reference. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

/* Each result is a sum of two products: three roundings in the reference, two with fma, each at
 * most u times the larger of the terms and their sum: 5 u * (|a c| + |b s|) and subnormal products'
 * rounding. */
static void check_heads(int n_heads, int head_dim, CheckFill fill, const QbKernels *levels,
                        int n_levels)
{
    check_title("rope_pairs heads %d dim %d fill %d", n_heads, head_dim, (int)fill);
    size_t n = (size_t)n_heads * (size_t)head_dim;
    int half = head_dim / 2;
    CheckBuffer x = check_buffer(n * sizeof(float));
    CheckBuffer cosine = check_floats((size_t)half, CHECK_FILL_PLAIN);
    CheckBuffer sine = check_floats((size_t)half, CHECK_FILL_PLAIN);
    const float *c = cosine.data, *s = sine.data;
    float *before = malloc(x.bytes), *want = malloc(x.bytes), *got = x.data;
    check_fill(before, n, fill);
    memcpy(want, before, x.bytes);
    levels[0].rope_pairs(want, c, s, n_heads, head_dim);
    for (int l = 1; l < n_levels; l++) {
        memcpy(got, before, x.bytes);
        levels[l].rope_pairs(got, c, s, n_heads, head_dim);
        size_t worst = n;
        for (size_t i = 0; i < n; i++) {
            int d = (int)(i % (size_t)head_dim);
            int pair = d / 2;
            double a = before[i], b = before[i ^ 1];
            /* the pair's first and second value use c and s alike in magnitude */
            double bound = 5.0 * CHECK_U * (fabs(a * c[pair]) + fabs(b * s[pair])) + 3.0 * 0x1p-149;
            if (!(fabs((double)got[i] - want[i]) <= bound))
                worst = i;
        }
        check_true(worst == n, "%s differs at %zu: %g, expected %g", levels[l].level, worst,
                   (double)got[worst % n], (double)want[worst % n]);
        check_true(check_guard_intact(&x), "%s wrote in front of x", levels[l].level);
    }
    free(before);
    free(want);
    check_buffer_free(&x);
    check_buffer_free(&cosine);
    check_buffer_free(&sine);
}

static void run_checks(const QbKernels *levels, int n_levels)
{
    static const int dims[] = {2, 4, 6, 8, 14, 16, 18, 30, 32, 34, 64, 66, 80, 128, 256};
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
        for (int heads = 1; heads <= 32; heads += 31)
            for (int fill = 0; fill < CHECK_FILL_COUNT; fill++)
                check_heads(heads, dims[d], (CheckFill)fill, levels, n_levels);
}

/* ---- timing ---------------------------------------------------------------------------- */
enum { BENCH_HEADS = 32, BENCH_DIM = 128, BENCH_ROWS = 100 };
static const QbKernels *timed;

typedef struct Bench {
    float *x, *cosine, *sine;
} Bench;

static void run_rope(void *user)
{
    Bench *b = user;
    for (int i = 0; i < BENCH_ROWS; i++)
        timed->rope_pairs(b->x, b->cosine, b->sine, BENCH_HEADS, BENCH_DIM);
}

static void run_bench(const QbKernels *levels, int n_levels)
{
    CheckBuffer x = check_floats(BENCH_HEADS * BENCH_DIM, CHECK_FILL_PLAIN);
    CheckBuffer c = check_floats(BENCH_DIM / 2, CHECK_FILL_PLAIN);
    CheckBuffer s = check_floats(BENCH_DIM / 2, CHECK_FILL_PLAIN);
    for (int i = 0; i < BENCH_DIM / 2; i++) { /* a rotation, so that x keeps its size */
        ((float *)c.data)[i] = cosf((float)i);
        ((float *)s.data)[i] = sinf((float)i);
    }
    Bench b = {x.data, c.data, s.data};
    check_bench_line("rope_pairs", "G values/s", BENCH_HEADS * BENCH_DIM * BENCH_ROWS, levels,
                     n_levels, run_rope, &b, &timed);
    check_buffer_free(&x);
    check_buffer_free(&c);
    check_buffer_free(&s);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, run_checks, run_bench);
}
