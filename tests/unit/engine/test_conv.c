/* test_conv.c: convolution and the inverted residual block against their definition, in double, on
 * pictures that strips and borders cut in every way; channel statistics.
 *
 * The bound of an output is carried through the stages: a sum of n products errs by at most about
 * n * FLT_EPSILON times the sum of the magnitudes, plus what its inputs err times its weights. */
// SPDX-License-Identifier: Apache-2.0
#include "engine/conv.h"
#include "tests/unit/engine/ops_fixture.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const int sizes[][2] = {{1, 1}, {1, 9}, {13, 1},
                               {2, 2}, {7, 5}, {33, 47}}; /* height, width */
enum { N_SIZES = sizeof sizes / sizeof *sizes };

/* A picture of doubles and how far each may be off. */
typedef struct {
    int height, width, channels;
    double *x, *error;
} Exact;

static Exact exact_new(int height, int width, int channels)
{
    size_t n = (size_t)height * (size_t)width * (size_t)channels;
    Exact e = {height, width, channels, calloc(n, sizeof(double)), calloc(n, sizeof(double))};
    assert_true(e.x && e.error);
    return e;
}

static void exact_free(Exact *e)
{
    free(e->x);
    free(e->error);
}

static double relu6(double x)
{
    return fmin(fmax(x, 0), 6);
}

/* TensorFlow's "same": ceil(in / stride) outputs, the smaller half of the padding in front. */
static int first_tap(int out, int in, int kernel, int stride)
{
    int n_out = (in + stride - 1) / stride;
    int total = (n_out - 1) * stride + kernel - in;
    return out * stride - (total > 0 ? total / 2 : 0);
}

/* weight(o, ky, kx, c) = w[((o * kernel + ky) * kernel + kx) * depth + c]; depthwise: only c == o,
 * w[(ky * kernel + kx) * channels + o]. */
static Exact exact_conv(const Exact *in, const float *w, const float *bias, int n_out, int kernel,
                        int stride, bool depthwise, bool act)
{
    Exact out =
        exact_new((in->height + stride - 1) / stride, (in->width + stride - 1) / stride, n_out);
    size_t at = 0;
    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++)
            for (int o = 0; o < n_out; o++, at++) {
                double sum = (double)bias[o], size = fabs(sum), error = 0;
                int terms = 2;
                for (int t = 0; t < kernel * kernel; t++) {
                    int in_y = first_tap(y, in->height, kernel, stride) + t / kernel;
                    int in_x = first_tap(x, in->width, kernel, stride) + t % kernel;
                    if (in_y < 0 || in_y >= in->height || in_x < 0 || in_x >= in->width)
                        continue;
                    size_t pixel =
                        ((size_t)in_y * (size_t)in->width + (size_t)in_x) * (size_t)in->channels;
                    for (int c = depthwise ? o : 0; c < (depthwise ? o + 1 : in->channels); c++) {
                        double weight =
                            depthwise
                                ? (double)w[t * n_out + o]
                                : (double)w[((size_t)o * (size_t)(kernel * kernel) + (size_t)t) *
                                                (size_t)in->channels +
                                            (size_t)c];
                        sum += weight * in->x[pixel + (size_t)c];
                        size += fabs(weight * in->x[pixel + (size_t)c]);
                        error += fabs(weight) * in->error[pixel + (size_t)c];
                        terms++;
                    }
                }
                out.x[at] = act ? relu6(sum) : sum;
                out.error[at] = error + terms * (double)FLT_EPSILON * size;
            }
    return out;
}

static void check(const Exact *want, const QbMap *got, const char *what)
{
    assert_int_equal(got->height, want->height);
    assert_int_equal(got->width, want->width);
    assert_int_equal(got->channels, want->channels);
    size_t n = (size_t)want->height * (size_t)want->width * (size_t)want->channels;
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got->x[i] - want->x[i]) <= want->error[i]))
            fail_msg("%s: value %zu is %.9g, expected %.9g within %.3g", what, i, (double)got->x[i],
                     want->x[i], want->error[i]);
}

static Exact exact_from(const float *x, int height, int width, int channels)
{
    Exact e = exact_new(height, width, channels);
    for (int i = 0; i < height * width * channels; i++)
        e.x[i] = (double)x[i];
    return e;
}

/* ---- full convolution ----------------------------------------------------------------------- */

