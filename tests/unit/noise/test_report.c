/* test_report.c: zones cover the picture once, grids are refused with a sentence, and a report is
 * as its worst zone, also where a zone cannot be told. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_WIDTH = 131, MAX_HEIGHT = 97 };

static void check_cover(int width, int height, QbNoiseGrid grid)
{
    static uint8_t covered[MAX_HEIGHT][MAX_WIDTH];
    memset(covered, 0, sizeof covered);
    assert_int_equal(qb_noise_grid_check(grid, width, height, 1), QB_OK);
    for (int z = 0; z < grid.columns * grid.rows; z++) {
        QbZoneRect rect = qb_noise_zone_rect(grid, width, height, z);
        assert_true(rect.width >= width / grid.columns && rect.height >= height / grid.rows);
        for (int y = rect.y; y < rect.y + rect.height; y++)
            for (int x = rect.x; x < rect.x + rect.width; x++)
                covered[y][x]++;
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            assert_int_equal(covered[y][x], 1);
}

static void test_zones(void **state)
{
    (void)state;
    static const QbNoiseGrid grids[] = {{1, 1}, {4, 4}, {5, 3}, {7, 97}, {10, 1}};
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        check_cover(MAX_WIDTH, MAX_HEIGHT, grids[i]);
    QbZoneRect rect = qb_noise_zone_rect((QbNoiseGrid){4, 4}, 800, 802, 7);
    assert_int_equal(rect.x, 600);
    assert_int_equal(rect.y, 200);
    assert_int_equal(rect.width, 200);
    assert_int_equal(rect.height, 201);
    rect = qb_noise_zone_rect((QbNoiseGrid){3, 1}, INT32_MAX, 16, 2);
    assert_int_equal(rect.x, 1431655764);
}

static void expect_refusal(QbNoiseGrid grid, int width, int height, const char *text)
{
    assert_int_equal(qb_noise_grid_check(grid, width, height, QB_NOISE_MIN_ZONE_SIDE), QB_ERR_ARG);
    if (!strstr(qb_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", qb_last_error(), text);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refusal((QbNoiseGrid){0, 4}, 800, 800, "0 x 4");
    expect_refusal((QbNoiseGrid){4, -1}, 800, 800, "4 x -1");
    expect_refusal((QbNoiseGrid){33, 32}, 8000, 8000, "1 to 1024");
    expect_refusal((QbNoiseGrid){INT32_MAX, INT32_MAX}, 8000, 8000, "1 to 1024");
    expect_refusal((QbNoiseGrid){4, 4}, 63, 64, "63 x 64");
    expect_refusal((QbNoiseGrid){4, 4}, 64, 63, "16 x 16");
    assert_int_equal(qb_noise_grid_check((QbNoiseGrid){32, 32}, 512, 512, 16), QB_OK);
    assert_int_equal(qb_noise_grid_check((QbNoiseGrid){4, 4}, 64, 64, 16), QB_OK);
}

static void test_report(void **state)
{
    (void)state;
    QbNoiseReport report;
    qb_noise_report_fill(&report, (QbNoiseGrid){2, 2}, (double[]){0.5, 4, 1, 2});
    assert_true(report.grid.columns == 2 && report.grid.rows == 2);
    assert_true(report.visibility == 4 && report.noise == 0.75 && report.noisy_share == 0.5);
    assert_true(report.zones[0].noise == 0 && report.zones[2].noise == 0);
    assert_true(report.zones[3].visibility == 2 && report.zones[3].noise == 0.5);

    qb_noise_report_fill(&report, (QbNoiseGrid){3, 1}, (double[]){0.5, NAN, 8});
    assert_true(report.visibility == 8 && report.noise == 0.875);
    assert_true(isnan(report.zones[1].visibility) && isnan(report.zones[1].noise));

    /* What cannot be told may be visible: never a clean picture. */
    qb_noise_report_fill(&report, (QbNoiseGrid){3, 1}, (double[]){0.5, NAN, 0.1});
    assert_true(isnan(report.visibility) && isnan(report.noise) && report.noisy_share == 0);

    qb_noise_report_fill(&report, (QbNoiseGrid){2, 1}, (double[]){0, INFINITY});
    assert_true(report.visibility == INFINITY && report.noise == 1);
}

/* Renderers' errors are read as flat black or white: not to be taken for a clean zone. */
static void test_doubt(void **state)
{
    (void)state;
    enum { SIDE = 64 };
    static float rgb[SIDE][SIDE][3];
    for (int i = 0; i < SIDE * SIDE * 3; i++)
        (&rgb[0][0][0])[i] = 0.5f;
    for (int y = 0; y < 32; y++) /* zone 0: a tenth and more; zone 1: one pixel; zone 2: hardly */
        for (int x = 0; x < 4; x++) {
            rgb[y][x][1] = y % 2 ? NAN : INFINITY;
            rgb[32 + y][x][2] = -0.005f;
            rgb[32 + y][32 + x][0] = -1.0f; /* zone 3 */
        }
    rgb[5][40][0] = NAN;
    QbLight *light = NULL, *clean = NULL, *mean = NULL;
    assert_int_equal(qb_light_new_rgb(&light, &rgb[0][0][0], SIDE, SIDE), QB_OK);
    assert_int_equal(qb_light_unreal_count(light, 0, 0, 32, 32), 128);
    assert_int_equal(qb_light_unreal_count(light, 32, 0, 32, 32), 1);
    assert_int_equal(qb_light_unreal_count(light, 0, 32, 32, 32), 0);
    assert_int_equal(qb_light_unreal_count(light, 32, 32, 32, 32), 128);

    const double all[] = {0.5, 0.5, 0.5, 0.5};
    QbNoiseReport report;
    qb_noise_report_fill(&report, (QbNoiseGrid){2, 2}, all);
    qb_noise_report_doubt(&report, light);
    assert_true(isnan(report.zones[0].visibility) && isnan(report.zones[3].noise));
    assert_true(report.zones[1].visibility == 0.5 && report.zones[2].noise == 0);
    assert_true(isnan(report.visibility) && isnan(report.noise));

    /* A mean has what one of the two had. */
    for (int i = 0; i < SIDE * SIDE * 3; i++)
        (&rgb[0][0][0])[i] = 0.5f;
    assert_int_equal(qb_light_new_rgb(&clean, &rgb[0][0][0], SIDE, SIDE), QB_OK);
    assert_int_equal(qb_light_unreal_count(clean, 0, 0, SIDE, SIDE), 0);
    assert_int_equal(qb_light_mean(&mean, clean, light), QB_OK);
    assert_int_equal(qb_light_unreal_count(mean, 0, 0, SIDE, SIDE), 257);
    qb_light_free(&light);
    qb_light_free(&clean);
    qb_light_free(&mean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
