/* check_conv.c: depthwise convolution, im2col and channel statistics of every level against the
 * reference. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

/* ---- depthwise ------------------------------------------------------------------------- */
typedef struct Depthwise {
    QbDepthwise p;
    int out_height;
    CheckBuffer x, weight, bias, y;
} Depthwise;

static void depthwise_init(Depthwise *d, int height, int width, int channels, int kernel,
                           int stride, int pad, CheckFill fill)
{
    /* padding in front as given, behind as much as "same" convolution adds at most */
    int out_height = (height + 2 * pad - kernel) / stride + 1;
    int out_width = (width + 2 * pad - kernel) / stride + 1;
    *d = (Depthwise){.out_height = out_height};
    d->x = check_floats((size_t)height * (size_t)width * (size_t)channels, fill);
    d->weight = check_floats((size_t)kernel * (size_t)kernel * (size_t)channels, fill);
    d->bias = check_floats((size_t)channels, fill);
    d->y = check_buffer((size_t)out_height * (size_t)out_width * (size_t)channels * sizeof(float));
    d->p = (QbDepthwise){.x = d->x.data,
                         .height = height,
                         .width = width,
                         .channels = channels,
                         .weight = d->weight.data,
                         .bias = d->bias.data,
                         .kernel = kernel,
                         .stride = stride,
                         .pad_top = pad,
                         .pad_left = pad,
                         .out_width = out_width,
                         .y = d->y.data};
}

static void depthwise_deinit(Depthwise *d)
{
    check_buffer_free(&d->x);
    check_buffer_free(&d->weight);
    check_buffer_free(&d->bias);
    check_buffer_free(&d->y);
}

/* A sum of kernel^2 products and the bias rounds once a term (in the reference also each product):
 * both together within (2 kernel^2 + 2) u * (|bias| + sum|x w|), a subnormal product by half of the
 * smallest subnormal. relu6 makes no difference larger. */
static double depthwise_bound(const Depthwise *d, int out_y, int out_x, int c)
{
    const QbDepthwise *p = &d->p;
    double magnitude = fabs((double)p->bias[c]);
    for (int ky = 0; ky < p->kernel; ky++) {
        for (int kx = 0; kx < p->kernel; kx++) {
            int y = out_y * p->stride - p->pad_top + ky, x = out_x * p->stride - p->pad_left + kx;
            if (y < 0 || y >= p->height || x < 0 || x >= p->width)
                continue;
            magnitude += fabs((double)p->x[((ptrdiff_t)y * p->width + x) * p->channels + c] *
                              p->weight[(ky * p->kernel + kx) * p->channels + c]);
        }
    }
    int taps = p->kernel * p->kernel;
    return (2.0 * taps + 2.0) * CHECK_U * (1.0 + 1e-5) * magnitude + taps * 0x1p-149;
}

static void check_depthwise(int height, int width, int channels, int kernel, int stride, int pad,
                            QbAct act, CheckFill fill, const QbKernels *levels, int n_levels)
{
    Depthwise d;
    check_title("depthwise_row %d x %d x %d kernel %d stride %d pad %d act %d fill %d", height,
                width, channels, kernel, stride, pad, (int)act, (int)fill);
    depthwise_init(&d, height, width, channels, kernel, stride, pad, fill);
    d.p.act = act;
    float *want = malloc(d.y.bytes);
    for (int y = 0; y < d.out_height; y++)
        levels[0].depthwise_row(&d.p, y);
    memcpy(want, d.p.y, d.y.bytes);
    for (int l = 1; l < n_levels; l++) {
        memset(d.p.y, CHECK_PATTERN, d.y.bytes);
        for (int y = d.out_height - 1; y >= 0; y--) /* a row must not write into another */
            levels[l].depthwise_row(&d.p, y);
        int n = d.out_height * d.p.out_width * channels, worst = -1;
        for (int i = 0; i < n; i++) {
            double bound = depthwise_bound(&d, i / channels / d.p.out_width,
                                           i / channels % d.p.out_width, i % channels);
            if (!(fabs((double)d.p.y[i] - want[i]) <= bound))
                worst = i;
        }
        int at = worst < 0 ? 0 : worst;
        check_true(worst < 0, "%s differs at %d: %g, expected %g", levels[l].level, at,
                   (double)d.p.y[at], (double)want[at]);
        check_true(check_guard_intact(&d.y), "%s wrote in front of y", levels[l].level);
    }
    free(want);
    depthwise_deinit(&d);
}

