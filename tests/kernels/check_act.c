/* check_act.c: the activations of every level against the reference, over the whole range of
 * floats. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

static const char *const act_name[QB_ACT_COUNT] = {"none", "relu6", "gelu", "quick_gelu", "silu"};

/* Small, usual, large, subnormal and extreme values, and those where exp leaves the range of
 * floats. */
static void fill_values(float *x, size_t n)
{
    static const float edges[] = {0.0f,       -0.0f,  6.0f,    5.9999995f, 6.0000005f, 88.72283f,
                                  -88.72283f, 88.8f,  -88.8f,  103.97f,    -103.9f,    52.1f,
                                  -52.2f,     61.1f,  -61.1f,  13.2f,      -13.2f,     14.5f,
                                  -14.5f,     14.51f, -15.0f,  FLT_MAX,    -FLT_MAX,   FLT_MIN,
                                  -FLT_MIN,   1e-45f, -1e-45f, 1e-40f,     1.0f,       -1.0f};
    static const float ranges[] = {1e-3f, 1.0f, 6.5f, 16.0f, 110.0f, 1e6f};
    enum { N_EDGES = sizeof edges / sizeof *edges, N_RANGES = sizeof ranges / sizeof *ranges };
    for (size_t i = 0; i < n; i++) {
        float range = ranges[check_random_below(N_RANGES)];
        x[i] = check_random_below(8)   ? check_random_float(-range, range)
               : check_random_below(2) ? edges[check_random_below(N_EDGES)]
                                       : check_fill_value(CHECK_FILL_EXTREME) * 0x1p-100f;
    }
}

/* x as a matrix of n x 1 times 1: what a product makes of its sums. n is a multiple of QB_PANEL. */
static void activate(const QbKernels *level, float *y, const float *x, size_t n, QbAct act)
{
    static const float one = 1.0f;
    const QbGemm g = {.m = 1,
                      .n = (int)n,
                      .k = 1,
                      .a = &one,
                      .lda = 1,
                      .packed = x,
                      .c = y,
                      .ldc = (ptrdiff_t)n,
                      .act = act};
    level->gemm_f32(&g);
}

static void check_activate(size_t n, QbAct act, const QbKernels *levels, int n_levels)
{
    check_title("activate %s n %zu", act_name[act], n);
    CheckBuffer x = check_buffer(n * sizeof(float)), y = check_buffer(n * sizeof(float));
    float *before = x.data, *want = malloc(x.bytes), *got = y.data;
    fill_values(before, n);
    activate(&levels[0], want, before, n, act);
    for (int l = 1; l < n_levels; l++) {
        activate(&levels[l], got, before, n, act);
        size_t worst = n;
        for (size_t i = 0; i < n; i++)
            if (!(fabs((double)got[i] - want[i]) <= check_act_error(before[i], act)))
                worst = i;
        check_true(worst == n, "%s of %a: %a, expected %a", levels[l].level,
                   (double)before[worst % n], (double)got[worst % n], (double)want[worst % n]);
        check_true(check_guard_intact(&y), "%s wrote in front of y", levels[l].level);
    }
    free(want);
    check_buffer_free(&x);
    check_buffer_free(&y);
}

/* y may be gate or up: `place` 0 apart, 1 gate, 2 up. */
static void check_silu_mul(size_t n, int place, const QbKernels *levels, int n_levels)
{
    check_title("silu_mul n %zu place %d", n, place);
    CheckBuffer buffers[3] = {check_buffer(n * sizeof(float)), check_buffer(n * sizeof(float)),
                              check_buffer(n * sizeof(float))};
    float *y = buffers[place].data, *gate = buffers[1].data, *up = buffers[2].data;
    float *want = malloc(buffers[0].bytes), *gate_before = malloc(buffers[0].bytes),
          *up_before = malloc(buffers[0].bytes);
    fill_values(gate_before, n);
    check_fill(up_before, n, CHECK_FILL_EXTREME);
    for (int l = 0; l < n_levels; l++) {
        memcpy(gate, gate_before, buffers[0].bytes);
        memcpy(up, up_before, buffers[0].bytes);
        levels[l].silu_mul(y, gate, up, n);
        if (l == 0)
            memcpy(want, y, buffers[0].bytes);
        size_t worst = n;
        for (size_t i = 0; i < n; i++) { /* the product rounds once in each */
            double bound =
                check_act_error(gate_before[i], QB_ACT_SILU) * fabs((double)up_before[i]) +
                FLT_EPSILON * fabs((double)want[i]) + 0x1p-149;
            if (!(fabs((double)y[i] - want[i]) <= bound) && isfinite(want[i]))
                worst = i;
        }
        check_true(worst == n, "%s at %zu: %g, expected %g", levels[l].level, worst,
                   (double)y[worst % n], (double)want[worst % n]);
        check_true(check_guard_intact(&buffers[place]), "%s wrote in front of y", levels[l].level);
    }
    free(want);
    free(gate_before);
    free(up_before);
    for (int i = 0; i < 3; i++)
        check_buffer_free(&buffers[i]);
}

static void run_checks(const QbKernels *levels, int n_levels)
{
    static const size_t sizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 33, 100, 4096, 11008, 100003};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int act = 0; act < QB_ACT_COUNT; act++)
            check_activate((sizes[i] + 15) / 16 * 16, (QbAct)act, levels, n_levels);
        for (int place = 0; place < 3; place++)
            check_silu_mul(sizes[i], place, levels, n_levels);
    }
}

/* ---- timing ---------------------------------------------------------------------------- */
enum { BENCH_N = 11008 * 8 };

typedef struct Bench {
    float *x, *y;
} Bench;

static const QbKernels *timed;

static void run_silu_mul(void *user)
{
    Bench *b = user;
    timed->silu_mul(b->y, b->x, b->x, BENCH_N);
}

static void run_bench(const QbKernels *levels, int n_levels)
{
    CheckBuffer x = check_floats(BENCH_N, CHECK_FILL_PLAIN),
                y = check_floats(BENCH_N, CHECK_FILL_PLAIN);
    Bench b = {.x = x.data, .y = y.data};
    check_bench_line("silu_mul", "G values/s", BENCH_N, levels, n_levels, run_silu_mul, &b, &timed);
    check_buffer_free(&x);
    check_buffer_free(&y);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, run_checks, run_bench);
}