static void check_conv(int level, int height, int width, int in, int out, int kernel, int stride)
{
    int k = kernel * kernel * in;
    float *x = random_floats((size_t)(height * width * in), 1),
          *bias = random_floats((size_t)out, 2);
    float *w = random_floats((size_t)(out * k), 3);
    Exact e = exact_from(x, height, width, in);
    Exact want = exact_conv(&e, w, bias, out, kernel, stride, false, true);
    size_t count = (size_t)want.height * (size_t)want.width * (size_t)out;
    float *first = random_floats(count, 4), *y = random_floats(count, 5);
    for (int threads = 1; threads <= FIXTURE_THREADS; threads++) {
        Fixture f;
        QbConv conv = {.kernel = kernel, .stride = stride, .in_channels = in};
        char what[128];
        fixture_begin(&f, level, threads);
        assert_int_equal(qb_linear_init(&conv.w, &f.store, f.pool, w, QB_WEIGHT_F32, out, k, bias),
                         0);
        qb_ops_want_conv(&f.ops, &conv,
                         width + threads % 2 * 100); /* laid out for wider ones too */
        fixture_commit(&f);
        QbMap map_in = {x, height, width, in}, map_out = {.x = y};
        qb_op_conv(&f.ops, &conv, &map_out, &map_in, QB_ACT_RELU6);
        snprintf(what, sizeof what, "%s, %d threads: %d x %d x %d -> %d, kernel %d, stride %d",
                 f.kernels.level, threads, height, width, in, out, kernel, stride);
        check(&want, &map_out, what);
        if (threads == 1)
            memcpy(first, y, count * sizeof *y);
        assert_memory_equal(first, y, count * sizeof *y);
        fixture_end(&f);
    }
    exact_free(&e);
    exact_free(&want);
    free(x);
    free(w);
    free(bias);
    free(first);
    free(y);
}

static void test_conv(void **state)
{
    (void)state;
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        for (int s = 0; s < N_SIZES && fixture_has_level(level); s++)
            for (int kernel = 1; kernel <= 5; kernel += 2)
                for (int stride = 1; stride <= 2; stride++)
                    check_conv(level, sizes[s][0], sizes[s][1], 3, 17, kernel, stride);
    /* 5 * 5 * 40 values a window: several strips on 33 rows. */
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        if (fixture_has_level(level))
            check_conv(level, 33, 47, 40, 5, 5, 1);
}

/* ---- inverted residual ---------------------------------------------------------------------- */

typedef struct {
    int height, width, in, mid, out, kernel, stride;
    bool expand;
} Block;

typedef struct {
    float *x, *expand_w, *expand_b, *dw_w, *dw_b, *project_w, *project_b;
} BlockData;

static BlockData block_data(const Block *b)
{
    return (BlockData){
        .x = random_floats((size_t)(b->height * b->width * b->in), 21),
        .expand_w = random_floats((size_t)(b->mid * b->in), 22),
        .expand_b = random_floats((size_t)b->mid, 23),
        .dw_w = random_floats((size_t)(b->kernel * b->kernel * b->mid), 24),
        .dw_b = random_floats((size_t)b->mid, 25),
        .project_w = random_floats((size_t)(b->out * b->mid), 26),
        .project_b = random_floats((size_t)b->out, 27),
    };
}

static Exact exact_block(const Block *b, const BlockData *d)
{
    Exact in = exact_from(d->x, b->height, b->width, b->in);
    Exact wide = b->expand ? exact_conv(&in, d->expand_w, d->expand_b, b->mid, 1, 1, false, true)
                           : exact_from(d->x, b->height, b->width, b->in);
    Exact filtered = exact_conv(&wide, d->dw_w, d->dw_b, b->mid, b->kernel, b->stride, true, true);
    Exact out = exact_conv(&filtered, d->project_w, d->project_b, b->out, 1, 1, false, false);
    if (b->stride == 1 && b->in == b->out)
        for (int i = 0; i < b->height * b->width * b->in; i++) {
            out.x[i] += in.x[i];
            out.error[i] += (double)FLT_EPSILON * fabs(out.x[i]);
        }
    exact_free(&in);
    exact_free(&wide);
    exact_free(&filtered);
    return out;
}

static void run_block(Fixture *f, const Block *b, const BlockData *d, QbMap *out)
{
    QbInvertedResidual block = {.kernel = b->kernel,
                                .stride = b->stride,
                                .in_channels = b->in,
                                .mid_channels = b->mid,
                                .dw_weight = d->dw_w,
                                .dw_bias = d->dw_b,
                                .add = b->stride == 1 && b->in == b->out};
    if (b->expand)
        assert_int_equal(qb_linear_init(&block.expand, &f->store, f->pool, d->expand_w,
                                        QB_WEIGHT_F32, b->mid, b->in, d->expand_b),
                         0);
    assert_int_equal(qb_linear_init(&block.project, &f->store, f->pool, d->project_w, QB_WEIGHT_F32,
                                    b->out, b->mid, d->project_b),
                     0);
    qb_ops_want_inverted_residual(&f->ops, &block, b->width);
    fixture_commit(f);
    QbMap in = {d->x, b->height, b->width, b->in};
    qb_op_inverted_residual(&f->ops, &block, out, &in);
}

