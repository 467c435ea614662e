/* test_light.c: OpenEXR, Radiance and PFM against tests/golden/images (the OpenEXR package, Blender
 * and numpy; RECIPE.md there), what becomes of values that no light can have, and the mean. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

#include <qboost/light.h>

#include "image/exr.h"

#include <math.h>

static QbLight *open_light(const char *file, const char *layer)
{
    char path[128];
    snprintf(path, sizeof path, GOLDEN "%s", file);
    QbLightOptions options;
    qb_light_options_init(&options);
    options.layer = layer;
    QbLight *light;
    if (qb_light_open(&light, path, &options))
        fail_msg("%s", qb_last_error());
    return light;
}

static QbStatus open_bytes(QbLight **out, const uint8_t *data, size_t size)
{
    QbStatus status = qb_light_open_memory(out, data, size, "bytes", NULL);
    assert_true(!status == (*out != NULL));
    return status;
}

static uint32_t light_crc(const QbLight *light)
{
    QbLightInfo info;
    qb_light_info(&info, light);
    return crc32_of((const uint8_t *)qb_light_pixels(light),
                    (size_t)info.width * (size_t)info.height * 3 * sizeof(float));
}

/* ---- goldens --------------------------------------------------------------------------------- */

/* The text up to the next comma, which becomes a NUL. */
static char *next_field(char **line)
{
    char *field = *line, *comma = strchr(field, ',');
    if (comma)
        *comma = 0;
    *line = comma ? comma + 1 : field + strlen(field);
    return field;
}

/* One line of expected_light.csv; false: it does not hold. */
static bool check_line(char *line)
{
    const char *file = next_field(&line), *layer = next_field(&line);
    long long wanted[7];
    for (int i = 0; i < 2; i++)
        wanted[i] = atoll(next_field(&line));
    const char *missing = next_field(&line);
    for (int i = 2; i < 6; i++)
        wanted[i] = atoll(next_field(&line));
    wanted[6] = (long long)strtoul(line, NULL, 16);
    QbLight *light = open_light(file, *layer ? layer : NULL);
    QbLightInfo info;
    qb_light_info(&info, light);
    const long long found[7] = {info.width,      info.height,     info.samples,    info.n_nan,
                                info.n_infinite, info.n_negative, light_crc(light)};
    bool same = info.is_light && !strncmp(info.format, file, 3) && !strcmp(info.missing, missing);
    for (int i = 0; i < 7; i++)
        if (found[i] != wanted[i]) {
            print_error("%s %s: value %d is %llx, expected %llx\n", file, layer, i, found[i],
                        wanted[i]);
            same = false;
        }
    qb_light_free(&light);
    assert_null(light);
    return same;
}

static void golden_light(void **state)
{
    (void)state;
    FILE *csv = fopen(GOLDEN "expected_light.csv", "r");
    assert_non_null(csv);
    char line[256];
    int n = 0, n_bad = 0;
    while (fgets(line, sizeof line, csv))
        if (strncmp(line, "file,", 5)) {
            n++;
            n_bad += !check_line(line);
        }
    fclose(csv);
    assert_true(n >= 40);
    assert_int_equal(n_bad, 0);
}

/* DWAA and DWAB end in rounding to a half of 10 bits on a curve; the order of a sum of floats
 * decides which way it goes where it is close. One step is a factor of 9.025^(2^-7) at most below
 * the curve's 8, which is light of 5e6. */
