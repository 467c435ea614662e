/* check_filter.c: the filters of pictures, SSIM, VIF and GMS of every level against the reference.
 */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

enum { MAX_TAPS = 21, MAX_N = 300 };
static const size_t sizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130, MAX_N};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

/* n values with a page behind the last that cannot be touched. */
typedef struct Row {
    CheckBuffer buffer;
    float *x;
} Row;

static Row row_new(size_t n, CheckFill fill)
{
    Row row = {.buffer = check_floats(n, fill)};
    row.x = row.buffer.data;
    return row;
}

static void row_set(Row *row, size_t n, float low, float high)
{
    for (size_t i = 0; i < n; i++)
        row->x[i] = check_random_float(low, high);
}

static void rows_free(Row *rows, int n)
{
    for (int i = 0; i < n; i++)
        check_buffer_free(&rows[i].buffer);
}

/* Weights of a window: positive, with the sum 1. */
static void fill_window(float *taps, int n_taps)
{
    float sum = 0.0f;
    for (int t = 0; t < n_taps; t++)
        sum += taps[t] = check_random_float(0.1f, 1.0f);
    for (int t = 0; t < n_taps; t++)
        taps[t] /= sum;
}

/* Every value of got within bound[i] of want; got's front guard whole. */
static void check_row(const char *level, const char *what, const Row *got, const float *want,
                      const double *bound, size_t n)
{
    size_t worst = n;
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got->x[i] - want[i]) <= bound[i]))
            worst = i;
    size_t at = worst < n ? worst : 0;
    check_true(worst == n, "%s: %s differs at %zu: %g, expected %g within %g", level, what, at,
               (double)got->x[at], (double)want[at], bound[at]);
    check_true(check_guard_intact(&got->buffer), "%s: wrote in front of %s", level, what);
}

/* ---- plain filters: n products and sums, rounded once or twice each ---------------------- */
static double filter_bound(const float *taps, int n_taps, const float *const *at)
{
    double magnitude = 0;
    for (int t = 0; t < n_taps; t++)
        magnitude += fabs((double)taps[t] * *at[t]);
    return (2.0 * n_taps + 1.0) * CHECK_U * (1.0 + 1e-5) * magnitude + n_taps * 0x1p-149;
}

static void check_filters(size_t n, int n_taps, CheckFill fill, const QbKernels *levels,
                          int n_levels)
{
    float taps[MAX_TAPS], want_row[MAX_N], want_column[MAX_N];
    double bound_row[MAX_N], bound_column[MAX_N];
    const float *rows[MAX_TAPS], *at[MAX_TAPS];
    Row x = row_new(n + (size_t)n_taps - 1, fill), y = row_new(n, fill), column[MAX_TAPS];
    check_title("filters %zu values %d taps fill %d", n, n_taps, (int)fill);
    check_fill(taps, (size_t)n_taps, CHECK_FILL_PLAIN);
    for (int t = 0; t < n_taps; t++) {
        column[t] = row_new(n, fill);
        rows[t] = column[t].x;
    }
    levels[0].filter_row(want_row, x.x, taps, n_taps, n);
    levels[0].filter_column(want_column, rows, taps, n_taps, n);
    for (size_t i = 0; i < n; i++) {
        for (int t = 0; t < n_taps; t++)
            at[t] = x.x + i + t;
        bound_row[i] = filter_bound(taps, n_taps, at);
        for (int t = 0; t < n_taps; t++)
            at[t] = rows[t] + i;
        bound_column[i] = filter_bound(taps, n_taps, at);
    }
    for (int l = 1; l < n_levels; l++) {
        levels[l].filter_row(y.x, x.x, taps, n_taps, n);
        check_row(levels[l].level, "filter_row", &y, want_row, bound_row, n);
        levels[l].filter_column(y.x, rows, taps, n_taps, n);
        check_row(levels[l].level, "filter_column", &y, want_column, bound_column, n);
    }
    rows_free(column, n_taps);
    rows_free(&x, 1);
    rows_free(&y, 1);
}

/* ---- luma: equal to the bit ------------------------------------------------------------ */
static void check_luma(size_t n, const QbKernels *levels, int n_levels)
{
    float want[MAX_N];
    CheckBuffer rgb = check_buffer(3 * n);
    Row y = row_new(n, CHECK_FILL_ZERO);
    check_title("luma_u8 %zu pixels", n);
    for (size_t i = 0; i < 3 * n; i++)
        ((uint8_t *)rgb.data)[i] = (uint8_t)check_random_below(256);
    levels[0].luma_u8(want, rgb.data, n);
    for (int l = 1; l < n_levels; l++) {
        levels[l].luma_u8(y.x, rgb.data, n);
        check_true(!memcmp(y.x, want, n * sizeof *want), "%s differs", levels[l].level);
        check_true(check_guard_intact(&y.buffer), "%s wrote in front of y", levels[l].level);
    }
    check_buffer_free(&rgb);
    rows_free(&y, 1);
}

