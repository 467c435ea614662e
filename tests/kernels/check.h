/* check.h: the harness of the kernel checks. Each check_<family>.c runs the slots of every level
 * that this CPU has against the reference and, with --bench, times them.
 *
 * Memory comes from check_buffer(): behind its last byte lies a page that cannot be touched, before
 * its first byte a pattern, so that a kernel that reads or writes too far is caught. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_KERNELS_CHECK_H
#define QB_TESTS_KERNELS_CHECK_H

#include "base/cpu.h"
#include "base/time.h"
#include "kernels/kernels.h"

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK_UNUSED __attribute__((unused))

/* ---- what is being checked, passes and failures ---------------------------------------- */
static struct {
    int passed, failed;
    char title[200];
} check;

__attribute__((format(printf, 1, 2))) CHECK_UNUSED static void check_title(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check.title, sizeof check.title, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 2, 3))) CHECK_UNUSED static void check_true(bool ok,
                                                                          const char *format, ...)
{
    enum { MAX_SHOWN = 20 };
    if (ok) {
        check.passed++;
        return;
    }
    if (++check.failed > MAX_SHOWN)
        return;
    printf("FAIL %s: ", check.title);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

CHECK_UNUSED static void check_crashed(int signal_number)
{
    static const char before[] = "FAIL memory outside a buffer was touched: ";
    (void)signal_number;
    if (write(1, before, sizeof before - 1) < 0 || write(1, check.title, strlen(check.title)) < 0 ||
        write(1, "\n", 1) < 0)
        _exit(3);
    _exit(2);
}

/* ---- memory ---------------------------------------------------------------------------- */
enum { CHECK_GUARD = 64, CHECK_PATTERN = 0xa5 };

typedef struct CheckBuffer {
    void *data; /* `bytes` bytes, ending where the forbidden page begins */
    size_t bytes;
    void *mapping; /* owned */
    size_t mapping_bytes;
} CheckBuffer;

/* Filled with the pattern. The program ends when memory runs out. */
CHECK_UNUSED static CheckBuffer check_buffer(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t usable = (bytes + CHECK_GUARD + page - 1) / page * page;
    CheckBuffer b = {.bytes = bytes, .mapping_bytes = usable + page};
    b.mapping =
        mmap(NULL, b.mapping_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b.mapping == MAP_FAILED || mprotect((char *)b.mapping + usable, page, PROT_NONE)) {
        perror("check_buffer");
        exit(3);
    }
    b.data = (char *)b.mapping + usable - bytes;
    memset((char *)b.data - CHECK_GUARD, CHECK_PATTERN, bytes + CHECK_GUARD);
    return b;
}

CHECK_UNUSED static bool check_guard_intact(const CheckBuffer *b)
{
    const unsigned char *guard = (unsigned char *)b->data - CHECK_GUARD;
    for (int i = 0; i < CHECK_GUARD; i++)
        if (guard[i] != CHECK_PATTERN)
            return false;
    return true;
}

CHECK_UNUSED static void check_buffer_free(CheckBuffer *b)
{
    if (b->mapping)
        munmap(b->mapping, b->mapping_bytes);
    *b = (CheckBuffer){0};
}

/* ---- random numbers: splitmix64 (Steele, Lea, Flood 2014), the same on every machine ---- */
static uint64_t check_random_state = 1;

CHECK_UNUSED static uint64_t check_random(void)
{
    uint64_t z = check_random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 … n - 1 */
CHECK_UNUSED static int check_random_below(int n)
{
    return (int)(check_random() % (uint64_t)n);
}

/* low … high */
CHECK_UNUSED static float check_random_float(float low, float high)
{
    return low + (high - low) * (float)(check_random() >> 40) * 0x1p-24f;
}

typedef enum CheckFill {
    CHECK_FILL_PLAIN,   /* -1 … 1 */
    CHECK_FILL_ZERO,    /* zeros of both signs */
    CHECK_FILL_TINY,    /* subnormal, and -1 … 1 now and then */
    CHECK_FILL_EXTREME, /* magnitudes 2^-30 … 2^30, mixed */
    CHECK_FILL_COUNT
} CheckFill;

CHECK_UNUSED static float check_fill_value(CheckFill fill)
{
    float plain = check_random_float(-1.0f, 1.0f);
    switch (fill) {
    case CHECK_FILL_ZERO:
        return plain < 0.0f ? -0.0f : 0.0f;
    case CHECK_FILL_TINY:
        return check_random_below(4) ? plain * 0x1p-130f : plain;
    case CHECK_FILL_EXTREME:
        return ldexpf(plain, check_random_below(61) - 30);
    default:
        return plain;
    }
}

CHECK_UNUSED static void check_fill(float *x, size_t n, CheckFill fill)
{
    for (size_t i = 0; i < n; i++)
        x[i] = check_fill_value(fill);
}

/* n floats in a buffer of their own. */
CHECK_UNUSED static CheckBuffer check_floats(size_t n, CheckFill fill)
{
    CheckBuffer b = check_buffer(n * sizeof(float));
    check_fill(b.data, n, fill);
    return b;
}

/* ---- the error of activations ---------------------------------------------------------- */
#define CHECK_U (FLT_EPSILON / 2) /* unit roundoff */

/* How far act(x) of a level may be from act(x) of the reference, for the same x. With s the slope
 * (1 or 1.702):
 *
 * x / (1 + e), e = exp(-s x): rounding s x moves the exponent by |s x| u, exp is good to 2 u, then
 * an addition and a division: (|s x| + 4) u of the result for a level and, expf being good to 2 u,
 * for the reference. Where e passes the largest float, the result is x / FLT_MAX or 0.
 *
 * gelu = max(x, 0) - h, h = a t P(t) exp(-a^2 / 2), a = |x|: rounding a^2 moves the exponent by a^2
 * / 2 u; exp 2 u; t 2 u twice (it is also a factor); the fit 0.54 u; Horner's rule of degree 8 at
 * most 2 * 8 u * sum|c t^i| / P <= 36 u; four products: (a^2 / 2 + 48) u of h, and u of the result.
 * The reference rounds x * sqrt(1/2) by 2 u, which erfc turns into (a^2 + 2) * 2 u of h where x < 0
 * and into less than h * that where x > 0; erfcf is good to 6 u, three products. */
CHECK_UNUSED static double check_act_error(double x, QbAct act)
{
    double a = fabs(x), s = act == QB_ACT_QUICK_GELU ? 1.702 : 1.0;
    double h = 0.5 * a * erfc(a * sqrt(0.5));
    switch (act) {
    case QB_ACT_GELU:
        return (2.5 * a * a + 64.0) * CHECK_U * h + 12.0 * CHECK_U * fmax(x, 0.0) +
               (a + 2.0) * 0x1p-149;
    case QB_ACT_QUICK_GELU:
    case QB_ACT_SILU:
        return 2.0 * (s * a + 4.0) * CHECK_U * a / (1.0 + exp(-s * x)) + a / FLT_MAX +
               2.0 * 0x1p-149;
    default:
        return 0.0;
    }
}

/* The largest slope of any activation: 1.13 (gelu near x = 1.4). */
#define CHECK_ACT_SLOPE 1.13

CHECK_UNUSED static double check_act(double x, QbAct act)
{
    switch (act) {
    case QB_ACT_RELU6:
        return fmin(fmax(x, 0.0), 6.0);
    case QB_ACT_GELU:
        return 0.5 * x * erfc(-x * sqrt(0.5));
    case QB_ACT_QUICK_GELU:
        return x / (1.0 + exp(-1.702 * x));
    case QB_ACT_SILU:
        return x / (1.0 + exp(-x));
    default:
        return x;
    }
}

/* ---- levels ---------------------------------------------------------------------------- */
/* The table of the reference, then of each level that the CPU has; returns how many. */
CHECK_UNUSED static int check_levels(QbKernels levels[3])
{
    unsigned cpu = qb_cpu_detect();
    int n = 0;
    qb_kernels_init(&levels[n++], 0);
    if (cpu & QB_CPU_AVX2)
        qb_kernels_init(&levels[n++], QB_CPU_AVX2);
    if (cpu & QB_CPU_AVX512)
        qb_kernels_init(&levels[n++], QB_CPU_AVX2 | QB_CPU_AVX512);
    return n;
}

/* ---- timing ---------------------------------------------------------------------------- */
typedef void (*CheckRun)(void *user);

/* The shortest of n runs, in seconds, after one that warms up. */
CHECK_UNUSED static double check_best_seconds(CheckRun run, void *user, int n)
{
    double best = INFINITY;
    run(user);
    for (int i = 0; i < n; i++) {
        double begin = qb_now_ms();
        run(user);
        best = fmin(best, (qb_now_ms() - begin) * 1e-3);
    }
    return best;
}

/* "--bench TEXT" times only the lines that contain TEXT. */
static const char *check_bench_filter = "";

/* Times one slot at every level and prints a line: work / time / 1e9 in `unit`. */
CHECK_UNUSED static void check_bench_line(const char *title, const char *unit, double work,
                                          const QbKernels *levels, int n_levels, CheckRun run,
                                          void *user, const QbKernels **current)
{
    enum { RUNS = 9 };
    if (!strstr(title, check_bench_filter))
        return;
    printf("%-44s", title);
    for (int l = 0; l < n_levels; l++) {
        *current = &levels[l];
        printf("  %s %8.2f", levels[l].level,
               work / check_best_seconds(run, user, l ? RUNS : 2) * 1e-9);
    }
    printf("  %s\n", unit);
}

/* main() of a check program. */
CHECK_UNUSED static int check_main(int argc, char **argv,
                                   void (*checks)(const QbKernels *levels, int n_levels),
                                   void (*bench)(const QbKernels *levels, int n_levels))
{
    QbKernels levels[3];
    int n_levels = check_levels(levels);
    signal(SIGSEGV, check_crashed);
    signal(SIGBUS, check_crashed);
    if (argc > 1 && !strcmp(argv[1], "--bench")) {
        check_bench_filter = argc > 2 ? argv[2] : "";
        bench(levels, n_levels);
        return 0;
    }
    checks(levels, n_levels);
    printf("%d passed, %d failed\n", check.passed, check.failed);
    return check.failed || !check.passed;
}

#endif