static void lossy_exr_is_what_openexr_reads(void **state)
{
    (void)state;
    static const struct {
        const char *file, *layer, *read;
    } cases[] = {{"exr_half_dwaa.exr", NULL, "read_half_dwaa.exr"},
                 {"exr_float_dwab.exr", NULL, "read_float_dwab.exr"},
                 {"exr_gray_dwaa.exr", NULL, "read_gray_dwaa.exr"},
                 {"exr_tiled_dwaa.exr", NULL, "read_tiled_dwaa.exr"},
                 {"exr_mixed_dwab.exr", NULL, "read_mixed_dwab.exr"},
                 {"exr_mixed_dwab.exr", "diffuse", "read_mixed_dwab_diffuse.exr"},
                 {"exr_blender_dwaa.exr", NULL, "read_blender_dwaa.exr"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        QbLight *light = open_light(cases[i].file, cases[i].layer);
        QbLight *wanted = open_light(cases[i].read, NULL);
        QbLightInfo info, info_wanted;
        qb_light_info(&info, light);
        qb_light_info(&info_wanted, wanted);
        assert_int_equal(info.width, info_wanted.width);
        assert_int_equal(info.height, info_wanted.height);
        int n = info.width * info.height * 3, n_equal = 0;
        for (int s = 0; s < n; s++) {
            double a = qb_light_pixels(light)[s], b = qb_light_pixels(wanted)[s];
            n_equal += a == b;
            if (fabs(a - b) > fmax(a, b) * (pow(9.025, 1 / 128.0) - 1) + 1e-6)
                fail_msg("%s: sample %d is %.9g, expected %.9g", cases[i].file, s, a, b);
        }
        assert_true(n_equal > n * 99 / 100);
        qb_light_free(&light);
        qb_light_free(&wanted);
    }
}

/* Little-endian floats from the bottom row up behind a header of three lines. */
static void pfm_is_light(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = file_bytes(&size, GOLDEN "little.pfm");
    QbLight *light = open_light("little.pfm", NULL);
    QbLightInfo info;
    qb_light_info(&info, light);
    assert_true(info.is_light);
    size_t row = (size_t)info.width * 3 * sizeof(float);
    const uint8_t *pixels = data + size - row * (size_t)info.height;
    for (int y = 0; y < info.height; y++)
        for (int i = 0; i < info.width * 3; i++) {
            float stored;
            memcpy(&stored, pixels + row * (size_t)(info.height - 1 - y) + (size_t)i * 4, 4);
            float got = qb_light_pixels(light)[y * info.width * 3 + i];
            if (isfinite(stored) && stored >= 0)
                assert_true(got == stored);
        }
    qb_light_free(&light);
    qb_free(data);
}

/* The matrix that tools/reference/make_light.py computes and prints. */
static void primaries_are_converted(void **state)
{
    (void)state;
    static const double m[9] = {2.521686187,  -1.134130988, -0.387555199, -0.276479914, 1.372719088,
                                -0.096239173, -0.015378065, -0.152975336, 1.168353401};
    QbLight *aces = open_light("exr_aces.exr", NULL),
            *plain = open_light("exr_float_zip.exr", NULL);
    const float *got = qb_light_pixels(aces), *in = qb_light_pixels(plain);
    int n_inside = 0;
    for (int i = 0; i < 37 * 35; i++, got += 3, in += 3)
        for (int c = 0; c < 3; c++) {
            const double *row = m + c * 3;
            double wanted = row[0] * in[0] + row[1] * in[1] + row[2] * in[2];
            /* The file's coordinates are floats: 1e-7 of them, a little more of the matrix. */
            double bound = 1e-5 * (in[0] + in[1] + in[2]);
            n_inside += wanted > bound;
            assert_true(fabs(got[c] - (wanted > 0 ? wanted : 0)) <= bound);
        }
    assert_true(n_inside > 1000);
    QbLightInfo info;
    qb_light_info(&info, aces);
    assert_int_equal(info.n_negative, 0); /* out of gamut is no fault of the renderer */
    qb_light_free(&aces);
    qb_light_free(&plain);
}

/* ---- what is not light ----------------------------------------------------------------------- */

static void impossible_values_are_replaced_and_counted(void **state)
{
    (void)state;
    const float rgb[12] = {NAN, INFINITY, -INFINITY, -1, 2, 0.5f, 0, -0.0f, 3, 1, 1, 1};
    const float wanted[12] = {0, 3, 0, 0, 2, 0.5f, 0, 0, 3, 1, 1, 1};
    QbLight *light;
    assert_int_equal(qb_light_new_rgb(&light, rgb, 2, 2), QB_OK);
    for (int i = 0; i < 12; i++)
        assert_true(qb_light_pixels(light)[i] == wanted[i]);
    QbLightInfo info;
    qb_light_info(&info, light);
    assert_int_equal(info.n_nan, 1);
    assert_int_equal(info.n_infinite, 1);
    assert_int_equal(info.n_negative, 2);
    assert_string_equal(info.format, "rgb");
    assert_string_equal(info.missing, "");
    assert_true(info.is_light);
    qb_light_free(&light);
    const float infinite[3] = {INFINITY, INFINITY, NAN};
    assert_int_equal(qb_light_new_rgb(&light, infinite, 1, 1), QB_OK);
    assert_true(qb_light_pixels(light)[0] == 0 && qb_light_pixels(light)[2] == 0);
    qb_light_free(&light);
    assert_fails(qb_light_new_rgb(&light, rgb, 0, 2), QB_ERR_ARG, "0 x 2");
    assert_fails(qb_light_new_rgb(&light, NULL, 1, 1), QB_ERR_ARG, "rgb is NULL");
}

static void pictures_for_a_screen_become_light(void **state)
{
    (void)state;
    QbLight *light = open_light("rgb8.png", NULL);
    QbImage *image, *back;
    assert_int_equal(qb_image_open(&image, GOLDEN "rgb8.png", NULL), QB_OK);
    QbLightInfo info;
    qb_light_info(&info, light);
    assert_false(info.is_light);
    assert_string_equal(info.format, "png");
    for (size_t i = 0; i < byte_count(image); i++) {
        double v = image->pixels[i] / 255.0;
        double wanted = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
        assert_true(fabs(qb_light_pixels(light)[i] - wanted) <= 6e-8);
    }
    QbToneMapping mapping;
    qb_tone_mapping_init(&mapping);
    mapping.curve = "aces";
    mapping.exposure = 3;
    assert_int_equal(qb_light_tone_map(&back, light, &mapping), QB_OK);
    assert_memory_equal(back->pixels, image->pixels, byte_count(image));
    assert_string_equal(back->format, "png");
    qb_image_free(&back);
    qb_image_free(&image);
    qb_light_free(&light);
}

static void mean_is_the_mean(void **state)
{
    (void)state;
    const float a[6] = {0, 1, 3e38f, 0.5f, 2, 1}, b[6] = {1, 1, 3e38f, 0.25f, NAN, 7};
    const float wanted[6] = {0.5f, 1, 3e38f, 0.375f, 1, 4};
    QbLight *first, *second, *mean;
    assert_int_equal(qb_light_new_rgb(&first, a, 2, 1), QB_OK);
    assert_int_equal(qb_light_new_rgb(&second, b, 2, 1), QB_OK);
    assert_int_equal(qb_light_mean(&mean, first, second), QB_OK);
    for (int i = 0; i < 6; i++)
        assert_true(qb_light_pixels(mean)[i] == wanted[i]);
    QbLightInfo info;
    qb_light_info(&info, mean);
    assert_int_equal(info.n_nan, 1);
    assert_int_equal(info.samples, 0);
    qb_light_free(&mean);
    qb_light_free(&second);
    assert_int_equal(qb_light_new_rgb(&second, b, 1, 2), QB_OK);
    assert_fails(qb_light_mean(&mean, first, second), QB_ERR_ARG, "2 x 1 and 1 x 2");
    assert_null(mean);
    qb_light_free(&second);
    qb_light_free(&first);
    first = open_light("exr_blender_single.exr", NULL);
    assert_int_equal(qb_light_mean(&mean, first, first), QB_OK);
    qb_light_info(&info, mean);
    assert_int_equal(info.samples, 16);
    assert_string_equal(info.format, "exr");
    assert_int_equal(light_crc(mean), light_crc(first));
    qb_light_free(&mean);
    qb_light_free(&first);
}

/* ---- what cannot be opened ------------------------------------------------------------------- */

static void what_is_not_read_says_why(void **state)
{
    (void)state;
    QbLight *light;
    assert_fails(qb_light_open(&light, GOLDEN "exr_depth_only.exr", NULL), QB_ERR_UNSUPPORTED,
                 "no channel R, G, B or Y; it has Z");
    assert_fails(qb_light_open(&light, GOLDEN "exr_chroma.exr", NULL), QB_ERR_UNSUPPORTED,
                 "subsampled");
    assert_fails(qb_light_open(&light, GOLDEN "exr_deep.exr", NULL), QB_ERR_UNSUPPORTED,
                 "deep pixels");
    QbLightOptions options;
    qb_light_options_init(&options);
    options.layer = "specular";
    assert_fails(qb_light_open(&light, GOLDEN "exr_layers.exr", &options), QB_ERR_ARG,
                 "layer specular; it has View.Combined.B, ");
    static const char xyze[] = "#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 1 +X 1\n....";
    assert_int_equal(open_bytes(&light, (const uint8_t *)xyze, sizeof xyze - 1),
                     QB_ERR_UNSUPPORTED);
    assert_non_null(strstr(qb_last_error(), "32-bit_rle_xyze"));
    options.size--;
    assert_fails(qb_light_open(&light, GOLDEN "exr_layers.exr", &options), QB_ERR_ARG,
                 "QbLightOptions");
    assert_fails(qb_light_open(&light, "no/such.exr", NULL), QB_ERR_IO, "no/such.exr");
    assert_fails(qb_light_open(&light, NULL, NULL), QB_ERR_ARG, "no path");
}

/* Cut off anywhere, which a file is while it is written. */
static void half_written_files_are_errors(void **state)
{
    (void)state;
    static const char *const files[] = {
        "exr_half_zip.exr",       "exr_half_none.exr",  "exr_tiled_piz.exr", "exr_parts.exr",
        "exr_blender_layers.exr", "exr_mixed_dwab.exr", "hdr_new.hdr",       "hdr_old.hdr",
        "hdr_flat.hdr",           "big_gray.pfm"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, GOLDEN "%s", files[i]);
        size_t size;
        uint8_t *data = file_bytes(&size, path);
        for (size_t cut = 12; cut < size; cut += cut < 600 ? 1 : 41) {
            uint8_t *copy = malloc(cut);
            assert_non_null(copy);
            memcpy(copy, data, cut);
            QbLight *light;
            if (open_bytes(&light, copy, cut) != QB_ERR_FORMAT)
                fail_msg("%s cut to %zu bytes: %s", files[i], cut, qb_last_error());
            free(copy);
        }
        qb_free(data);
    }
}

