/* test_zone_features.c: what a learned model sees: noise of known strength is found again,
 * structure without noise is not taken for it, zones and tiles of all sizes give finite numbers,
 * the same for any number of threads; eigenvalues against matrices made of known ones. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "image/image.h"
#include "noise/symmetric.h"
#include "noise/zone_family.h"
#include "stats/random.h"

#include <qboost/noise_train.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX_FEATURES = 128 };

static int feature(const char *name)
{
    for (int i = 0; qb_noise_zone_feature_name(i); i++)
        if (!strcmp(qb_noise_zone_feature_name(i), name))
            return i;
    fail_msg("there is no feature %s", name);
    return -1;
}

static double gaussian(QbRandom *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += qb_random_unit(random);
    return sum;
}

/* Grey `level` with Gaussian noise of so many grey levels; stripes of 32 pixels on request. */
static QbImage *picture(int width, int height, int level, double noise, int stripes)
{
    QbImage *image;
    QbRandom random;
    qb_random_seed(&random, 1);
    assert_int_equal(qb_image_new(&image, width, height, "rgb"), QB_OK);
    for (int i = 0; i < width * height; i++) {
        double v = level + stripes * (i % width / 32 % 2) + noise * gaussian(&random);
        uint8_t grey = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
        memset(image->pixels + (ptrdiff_t)i * 3, grey, 3);
    }
    return image;
}

static void one_zone(float *values, QbImage *image)
{
    assert_int_equal(qb_noise_zone_features(values, image, (QbNoiseGrid){1, 1}, 1), QB_OK);
    for (int i = 0; i < qb_noise_zone_feature_count(); i++)
        if (!isfinite((double)values[i]))
            fail_msg("%s is %g", qb_noise_zone_feature_name(i), (double)values[i]);
    qb_image_free(&image);
}

static void test_names(void **state)
{
    (void)state;
    int n = qb_noise_zone_feature_count();
    assert_in_range(n, 1, MAX_FEATURES);
    assert_null(qb_noise_zone_feature_name(n));
    assert_null(qb_noise_zone_feature_name(-1));
    for (int i = 0; i < n; i++)
        assert_int_equal(feature(qb_noise_zone_feature_name(i)), i);
}

/* Near grey 128 a grey level is 0.389 L*. */
static void test_known_noise(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double of_deviation; /* what it is of white noise of deviation 1 */
    } cases[] = {
        {"immerkaer_mean", 1},          {"immerkaer_std", 1},
        {"laplacian_std", 1},           {"wavelet1_diagonal_mad", 1},
        {"wavelet1_lesser_mad", 1},     {"wavelet2_diagonal_mad", 0.5},
        {"wavelet3_std", 0.25},         {"immerkaer_block_p50", 1},
        {"variance8_mean", 0.99},       {"variance8_p50", 0.99},
        {"residual_mean3_mean", 0.752},
    };
    static const double noises[] = {5, 9, 18};
    for (int k = 0; k < 3; k++) {
        float values[MAX_FEATURES];
        one_zone(values, picture(256, 256, 128, noises[k], 0));
        double deviation = 0.389 * sqrt(noises[k] * noises[k] + 1.0 / 12);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            double got = exp2((double)values[feature(cases[i].name)]) - 1.0 / 32;
            double off = got / (deviation * cases[i].of_deviation) - 1;
            if (!(fabs(off) < 0.04))
                fail_msg("%s of noise %g: %g, %+.1f %% off", cases[i].name, noises[k], got,
                         100 * off);
        }
        /* numpy, 512 x 512 Gaussian values: the window holds its own centre, which bounds them */
        assert_float_equal(values[feature("mscn_shape")], 1.53, 0.1);
        assert_float_equal(values[feature("context_lightness")], 0.536, 0.01);
        assert_true(values[feature("svd_entropy")] > 0.6f);
    }
}

static void test_flat_and_striped(void **state)
{
    (void)state;
    float flat[MAX_FEATURES], striped[MAX_FEATURES], black[MAX_FEATURES];
    one_zone(flat, picture(192, 192, 128, 0, 0));
    one_zone(black, picture(192, 192, 0, 0, 0));
    one_zone(striped, picture(192, 192, 100, 0, 60));
    static const char *const noise[] = {"svd_tail_level", "immerkaer_mean", "variance4_p50",
                                        "wavelet1_diagonal_mad", "wavelet1_lesser_mad"};
    for (int i = 0; i < 5; i++) {
        assert_float_equal(flat[feature(noise[i])], -5, 0.01);
        assert_float_equal(black[feature(noise[i])], -5, 0.01);
        assert_float_equal(striped[feature(noise[i])], -5, 0.01);
    }
    assert_true(striped[feature("context_coarse_std")] > 2);
    assert_true(striped[feature("context_edge_share")] > 0.05f);
    assert_true(flat[feature("context_edge_share")] <= 0);
    assert_true(flat[feature("svd_entropy")] <= 0);
    assert_true(black[feature("context_dark_share")] >= 1);
}

