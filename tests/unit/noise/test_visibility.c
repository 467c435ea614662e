/* test_visibility.c: the metric "visibility" against the formula computed elsewhere
 * (tests/golden/noise/visibility), and what it must do: grow with the noise, be hidden by texture,
 * agree with its own map, and not depend on the number of threads. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tests/unit/noise/noise_pictures.h"

#include <stdio.h>

static const char GOLDEN[] = "tests/golden/noise/visibility/expected.txt";
static const double TOLERANCE = 1e-4;

enum { GOLDEN_WIDTH = 150, GOLDEN_HEIGHT = 131 };

static QbImage *golden_picture(bool noisy)
{
    static uint8_t rgb[GOLDEN_HEIGHT][GOLDEN_WIDTH][3];
    uint32_t state = 12345;
    QbImage *image;
    for (int y = 0; y < GOLDEN_HEIGHT; y++)
        for (int x = 0; x < GOLDEN_WIDTH; x++)
            for (int c = 0; c < 3; c++) {
                int value = 40 + x * (c + 1) / 3 + y / 2;
                value += x > GOLDEN_WIDTH / 2 ? (x * 7 + y * 5) % (20 + 9 * c) : 0;
                state = (state * 1103515245u + 12345u) & 0x7fffffffu;
                value += noisy && y > 20 ? (int)(state >> 16) % 17 - 8 : 0;
                rgb[y][x][c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
    assert_int_equal(
        qb_image_new_rgb(&image, &rgb[0][0][0], GOLDEN_WIDTH, GOLDEN_HEIGHT, sizeof rgb[0]), QB_OK);
    return image;
}

static void expect_near(double value, double expected)
{
    if (!(fabs(value - expected) <= TOLERANCE * expected))
        fail_msg("%.9g, expected %.9g", value, expected);
}

static void test_golden(void **state)
{
    (void)state;
    QbNoiseGrid grid = {4, 3};
    double whole, zones[12], expected;
    QbImage *reference = golden_picture(false), *image = golden_picture(true);
    QbNoisePair pair = {.image = image, .reference = reference};
    FILE *file = fopen(GOLDEN, "r");
    assert_non_null(file);
    assert_int_equal(qb_noise_measure(&whole, zones, NULL, "visibility", &pair, grid, 1), QB_OK);
    for (int z = 0; z < 12; z++) {
        assert_int_equal(fscanf(file, "%lf", &expected), 1);
        expect_near(zones[z], expected);
    }
    assert_int_equal(fscanf(file, "%lf", &expected), 1);
    expect_near(whole, expected);
    fclose(file);
    qb_image_free(&image);
    qb_image_free(&reference);
}

static QbNoiseReport judge(const QbImage *image, const QbImage *reference)
{
    QbNoiseReport report;
    QbNoisePair pair = {.image = image, .reference = reference};
    assert_int_equal(qb_noise_judge_pair(&report, &pair, FOUR, 1), QB_OK);
    return report;
}

/* Equal pictures have none; twice the noise is twice as visible; texture hides noise. */
static void test_behaviour(void **state)
{
    (void)state;
    QbImage *reference = made_scene(0, 0), *weak = made_scene(2.5, 7), *strong = made_scene(5, 7);
    QbNoiseReport none = judge(reference, reference);
    QbNoiseReport less = judge(weak, reference), more = judge(strong, reference);
    assert_true(none.visibility == 0 && none.noise == 0 && none.noisy_share == 0);
    for (int z = 0; z < 16; z++) {
        double ratio = more.zones[z].visibility / less.zones[z].visibility;
        assert_true(none.zones[z].visibility == 0 && ratio > 1.9 && ratio < 2.1);
    }
    for (int row = 0; row < 4; row++)
        assert_true(less.zones[4 * row + 3].visibility < 0.5 * less.zones[4 * row].visibility);
    assert_true(less.visibility > 1 && less.noisy_share > 0 && less.noisy_share < 1);
    qb_image_free(&reference);
    qb_image_free(&weak);
    qb_image_free(&strong);
}

