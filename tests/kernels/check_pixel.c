/* check_pixel.c: the pixel kernels of every level; all equal to the reference to the bit. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

enum { WEIGHT_BITS = 22 };

static void fill_bytes(uint8_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++) /* many 0 and 255 */
        x[i] = (uint8_t)(check_random_below(3) ? check_random() : check_random() & 1 ? 255 : 0);
}

static void check_normalize(size_t n_pixels, const QbKernels *levels, int n_levels)
{
    check_title("normalize_u8 %zu pixels", n_pixels);
    const float gain[3] = {0.0145987f, 0.0150078f, 0.0142201f},
                offset[3] = {-1.79f, -1.75f, -1.48f};
    CheckBuffer x = check_buffer(n_pixels * 3), y = check_buffer(n_pixels * 3 * sizeof(float));
    float *want = malloc(y.bytes);
    fill_bytes(x.data, x.bytes);
    levels[0].normalize_u8(want, x.data, n_pixels, gain, offset);
    for (int l = 1; l < n_levels; l++) {
        memset(y.data, CHECK_PATTERN, y.bytes);
        levels[l].normalize_u8(y.data, x.data, n_pixels, gain, offset);
        check_true(!memcmp(want, y.data, y.bytes) && check_guard_intact(&y), "%s differs",
                   levels[l].level);
    }
    free(want);
    check_buffer_free(&x);
    check_buffer_free(&y);
}

/* An axis as for antialiased bicubic scaling of in_size to out_size, with weights that add up to
 * 2^22, some of them negative, and sum|weight| < 2^23, so that sums fit 32 bits. */
typedef struct Axis {
    QbResampleAxis axis;
    CheckBuffer first, count, weight;
} Axis;

static void axis_init(Axis *a, int in_size, int out_size)
{
    double scale = (double)in_size / out_size;
    double support = 2.0 * fmax(scale, 1.0);
    int max_count = (int)ceil(support) * 2 + 1;
    a->first = check_buffer((size_t)out_size * sizeof(int32_t));
    a->count = check_buffer((size_t)out_size * sizeof(int32_t));
    int32_t *first = a->first.data, *count = a->count.data;
    for (int i = 0; i < out_size; i++) {
        double center = (i + 0.5) * scale;
        int from = (int)fmax(center - support + 0.5, 0.0);
        int to = (int)fmin(center + support + 0.5, in_size);
        first[i] = from;
        count[i] = to - from < max_count ? to - from : max_count;
    }
    a->weight = check_buffer((size_t)out_size * (size_t)max_count * sizeof(int32_t));
    int32_t *weight = a->weight.data;
    for (int i = 0; i < out_size; i++) {
        int32_t left = 1 << WEIGHT_BITS, *w = weight + (ptrdiff_t)i * max_count;
        int32_t largest = (1 << WEIGHT_BITS) / (2 * count[i]);
        for (int j = 0; j < count[i]; j++) {
            w[j] = j == count[i] - 1 ? left : check_random_below(2 * largest + 1) - largest / 2;
            left -= w[j];
        }
        if (i % 3 == 1 && count[i] > 1) /* sums that lie on the border between two results */
            for (int j = 0; j < count[i]; j++)
                w[j] = j < 2 ? 1 << (WEIGHT_BITS - 1) : 0;
    }
    a->axis = (QbResampleAxis){first, count, weight, max_count};
}

static void axis_deinit(Axis *a)
{
    check_buffer_free(&a->first);
    check_buffer_free(&a->count);
    check_buffer_free(&a->weight);
}

static void check_row(int in_size, int out_size, const QbKernels *levels, int n_levels)
{
    check_title("resample_row %d -> %d", in_size, out_size);
    Axis a;
    axis_init(&a, in_size, out_size);
    CheckBuffer x = check_buffer((size_t)in_size * 3), y = check_buffer((size_t)out_size * 3);
    uint8_t *want = malloc(y.bytes);
    fill_bytes(x.data, x.bytes);
    levels[0].resample_row(want, x.data, &a.axis, out_size);
    for (int l = 1; l < n_levels; l++) {
        memset(y.data, CHECK_PATTERN, y.bytes);
        levels[l].resample_row(y.data, x.data, &a.axis, out_size);
        check_true(!memcmp(want, y.data, y.bytes) && check_guard_intact(&y), "%s differs",
                   levels[l].level);
    }
    free(want);
    axis_deinit(&a);
    check_buffer_free(&x);
    check_buffer_free(&y);
}