/* Offset of the chunk table: behind the NUL that ends the header, which is behind the last
 * attribute of these files. */
static size_t table_offset(const uint8_t *data, size_t size, const char *attribute)
{
    const uint8_t *at = memmem(data, size, attribute, strlen(attribute) + 1);
    assert_non_null(at);
    at += strlen(attribute) + 1;
    at += strlen((const char *)at) + 1;
    return (size_t)(at - data) + 4 + (at[0] | (size_t)at[1] << 8) + 1;
}

/* OpenEXR writes the table when it closes the file: until then it is zero, whatever has been
 * written behind it. */
static void a_chunk_table_of_zeros_is_an_error(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = file_bytes(&size, GOLDEN "exr_half_zip.exr");
    memset(data + table_offset(data, size, "screenWindowWidth"), 0, 3 * 8);
    QbLight *light;
    assert_int_equal(open_bytes(&light, data, size), QB_ERR_FORMAT);
    assert_non_null(strstr(qb_last_error(), "half written"));
    qb_free(data);
}

/* Codes of 58 bits for all 65,537 symbols, which the library would take seconds over. */
static void chunks_made_to_keep_busy_are_refused(void **state)
{
    (void)state;
    enum { TABLE_BYTES = 65537 * 6 / 8 + 1 };
    static uint8_t chunk[4 + 1 + 4 + 20 + TABLE_BYTES];
    memcpy(chunk + 4 + 1 + 4 + 4, (uint8_t[4]){0, 0, 1, 0}, 4); /* the last symbol: 65536 */
    for (size_t i = 0; i < TABLE_BYTES; i++)                    /* 111010 again and again */
        chunk[4 + 1 + 4 + 20 + i] = (uint8_t[3]){0xeb, 0xae, 0xba}[i % 3];
    assert_false(qb_exr_piz_is_sane(chunk, sizeof chunk, 60000));
    assert_false(qb_exr_piz_is_sane(chunk, sizeof chunk - 9, 60000));
    memset(chunk + 4 + 1 + 4 + 20, 0x41, TABLE_BYTES); /* codes of 16 bits and other lengths */
    assert_true(qb_exr_piz_is_sane(chunk, sizeof chunk, 60000));
    for (size_t size = 0; size < 29; size++)
        assert_false(qb_exr_piz_is_sane(chunk, size, 60000));
}

