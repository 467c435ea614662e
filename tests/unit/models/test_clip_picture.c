/* test_clip_picture.c: pixels of a CLIP tower at its real size, bytes and values as
 * CLIPImageProcessor makes them, and the names of the fits. */
// SPDX-License-Identifier: Apache-2.0
#include "models/clip_picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const float MEAN[3] = {0.48145466f, 0.4578275f, 0.40821073f};
static const float STD[3] = {0.26862954f, 0.26130258f, 0.27577711f};

static QbImage *formula_image(int width, int height)
{
    uint8_t *rgb = malloc((size_t)(width * height * 3)), *p = rgb;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                *p++ = (uint8_t)(7 * x + 13 * y + 29 * c + x * y / 11);
    QbImage *image = NULL;
    assert_int_equal(qb_image_new_rgb(&image, rgb, width, height, (size_t)width * 3), QB_OK);
    free(rgb);
    return image;
}

static QbClipPicture clip_picture(int side)
{
    QbClipPicture p = {.image_size = side, .pad_color = {122, 116, 104}};
    for (int c = 0; c < 3; c++) {
        p.pixels.mean[c] = MEAN[c];
        p.pixels.gain[c] = (float)(1.0 / (255.0 * (double)STD[c]));
        p.pixels.offset[c] = -MEAN[c] / STD[c];
    }
    return p;
}

/* The first pixel of 641 x 480 at 448, computed with PyTorch; the bytes are those whose checksums
 * tests/unit/image/test_resize.c has. */
static void test_first_pixels(void **state)
{
    (void)state;
    enum { SIDE = 448 };
    static const struct {
        QbFit fit;
        float first[3];
    } cases[] = {{QB_FIT_PAD, {-0.0112545f, -0.0111960f, -0.0013329f}},
                 {QB_FIT_CROP, {-1.0331444f, -0.5364679f, 0.0839875f}}};
    QbKernels kernels;
    qb_kernels_init(&kernels, 0);
    QbClipPicture picture = clip_picture(SIDE);
    QbResizer resizer = {.kernels = &kernels};
    QbOps ops = {.kernels = &kernels};
    QbImage *image = formula_image(641, 480);
    uint8_t *square = malloc(SIDE * SIDE * 3);
    float *x = malloc(SIDE * SIDE * 3 * sizeof *x);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            qb_clip_picture_make(x, square, &ops, &resizer, &picture, image, cases[i].fit), QB_OK);
        for (int c = 0; c < 3; c++)
            assert_float_equal(x[c], cases[i].first[c], 1e-6f);
        for (int k = 0; k < SIDE * SIDE * 3; k++)
            if (!(fabsf(x[k] - ((float)square[k] / 255.0f - MEAN[k % 3]) / STD[k % 3]) < 2e-6f))
                fail_msg("value %d is %g for %d", k, (double)x[k], square[k]);
    }
    qb_resizer_deinit(&resizer);
    qb_image_free(&image);
    free(square);
    free(x);
}

static void test_fit_names(void **state)
{
    (void)state;
    static const QbFit fits[] = {QB_FIT_PAD, QB_FIT_CROP, QB_FIT_VIEW};
    char list[64];
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        QbFit back = (QbFit)-1;
        assert_true(qb_fit_find(&back, qb_fit_name(fits[i])));
        assert_int_equal(back, fits[i]);
        qb_fit_list(list, sizeof list, 1u << fits[i]);
        assert_string_equal(list, qb_fit_name(fits[i]));
    }
    QbFit fit = QB_FIT_VIEW;
    assert_false(qb_fit_find(&fit, "stretch") || qb_fit_find(&fit, "") || qb_fit_find(&fit, "Pad"));
    assert_int_equal(fit, QB_FIT_VIEW);
    assert_null(qb_fit_name((QbFit)77));
    qb_fit_list(list, sizeof list, 1u << QB_FIT_PAD | 1u << QB_FIT_CROP);
    assert_string_equal(list, "crop, pad");
    qb_fit_list(list, sizeof list, 0);
    assert_string_equal(list, "");
    char small[6];
    qb_fit_list(small, sizeof small, QB_CLIP_FITS); /* cut, not overrun */
    assert_string_equal(small, "crop,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_pixels),
        cmocka_unit_test(test_fit_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