/* The map's mean fourth power is the zone's; the same bits for any number of threads. */
static void test_map_and_threads(void **state)
{
    (void)state;
    static float map[2][SIDE * SIDE];
    double whole[2], zones[2][16];
    QbImage *reference = made_scene(0, 0), *image = made_scene(4, 7);
    QbNoisePair pair = {.image = image, .reference = reference};
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            qb_noise_measure(&whole[i], zones[i], map[i], "visibility", &pair, FOUR, 1 + 4 * i),
            QB_OK);
    assert_memory_equal(map[0], map[1], sizeof map[0]);
    assert_memory_equal(zones[0], zones[1], sizeof zones[0]);
    assert_true(whole[0] == whole[1]);
    double sum = 0, total = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            total += pow((double)map[0][y * SIDE + x], 4);
            if (y < SIDE / 4 && x >= SIDE / 4 && x < SIDE / 2)
                sum += pow((double)map[0][y * SIDE + x], 4);
        }
    assert_true(fabs(pow(sum / (SIDE * SIDE / 16), 0.25) / zones[0][1] - 1) < 1e-9);
    assert_true(fabs(pow(total / (SIDE * SIDE), 0.25) / whole[0] - 1) < 1e-9);
    qb_image_free(&reference);
    qb_image_free(&image);
}

/* Pictures smaller than the filters' windows. */
static void test_small(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 40}, {3, 2}, {16, 16}, {25, 17}, {26, 51}};
    uint8_t rgb[2][60 * 60 * 3];
    QbRandom random;
    qb_random_seed(&random, 3);
    for (size_t i = 0; i < sizeof rgb[0]; i++) {
        rgb[0][i] = (uint8_t)qb_random_below(&random, 256);
        rgb[1][i] = (uint8_t)qb_random_below(&random, 256);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        QbImage *image, *reference;
        double whole, zone;
        int width = sizes[i][0], height = sizes[i][1];
        assert_int_equal(qb_image_new_rgb(&image, rgb[0], width, height, (size_t)width * 3), QB_OK);
        assert_int_equal(qb_image_new_rgb(&reference, rgb[1], width, height, (size_t)width * 3),
                         QB_OK);
        QbNoisePair pair = {.image = image, .reference = reference};
        QbNoiseGrid one = {1, 1};
        assert_int_equal(qb_noise_measure(&whole, &zone, NULL, "visibility", &pair, one, 2), QB_OK);
        assert_true(isfinite(whole) && whole == zone && (whole > 1 || width * height == 1));
        qb_image_free(&image);
        qb_image_free(&reference);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    QbNoiseReport report;
    QbImage *image = made_scene(0, 0), *small;
    assert_int_equal(qb_image_resize(&small, image, SIDE / 2, SIDE), QB_OK);
    QbNoisePair pair = {.image = image, .reference = small};
    expect_error(qb_noise_judge_pair(&report, &pair, FOUR, 1), QB_ERR_ARG, "96 x 192");
    pair.reference = NULL;
    expect_error(qb_noise_judge_pair(&report, &pair, FOUR, 1), QB_ERR_ARG, "no reference");
    pair.reference = image;
    expect_error(qb_noise_judge_pair(&report, &pair, (QbNoiseGrid){13, 1}, 1), QB_ERR_ARG,
                 "smaller than 16 x 16");
    qb_image_free(&image);
    qb_image_free(&small);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    QbNoiseReport report;
    QbImage *image = made_scene(4, 1), *reference = made_scene(0, 0);
    QbNoisePair pair = {.image = image, .reference = reference};
    uint64_t before = qb_mem_allocation_count();
    judge(image, reference);
    uint64_t n = qb_mem_allocation_count() - before;
    assert_true(n > 4);
    for (uint64_t i = 1; i <= n; i++) {
        qb_mem_fail_after(i);
        assert_int_equal(qb_noise_judge_pair(&report, &pair, FOUR, 1), QB_ERR_NOMEM);
    }
    qb_mem_fail_after(0);
    qb_image_free(&image);
    qb_image_free(&reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),          cmocka_unit_test(test_behaviour),
        cmocka_unit_test(test_map_and_threads), cmocka_unit_test(test_small),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
