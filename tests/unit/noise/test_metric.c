/* test_metric.c: what must hold of every full-reference metric, published or not: equal pictures
 * are best, worse noise is worse, any number of threads gives the same bits, maps show where the
 * error is, impossible requests are refused, and HDR-FLIP ends whatever light it is given. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/noise.h>

#include "base/mem.h"
#include "stats/random.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 203, HEIGHT = 181, N_ZONES = 12 };
static const QbNoiseGrid grid = {4, 3};

/* ---- pictures -------------------------------------------------------------------------- */
/* A smooth picture with an edge, plus noise of the given strength, in 0 … 1. */
static double scene(QbRandom *random, int x, int y, int c, double noise)
{
    double base = 0.35 + 0.25 * sin(x * 0.07 + c) * cos(y * 0.05) + (x > WIDTH / 2 ? 0.2 : 0.0);
    return base + noise * (qb_random_unit(random) - 0.5);
}

typedef struct Picture {
    QbImage *image;
    QbLight *light;
} Picture;

/* noise_until: only pixels of columns below it are noisy. */
static Picture picture_new(int width, int height, double noise, int noise_until)
{
    Picture picture = {0};
    size_t n = (size_t)width * (size_t)height * 3;
    uint8_t *rgb = malloc(n);
    float *light = malloc(n * sizeof *light);
    QbRandom random;
    qb_random_seed(&random, 7);
    assert_true(rgb && light);
    for (size_t i = 0; i < n; i++) {
        int x = (int)(i / 3) % width, y = (int)(i / 3) / width;
        double value = scene(&random, x, y, (int)(i % 3), x < noise_until ? noise : 0);
        value = fmin(fmax(value, 0), 1);
        rgb[i] = (uint8_t)(value * 255 + 0.5);
        light[i] = (float)(value * value * 3);
    }
    assert_int_equal(qb_image_new_rgb(&picture.image, rgb, width, height, (size_t)width * 3),
                     QB_OK);
    assert_int_equal(qb_light_new_rgb(&picture.light, light, width, height), QB_OK);
    free(rgb);
    free(light);
    return picture;
}

static void picture_free(Picture *picture)
{
    qb_image_free(&picture->image);
    qb_light_free(&picture->light);
}

static QbNoisePair pair_of(const Picture *image, const Picture *reference)
{
    return (QbNoisePair){image->image, reference->image, image->light, reference->light};
}

static double whole_of(const char *metric, const QbNoisePair *pair)
{
    double whole;
    if (qb_noise_measure(&whole, NULL, NULL, metric, pair, (QbNoiseGrid){1, 1}, 1))
        fail_msg("%s: %s", metric, qb_last_error());
    return whole;
}

/* ---- all metrics ----------------------------------------------------------------------- */
static void check_best(const QbNoiseMetricInfo *info, const Picture *picture)
{
    static float map[WIDTH * HEIGHT];
    QbNoisePair pair = pair_of(picture, picture);
    double whole, zones[N_ZONES];
    memset(map, 0x7f, sizeof map);
    assert_int_equal(qb_noise_measure(&whole, zones, map, info->name, &pair, grid, 2), QB_OK);
    if (whole != info->best)
        fail_msg("%s of equal pictures is %g, best is %g", info->name, whole, info->best);
    for (int z = 0; z < N_ZONES; z++)
        if (!(zones[z] == info->best || isnan(zones[z])))
            fail_msg("%s of equal zones is %g", info->name, zones[z]);
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++)
        if (map[i] != 0)
            fail_msg("%s of equal pixels is %g", info->name, (double)map[i]);
}

static void test_equal(void **state)
{
    (void)state;
    Picture picture = picture_new(WIDTH, HEIGHT, 0.2, WIDTH);
    const QbNoiseMetricInfo *info;
    for (int i = 0; (info = qb_noise_metric_info(i)); i++)
        check_best(info, &picture);
    picture_free(&picture);
}