/* ---- moments --------------------------------------------------------------------------- */
typedef struct MomentRows {
    Row row[QB_MOMENTS];
    QbMoments moments;
} MomentRows;

static MomentRows moment_rows(size_t n)
{
    MomentRows m;
    for (int r = 0; r < QB_MOMENTS; r++) {
        m.row[r] = row_new(n, CHECK_FILL_ZERO);
        m.moments.row[r] = m.row[r].x;
    }
    return m;
}

/* Means: as filters of |x - c| <= spread, plus the addition of c. Second moments: n_taps sums of
 * terms <= spread^2 with three roundings each, what the columns bring, and the product of means,
 * which are off by a mean's error times the spread. 8 n_taps u covers them. */
static void check_moments_rows(const char *level, const MomentRows *got, const QbMoments *want,
                               size_t n, int n_taps, double spread, double largest)
{
    double bound[MAX_N];
    for (int r = 0; r < QB_MOMENTS; r++) {
        bool mean = r == QB_MOMENT_MEAN_A || r == QB_MOMENT_MEAN_B;
        for (size_t i = 0; i < n; i++)
            bound[i] = mean ? (4.0 * n_taps * spread + 2.0 * largest) * CHECK_U
                            : 8.0 * n_taps * spread * spread * CHECK_U;
        check_row(level, "moments", &got->row[r], want->row[r], bound, n);
    }
}

static void check_moments(size_t n, int n_taps, float low, float high, const QbKernels *levels,
                          int n_levels)
{
    float taps[MAX_TAPS], want[QB_MOMENTS][MAX_N];
    const float *a[MAX_TAPS], *b[MAX_TAPS];
    size_t wide = n + (size_t)n_taps - 1;
    Row rows[2 * MAX_TAPS];
    MomentRows x = moment_rows(wide), y = moment_rows(n), down = moment_rows(n);
    QbMoments expected;
    double spread = (double)high - low, largest = fmax(fabs((double)low), fabs((double)high));
    check_title("moments %zu values %d taps in %g .. %g", n, n_taps, (double)low, (double)high);
    fill_window(taps, n_taps);
    for (int t = 0; t < 2 * n_taps; t++) {
        rows[t] = row_new(n, CHECK_FILL_ZERO);
        row_set(&rows[t], n, low, high);
        *(t < n_taps ? &a[t] : &b[t - n_taps]) = rows[t].x;
    }
    for (int r = 0; r < QB_MOMENTS; r++) {
        bool mean = r == QB_MOMENT_MEAN_A || r == QB_MOMENT_MEAN_B;
        row_set(&x.row[r], wide, mean ? low : 0.0f, mean ? high : (float)(spread * spread));
        expected.row[r] = want[r];
    }
    for (int l = 1; l < n_levels; l++) {
        levels[0].moments_column(&expected, a, b, taps, n_taps, n);
        levels[l].moments_column(&down.moments, a, b, taps, n_taps, n);
        check_moments_rows(levels[l].level, &down, &expected, n, n_taps, spread, largest);
        levels[0].moments_row(&expected, &x.moments, taps, n_taps, n);
        levels[l].moments_row(&y.moments, &x.moments, taps, n_taps, n);
        check_moments_rows(levels[l].level, &y, &expected, n, n_taps, spread, largest);
    }
    rows_free(rows, 2 * n_taps);
    rows_free(x.row, QB_MOMENTS);
    rows_free(y.row, QB_MOMENTS);
    rows_free(down.row, QB_MOMENTS);
}

/* ---- what is made of moments ----------------------------------------------------------- */
/* Variances and a covariance that they allow; the first pixels are flat, or equal. */
static void fill_moments(MomentRows *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float va = i % 5 == 0 ? 0.0f : check_random_float(0.0f, 2000.0f);
        float vb = i % 7 == 0 ? 0.0f : i % 4 ? check_random_float(0.0f, 2000.0f) : va;
        float cov = va == vb ? va : check_random_float(-1.0f, 1.0f) * sqrtf(va) * sqrtf(vb);
        m->row[QB_MOMENT_MEAN_A].x[i] = check_random_float(0.0f, 255.0f);
        m->row[QB_MOMENT_MEAN_B].x[i] =
            i % 3 ? check_random_float(0.0f, 255.0f) : m->row[QB_MOMENT_MEAN_A].x[i];
        m->row[QB_MOMENT_VAR_A].x[i] = va;
        m->row[QB_MOMENT_VAR_B].x[i] = vb;
        m->row[QB_MOMENT_COV].x[i] = cov;
    }
}

