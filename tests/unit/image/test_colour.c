/* test_colour.c: the last step of decoding on rasters made here: colours told by numbers, 16 bits,
 * alpha, orientation; and the EXIF reader. Expected values come from the definitions in double. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

#include "image/decode.h"

#include <math.h>

static QbImageOptions options;
static QbDecodeJob job = {.name = "raster", .options = &options};

/* A raster of n_bytes of pixels, copied. */
static QbRaster raster_of(int width, int height, QbColor color, bool alpha, int depth,
                          const void *pixels)
{
    QbRaster raster = {.width = width,
                       .height = height,
                       .color = color,
                       .alpha = alpha,
                       .depth = depth,
                       .orientation = 1};
    size_t n_bytes = qb_raster_row_bytes(&raster) * (size_t)height;
    raster.pixels = qb_alloc(n_bytes);
    memcpy(raster.pixels, pixels, n_bytes);
    return raster;
}

static QbImage *finish(QbRaster *raster, QbDecode decode)
{
    qb_image_options_init(&options);
    options.decode = decode;
    QbImage *image;
    assert_int_equal(qb_colour_finish(&image, raster, &job, "raster"), QB_OK);
    qb_raster_deinit(raster);
    return image;
}

static double srgb_encode(double v)
{
    v = v < 0 ? 0 : v > 1 ? 1 : v;
    return 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055);
}

