/* check_norm.c: RMS and layer normalisation of every level against the reference. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

typedef struct Row {
    CheckBuffer x, w, b, y;
    int n;
    float eps;
} Row;

static void row_init(Row *row, int n, float eps, CheckFill fill)
{
    row->n = n;
    row->eps = eps;
    row->x = check_floats((size_t)n, fill);
    row->w = check_floats((size_t)n, CHECK_FILL_PLAIN);
    row->b = check_floats((size_t)n, CHECK_FILL_PLAIN);
    row->y = check_buffer((size_t)n * sizeof(float));
}

static void row_deinit(Row *row)
{
    check_buffer_free(&row->x);
    check_buffer_free(&row->w);
    check_buffer_free(&row->b);
    check_buffer_free(&row->y);
}

/* Sums are in double in both, so center and factor are the same number rounded to float, or its
 * neighbour: 2 u of each (the errors of the sums, n 2^-53 relative, are far below; the mean's
 * against the mean of |x|). rms: y = x factor w: 2 u of the factor and two products in each: 6 u
 * |y|, a little more for the second order. layer: the differing center moves (x - center) by 2 u
 * |center|; then the subtraction, two products and the sum, at most 4 roundings in each, of the
 * product before or after adding b. Subnormal results add 4 * 2^-149. */
static double bound_of(const Row *row, int i, double center, double factor, bool layer)
{
    const float *x = row->x.data, *w = row->w.data, *b = row->b.data;
    double scale = fabs(factor * w[i]);
    double product = fabs((double)x[i] - center) * scale;
    double magnitude = 0.0;
    for (int j = 0; j < row->n && layer; j++)
        magnitude += fabs((double)x[j]) / row->n;
    double moved =
        layer ? (2.0 * CHECK_U * fabs(center) + row->n * 0x1p-52 * magnitude) * scale : 0.0;
    return 12.0 * CHECK_U * (product + (layer ? fabs((double)b[i]) : 0.0)) + moved * 1.01 +
           4.0 * 0x1p-149 * (1.0 + scale);
}

static void compare(const Row *row, const float *want, bool layer, const char *level)
{
    const float *x = row->x.data, *y = row->y.data;
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < row->n; i++)
        sum += x[i];
    double center = layer ? sum / row->n : 0.0;
    for (int i = 0; i < row->n; i++)
        squares += (x[i] - center) * (x[i] - center);
    double factor = 1.0 / sqrt(squares / row->n + row->eps);
    int worst = -1;
    for (int i = 0; i < row->n; i++)
        if (!(fabs((double)y[i] - want[i]) <= bound_of(row, i, center, factor, layer)))
            worst = i;
    check_true(worst < 0, "%s differs at %d: %g, expected %g", level, worst,
               (double)y[worst < 0 ? 0 : worst], (double)want[worst < 0 ? 0 : worst]);
    check_true(check_guard_intact(&row->y), "%s wrote in front of y", level);
}

static void check_row(int n, float eps, CheckFill fill, const QbKernels *levels, int n_levels)
{
    Row row;
    row_init(&row, n, eps, fill);
    float *want = malloc(row.y.bytes);
    for (int l = 1; l < n_levels; l++) {
        check_title("rms_norm n %d fill %d", n, (int)fill);
        levels[0].rms_norm(want, row.x.data, row.w.data, n, eps);
        levels[l].rms_norm(row.y.data, row.x.data, row.w.data, n, eps);
        compare(&row, want, false, levels[l].level);
        check_title("layer_norm n %d fill %d", n, (int)fill);
        levels[0].layer_norm(want, row.x.data, row.w.data, row.b.data, n, eps);
        levels[l].layer_norm(row.y.data, row.x.data, row.w.data, row.b.data, n, eps);
        compare(&row, want, true, levels[l].level);

        memcpy(want, row.y.data, row.y.bytes);
        memcpy(row.y.data, row.x.data, row.y.bytes);
        levels[l].layer_norm(row.y.data, row.y.data, row.w.data, row.b.data, n, eps);
        check_true(!memcmp(want, row.y.data, row.y.bytes), "%s differs in place", levels[l].level);
        levels[l].rms_norm(want, row.x.data, row.w.data, n, eps);
        memcpy(row.y.data, row.x.data, row.y.bytes);
        levels[l].rms_norm(row.y.data, row.y.data, row.w.data, n, eps);
        check_true(!memcmp(want, row.y.data, row.y.bytes), "%s rms_norm differs in place",
                   levels[l].level);
    }
    free(want);
    row_deinit(&row);
}

static void run_checks(const QbKernels *levels, int n_levels)
{
    static const int sizes[] = {1,  2,  7,  8,   9,   15,  16,   17,   31,  32,
                                33, 63, 65, 128, 192, 256, 1024, 4096, 5120};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int fill = 0; fill < CHECK_FILL_COUNT; fill++)
            check_row(sizes[i], fill == CHECK_FILL_PLAIN ? 1e-6f : 1e-5f, (CheckFill)fill, levels,
                      n_levels);
}

/* ---- timing ---------------------------------------------------------------------------- */
static const QbKernels *timed;
enum { BENCH_ROWS = 1000 };

static void run_rms(void *user)
{
    Row *row = user;
    for (int i = 0; i < BENCH_ROWS; i++)
        timed->rms_norm(row->y.data, row->x.data, row->w.data, row->n, row->eps);
}

static void run_layer(void *user)
{
    Row *row = user;
    for (int i = 0; i < BENCH_ROWS; i++)
        timed->layer_norm(row->y.data, row->x.data, row->w.data, row->b.data, row->n, row->eps);
}

static void run_bench(const QbKernels *levels, int n_levels)
{
    static const int sizes[] = {192, 1024, 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Row row;
        char title[64];
        row_init(&row, sizes[i], 1e-6f, CHECK_FILL_PLAIN);
        snprintf(title, sizeof title, "rms_norm %d", sizes[i]);
        check_bench_line(title, "G values/s", (double)sizes[i] * BENCH_ROWS, levels, n_levels,
                         run_rms, &row, &timed);
        snprintf(title, sizeof title, "layer_norm %d", sizes[i]);
        check_bench_line(title, "G values/s", (double)sizes[i] * BENCH_ROWS, levels, n_levels,
                         run_layer, &row, &timed);
        row_deinit(&row);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, run_checks, run_bench);
}
