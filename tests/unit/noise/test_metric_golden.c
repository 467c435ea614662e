/* test_metric_golden.c: the full-reference metrics on real pairs against their published
 * implementations (tests/golden/noise/metrics/RECIPE.md), whole and in 4 x 4 zones, at every level
 * of the kernels. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/cpu.h>
#include <qboost/noise.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

enum { N_ZONES = 16 };

/* What a value may be off by: absolute, PSNR in decibels. The recipe has what was measured. */
static const struct {
    const char *metric;
    double whole, zone;
} tolerances[] = {
    {"psnr", 1e-9, 1e-9}, {"ssim", 1e-6, 2e-6}, {"ms-ssim", 1e-6, 2e-6},  {"gmsd", 1e-6, 2e-6},
    {"vif", 1e-6, 2e-6},  {"flip", 1e-6, 2e-6}, {"hdr-flip", 1e-6, 2e-6},
};
enum { N_METRICS = sizeof tolerances / sizeof *tolerances };

static void check_value(const char *pair, const char *metric, int zone, double got,
                        const json_t *want, double tolerance)
{
    if (json_is_null(want)) {
        if (!isnan(got))
            fail_msg("%s: %s of zone %d is %.9g, expected not a number", pair, metric, zone, got);
        return;
    }
    assert_true(json_is_number(want));
    if (!(fabs(got - json_number_value(want)) <= tolerance))
        fail_msg("%s: %s of zone %d is %.9g, expected %.9g", pair, metric, zone, got,
                 json_number_value(want));
}

static void check_pair(const json_t *set, const QbNoisePair *pair)
{
    const json_t *metrics = json_object_get(set, "metrics");
    const char *name = json_string_value(json_object_get(set, "image"));
    for (int m = 0; m < N_METRICS; m++) {
        const json_t *want = json_object_get(metrics, tolerances[m].metric);
        double whole, zones[N_ZONES];
        if (!want) {
            assert_string_equal(tolerances[m].metric, "hdr-flip");
            continue;
        }
        if (qb_noise_measure(&whole, zones, NULL, tolerances[m].metric, pair, (QbNoiseGrid){4, 4},
                             2))
            fail_msg("%s: %s", name, qb_last_error());
        check_value(name, tolerances[m].metric, -1, whole, json_object_get(want, "whole"),
                    tolerances[m].whole);
        for (size_t z = 0; z < N_ZONES; z++)
            check_value(name, tolerances[m].metric, (int)z, zones[z],
                        json_array_get(json_object_get(want, "zones"), z), tolerances[m].zone);
    }
}

static const char *path_of(const json_t *set, const char *key)
{
    const char *path = json_string_value(json_object_get(set, key));
    assert_non_null(path);
    return path;
}

static void open_screen(QbImage **out, const char *path)
{
    QbImageOptions options;
    qb_image_options_init(&options);
    options.decode = QB_DECODE_UPSTREAM;
    if (qb_image_open(out, path, &options))
        fail_msg("%s", qb_last_error());
}

static void open_light(QbLight **out_light, QbImage **out_screen, const char *path)
{
    if (qb_light_open(out_light, path, NULL) || qb_light_tone_map(out_screen, *out_light, NULL))
        fail_msg("%s", qb_last_error());
}

static void check_set(const json_t *set)
{
    QbImage *image, *reference;
    QbLight *image_light = NULL, *reference_light = NULL;
    if (json_object_get(json_object_get(set, "metrics"), "hdr-flip")) {
        open_light(&image_light, &image, path_of(set, "image"));
        open_light(&reference_light, &reference, path_of(set, "reference"));
    } else {
        open_screen(&image, path_of(set, "image"));
        open_screen(&reference, path_of(set, "reference"));
    }
    check_pair(set, &(QbNoisePair){image, reference, image_light, reference_light});
    qb_image_free(&image);
    qb_image_free(&reference);
    qb_light_free(&image_light);
    qb_light_free(&reference_light);
}

static void test_golden(void **state)
{
    static const char *const levels[] = {"ref", "avx2", "avx512"};
    json_error_t error;
    json_t *sets = json_load_file("tests/golden/noise/metrics/metrics.json", 0, &error), *set;
    (void)state;
    if (!sets)
        fail_msg("%s:%d: %s", error.source, error.line, error.text);
    assert_int_equal(json_array_size(sets), 6);
    for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
        size_t i;
        QbStatus status = qb_cpu_set_level(levels[l]);
        if (status == QB_ERR_UNSUPPORTED)
            continue;
        assert_int_equal(status, QB_OK);
        json_array_foreach(sets, i, set) check_set(set);
    }
    json_decref(sets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