/* ssim: both quotients are 0 … 2 (a covariance is at most the mean of the variances), off by 6 u of
 * themselves and, in the second, by 3 u of the variances over their sum with c2 (<= 1); then 1 - x
 * and a product of factors up to 1. vif: the gain is off by 3 u; the distortion, a difference of
 * terms <= image, by 6 u image, which the noise variance of 2 does not let weigh more than
 * image / 2; the signal <= image / (distortion + 2). */
static void check_made_of_moments(size_t n, const QbKernels *levels, int n_levels)
{
    const float c1 = 6.5025f, c2 = 58.5225f, noise = 2.0f;
    float want[4][MAX_N];
    double ssim_bound[MAX_N], kept_bound[MAX_N], all_bound[MAX_N];
    MomentRows m = moment_rows(n);
    Row a = row_new(n, CHECK_FILL_ZERO), b = row_new(n, CHECK_FILL_ZERO);
    check_title("ssim_row, vif_row %zu values", n);
    fill_moments(&m, n);
    levels[0].ssim_row(want[0], want[1], &m.moments, c1, c2, n);
    levels[0].vif_row(want[2], want[3], &m.moments, noise, n);
    for (size_t i = 0; i < n; i++) {
        double image = m.row[QB_MOMENT_VAR_A].x[i];
        ssim_bound[i] = 40.0 * CHECK_U;
        kept_bound[i] = 12.0 * CHECK_U * (double)want[2][i] * (2.0 + image / noise);
        all_bound[i] = 4.0 * CHECK_U * (double)want[3][i];
    }
    for (int l = 1; l < n_levels; l++) {
        levels[l].ssim_row(a.x, b.x, &m.moments, c1, c2, n);
        check_row(levels[l].level, "ssim", &a, want[0], ssim_bound, n);
        check_row(levels[l].level, "structure", &b, want[1], ssim_bound, n);
        levels[l].vif_row(a.x, b.x, &m.moments, noise, n);
        check_row(levels[l].level, "kept", &a, want[2], kept_bound, n);
        check_row(levels[l].level, "all", &b, want[3], all_bound, n);
    }
    rows_free(m.row, QB_MOMENTS);
    rows_free(&a, 1);
    rows_free(&b, 1);
}

/* Equal pictures have no error at all, at any level. */
static void check_equal(const QbKernels *levels, int n_levels)
{
    enum { N = 45 };
    float taps[MAX_TAPS], ssim[N], structure[N];
    const float *rows[MAX_TAPS];
    Row x[MAX_TAPS];
    size_t n = N - MAX_TAPS + 1;
    fill_window(taps, MAX_TAPS);
    for (int t = 0; t < MAX_TAPS; t++) {
        x[t] = row_new(N, CHECK_FILL_ZERO);
        row_set(&x[t], N, 0.0f, 255.0f);
        rows[t] = x[t].x;
    }
    check_title("equal pictures");
    for (int l = 0; l < n_levels; l++) {
        MomentRows down = moment_rows(N), across = moment_rows(n);
        levels[l].moments_column(&down.moments, rows, rows, taps, MAX_TAPS, N);
        levels[l].moments_row(&across.moments, &down.moments, taps, MAX_TAPS, n);
        levels[l].ssim_row(ssim, structure, &across.moments, 6.5025f, 58.5225f, n);
        for (size_t i = 0; i < n; i++)
            check_true(ssim[i] == 1.0f && structure[i] == 1.0f, "%s: ssim is %.9g", levels[l].level,
                       (double)ssim[i]);
        rows_free(down.row, QB_MOMENTS);
        rows_free(across.row, QB_MOMENTS);
    }
    rows_free(x, MAX_TAPS);
}

/* ---- gradient magnitude similarity ----------------------------------------------------- */
/* Sums of six samples <= 255 round by 12 * 255 u in all; a magnitude g is therefore off by e = 5000
 * u, and y = (ga - gb)^2 / (ga^2 + gb^2 + c) has a slope below 4 / sqrt(c) in each. */