static void check_all_depthwise(const QbKernels *levels, int n_levels)
{
    static const int channels[] = {1, 7, 8, 9, 15, 16, 17, 24, 33};
    static const int widths[] = {1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 20, 23};
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (int kernel = 3; kernel <= 5; kernel += 2)
                for (int stride = 1; stride <= 2; stride++)
                    check_depthwise(
                        kernel + check_random_below(4), widths[w], channels[c], kernel, stride,
                        kernel / 2, check_random_below(2) ? QB_ACT_RELU6 : QB_ACT_NONE,
                        (CheckFill)check_random_below(CHECK_FILL_COUNT), levels, n_levels);
    check_depthwise(9, 8, 5, 7, 3, 0, QB_ACT_NONE, CHECK_FILL_PLAIN, levels, n_levels);
    check_depthwise(3, 4, 20, 1, 1, 0, QB_ACT_NONE, CHECK_FILL_PLAIN, levels, n_levels);
    /* the embedded model: first, middle and last blocks */
    check_depthwise(5, 299, 32, 3, 1, 1, QB_ACT_RELU6, CHECK_FILL_PLAIN, levels, n_levels);
    check_depthwise(5, 299, 96, 3, 2, 1, QB_ACT_RELU6, CHECK_FILL_PLAIN, levels, n_levels);
    check_depthwise(7, 75, 144, 5, 2, 2, QB_ACT_RELU6, CHECK_FILL_PLAIN, levels, n_levels);
    check_depthwise(14, 19, 1152, 5, 1, 2, QB_ACT_RELU6, CHECK_FILL_PLAIN, levels, n_levels);
}

/* ---- im2col: copies, so equal to the bit ----------------------------------------------- */
static void check_im2col(int height, int width, int channels, int kernel, int stride, int pad,
                         int slack, const QbKernels *levels, int n_levels)
{
    check_title("im2col_row %d x %d x %d kernel %d stride %d pad %d", height, width, channels,
                kernel, stride, pad);
    CheckBuffer x =
        check_floats((size_t)height * (size_t)width * (size_t)channels, CHECK_FILL_EXTREME);
    QbIm2col p = {.x = x.data,
                  .height = height,
                  .width = width,
                  .channels = channels,
                  .kernel = kernel,
                  .stride = stride,
                  .pad_top = pad,
                  .pad_left = pad,
                  .out_width = (width + 2 * pad - kernel) / stride + 1,
                  .ldy = kernel * kernel * channels + slack};
    size_t floats = (size_t)(p.out_width * p.ldy - slack);
    CheckBuffer y = check_buffer(floats * sizeof(float));
    float *want = malloc(y.bytes);
    int out_height = (height + 2 * pad - kernel) / stride + 1;
    for (int out_y = 0; out_y < out_height; out_y++) {
        memset(y.data, CHECK_PATTERN, y.bytes);
        levels[0].im2col_row(y.data, &p, out_y);
        memcpy(want, y.data, y.bytes);
        for (int l = 1; l < n_levels; l++) {
            memset(y.data, CHECK_PATTERN, y.bytes);
            levels[l].im2col_row(y.data, &p, out_y);
            check_true(!memcmp(want, y.data, y.bytes) && check_guard_intact(&y),
                       "%s differs in row %d", levels[l].level, out_y);
        }
    }
    free(want);
    check_buffer_free(&x);
    check_buffer_free(&y);
}

static void check_all_im2col(const QbKernels *levels, int n_levels)
{
    static const int channels[] = {1, 2, 3, 5, 6, 8, 11, 16};
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (int width = 1; width < 12; width++)
            for (int stride = 1; stride <= 2; stride++)
                check_im2col(3 + width % 3, width, channels[c], 3, stride, 1, width % 4, levels,
                             n_levels);
    check_im2col(6, 9, 3, 5, 1, 2, 0, levels, n_levels);
    check_im2col(14, 28, 3, 14, 14, 0, 4, levels, n_levels); /* a vision tower's patches */
    check_im2col(5, 598, 3, 3, 2, 1, 5, levels, n_levels);   /* the embedded model's stem */
}

/* ---- channel statistics: double sums in the order of the pixels, so equal to the bit ---- */
static void check_mean_std(size_t n_pixels, int n_channels, int slack, CheckFill fill,
                           const QbKernels *levels, int n_levels)
{
    check_title("channel_mean_std %zu pixels, %d channels, fill %d", n_pixels, n_channels,
                (int)fill);
    ptrdiff_t ld = n_channels + slack;
    CheckBuffer x = check_floats(n_pixels * (size_t)ld - (size_t)slack, fill);
    CheckBuffer mean = check_buffer((size_t)n_channels * sizeof(float));
    CheckBuffer std = check_buffer((size_t)n_channels * sizeof(float));
    float *want_mean = malloc(mean.bytes), *want_std = malloc(std.bytes);
    float eps = fill == CHECK_FILL_PLAIN ? 1e-6f : 0.0f;
    levels[0].channel_mean_std(want_mean, want_std, x.data, n_pixels, ld, n_channels, eps);
    for (int l = 1; l < n_levels; l++) {
        memset(mean.data, CHECK_PATTERN, mean.bytes);
        memset(std.data, CHECK_PATTERN, std.bytes);
        levels[l].channel_mean_std(mean.data, std.data, x.data, n_pixels, ld, n_channels, eps);
        check_true(!memcmp(want_mean, mean.data, mean.bytes) && check_guard_intact(&mean),
                   "%s: another mean", levels[l].level);
        check_true(!memcmp(want_std, std.data, std.bytes) && check_guard_intact(&std),
                   "%s: another deviation", levels[l].level);
    }
    free(want_mean);
    free(want_std);
    check_buffer_free(&x);
    check_buffer_free(&mean);
    check_buffer_free(&std);
}

