/* test_tone_map.c: the tone curves against their published formulas, computed here in another form,
 * and what a mapping must hold: black, order, white, exposure, the curve that all files of linear
 * light get when they are opened as pictures. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

#include <qboost/light.h>

#include "image/linear.h"

#include <math.h>

static uint8_t srgb_level(double light)
{
    double v = light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
    return (uint8_t)(v >= 1 ? 255 : floor(v * 255 + 0.5));
}

static double hable_partial(double x)
{
    return (x * (0.15 * x + 0.10 * 0.50) + 0.20 * 0.02) / (x * (0.15 * x + 0.50) + 0.20 * 0.30) -
           0.02 / 0.30;
}

static double expected(const char *curve, const float rgb[3], int c)
{
    double x = rgb[c];
    if (!strcmp(curve, "reinhard"))
        return x / (1 + 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]);
    if (!strcmp(curve, "hable"))
        return hable_partial(2 * x) / hable_partial(11.2);
    if (!strcmp(curve, "aces")) {
        x *= 0.6;
        return x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14);
    }
    return x;
}

/* n pixels of all kinds of brightness and colour. */
static void fill(float *rgb, int n)
{
    uint32_t random = 7;
    for (int i = 0; i < n * 3; i++) {
        random = random * 1664525u + 1013904223u;
        rgb[i] = exp2f((float)(random >> 8) / (1 << 24) * 24 - 16);
    }
    memcpy(rgb, (float[]){0, 0, 0, 1, 1, 1, 3e38f, 3e38f, 3e38f, 11.2f, 0, 1e-30f}, 48);
}

static QbImage *map(const float *rgb, int n, const QbToneMapping *mapping)
{
    QbLight *light;
    QbImage *image;
    assert_int_equal(qb_light_new_rgb(&light, rgb, n, 1), QB_OK);
    assert_int_equal(qb_light_tone_map(&image, light, mapping), QB_OK);
    qb_light_free(&light);
    return image;
}

static void curves_are_as_published(void **state)
{
    (void)state;
    enum { N = 4000 };
    static float rgb[N * 3];
    fill(rgb, N);
    QbToneMapping mapping;
    qb_tone_mapping_init(&mapping);
    int n_curves = 0;
    for (; (mapping.curve = qb_tone_curve_name(n_curves)); n_curves++) {
        QbImage *image = map(rgb, N, &mapping);
        int n_off = 0, n_between = 0;
        for (int i = 0; i < N * 3; i++) {
            uint8_t wanted = srgb_level(expected(mapping.curve, rgb + i / 3 * 3, i % 3));
            /* Rounding may fall the other way where the two forms differ in their last bit. */
            assert_in_range(image->pixels[i], wanted ? wanted - 1 : 0,
                            wanted < 255 ? wanted + 1 : 255);
            n_off += image->pixels[i] != wanted;
            n_between += image->pixels[i] > 0 && image->pixels[i] < 255;
        }
        assert_true(n_off <= 2);
        assert_true(n_between > N);
        assert_int_equal(image->pixels[0], 0);
        qb_image_free(&image);
    }
    assert_int_equal(n_curves, 4);
}

static void exposure_is_in_stops(void **state)
{
    (void)state;
    enum { N = 500 };
    static float rgb[N * 3], brighter[N * 3];
    fill(rgb, N);
    for (int i = 0; i < N * 3; i++)
        brighter[i] = rgb[i] < 1e37f ? rgb[i] * 8 : rgb[i];
    QbToneMapping mapping;
    qb_tone_mapping_init(&mapping);
    mapping.curve = "hable";
    QbImage *plain = map(brighter, N, &mapping);
    mapping.exposure = 3;
    QbImage *exposed = map(rgb, N, &mapping);
    assert_memory_equal(plain->pixels, exposed->pixels, N * 3);
    qb_image_free(&plain);
    qb_image_free(&exposed);
}