static void test_order(void **state)
{
    (void)state;
    static const double noises[] = {0.02, 0.08, 0.3};
    Picture clean = picture_new(WIDTH, HEIGHT, 0, WIDTH);
    const QbNoiseMetricInfo *info;
    for (int i = 0; (info = qb_noise_metric_info(i)); i++) {
        double last = info->best;
        for (size_t n = 0; n < sizeof noises / sizeof *noises; n++) {
            Picture noisy = picture_new(WIDTH, HEIGHT, noises[n], WIDTH);
            QbNoisePair pair = pair_of(&noisy, &clean);
            double whole = whole_of(info->name, &pair);
            if (!(info->higher_is_better ? whole < last : whole > last))
                fail_msg("%s: noise %g is %g, less was %g", info->name, noises[n], whole, last);
            last = whole;
            picture_free(&noisy);
        }
    }
    picture_free(&clean);
}

/* Half of the picture is noisy: zones and map must tell which. */
static void check_where(const QbNoiseMetricInfo *info, const QbNoisePair *pair)
{
    static float map[HEIGHT][WIDTH];
    double whole, zones[N_ZONES], left = 0, right = 0;
    assert_int_equal(qb_noise_measure(&whole, zones, &map[0][0], info->name, pair, grid, 2), QB_OK);
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH / 4; x++) {
            assert_true(map[y][x] >= 0 && isfinite(map[y][x]));
            left += (double)map[y][x];
            right += (double)map[y][WIDTH - 1 - x];
        }
    }
    if (!(left > 20 * right))
        fail_msg("%s: the map has %g in the noisy quarter, %g in the other", info->name, left,
                 right);
    for (int row = 0; row < grid.rows; row++) {
        double noisy = zones[row * grid.columns], clean = zones[(row + 1) * grid.columns - 1];
        if (!isnan(noisy) && !(info->higher_is_better ? noisy < clean : noisy > clean))
            fail_msg("%s: the noisy zone has %g, the clean one %g", info->name, noisy, clean);
    }
}

static void test_where(void **state)
{
    (void)state;
    Picture clean = picture_new(WIDTH, HEIGHT, 0, 0);
    Picture half = picture_new(WIDTH, HEIGHT, 0.3, WIDTH / 2);
    QbNoisePair pair = pair_of(&half, &clean);
    const QbNoiseMetricInfo *info;
    for (int i = 0; (info = qb_noise_metric_info(i)); i++)
        check_where(info, &pair);
    picture_free(&clean);
    picture_free(&half);
}

static void test_threads(void **state)
{
    (void)state;
    static float maps[3][WIDTH * HEIGHT];
    static double zones[3][N_ZONES];
    double wholes[3];
    Picture clean = picture_new(WIDTH, HEIGHT, 0, WIDTH);
    Picture noisy = picture_new(WIDTH, HEIGHT, 0.2, WIDTH);
    QbNoisePair pair = pair_of(&noisy, &clean);
    const QbNoiseMetricInfo *info;
    for (int i = 0; (info = qb_noise_metric_info(i)); i++) {
        for (int t = 0; t < 3; t++)
            assert_int_equal(qb_noise_measure(&wholes[t], zones[t], maps[t], info->name, &pair,
                                              grid,
                                              t == 0   ? 1
                                              : t == 1 ? 3
                                                       : 7),
                             QB_OK);
        for (int t = 1; t < 3; t++) {
            assert_memory_equal(&wholes[0], &wholes[t], sizeof wholes[0]);
            assert_memory_equal(zones[0], zones[t], sizeof zones[0]);
            assert_memory_equal(maps[0], maps[t], sizeof maps[0]);
        }
        /* without zones and map the whole is the same */
        assert_int_equal(qb_noise_measure(&wholes[1], NULL, NULL, info->name, &pair, grid, 2),
                         QB_OK);
        assert_memory_equal(&wholes[0], &wholes[1], sizeof wholes[0]);
    }
    picture_free(&clean);
    picture_free(&noisy);
}