static void check_block(int level, Block b)
{
    if (!b.expand)
        b.mid = b.in;
    BlockData d = block_data(&b);
    Exact want = exact_block(&b, &d);
    size_t count = (size_t)want.height * (size_t)want.width * (size_t)b.out;
    float *first = random_floats(count, 28), *y = random_floats(count, 29);
    for (int threads = 1; threads <= FIXTURE_THREADS; threads++) {
        Fixture f;
        char what[128];
        QbMap out = {.x = y};
        fixture_begin(&f, level, threads);
        run_block(&f, &b, &d, &out);
        snprintf(what, sizeof what,
                 "%s, %d threads: %d x %d x %d -> %d -> %d, kernel %d, stride %d", f.kernels.level,
                 threads, b.height, b.width, b.in, b.mid, b.out, b.kernel, b.stride);
        check(&want, &out, what);
        if (threads == 1)
            memcpy(first, y, count * sizeof *y);
        assert_memory_equal(first, y, count * sizeof *y);
        fixture_end(&f);
    }
    float *all[] = {d.x,         d.expand_w,  d.expand_b, d.dw_w, d.dw_b,
                    d.project_w, d.project_b, first,      y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    exact_free(&want);
}

static void test_inverted_residual(void **state)
{
    (void)state;
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        for (int s = 0; s < N_SIZES && fixture_has_level(level); s++)
            for (int kernel = 1; kernel <= 5; kernel += 2)
                for (int stride = 1; stride <= 2; stride++)
                    for (int kind = 0; kind < 4; kind++) /* with and without expanding and adding */
                        check_block(level, (Block){sizes[s][0], sizes[s][1], 7, 19,
                                                   kind & 1 ? 7 : 10, kernel, stride, kind & 2});
}

/* A wide middle makes strips of two to a few rows: every strip has neighbours. */
static void test_narrow_strips(void **state)
{
    (void)state;
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        for (int kernel = 3; kernel <= 5 && fixture_has_level(level); kernel += 2)
            for (int stride = 1; stride <= 2; stride++) {
                check_block(level, (Block){33, 47, 6, 700, 6, kernel, stride, true});
                check_block(level, (Block){9, 300, 3, 330, 4, kernel, stride, true});
            }
}

/* ---- statistics ----------------------------------------------------------------------------- */

static void check_stats(int level, int height, int width, int channels)
{
    int n = height * width;
    float *x = random_floats((size_t)(n * channels), 31);
    float *stats = random_floats((size_t)channels * 2, 32);
    for (int i = 0; i < n * channels; i++)
        x[i] += (float)(i % channels); /* means of different size */
    for (int threads = 1; threads <= FIXTURE_THREADS; threads++) {
        Fixture f;
        fixture_begin(&f, level, threads);
        qb_op_channel_mean_std(&f.ops, stats, &(QbMap){x, height, width, channels}, 1e-5f);
        for (int c = 0; c < channels; c++) {
            double mean = 0, variance = 0, size = 0;
            for (int i = 0; i < n; i++) {
                mean += (double)x[i * channels + c] / n;
                size = fmax(size, fabs((double)x[i * channels + c]));
            }
            for (int i = 0; i < n; i++)
                variance += pow((double)x[i * channels + c] - mean, 2) / n;
            double std = sqrt(variance + (double)1e-5f);
            /* Lanes of up to 256 floats: 256 eps of the sums; the variance is a difference of
             * squares. */
            double bound = 256 * (double)FLT_EPSILON * (size + 1);
            double std_bound = 2 * 256 * (double)FLT_EPSILON * size * size / std + 1e-6;
            if (!(fabs((double)stats[c] - mean) <= bound) ||
                !(fabs((double)stats[channels + c] - std) <= std_bound))
                fail_msg("%s: channel %d of %d: %.9g, %.9g, expected %.9g, %.9g", f.kernels.level,
                         c, channels, (double)stats[c], (double)stats[channels + c], mean, std);
        }
        fixture_end(&f);
    }
    free(x);
    free(stats);
}

static void test_mean_std(void **state)
{
    (void)state;
    for (int level = 0; level < FIXTURE_LEVELS; level++)
        for (int s = 0; s < N_SIZES && fixture_has_level(level); s++)
            for (int channels = 1; channels <= 40; channels += 13)
                check_stats(level, sizes[s][0], sizes[s][1], channels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_inverted_residual),
        cmocka_unit_test(test_narrow_strips),
        cmocka_unit_test(test_mean_std),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