static void run_checks(const QbKernels *levels, int n_levels)
{
    check_all_depthwise(levels, n_levels);
    check_all_im2col(levels, n_levels);
    static const int channels[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 80, 320, 1152};
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (int fill = 0; fill < CHECK_FILL_COUNT; fill++)
            check_mean_std((size_t)(1 + check_random_below(300)), channels[c],
                           check_random_below(5), (CheckFill)fill, levels, n_levels);
    check_mean_std(16800, 24, 0, CHECK_FILL_PLAIN, levels, n_levels);
}

/* ---- timing ---------------------------------------------------------------------------- */
static const QbKernels *timed;

static void run_depthwise(void *user)
{
    Depthwise *d = user;
    for (int y = 0; y < d->out_height; y++)
        timed->depthwise_row(&d->p, y);
}

typedef struct Stem {
    QbIm2col p;
    float *y;
    int out_height;
} Stem;

static void run_im2col(void *user)
{
    Stem *stem = user;
    for (int y = 0; y < stem->out_height; y++)
        timed->im2col_row(stem->y, &stem->p, y);
}

typedef struct Statistics {
    CheckBuffer x, mean, std;
    size_t n_pixels;
    int n_channels;
} Statistics;

static void run_mean_std(void *user)
{
    Statistics *s = user;
    timed->channel_mean_std(s->mean.data, s->std.data, s->x.data, s->n_pixels, s->n_channels,
                            s->n_channels, 1e-6f);
}

static void run_bench(const QbKernels *levels, int n_levels)
{
    static const struct {
        int height, width, channels, kernel, stride;
    } shapes[] = {{224, 299, 32, 3, 1},  {224, 299, 96, 3, 2}, {112, 150, 144, 3, 1},
                  {112, 150, 144, 5, 2}, {56, 75, 240, 5, 1},  {28, 38, 480, 3, 1},
                  {28, 38, 480, 5, 1},   {28, 38, 672, 5, 2},  {14, 19, 1152, 5, 1},
                  {14, 19, 1152, 3, 1}};
    char title[100];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int kernel = shapes[i].kernel, channels = shapes[i].channels;
        Depthwise d;
        depthwise_init(&d, shapes[i].height, shapes[i].width, channels, kernel, shapes[i].stride,
                       kernel / 2, CHECK_FILL_PLAIN);
        snprintf(title, sizeof title, "depthwise_row %d x %d x %d k%d s%d", shapes[i].height,
                 shapes[i].width, channels, kernel, shapes[i].stride);
        check_bench_line(title, "GFLOP/s",
                         2.0 * kernel * kernel * channels * d.out_height * d.p.out_width, levels,
                         n_levels, run_depthwise, &d, &timed);
        depthwise_deinit(&d);
    }
    CheckBuffer x = check_floats((size_t)448 * 598 * 3, CHECK_FILL_PLAIN);
    CheckBuffer y = check_buffer((size_t)299 * 27 * sizeof(float));
    Stem stem = {.p = {x.data, 448, 598, 3, 3, 2, 1, 1, 299, 27}, .y = y.data, .out_height = 224};
    check_bench_line("im2col_row 448 x 598 x 3 k3 s2", "GB/s written", 224.0 * 299 * 27 * 4, levels,
                     n_levels, run_im2col, &stem, &timed);
    check_buffer_free(&x);
    check_buffer_free(&y);
    static const int maps[][2] = {{66976, 16}, {16800, 24}, {4200, 40}, {1064, 112}, {266, 320}};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        Statistics s = {.n_pixels = (size_t)maps[i][0], .n_channels = maps[i][1]};
        size_t floats = s.n_pixels * (size_t)s.n_channels;
        s.x = check_floats(floats, CHECK_FILL_PLAIN);
        s.mean = check_buffer((size_t)s.n_channels * sizeof(float));
        s.std = check_buffer((size_t)s.n_channels * sizeof(float));
        snprintf(title, sizeof title, "channel_mean_std %zu x %d", s.n_pixels, s.n_channels);
        check_bench_line(title, "GB/s read", (double)floats * 4, levels, n_levels, run_mean_std, &s,
                         &timed);
        check_buffer_free(&s.x);
        check_buffer_free(&s.mean);
        check_buffer_free(&s.std);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, run_checks, run_bench);
}