/* The same noise in zones of different sizes: the numbers do not drift with the size. */
static void test_size_of_zone(void **state)
{
    (void)state;
    static const int sides[] = {48, 65, 100, 200};
    float first[MAX_FEATURES];
    one_zone(first, picture(400, 400, 128, 6, 20));
    for (int k = 0; k < 4; k++) {
        QbImage *image = picture(4 * sides[k], 4 * sides[k], 128, 6, 20);
        float values[16 * MAX_FEATURES];
        int n = qb_noise_zone_feature_count();
        assert_int_equal(qb_noise_zone_features(values, image, (QbNoiseGrid){4, 4}, 1), QB_OK);
        static const char *const stable[] = {"svd_entropy_tail", "immerkaer_mean",
                                             "variance4_p50",    "residual_median3_mean",
                                             "mscn_std",         "wavelet1_diagonal_mad"};
        for (int i = 0; i < 6; i++) {
            double mean = 0;
            int at = feature(stable[i]);
            for (int z = 0; z < 16; z++)
                mean += (double)values[z * n + at] / 16;
            if (!(fabs(mean - (double)first[at]) < 0.08))
                fail_msg("%s: %g in zones of %d, %g in one", stable[i], mean, sides[k],
                         (double)first[at]);
        }
        qb_image_free(&image);
    }
}

static void test_all_sizes_finite(void **state)
{
    (void)state;
    for (int side = QB_NOISE_MIN_ZONE_SIDE; side < 140; side += side < 40 ? 1 : 13) {
        float values[MAX_FEATURES];
        one_zone(values, picture(side, 156 - side > 16 ? 156 - side : 16, 60, 200, 0));
        one_zone(values, picture(side, side, 255, 1, 0));
    }
}

static void test_threads_agree(void **state)
{
    (void)state;
    enum { N = 12 };
    static float one[N * MAX_FEATURES], four[N * MAX_FEATURES];
    QbImage *image = picture(301, 207, 90, 9, 30);
    size_t bytes = sizeof(float) * N * (size_t)qb_noise_zone_feature_count();
    QbNoiseGrid grid = {4, 3};
    assert_int_equal(qb_noise_zone_features(one, image, grid, 1), QB_OK);
    assert_int_equal(qb_noise_zone_features(four, image, grid, 4), QB_OK);
    assert_memory_equal(one, four, bytes);
    assert_int_equal(qb_noise_zone_features(four, image, grid, 0), QB_OK);
    assert_memory_equal(one, four, bytes);
    assert_int_equal(qb_noise_zone_features(one, image, (QbNoiseGrid){4, 13}, 1), QB_ERR_ARG);
    assert_int_equal(qb_noise_zone_features(one, image, (QbNoiseGrid){0, 1}, 1), QB_ERR_ARG);
    qb_image_free(&image);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    QbImage *image = picture(64, 64, 90, 9, 0);
    float values[4 * MAX_FEATURES];
    QbStatus status = QB_ERR_NOMEM;
    int n = 0;
    while (status) {
        qb_mem_fail_after((uint64_t)++n);
        status = qb_noise_zone_features(values, image, (QbNoiseGrid){2, 2}, 2);
        qb_mem_fail_after(0);
        if (status)
            assert_int_equal(status, QB_ERR_NOMEM);
    }
    assert_true(n > 3);
    qb_image_free(&image);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* a = Q diag(known) Q', Q a product of reflections. */
static void spread_matrix(double a[][QB_SYMMETRIC_MAX], const double *known, int n,
                          QbRandom *random)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            a[i][j] = i == j ? known[i] : 0;
    for (int k = 0; k < n; k++) {
        double v[QB_SYMMETRIC_MAX], square = 0, p[QB_SYMMETRIC_MAX], product = 0;
        for (int i = 0; i < n; i++) {
            v[i] = gaussian(random);
            square += v[i] * v[i];
        }
        for (int i = 0; i < n; i++) {
            p[i] = 0;
            for (int j = 0; j < n; j++)
                p[i] += 2 * a[i][j] * v[j] / square;
            product += p[i] * v[i] / square;
        }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                a[i][j] -= v[i] * (p[j] - product * v[j]) + (p[i] - product * v[i]) * v[j];
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            a[i][j] = a[j][i];
}

static void test_eigenvalues(void **state)
{
    (void)state;
    QbRandom random;
    qb_random_seed(&random, 7);
    for (int n = 1; n <= QB_SYMMETRIC_MAX; n++)
        for (int kind = 0; kind < 5; kind++) {
            double a[QB_SYMMETRIC_MAX][QB_SYMMETRIC_MAX], known[QB_SYMMETRIC_MAX],
                got[QB_SYMMETRIC_MAX];
            for (int i = 0; i < n; i++)
                known[i] = kind == 0   ? 100 * gaussian(&random)
                           : kind == 1 ? exp2(-3 * i)
                           : kind == 2 ? i / 3 /* several times the same */
                           : kind == 3 ? 0
                                       : 5;
            spread_matrix(a, known, n, &random);
            if (kind == 4) /* with a block that is already diagonal */
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < n; j++)
                        a[i][j] = i == j ? known[i] : 0;
            qb_symmetric_eigenvalues(got, a, n);
            qsort(known, (size_t)n, sizeof *known, by_value);
            qsort(got, (size_t)n, sizeof *got, by_value);
            for (int i = 0; i < n; i++)
                if (!(fabs(got[i] - known[i]) < 1e-11))
                    fail_msg("%d of %d, kind %d: %g, expected %g", i, n, kind, got[i], known[i]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_known_noise),
        cmocka_unit_test(test_flat_and_striped),
        cmocka_unit_test(test_size_of_zone),
        cmocka_unit_test(test_all_sizes_finite),
        cmocka_unit_test(test_threads_agree),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_eigenvalues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