static void check_gms(size_t n, const QbKernels *levels, int n_levels)
{
    const float c = 170.0f;
    float want[MAX_N];
    double bound[MAX_N];
    const float *a[3], *b[3];
    Row rows[6], y = row_new(n, CHECK_FILL_ZERO);
    check_title("gms_row %zu values", n);
    for (int r = 0; r < 6; r++) {
        rows[r] = row_new(n + 2, CHECK_FILL_ZERO);
        row_set(&rows[r], n + 2, 0.0f, 255.0f);
        *(r < 3 ? &a[r] : &b[r - 3]) = rows[r].x;
    }
    levels[0].gms_row(want, a, b, c, n);
    for (size_t i = 0; i < n; i++)
        bound[i] = 2.0 * 4.0 / sqrt((double)c) * 5000.0 * CHECK_U;
    for (int l = 1; l < n_levels; l++) {
        levels[l].gms_row(y.x, a, b, c, n);
        check_row(levels[l].level, "gms", &y, want, bound, n);
    }
    rows_free(rows, 6);
    rows_free(&y, 1);
}

static void checks(const QbKernels *levels, int n_levels)
{
    static const int taps[] = {1, 2, 3, 5, 11, 17, MAX_TAPS};
    for (int s = 0; s < N_SIZES; s++) {
        for (size_t t = 0; t < sizeof taps / sizeof *taps; t++) {
            for (int fill = 0; fill < CHECK_FILL_COUNT; fill++)
                check_filters(sizes[s], taps[t], (CheckFill)fill, levels, n_levels);
            check_moments(sizes[s], taps[t], 0.0f, 255.0f, levels, n_levels);
            check_moments(sizes[s], taps[t], 200.0f, 200.5f, levels, n_levels);
        }
        check_made_of_moments(sizes[s], levels, n_levels);
        check_gms(sizes[s], levels, n_levels);
        check_luma(sizes[s], levels, n_levels);
    }
    check_equal(levels, n_levels);
}

/* ---- timing: a row of 1920 pixels ------------------------------------------------------ */
enum { BENCH_N = 1920, BENCH_ROUNDS = 200 };
static const QbKernels *current;
static float bench_rows[2 * MAX_TAPS][BENCH_N + MAX_TAPS],
    bench_y[2 * QB_MOMENTS][BENCH_N + MAX_TAPS];
static const float *bench_a[MAX_TAPS], *bench_b[MAX_TAPS];
static QbMoments bench_down, bench_across;
static float bench_taps[MAX_TAPS];

static void run_filter_row(void *user)
{
    for (int i = 0; i < BENCH_ROUNDS; i++)
        current->filter_row(bench_y[0], bench_rows[0], bench_taps, *(int *)user, BENCH_N);
}

static void run_filter_column(void *user)
{
    for (int i = 0; i < BENCH_ROUNDS; i++)
        current->filter_column(bench_y[0], bench_a, bench_taps, *(int *)user, BENCH_N);
}

static void run_moments_column(void *user)
{
    for (int i = 0; i < BENCH_ROUNDS; i++)
        current->moments_column(&bench_down, bench_a, bench_b, bench_taps, *(int *)user, BENCH_N);
}

static void run_moments_row(void *user)
{
    for (int i = 0; i < BENCH_ROUNDS; i++)
        current->moments_row(&bench_across, &bench_down, bench_taps, *(int *)user, BENCH_N);
}

static void run_ssim_row(void *user)
{
    (void)user;
    for (int i = 0; i < BENCH_ROUNDS; i++)
        current->ssim_row(bench_rows[0], bench_rows[1], &bench_across, 6.5025f, 58.5225f, BENCH_N);
}

static void bench(const QbKernels *levels, int n_levels)
{
    static int taps[] = {11, MAX_TAPS};
    static const struct {
        const char *name;
        CheckRun run;
    } slots[] = {{"filter_row", run_filter_row},
                 {"filter_column", run_filter_column},
                 {"moments_column", run_moments_column},
                 {"moments_row", run_moments_row},
                 {"ssim_row", run_ssim_row}};
    for (int t = 0; t < MAX_TAPS; t++) {
        bench_a[t] = bench_rows[t];
        bench_b[t] = bench_rows[MAX_TAPS + t];
        check_fill(bench_rows[t], BENCH_N + MAX_TAPS, CHECK_FILL_PLAIN);
        check_fill(bench_rows[MAX_TAPS + t], BENCH_N + MAX_TAPS, CHECK_FILL_PLAIN);
    }
    for (int r = 0; r < QB_MOMENTS; r++) {
        bench_down.row[r] = bench_y[r];
        bench_across.row[r] = bench_y[QB_MOMENTS + r];
    }
    fill_window(bench_taps, MAX_TAPS);
    for (size_t s = 0; s < sizeof slots / sizeof *slots; s++) {
        for (int t = 0; t < 2; t++) {
            char title[64];
            snprintf(title, sizeof title, "%s %d taps", slots[s].name, taps[t]);
            check_bench_line(title, "G pixels/s", (double)BENCH_N * BENCH_ROUNDS, levels, n_levels,
                             slots[s].run, &taps[t], &current);
        }
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, checks, bench);
}