static void default_is_what_opening_gives(void **state)
{
    (void)state;
    static const char *const files[] = {"little.pfm", "big_gray.pfm", "exr_half_zip.exr",
                                        "exr_gray.exr", "hdr_new.hdr"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, GOLDEN "%s", files[i]);
        QbLight *light;
        QbImage *image, *mapped;
        assert_int_equal(qb_light_open(&light, path, NULL), QB_OK);
        assert_int_equal(qb_light_tone_map(&mapped, light, NULL), QB_OK);
        for (int mode = 0; mode < 2; mode++) {
            QbImageOptions options = options_for(mode ? QB_DECODE_MANAGED : QB_DECODE_UPSTREAM);
            assert_int_equal(qb_image_open(&image, path, &options), QB_OK);
            assert_string_equal(image->format, mapped->format);
            assert_int_equal(byte_count(image), byte_count(mapped));
            assert_memory_equal(image->pixels, mapped->pixels, byte_count(image));
            qb_image_free(&image);
        }
        qb_image_free(&mapped);
        qb_light_free(&light);
    }
}

static void mappings_are_checked(void **state)
{
    (void)state;
    QbLight *light;
    QbImage *image;
    assert_int_equal(qb_light_new_rgb(&light, (float[3]){1, 2, 3}, 1, 1), QB_OK);
    QbToneMapping mapping;
    qb_tone_mapping_init(&mapping);
    mapping.curve = "filmic";
    assert_fails(qb_light_tone_map(&image, light, &mapping), QB_ERR_ARG,
                 "filmic, there are srgb, reinhard, hable, aces");
    assert_null(image);
    mapping.curve = NULL;
    assert_fails(qb_light_tone_map(&image, light, &mapping), QB_ERR_ARG, "NULL");
    qb_tone_mapping_init(&mapping);
    mapping.exposure = 64.5;
    assert_fails(qb_light_tone_map(&image, light, &mapping), QB_ERR_ARG, "64.5 stops");
    mapping.exposure = NAN;
    assert_fails(qb_light_tone_map(&image, light, &mapping), QB_ERR_ARG, "stops");
    mapping.size = 1;
    assert_fails(qb_light_tone_map(&image, light, &mapping), QB_ERR_ARG, "QbToneMapping");
    assert_fails(qb_light_tone_map(&image, NULL, NULL), QB_ERR_ARG, "light is NULL");
    assert_null(qb_tone_curve_name(-1));
    qb_light_free(&light);
}

/* Around every level's beginning, and all over. */
static void rows_are_the_curve(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    static float in[N];
    static uint8_t out[N];
    uint32_t random = 3;
    for (int i = 0; i < N; i++) {
        random = random * 1664525u + 1013904223u;
        uint32_t bits = random >> 1; /* positive: 0 … infinity … not a number */
        if (i % 2) {
            float start = qb_linear_from_srgb((uint8_t)(i / 2)), end;
            end = i / 2 % 256 < 255 ? qb_linear_from_srgb((uint8_t)(i / 2 + 1)) : 1.01f;
            in[i] = start + (end - start) * (float)(random >> 8) / (1 << 24);
        } else {
            memcpy(&in[i], &bits, 4);
        }
    }
    for (int level = 1; level < 256; level++) { /* the float where it begins, and its neighbours */
        float low = qb_linear_from_srgb((uint8_t)(level - 1)),
              high = qb_linear_from_srgb((uint8_t)level);
        while (nextafterf(low, 1) < high) {
            float middle = low + (high - low) / 2;
            *(qb_srgb_from_linear(middle) < level ? &low : &high) = middle;
        }
        memcpy(in + level * 4, (float[]){low, high, nextafterf(low, 0), nextafterf(high, 1)}, 16);
    }
    memcpy(in + N - 8, (float[]){0, -0.0f, -1, NAN, INFINITY, 1, 0x1p-13f, 0x1.fffffep-14f}, 32);
    qb_srgb_from_linear_row(out, in, N);
    for (int i = 0; i < N; i++)
        assert_int_equal(out[i], qb_srgb_from_linear(in[i]));
    for (int level = 0; level < 256; level++)
        assert_int_equal(qb_srgb_from_linear(qb_linear_from_srgb((uint8_t)level)), level);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_curve),   cmocka_unit_test(curves_are_as_published),
        cmocka_unit_test(exposure_is_in_stops), cmocka_unit_test(default_is_what_opening_gives),
        cmocka_unit_test(mappings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