static double srgb_decode(double v)
{
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static void assert_near(int found, double expected, double bound)
{
    if (fabs(found - expected) > bound)
        fail_msg("%d, expected %.2f +- %.1f", found, expected, bound);
}

/* ---- colours told by numbers ----------------------------------------------------------- */

/* Linear Display P3 to linear sRGB: the product of the two standards' matrices (both D65). */
static const double p3_to_srgb[3][3] = {{1.2249402, -0.2249404, 0.0},
                                        {-0.0420569, 1.0420571, 0.0},
                                        {-0.0196376, -0.0786361, 1.0982735}};

static void display_p3_becomes_srgb(void **state)
{
    (void)state;
    static const uint8_t in[4][3] = {{200, 60, 60}, {100, 150, 90}, {128, 128, 128}, {70, 80, 160}};
    QbRaster raster = raster_of(4, 1, QB_COLOR_RGB, false, 8, in);
    assert_int_equal(qb_colour_icc_from_cicp(&raster, 12, 13), QB_OK);
    assert_non_null(raster.icc);
    QbImage *image = finish(&raster, QB_DECODE_MANAGED);
    for (int i = 0; i < 4; i++)
        for (int c = 0; c < 3; c++) {
            double linear = 0;
            for (int k = 0; k < 3; k++)
                linear += p3_to_srgb[c][k] * srgb_decode(in[i][k]);
            assert_near(image->pixels[i * 3 + c], srgb_encode(linear), 2.0);
        }
    qb_image_free(&image);
}

static void linear_light_becomes_srgb(void **state)
{
    (void)state;
    static const uint16_t in[5] = {0, 1000, 12000, 40000, 65535};
    QbRaster raster = raster_of(5, 1, QB_COLOR_GRAY, false, 16, in);
    assert_int_equal(qb_colour_icc_from_cicp(&raster, 1, 8), QB_OK);
    QbImage *image = finish(&raster, QB_DECODE_MANAGED);
    for (int i = 0; i < 5; i++)
        assert_near(image->pixels[i * 3], srgb_encode(in[i] / 65535.0), 1.5);
    qb_image_free(&image);
}

/* ST 2084: 100 cd/m2 is 0.5081, 203 is 0.5807; what is brighter is cut off. */
static void pq_is_cut_at_reference_white(void **state)
{
    (void)state;
    static const uint16_t in[3] = {(uint16_t)(0.50808 * 65535), (uint16_t)(0.58069 * 65535), 60000};
    QbRaster raster = raster_of(3, 1, QB_COLOR_GRAY, false, 16, in);
    assert_int_equal(qb_colour_icc_from_cicp(&raster, 1, 16), QB_OK);
    QbImage *image = finish(&raster, QB_DECODE_MANAGED);
    assert_near(image->pixels[0], srgb_encode(100.0 / 203), 2.0);
    assert_near(image->pixels[3], 255, 2.0);
    assert_int_equal(image->pixels[6], 255);
    qb_image_free(&image);
}

static void srgb_by_numbers_needs_no_profile(void **state)
{
    (void)state;
    static const int same[][2] = {{1, 13}, {1, 1}, {2, 2}, {5, 6}, {0, 0}, {999, -4}};
    static const uint8_t pixel[3] = {1, 2, 3};
    QbRaster raster = raster_of(1, 1, QB_COLOR_RGB, false, 8, pixel);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_int_equal(qb_colour_icc_from_cicp(&raster, same[i][0], same[i][1]), QB_OK);
        assert_null(raster.icc);
    }
    static const double srgb[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
    static const double absurd[8] = {0.3127, 0.3290, 0.64, 0.33, 0.0, 0.60, 0.15, 2.0};
    assert_int_equal(qb_colour_icc_from_gamma(&raster, 0.45455, srgb), QB_OK);
    assert_null(raster.icc);
    assert_int_equal(qb_colour_icc_from_gamma(&raster, 1.0, absurd), QB_OK);
    assert_null(raster.icc);
    assert_int_equal(qb_colour_icc_from_gamma(&raster, 0.0, NULL), QB_OK);
    assert_null(raster.icc);
    qb_raster_deinit(&raster);
}

static void png_gamma_is_used(void **state)
{
    (void)state;
    static const uint8_t in[3] = {20, 100, 230};
    QbRaster raster = raster_of(3, 1, QB_COLOR_GRAY, false, 8, in);
    assert_int_equal(qb_colour_icc_from_gamma(&raster, 1.0, NULL), QB_OK);
    QbImage *image = finish(&raster, QB_DECODE_MANAGED);
    for (int i = 0; i < 3; i++)
        assert_near(image->pixels[i * 3], srgb_encode(in[i] / 255.0), 1.5);
    qb_image_free(&image);
}

/* ---- depth and alpha ------------------------------------------------------------------- */

static void sixteen_bits(void **state)
{
    (void)state;
    uint16_t in[6] = {0, 128, 129, 255, 256, 65535};
    static const uint8_t rounded[6] = {0, 0, 1, 1, 1, 255},
                         clipped[6] = {0, 128, 129, 255, 255, 255}, high[6] = {0, 0, 0, 0, 1, 255};
    QbRaster raster = raster_of(6, 1, QB_COLOR_GRAY, false, 16, in);
    QbImage *image = finish(&raster, QB_DECODE_MANAGED);
    for (int i = 0; i < 6; i++)
        assert_int_equal(image->pixels[i * 3 + 1], rounded[i]);
    qb_image_free(&image);
    raster = raster_of(6, 1, QB_COLOR_GRAY, false, 16, in);
    image = finish(&raster, QB_DECODE_UPSTREAM);
    for (int i = 0; i < 6; i++)
        assert_int_equal(image->pixels[i * 3 + 2], clipped[i]);
    qb_image_free(&image);
    raster = raster_of(2, 1, QB_COLOR_RGB, false, 16, in);
    image = finish(&raster, QB_DECODE_UPSTREAM);
    assert_memory_equal(image->pixels, high, 6);
    qb_image_free(&image);
}

static void alpha_is_blended_or_dropped(void **state)
{
    (void)state;
    static const uint8_t in[3][2] = {{100, 0}, {100, 255}, {100, 51}}; /* 51 is a fifth */
    QbRaster raster = raster_of(3, 1, QB_COLOR_GRAY, true, 8, in);
    QbImage *image = finish(&raster, QB_DECODE_MANAGED);
    assert_int_equal(image->pixels[0], 255);
    assert_int_equal(image->pixels[3], 100);
    assert_int_equal(image->pixels[6], 224); /* 100 / 5 + 255 * 4 / 5 */
    qb_image_free(&image);
    raster = raster_of(3, 1, QB_COLOR_GRAY, true, 8, in);
    image = finish(&raster, QB_DECODE_UPSTREAM);
    for (int i = 0; i < 9; i++)
        assert_int_equal(image->pixels[i], 100);
    qb_image_free(&image);
}

static void inks_without_profile(void **state)
{
    (void)state;
    static const uint8_t in[3][4] = {{0, 0, 0, 0}, {255, 0, 0, 0}, {10, 20, 30, 255}};
    QbRaster raster = raster_of(3, 1, QB_COLOR_CMYK, false, 8, in);
    QbImage *image = finish(&raster, QB_DECODE_MANAGED);
    assert_memory_equal(image->pixels, ((uint8_t[]){255, 255, 255, 0, 255, 255, 0, 0, 0}), 9);
    qb_image_free(&image);
}

/* ---- orientation ----------------------------------------------------------------------- */

/* Pixels 0 1 2 / 3 4 5 as EXIF says they are to be shown. */
static void orientations(void **state)
{
    (void)state;
    static const char *const shown[] = {"012345", "210543", "543210", "345012",
                                        "031425", "304152", "524130", "251403"};
    uint8_t in[6][3];
    for (int i = 0; i < 6; i++)
        memset(in[i], i, 3);
    for (int n = 1; n <= 8; n++) {
        QbRaster raster = raster_of(3, 2, QB_COLOR_RGB, false, 8, in);
        raster.orientation = n;
        QbImage *image = finish(&raster, QB_DECODE_MANAGED);
        assert_int_equal(image->width, n >= 5 ? 2 : 3);
        for (int i = 0; i < 6; i++)
            assert_int_equal(image->pixels[i * 3], shown[n - 1][i] - '0');
        qb_image_free(&image);
    }
}

static void turning_counts_as_memory(void **state)
{
    (void)state;
    uint8_t in[100 * 3] = {0};
    QbRaster raster = raster_of(10, 10, QB_COLOR_RGB, false, 8, in);
    raster.orientation = 6;
    qb_image_options_init(&options);
    options.decode = QB_DECODE_MANAGED;
    options.max_bytes = 599;
    QbImage *image;
    assert_fails(qb_colour_finish(&image, &raster, &job, "raster"), QB_ERR_LIMIT, "max_bytes");
    qb_raster_deinit(&raster);
}

/* ---- EXIF ------------------------------------------------------------------------------ */

static void exif_reader(void **state)
{
    (void)state;
    static const uint8_t little[] = "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
    static const uint8_t big[] = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
    static const uint8_t prefixed[] =
        "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0";
    static const uint8_t as_long[] = "II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x05\0\0\0";
    static const uint8_t text[] = "II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0\x06\0\0\0";
    static const uint8_t nine[] = "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0";
    static const uint8_t far[] = "II*\0\xff\xff\xff\xff\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
    static const uint8_t many[] = "II*\0\x08\0\0\0\xff\xff\x13\x01\x03\0\x01\0\0\0\x06\0\0\0";
    assert_int_equal(qb_exif_orientation(little, sizeof little - 1), 6);
    assert_int_equal(qb_exif_orientation(big, sizeof big - 1), 8);
    assert_int_equal(qb_exif_orientation(prefixed, sizeof prefixed - 1), 3);
    assert_int_equal(qb_exif_orientation(as_long, sizeof as_long - 1), 5);
    assert_int_equal(qb_exif_orientation(text, sizeof text - 1), 1);
    assert_int_equal(qb_exif_orientation(nine, sizeof nine - 1), 1);
    assert_int_equal(qb_exif_orientation(far, sizeof far - 1), 1);
    assert_int_equal(qb_exif_orientation(many, sizeof many - 1), 1);
    for (size_t n = 0; n < sizeof little - 1; n++)
        assert_int_equal(qb_exif_orientation(little, n), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(display_p3_becomes_srgb),
        cmocka_unit_test(linear_light_becomes_srgb),
        cmocka_unit_test(pq_is_cut_at_reference_white),
        cmocka_unit_test(srgb_by_numbers_needs_no_profile),
        cmocka_unit_test(png_gamma_is_used),
        cmocka_unit_test(sixteen_bits),
        cmocka_unit_test(alpha_is_blended_or_dropped),
        cmocka_unit_test(inks_without_profile),
        cmocka_unit_test(orientations),
        cmocka_unit_test(turning_counts_as_memory),
        cmocka_unit_test(exif_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