/* The smallest picture that a metric takes, long and short ones. */
static void test_sizes(void **state)
{
    (void)state;
    const QbNoiseMetricInfo *info;
    for (int i = 0; (info = qb_noise_metric_info(i)); i++) {
        int sides[3][2] = {{info->min_side, info->min_side},
                           {info->min_side, info->min_side + 40},
                           {info->min_side + 33, info->min_side}};
        for (int s = 0; s < 3; s++) {
            Picture clean = picture_new(sides[s][0], sides[s][1], 0, 1 << 20);
            Picture noisy = picture_new(sides[s][0], sides[s][1], 0.3, 1 << 20);
            QbNoisePair pair = pair_of(&noisy, &clean);
            double whole = whole_of(info->name, &pair);
            if (!isfinite(whole))
                fail_msg("%s of %d x %d is %g", info->name, sides[s][0], sides[s][1], whole);
            picture_free(&clean);
            picture_free(&noisy);
        }
        if (info->min_side > 1) {
            Picture small = picture_new(info->min_side - 1, info->min_side + 9, 0, 1);
            QbNoisePair pair = pair_of(&small, &small);
            double whole;
            assert_int_equal(
                qb_noise_measure(&whole, NULL, NULL, info->name, &pair, (QbNoiseGrid){1, 1}, 1),
                QB_ERR_ARG);
            assert_non_null(strstr(qb_last_error(), info->name));
            picture_free(&small);
        }
    }
}

