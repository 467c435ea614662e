/* test_image_damage.c: damaged pictures of every format give an error or pixels, never harm: cut
 * off anywhere, bits flipped, memory running out at any allocation. Runs under the sanitizers too.
 */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

enum { N_FLIPPED = 24, N_CUTS = 12, MAX_FILES = 256 };

static char names[MAX_FILES][64];
static int n_names;

static int list_files(void **state)
{
    (void)state;
    use_built_modules();
    DIR *folder = opendir(GOLDEN);
    if (!folder)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder)) && n_names < MAX_FILES;)
        if (entry->d_name[0] != '.' && !strstr(entry->d_name, ".csv") &&
            !strstr(entry->d_name, ".md"))
            snprintf(names[n_names++], sizeof *names, "%.63s", entry->d_name);
    closedir(folder);
    return n_names > 100 ? 0 : -1;
}

static uint8_t *load(size_t *size, int index)
{
    char path[128];
    snprintf(path, sizeof path, GOLDEN "%s", names[index]);
    return file_bytes(size, path);
}

/* Both ways of decoding; the pixels that come must be there. */
static bool opens(const uint8_t *data, size_t size, const char *name)
{
    bool any = false;
    for (int mode = 0; mode < 2; mode++) {
        QbImageOptions options = options_for(mode ? QB_DECODE_MANAGED : QB_DECODE_UPSTREAM);
        options.max_pixels = 1000000;
        QbImage *image;
        QbStatus status = qb_image_open_memory(&image, data, size, name, &options);
        if (status) {
            assert_null(image);
            assert_true(strlen(qb_last_error()) > 0);
            continue;
        }
        any = true;
        (void)crc32_of(image->pixels, byte_count(image) < 4096 ? byte_count(image) : 4096);
        qb_image_free(&image);
    }
    return any;
}

/* A copy of exactly n bytes, so that reading past its end is seen. */
static bool opens_cut(const uint8_t *data, size_t n, const char *name)
{
    uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, data, n);
    bool result = opens(copy, n, name);
    free(copy);
    return result;
}

static void cut_files_are_errors(void **state)
{
    (void)state;
    int n_bad = 0;
    for (int i = 0; i < n_names; i++) {
        size_t size;
        uint8_t *data = load(&size, i);
        for (size_t cut = 0; cut < N_CUTS; cut++)
            opens_cut(data, size * cut / N_CUTS, names[i]);
        opens_cut(data, size - 1, names[i]);
        /* Of an animation the first frame may be whole then. */
        if (opens_cut(data, size * 2 / 5, names[i]) && strncmp(names[i], "animated", 8)) {
            print_error("%s opens when cut to two fifths\n", names[i]);
            n_bad++;
        }
        qb_free(data);
    }
    assert_int_equal(n_bad, 0);
}

static void flipped_bits_do_no_harm(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int i = 0; i < n_names; i++) {
        size_t size;
        uint8_t *data = load(&size, i);
        for (int n = 0; n < N_FLIPPED; n++) {
            uint8_t *copy = malloc(size);
            assert_non_null(copy);
            memcpy(copy, data, size);
            for (int flips = 0; flips <= n % 4; flips++) {
                random = random * 1664525u + 1013904223u;
                size_t range = n % 2 && size > 128 ? 128 : size; /* headers are small */
                copy[random / 8 % range] ^= (uint8_t)(1u << random % 8);
            }
            opens(copy, size, names[i]);
            free(copy);
        }
        qb_free(data);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const files[] = {
        "icc.jpg",   "exif6.jpg", "cmyk.jpg",   "palette4.png", "exif8_late.png", "icc.png",
        "icc.webp",  "part.gif",  "rle8.bmp",   "icc_v5.bmp",   "planar.tif",     "ycbcr.tif",
        "tiled.tif", "raw.ppm",   "little.pfm", "animated.webp"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, GOLDEN "%s", files[i]);
        QbStatus status = QB_ERR_NOMEM;
        for (uint64_t n = 1; n < 100 && status; n++) {
            QbImage *image;
            qb_mem_fail_after(n);
            status = qb_image_open(&image, path, NULL);
            qb_mem_fail_after(0);
            if (status && status != QB_ERR_NOMEM)
                fail_msg("%s, allocation %d: %s", files[i], (int)n, qb_last_error());
            assert_true(n > 1 || status);
            qb_image_free(&image);
        }
        assert_int_equal(status, QB_OK);
    }
}

static void truncation_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *file, *words;
    } cases[] = {{GOLDEN "420.jpg", "truncated"},
                 {GOLDEN "422_progressive.jpg", "truncated"},
                 {GOLDEN "rgb8.png", "truncated"},
                 {GOLDEN "rgb24.bmp", "truncated"},
                 {GOLDEN "raw.ppm", "ends early"},
                 {GOLDEN "plain.pgm", "ends early"},
                 {GOLDEN "rgb.jxl", ""},
                 {GOLDEN "little.pfm", "truncated"},
                 {GOLDEN "exr_half_zip.exr", "truncated"},
                 {GOLDEN "hdr_new.hdr", "truncated"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size;
        uint8_t *data = file_bytes(&size, cases[i].file);
        QbImage *image;
        assert_fails(qb_image_open_memory(&image, data, size * 3 / 4, "cut", NULL), QB_ERR_FORMAT,
                     "cut: ");
        assert_non_null(strstr(qb_last_error(), cases[i].words));
        qb_free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_files_are_errors),
        cmocka_unit_test(flipped_bits_do_no_harm),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(truncation_is_named),
    };
    return cmocka_run_group_tests(tests, list_files, NULL);
}