/* What the library would sort for minutes. */
static void headers_made_to_keep_busy_are_refused(void **state)
{
    (void)state;
    enum { N = 1025, ATTRIBUTE_BYTES = 18 };
    static uint8_t data[8 + N * ATTRIBUTE_BYTES + 1] = {0x76, 0x2f, 0x31, 0x01, 2};
    for (int i = 0; i < N; i++) { /* "a0001", an int of 4 bytes, 0 */
        static const char zeroth[ATTRIBUTE_BYTES] = "a0000\0int\0\4";
        uint8_t *attribute = data + 8 + i * ATTRIBUTE_BYTES;
        memcpy(attribute, zeroth, ATTRIBUTE_BYTES);
        for (int digit = 4, rest = i; digit > 0; digit--, rest /= 10)
            attribute[digit] = (uint8_t)('0' + rest % 10);
    }
    QbLight *light;
    assert_int_equal(open_bytes(&light, data, sizeof data), QB_ERR_LIMIT);
    assert_non_null(strstr(qb_last_error(), "1024 attributes"));
}

static void limits_hold_for_light(void **state)
{
    (void)state;
    static const char *const files[] = {"exr_half_zip.exr", "exr_gray.exr", "hdr_new.hdr",
                                        "big_gray.pfm", "rgb8.png"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, GOLDEN "%s", files[i]);
        QbLight *light = open_light(files[i], NULL);
        QbLightInfo info;
        qb_light_info(&info, light);
        qb_light_free(&light);
        QbLightOptions options;
        qb_light_options_init(&options);
        options.image.max_pixels = (int64_t)info.width * info.height - 1;
        assert_fails(qb_light_open(&light, path, &options), QB_ERR_LIMIT, "max_pixels");
        size_t size;
        qb_free(file_bytes(&size, path));
        qb_light_options_init(&options);
        options.image.max_bytes = (int64_t)size + (int64_t)info.width * info.height * 12 - 1;
        assert_fails(qb_light_open(&light, path, &options), QB_ERR_LIMIT, "max_bytes");
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const files[] = {
        "exr_half_zip.exr", "exr_tiled_piz.exr", "exr_half_b44.exr", "exr_float_pxr24.exr",
        "exr_gray.exr",     "hdr_new.hdr",       "rgb8.png"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, GOLDEN "%s", files[i]);
        QbStatus status = QB_ERR_NOMEM;
        for (uint64_t n = 1; n < 400 && status; n++) {
            QbLight *light;
            qb_mem_fail_after(n);
            status = qb_light_open(&light, path, NULL);
            qb_mem_fail_after(0);
            if (status && status != QB_ERR_NOMEM)
                fail_msg("%s, allocation %d: %s", files[i], (int)n, qb_last_error());
            assert_true(n > 1 || status);
            qb_light_free(&light);
        }
        assert_int_equal(status, QB_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_light),
        cmocka_unit_test(lossy_exr_is_what_openexr_reads),
        cmocka_unit_test(pfm_is_light),
        cmocka_unit_test(primaries_are_converted),
        cmocka_unit_test(impossible_values_are_replaced_and_counted),
        cmocka_unit_test(pictures_for_a_screen_become_light),
        cmocka_unit_test(mean_is_the_mean),
        cmocka_unit_test(what_is_not_read_says_why),
        cmocka_unit_test(half_written_files_are_errors),
        cmocka_unit_test(a_chunk_table_of_zeros_is_an_error),
        cmocka_unit_test(chunks_made_to_keep_busy_are_refused),
        cmocka_unit_test(headers_made_to_keep_busy_are_refused),
        cmocka_unit_test(limits_hold_for_light),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up_modules, NULL);
}
