/* test_decode.c: every format and both decode modes against tests/golden/images (Pillow, ImageCms
 * and numpy; RECIPE.md there), and the limits and options of opening. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

/* ---- pixels ---------------------------------------------------------------------------------- */

/* One line of expected.csv; false: it does not hold. */
static bool check_line(const char *line)
{
    char file[64], mode[16], path[128];
    int width, height;
    unsigned crc;
    if (sscanf(line, "%63[^,],%15[^,],%d,%d,%x", file, mode, &width, &height, &crc) != 5)
        fail_msg("a damaged line in expected.csv: %s", line);
    snprintf(path, sizeof path, GOLDEN "%s", file);
    QbImageOptions options =
        options_for(strcmp(mode, "managed") ? QB_DECODE_UPSTREAM : QB_DECODE_MANAGED);
    QbImage *image;
    if (qb_image_open(&image, path, &options)) {
        print_error("%s: %s\n", mode, qb_last_error());
        return false;
    }
    unsigned found = crc32_of(qb_image_pixels(image), byte_count(image));
    bool same = qb_image_width(image) == width && qb_image_height(image) == height && found == crc;
    if (!same)
        print_error("%s %s: %d x %d %08x, expected %d x %d %08x\n", file, mode, image->width,
                    image->height, found, width, height, crc);
    qb_image_free(&image);
    assert_null(image);
    return same;
}

static void golden_pixels(void **state)
{
    (void)state;
    FILE *csv = fopen(GOLDEN "expected.csv", "r");
    assert_non_null(csv);
    char line[256];
    int n = 0, n_bad = 0;
    while (fgets(line, sizeof line, csv))
        if (strncmp(line, "file,", 5)) {
            n++;
            n_bad += !check_line(line);
        }
    fclose(csv);
    assert_true(n > 200);
    assert_int_equal(n_bad, 0);
}

/* x265 at its best loses a little: within a mean of 2 levels of the lossless JPEG XL of the
 * picture. */
static void heic_is_close_to_its_source(void **state)
{
    (void)state;
    QbImage *source, *lossy;
    QbImageOptions options = options_for(QB_DECODE_UPSTREAM);
    assert_int_equal(qb_image_open(&source, GOLDEN "rgb.jxl", &options), QB_OK);
    assert_int_equal(qb_image_open(&lossy, GOLDEN "rgb.heic", &options), QB_OK);
    assert_string_equal(qb_image_format(lossy), "heif");
    assert_int_equal(lossy->width, source->width);
    assert_int_equal(lossy->height, source->height);
    long sum = 0;
    for (size_t i = 0; i < byte_count(source); i++)
        sum += abs(source->pixels[i] - lossy->pixels[i]);
    assert_true(sum < 2 * (long)byte_count(source));
    qb_image_free(&lossy);
    /* Where the picture is transparent, the background shows. */
    options = options_for(QB_DECODE_MANAGED);
    memcpy(options.background, (uint8_t[3]){10, 200, 90}, 3);
    assert_int_equal(qb_image_open(&lossy, GOLDEN "alpha.heic", &options), QB_OK);
    for (int c = 0; c < 3; c++)
        assert_in_range(lossy->pixels[c], options.background[c] - 3, options.background[c] + 3);
    qb_image_free(&lossy);
    qb_image_free(&source);
}

static void background_shows_through(void **state)
{
    (void)state;
    QbImageOptions options = options_for(QB_DECODE_MANAGED);
    memcpy(options.background, (uint8_t[3]){1, 2, 3}, 3);
    QbImage *image;
    assert_int_equal(qb_image_open(&image, GOLDEN "rgba8.png", &options), QB_OK);
    assert_memory_equal(image->pixels, ((uint8_t[]){1, 2, 3}), 3); /* alpha is 0 there */
    qb_image_free(&image);
}

static void auto_is_managed(void **state)
{
    (void)state;
    QbImage *first, *second;
    QbImageOptions options = options_for(QB_DECODE_MANAGED);
    assert_int_equal(qb_image_open(&first, GOLDEN "exif6.jpg", NULL), QB_OK);
    assert_int_equal(qb_image_open(&second, GOLDEN "exif6.jpg", &options), QB_OK);
    assert_int_equal(first->width, 24);
    assert_int_equal(first->height, 40);
    assert_memory_equal(first->pixels, second->pixels, byte_count(first));
    assert_true(first->serial != second->serial);
    qb_image_free(&first);
    qb_image_free(&second);
}

/* ---- formats --------------------------------------------------------------------------------- */

static void formats_are_listed(void **state)
{
    (void)state;
    static const char *const wanted[] = {"jpeg", "png", "webp", "tiff", "gif",  "bmp", "pnm",
                                         "pfm",  "hdr", "exr",  "avif", "heif", "jxl"};
    size_t n_found = 0, n = 0;
    for (; qb_image_format_name((int)n); n++) {
        assert_true(strlen(qb_image_format_extensions((int)n)) >= 3);
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            n_found += !strcmp(wanted[i], qb_image_format_name((int)n));
    }
    assert_int_equal(n_found, sizeof wanted / sizeof *wanted);
    assert_null(qb_image_format_extensions((int)n));
    assert_null(qb_image_format_name(-1));
}