/* Rows lie row_bytes apart; the last one ends with its n_bytes. */
static void check_column(int in_size, int out_size, size_t n_bytes, size_t slack,
                         const QbKernels *levels, int n_levels)
{
    check_title("resample_column %d -> %d, %zu bytes", in_size, out_size, n_bytes);
    Axis a;
    axis_init(&a, in_size, out_size);
    size_t row_bytes = n_bytes + slack;
    CheckBuffer x = check_buffer((size_t)in_size * row_bytes - slack), y = check_buffer(n_bytes);
    uint8_t *want = malloc(n_bytes);
    fill_bytes(x.data, x.bytes);
    for (int out_y = 0; out_y < out_size; out_y++) {
        levels[0].resample_column(want, x.data, row_bytes, n_bytes, &a.axis, out_y);
        for (int l = 1; l < n_levels; l++) {
            memset(y.data, CHECK_PATTERN, y.bytes);
            levels[l].resample_column(y.data, x.data, row_bytes, n_bytes, &a.axis, out_y);
            check_true(!memcmp(want, y.data, y.bytes) && check_guard_intact(&y),
                       "%s differs in row %d", levels[l].level, out_y);
        }
    }
    free(want);
    axis_deinit(&a);
    check_buffer_free(&x);
    check_buffer_free(&y);
}

static void run_checks(const QbKernels *levels, int n_levels)
{
    static const size_t pixels[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 21, 22, 31, 33, 598};
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++)
        check_normalize(pixels[i], levels, n_levels);
    static const int sizes[][2] = {{1, 1},      {1, 5},     {2, 3},  {3, 2},    {4, 9},
                                   {5, 5},      {7, 3},     {9, 1},  {16, 15},  {17, 4},
                                   {31, 8},     {64, 63},   {65, 7}, {300, 20}, {640, 448},
                                   {4032, 598}, {598, 1200}};
    static const size_t bytes[] = {1,  3,  15, 16,  17,  31,  32,  33,  63,
                                   64, 65, 96, 127, 128, 129, 300, 1794};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_row(sizes[i][0], sizes[i][1], levels, n_levels);
        for (size_t b = 0; b < sizeof bytes / sizeof *bytes && sizes[i][0] <= 300; b++)
            check_column(sizes[i][0], sizes[i][1], bytes[b], b % 4, levels, n_levels);
    }
}

/* ---- timing: a 12-megapixel photo to 448 x 598 ----------------------------------------- */
enum { IN_WIDTH = 4032, IN_HEIGHT = 3024, OUT_WIDTH = 598, OUT_HEIGHT = 448, BENCH_ROWS = 64 };
static const QbKernels *timed;

typedef struct Bench {
    Axis horizontal, vertical;
    CheckBuffer photo, narrow, result, floats;
} Bench;

static void run_row(void *user)
{
    Bench *b = user;
    for (int i = 0; i < BENCH_ROWS; i++)
        timed->resample_row((uint8_t *)b->narrow.data + i * OUT_WIDTH * 3,
                            (uint8_t *)b->photo.data + i * IN_WIDTH * 3, &b->horizontal.axis,
                            OUT_WIDTH);
}

static void run_column(void *user)
{
    Bench *b = user;
    for (int i = 0; i < OUT_HEIGHT; i++)
        timed->resample_column(b->result.data, b->narrow.data, OUT_WIDTH * 3, OUT_WIDTH * 3,
                               &b->vertical.axis, i);
}

static void run_normalize(void *user)
{
    Bench *b = user;
    static const float gain[3] = {0.01f, 0.02f, 0.03f}, offset[3] = {1.0f, 2.0f, 3.0f};
    timed->normalize_u8(b->floats.data, b->narrow.data, OUT_WIDTH * OUT_HEIGHT, gain, offset);
}

static void run_bench(const QbKernels *levels, int n_levels)
{
    Bench b = {.photo = check_buffer(BENCH_ROWS * IN_WIDTH * 3),
               .narrow = check_buffer(IN_HEIGHT * OUT_WIDTH * 3),
               .result = check_buffer(OUT_WIDTH * 3),
               .floats = check_buffer(OUT_WIDTH * OUT_HEIGHT * 3 * sizeof(float))};
    axis_init(&b.horizontal, IN_WIDTH, OUT_WIDTH);
    axis_init(&b.vertical, IN_HEIGHT, OUT_HEIGHT);
    check_bench_line("resample_row 4032 -> 598", "G source pixels/s", (double)BENCH_ROWS * IN_WIDTH,
                     levels, n_levels, run_row, &b, &timed);
    check_bench_line("resample_column 3024 -> 448 x 598", "G source pixels/s",
                     (double)IN_HEIGHT * OUT_WIDTH, levels, n_levels, run_column, &b, &timed);
    check_bench_line("normalize_u8 448 x 598", "G pixels/s", (double)OUT_HEIGHT * OUT_WIDTH, levels,
                     n_levels, run_normalize, &b, &timed);
    axis_deinit(&b.horizontal);
    axis_deinit(&b.vertical);
    check_buffer_free(&b.photo);
    check_buffer_free(&b.narrow);
    check_buffer_free(&b.result);
    check_buffer_free(&b.floats);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, run_checks, run_bench);
}
