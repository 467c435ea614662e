/* check_flip.c: FLIP's colours, colour difference and final error of every level against the
 * reference. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/flip.h"
#include "tests/kernels/check.h"

enum { MAX_N = 300, MAX_ROWS = 8 };
static const size_t sizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, MAX_N};

typedef struct Rows {
    CheckBuffer buffer[MAX_ROWS];
    float *x[MAX_ROWS];
    int n_rows;
} Rows;

static Rows rows_new(int n_rows, size_t n, float low, float high)
{
    Rows rows = {.n_rows = n_rows};
    for (int r = 0; r < n_rows; r++) {
        rows.buffer[r] = check_floats(n, CHECK_FILL_ZERO);
        rows.x[r] = rows.buffer[r].data;
        for (size_t i = 0; i < n; i++)
            rows.x[r][i] = check_random_float(low, high);
    }
    return rows;
}

static void rows_free(Rows *rows)
{
    for (int r = 0; r < rows->n_rows; r++)
        check_buffer_free(&rows->buffer[r]);
}

static void check_values(const char *level, const char *what, const Rows *got, int row,
                         const float *want, const double *bound, size_t n)
{
    size_t worst = n;
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got->x[row][i] - want[i]) <= bound[i]))
            worst = i;
    size_t at = worst < n ? worst : 0;
    check_true(worst == n, "%s: %s differs at %zu: %.9g, expected %.9g within %g", level, what, at,
               (double)got->x[row][at], (double)want[at], bound[at]);
    check_true(check_guard_intact(&got->buffer[row]), "%s: wrote in front of %s", level, what);
}

/* A colour is off by 8 u of itself (a quotient of sums of positive terms), a weighted mean of
 * colours <= 1 by 4 u more, a difference of two of them by twice that. */
static void check_opponent(size_t n, float gain, int tone_mapped, const QbKernels *levels,
                           int n_levels)
{
    float want[3][MAX_N], *out[3] = {want[0], want[1], want[2]};
    double bound[MAX_N];
    Rows rgb = rows_new(3, n, 0.0f, 2.0f), got = rows_new(3, n, 0.0f, 0.0f);
    check_title("flip_opponent %zu values gain %g tone mapped %d", n, (double)gain, tone_mapped);
    rgb.x[0][0] = 0.0f;
    rgb.x[1][n / 2] = FLT_MAX; /* infinite after the gain */
    const float *const in[3] = {rgb.x[0], rgb.x[1], rgb.x[2]};
    levels[0].flip_opponent(out, in, gain, tone_mapped, n);
    for (size_t i = 0; i < n; i++)
        bound[i] = 24.0 * CHECK_U;
    for (int l = 1; l < n_levels; l++) {
        levels[l].flip_opponent(got.x, in, gain, tone_mapped, n);
        for (int c = 0; c < 3; c++)
            check_values(levels[l].level, "colour", &got, c, want[c], bound, n);
    }
    rows_free(&rgb);
    rows_free(&got);
}

/* From a distance d to the result, and back. */
static double of_distance(double d)
{
    double power = d > 0 ? pow(d, QB_FLIP_EXPONENT) : 0;
    double knee = QB_FLIP_KNEE, above = power > knee ? power - knee : 0;
    return (power - above) * QB_FLIP_KNEE_ERROR / knee +
           above * (1 - QB_FLIP_KNEE_ERROR) / (QB_FLIP_LARGEST - knee);
}

static double to_distance(double y)
{
    double knee = QB_FLIP_KNEE, low = y < QB_FLIP_KNEE_ERROR ? y : QB_FLIP_KNEE_ERROR;
    double power = low * knee / QB_FLIP_KNEE_ERROR +
                   (y - low) * (QB_FLIP_LARGEST - knee) / (1 - QB_FLIP_KNEE_ERROR);
    return pow(power, 1 / (double)QB_FLIP_EXPONENT);
}

/* A colour is off by 8 u (terms up to 3), a share of the white by 4 u more, its root f by that
 * times the largest slope, 7.8, and 10 u of its own: 105 u. L is 116 f, a* and b* are 500 and 200
 * times a difference of two f: distances of two pictures are off by 2 (116 + 2 * 700) * 105 u. The
 * power and what follows add 40 u of the result. */
static void check_colour(size_t n, const QbKernels *levels, int n_levels)
{
    const double distance_error = 2.0 * (116 + 2 * 700) * 105 * CHECK_U;
    float want[MAX_N];
    double bound[MAX_N];
    Rows in = rows_new(6, n, 0.0f, 1.0f), got = rows_new(1, n, 0.0f, 0.0f);
    check_title("flip_colour %zu values", n);
    for (int r = 0; r < 6; r++)
        for (size_t i = 0; i < n; i++)
            if (r % 3 || i % 4 == 3) /* opponent colours; some dark */
                in.x[r][i] *= r % 3 ? 0.3f : 0.01f;
    for (size_t i = 0; i < n; i += 3) /* some nearly equal, some equal */
        for (int r = 0; r < 3; r++)
            in.x[r + 3][i] = in.x[r][i] * (i % 2 ? 1.0f : 1.001f);
    const float *const a[3] = {in.x[0], in.x[1], in.x[2]};
    const float *const b[3] = {in.x[3], in.x[4], in.x[5]};
    levels[0].flip_colour(want, a, b, n);
    for (size_t i = 0; i < n; i++) {
        double d = to_distance((double)want[i]);
        double up = of_distance(d + distance_error) - of_distance(d);
        double down = of_distance(d) - of_distance(d - distance_error);
        bound[i] = fmax(up, down) + 40.0 * CHECK_U * (double)want[i];
    }
    for (int l = 1; l < n_levels; l++) {
        levels[l].flip_colour(got.x[0], a, b, n);
        check_values(levels[l].level, "difference", &got, 0, want, bound, n);
        levels[l].flip_colour(got.x[0], a, a, n);
        for (size_t i = 0; i < n; i++)
            check_true(got.x[0][i] == 0.0f, "%s: equal colours differ by %g", levels[l].level,
                       (double)got.x[0][i]);
    }
    rows_free(&in);
    rows_free(&got);
}