static void format_is_told_by_content(void **state)
{
    (void)state;
    static const struct {
        const char *file, *format;
    } cases[] = {{"420.jpg", "jpeg"},    {"rgb8.png", "png"},     {"lossy.webp", "webp"},
                 {"planar.tif", "tiff"}, {"plain.gif", "gif"},    {"rgb24.bmp", "bmp"},
                 {"raw.pbm", "pnm"},     {"plain.ppm", "pnm"},    {"little.pfm", "pfm"},
                 {"hdr_new.hdr", "hdr"}, {"exr_gray.exr", "exr"}, {"rgb.avif", "avif"},
                 {"rgb.heic", "heif"},   {"rgb.jxl", "jxl"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        size_t size;
        snprintf(path, sizeof path, GOLDEN "%s", cases[i].file);
        uint8_t *data = file_bytes(&size, path);
        QbImage *image;
        assert_int_equal(qb_image_open_memory(&image, data, size, "picture.txt", NULL), QB_OK);
        assert_string_equal(qb_image_format(image), cases[i].format);
        qb_image_free(&image);
        qb_free(data);
    }
}

/* ---- what cannot be opened ---------------------------------------------------------------------
 */

static void unreadable_files_are_errors(void **state)
{
    (void)state;
    QbImage *image = (QbImage *)(uintptr_t)1;
    assert_fails(qb_image_open(&image, "no/such.png", NULL), QB_ERR_IO, "no/such.png");
    assert_null(image);
    assert_fails(qb_image_open(&image, "tests", NULL), QB_ERR_IO, "folder");
    assert_fails(qb_image_open(&image, "Makefile", NULL), QB_ERR_UNSUPPORTED, "not a picture");
    assert_fails(qb_image_open_memory(&image, "", 0, "nothing", NULL), QB_ERR_FORMAT,
                 "nothing: is empty");
    assert_fails(qb_image_open_memory(&image, NULL, 5, "x", NULL), QB_ERR_ARG, "no data");
    assert_fails(qb_image_open(&image, NULL, NULL), QB_ERR_ARG, "no path");
}

static void options_are_checked(void **state)
{
    (void)state;
    QbImage *image;
    QbImageOptions options = options_for(QB_DECODE_MANAGED);
    options.size = 8;
    assert_fails(qb_image_open(&image, GOLDEN "gray.jpg", &options), QB_ERR_ARG, "QbImageOptions");
    options = options_for((QbDecode)77);
    assert_fails(qb_image_open(&image, GOLDEN "gray.jpg", &options), QB_ERR_ARG, "decode mode 77");
    options = options_for(QB_DECODE_MANAGED);
    options.max_pixels = 0;
    assert_fails(qb_image_open(&image, GOLDEN "gray.jpg", &options), QB_ERR_ARG, "at least 1");
}

/* Every format says so, naming the size, the limit and the option; one pixel more is enough. */
static void limits_hold(void **state)
{
    (void)state;
    static const char *const files[] = {
        "420.jpg",     "rgb8.png",         "lossy.webp",   "animated.webp", "planar.tif",
        "ycbcr.tif",   "plain.gif",        "rgb24.bmp",    "raw.ppm",       "little.pfm",
        "hdr_old.hdr", "exr_half_zip.exr", "exr_gray.exr", "rgb.avif",      "rgb.jxl",
        "rgb16.jxl",   "rgb.heic"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128], words[64];
        snprintf(path, sizeof path, GOLDEN "%s", files[i]);
        QbImageOptions options = options_for(QB_DECODE_MANAGED);
        QbImage *image;
        assert_int_equal(qb_image_open(&image, path, &options), QB_OK);
        int64_t n_pixels = (int64_t)image->width * image->height;
        snprintf(words, sizeof words, "%d x %d pixels", image->width, image->height);
        qb_image_free(&image);
        options.max_pixels = n_pixels;
        assert_int_equal(qb_image_open(&image, path, &options), QB_OK);
        qb_image_free(&image);
        options.max_pixels--;
        assert_fails(qb_image_open(&image, path, &options), QB_ERR_LIMIT, "max_pixels");
        assert_non_null(strstr(qb_last_error(), words));
        options = options_for(QB_DECODE_MANAGED);
        size_t size;
        qb_free(file_bytes(&size, path));
        options.max_bytes = (int64_t)size - 1;
        assert_fails(qb_image_open(&image, path, &options), QB_ERR_LIMIT, "max_bytes");
        options.max_bytes = (int64_t)size + n_pixels * 3 - 1;
        assert_fails(qb_image_open(&image, path, &options), QB_ERR_LIMIT, "max_bytes");
    }
}

/* A header of a few bytes that claims a huge picture takes no memory. */
static void bombs_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    QbImage *image;
    static const char ppm[] = "P6 99999999 99999999 255\n";
    uint64_t before = qb_mem_allocation_count();
    assert_fails(qb_image_open_memory(&image, ppm, sizeof ppm, "bomb", NULL), QB_ERR_LIMIT,
                 "99999999 x 99999999");
    assert_int_equal(qb_mem_allocation_count(), before);
    size_t size;
    uint8_t *data = file_bytes(&size, GOLDEN "rgb24.bmp");
    memcpy(data + 18, "\xff\xff\xff\x0f\xff\xff\xff\x0f", 8);
    assert_fails(qb_image_open_memory(&image, data, size, "bomb", NULL), QB_ERR_LIMIT,
                 "max_pixels");
    qb_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_pixels),
        cmocka_unit_test(heic_is_close_to_its_source),
        cmocka_unit_test(background_shows_through),
        cmocka_unit_test(auto_is_managed),
        cmocka_unit_test(formats_are_listed),
        cmocka_unit_test(format_is_told_by_content),
        cmocka_unit_test(unreadable_files_are_errors),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(bombs_are_refused_before_memory_is_taken),
    };
    return cmocka_run_group_tests(tests, set_up_modules, NULL);
}
