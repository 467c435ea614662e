/* test_image.c: pictures in memory, and PNG files written and read back. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

#include <sys/stat.h>

static void pixels_are_copied(void **state)
{
    (void)state;
    uint8_t rgb[2 * 10] = {1, 2, 3, 4, 5, 6, 99, 99, 99, 99, 7, 8, 9, 10, 11, 12, 99, 99, 99, 99};
    QbImage *image;
    assert_int_equal(qb_image_new_rgb(&image, rgb, 2, 2, 10), QB_OK);
    rgb[0] = 77;
    assert_memory_equal(qb_image_pixels(image),
                        ((uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}), 12);
    assert_string_equal(qb_image_format(image), "rgb");
    assert_int_equal(qb_image_width(image), 2);
    assert_int_equal(qb_image_height(image), 2);
    qb_image_free(&image);
    assert_null(image);
    qb_image_free(&image);
    qb_image_free(NULL);
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    uint8_t rgb[3] = {0};
    QbImage *image;
    assert_fails(qb_image_new_rgb(&image, NULL, 1, 1, 3), QB_ERR_ARG, "rgb is NULL");
    assert_fails(qb_image_new_rgb(&image, rgb, 0, 1, 3), QB_ERR_ARG, "0 x 1");
    assert_fails(qb_image_new_rgb(&image, rgb, 1, -1, 3), QB_ERR_ARG, "1 x -1");
    assert_fails(qb_image_new_rgb(&image, rgb, 2, 1, 5), QB_ERR_ARG, "5 bytes apart");
    assert_null(image);
}

static void png_comes_back(void **state)
{
    (void)state;
    char folder[] = "/tmp/qboost-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out.png", folder);
    QbImage *image = made_picture(67, 31), *back;
    for (int i = 0; i < 2; i++) /* the second time over the first */
        assert_int_equal(qb_image_save_png(image, path), QB_OK);
    for (int mode = QB_DECODE_MANAGED; mode <= QB_DECODE_UPSTREAM; mode++) {
        QbImageOptions options = options_for((QbDecode)mode);
        assert_int_equal(qb_image_open(&back, path, &options), QB_OK);
        assert_int_equal(back->width, 67);
        assert_memory_equal(back->pixels, image->pixels, byte_count(image));
        qb_image_free(&back);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing else is left there */
    assert_fails(qb_image_save_png(image, "/no/such/folder/x.png"), QB_ERR_IO,
                 "/no/such/folder/x.png");
    assert_fails(qb_image_save_png(image, NULL), QB_ERR_ARG, "no path");
    qb_image_free(&image);
}

/* A full disk leaves what was there before. */
static void failed_writes_are_told(void **state)
{
    (void)state;
    struct stat info;
    if (stat("/dev/full", &info))
        skip();
    QbImage *image = made_picture(400, 400);
    QbStatus status = qb_image_save_png(image, "/dev/full/x.png");
    assert_int_equal(status, QB_ERR_IO);
    qb_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_copied),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(png_comes_back),
        cmocka_unit_test(failed_writes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