/* A feature, the root of a difference of lengths <= sqrt(2) that is off by 12 u, moves the exponent
 * by what the root makes of that; the power is within (6 |exponent| + 6) u. */
static double error_bound(double y, double feature)
{
    double square = feature * feature, e = 12.0 * CHECK_U;
    double moved = fmax(sqrt(square + e) - feature, feature - sqrt(fmax(square - e, 0)));
    double ln = fabs(log(fmax(y, 0x1p-126))), exponent = (1 - feature) * ln;
    return pow(y, 1 - feature) * (1.01 * ln * moved + (6.0 * exponent + 6.0) * CHECK_U);
}

static void check_error(size_t n, const QbKernels *levels, int n_levels)
{
    float want[MAX_N];
    double bound[MAX_N];
    Rows f = rows_new(8, n, -0.9f, 0.9f), color = rows_new(1, n, 0.0f, 1.0f);
    Rows got = rows_new(1, n, 0.0f, 0.0f);
    check_title("flip_error %zu values", n);
    for (size_t i = 0; i < n; i += 3) /* no difference of features */
        for (int r = 0; r < 8; r += 2)
            f.x[r][i] = f.x[r + 1][i];
    color.x[0][n / 2] = 0.0f;
    QbFlipFeatures features = {.dx = {f.x[0], f.x[1]},
                               .dy = {f.x[2], f.x[3]},
                               .ddx = {f.x[4], f.x[5]},
                               .ddy = {f.x[6], f.x[7]}};
    memcpy(want, color.x[0], n * sizeof *want);
    levels[0].flip_error(want, &features, n);
    for (size_t i = 0; i < n; i++) {
        double edge = fabs(hypot((double)f.x[0][i], (double)f.x[2][i]) -
                           hypot((double)f.x[1][i], (double)f.x[3][i]));
        double point = fabs(hypot((double)f.x[4][i], (double)f.x[6][i]) -
                            hypot((double)f.x[5][i], (double)f.x[7][i]));
        bound[i] = error_bound((double)color.x[0][i], sqrt(fmax(edge, point) * sqrt(0.5)));
    }
    for (int l = 1; l < n_levels; l++) {
        memcpy(got.x[0], color.x[0], n * sizeof *want);
        levels[l].flip_error(got.x[0], &features, n);
        check_values(levels[l].level, "error", &got, 0, want, bound, n);
        check_true(got.x[0][n / 2] == 0.0f, "%s: no difference became %g", levels[l].level,
                   (double)got.x[0][n / 2]);
    }
    rows_free(&f);
    rows_free(&color);
    rows_free(&got);
}

static void checks(const QbKernels *levels, int n_levels)
{
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        check_opponent(sizes[s], 1.0f, 0, levels, n_levels);
        check_opponent(sizes[s], 1.0f, 1, levels, n_levels);
        check_opponent(sizes[s], 0x1p-12f, 1, levels, n_levels);
        check_opponent(sizes[s], 0x1p20f, 1, levels, n_levels);
        check_colour(sizes[s], levels, n_levels);
        check_error(sizes[s], levels, n_levels);
    }
}

/* ---- timing: a row of 1920 pixels ------------------------------------------------------ */
enum { BENCH_N = 1920, BENCH_ROUNDS = 100 };
static const QbKernels *current;
static Rows bench_in, bench_out;

static void run_opponent(void *user)
{
    for (int i = 0; i < BENCH_ROUNDS; i++)
        current->flip_opponent(bench_out.x, (const float *const *)bench_in.x, 1.0f, *(int *)user,
                               BENCH_N);
}

static void run_colour(void *user)
{
    (void)user;
    for (int i = 0; i < BENCH_ROUNDS; i++)
        current->flip_colour(bench_out.x[0], (const float *const *)bench_in.x,
                             (const float *const *)bench_in.x + 3, BENCH_N);
}

static void run_error(void *user)
{
    QbFlipFeatures f = {.dx = {bench_in.x[0], bench_in.x[1]},
                        .dy = {bench_in.x[2], bench_in.x[3]},
                        .ddx = {bench_in.x[4], bench_in.x[5]},
                        .ddy = {bench_in.x[6], bench_in.x[7]}};
    (void)user;
    for (int i = 0; i < BENCH_ROUNDS; i++)
        current->flip_error(bench_out.x[0], &f, BENCH_N);
}

static void bench(const QbKernels *levels, int n_levels)
{
    static int no = 0, yes = 1;
    const double work = (double)BENCH_N * BENCH_ROUNDS;
    bench_in = rows_new(8, BENCH_N, 0.0f, 1.0f);
    bench_out = rows_new(3, BENCH_N, 0.0f, 1.0f);
    check_bench_line("flip_opponent", "G pixels/s", work, levels, n_levels, run_opponent, &no,
                     &current);
    check_bench_line("flip_opponent, tone mapped", "G pixels/s", work, levels, n_levels,
                     run_opponent, &yes, &current);
    check_bench_line("flip_colour", "G pixels/s", work, levels, n_levels, run_colour, NULL,
                     &current);
    check_bench_line("flip_error", "G pixels/s", work, levels, n_levels, run_error, NULL, &current);
    rows_free(&bench_in);
    rows_free(&bench_out);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, checks, bench);
}