/* ---- refusals -------------------------------------------------------------------------- */
static void expect_refusal(const char *metric, const QbNoisePair *pair, QbNoiseGrid zones,
                           const char *text)
{
    double whole;
    assert_int_equal(qb_noise_measure(&whole, NULL, NULL, metric, pair, zones, 1), QB_ERR_ARG);
    if (!strstr(qb_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", qb_last_error(), text);
}

static void test_refusals(void **state)
{
    (void)state;
    const QbNoiseGrid one = {1, 1};
    Picture a = picture_new(60, 50, 0, 60), b = picture_new(50, 60, 0, 50);
    QbNoisePair same = pair_of(&a, &a), sizes = pair_of(&a, &b), none = {0};
    QbNoisePair no_light = {a.image, a.image, a.light, NULL};
    QbNoisePair only_light = {NULL, NULL, a.light, a.light};
    expect_refusal("psnr", &sizes, one, "60 x 50 pixels, its reference 50 x 60");
    expect_refusal("hdr-flip", &sizes, one, "60 x 50 pixels, its reference 50 x 60");
    expect_refusal("flip", &none, one, "as a screen shows them");
    expect_refusal("flip", &only_light, one, "as a screen shows them");
    expect_refusal("hdr-flip", &no_light, one, "as linear light");
    expect_refusal("flap", &same, one, "hdr-flip");
    expect_refusal("ms-ssim", &same, one, "at least 161 x 161");
    expect_refusal("psnr", &same, (QbNoiseGrid){0, 1}, "0 x 1");
    expect_refusal("psnr", &same, (QbNoiseGrid){61, 1}, "61 x 1");
    expect_refusal("psnr", &same, (QbNoiseGrid){1 << 20, 1 << 20}, "zones");
    expect_refusal(NULL, &same, one, "NULL");
    expect_refusal("psnr", NULL, one, "NULL");
    assert_null(qb_noise_metric_info(-1));
    picture_free(&a);
    picture_free(&b);
}

/* Every allocation fails once: an error, no leak (the sanitizers see), and no crash. */
static void test_memory(void **state)
{
    (void)state;
    static float map[WIDTH * HEIGHT];
    Picture clean = picture_new(WIDTH, HEIGHT, 0, WIDTH);
    Picture noisy = picture_new(WIDTH, HEIGHT, 0.2, WIDTH);
    QbNoisePair pair = pair_of(&noisy, &clean);
    const QbNoiseMetricInfo *info;
    for (int i = 0; (info = qb_noise_metric_info(i)); i++) {
        QbStatus status = QB_ERR_NOMEM;
        uint64_t n = 0;
        while (status) {
            double whole;
            qb_mem_fail_after(++n);
            status = qb_noise_measure(&whole, NULL, map, info->name, &pair, grid, 1);
            qb_mem_fail_after(0);
            assert_true(status == QB_OK || status == QB_ERR_NOMEM);
        }
        assert_true(n > 2);
    }
    picture_free(&clean);
    picture_free(&noisy);
}

/* ---- light that exposures could fail on ------------------------------------------------- */
enum { SIDE = 24 };

/* `value` on the first n_lit pixels, the rest black; one lit pixel more for the image. */
static double hdr_flip_of(float value, int n_lit, float image_value)
{
    static float reference[SIDE * SIDE * 3], image[SIDE * SIDE * 3];
    Picture a = {0}, b = {0};
    memset(reference, 0, sizeof reference);
    for (int i = 0; i < n_lit * 3; i++)
        reference[i] = value;
    memcpy(image, reference, sizeof image);
    for (int c = 0; c < 3; c++)
        image[(SIDE / 2 * SIDE + SIDE / 2) * 3 + c] = image_value;
    assert_int_equal(qb_light_new_rgb(&a.light, image, SIDE, SIDE), QB_OK);
    assert_int_equal(qb_light_new_rgb(&b.light, reference, SIDE, SIDE), QB_OK);
    QbNoisePair pair = pair_of(&a, &b);
    double whole = whole_of("hdr-flip", &pair);
    picture_free(&a);
    picture_free(&b);
    return whole;
}

static void test_hdr_extremes(void **state)
{
    (void)state;
    static const struct {
        float value;
        int n_lit;
        float image_value;
    } cases[] = {
        {0.5f, 100, 3.0f},     /* the median is 0 */
        {0.5f, 1, 3.0f},       /* one pixel is lit */
        {0.0f, 0, 3.0f},       /* a black reference */
        {1e-45f, 400, 1e-44f}, /* nearly no light: exposures pass the largest float */
        {3e38f, 400, 0.0f},    /* as much as there can be */
        {3e38f, 400, 1e-30f},  {1e-30f, 400, 3e38f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double error = hdr_flip_of(cases[i].value, cases[i].n_lit, cases[i].image_value);
        if (!(error > 0 && error <= 1))
            fail_msg("case %zu: %g", i, error);
    }
    assert_true(hdr_flip_of(0.0f, 0, 0.0f) == 0);
    assert_true(hdr_flip_of(2.0f, SIDE * SIDE, 2.0f) == 0);
}

/* ---- values that can be computed by hand ------------------------------------------------ */
static void test_psnr_by_hand(void **state)
{
    (void)state;
    uint8_t a[4 * 4 * 3] = {0}, b[4 * 4 * 3] = {0};
    float map[16];
    double whole, zones[4];
    QbNoisePair pair = {0};
    QbImage *image, *reference;
    a[0] = 30; /* pixel 0, red */
    a[1] = 40;
    assert_int_equal(qb_image_new_rgb(&image, a, 4, 4, 12), QB_OK);
    assert_int_equal(qb_image_new_rgb(&reference, b, 4, 4, 12), QB_OK);
    pair.image = image;
    pair.reference = reference;
    assert_int_equal(qb_noise_measure(&whole, zones, map, "psnr", &pair, (QbNoiseGrid){2, 2}, 1),
                     QB_OK);
    assert_true(fabs(whole - 10 * log10(255.0 * 255 * 48 / 2500)) < 1e-12);
    assert_true(fabs(zones[0] - 10 * log10(255.0 * 255 * 12 / 2500)) < 1e-12);
    assert_true(isinf(zones[1]) && isinf(zones[2]) && isinf(zones[3]));
    assert_true(fabs((double)map[0] - 2500.0 / 3) < 1e-3 && map[1] == 0);
    qb_image_free(&image);
    qb_image_free(&reference);
}

/* The part of a metric that only a zone sees: an MS-SSIM zone too small for the coarsest scale. */
static void test_zones_without_pixels(void **state)
{
    (void)state;
    Picture clean = picture_new(WIDTH, HEIGHT, 0, WIDTH);
    Picture noisy = picture_new(WIDTH, HEIGHT, 0.2, WIDTH);
    QbNoisePair pair = pair_of(&noisy, &clean);
    double whole, zones[N_ZONES];
    int n_nan = 0;
    assert_int_equal(qb_noise_measure(&whole, zones, NULL, "ms-ssim", &pair, grid, 1), QB_OK);
    for (int z = 0; z < N_ZONES; z++)
        n_nan += isnan(zones[z]) != 0;
    assert_true(isfinite(whole) && n_nan > 0 && n_nan < N_ZONES);
    picture_free(&clean);
    picture_free(&noisy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),        cmocka_unit_test(test_order),
        cmocka_unit_test(test_where),        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_memory),       cmocka_unit_test(test_hdr_extremes),
        cmocka_unit_test(test_psnr_by_hand), cmocka_unit_test(test_zones_without_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
