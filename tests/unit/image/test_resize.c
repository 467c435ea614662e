/* test_resize.c: scaling and pre-processing against Pillow: the CRCs below were computed with
 * Pillow 9.4 (Image.resize, BICUBIC) and CLIP's image processor on the picture of made_picture().
 */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

#include "base/cpu.h"
#include "image/preprocess.h"

static const unsigned levels[] = {0, QB_CPU_AVX2, QB_CPU_AVX2 | QB_CPU_AVX512};
enum { N_LEVELS = sizeof levels / sizeof *levels };

static bool can_run(unsigned level)
{
    return (qb_cpu_detect() & level) == level;
}

static QbPreprocess clip(QbFit fit, int size)
{
    return (QbPreprocess){.fit = fit, .image_size = size, .pad_color = {122, 116, 104}};
}

/* ---- CRCs --------------------------------------------------------------------------------------
 */

static const struct {
    int width, height, size;
    QbFit fit;
    unsigned crc;
} squares[] = {
    {641, 480, 448, QB_FIT_PAD, 0xdf3f7db1},
    {480, 641, 448, QB_FIT_PAD, 0x17ee2e93},
    {641, 480, 448, QB_FIT_CROP, 0xa5c022ba},
    {480, 641, 448, QB_FIT_CROP, 0x219aee6d},
    {641, 480, 336, QB_FIT_PAD, 0x4ad40f36},
    {641, 480, 336, QB_FIT_CROP, 0xcd58b60f},
    {300, 200, 336, QB_FIT_CROP, 0x2858d93e},
    /* Odd margins, long strips. */
    {301, 200, 336, QB_FIT_CROP, 0x868c57cb},
    {200, 301, 336, QB_FIT_CROP, 0x6993fa9c},
    {1000, 37, 64, QB_FIT_CROP, 0x4e3bd676},
    {1000, 37, 64, QB_FIT_PAD, 0x387a8520},
    {37, 1000, 64, QB_FIT_PAD, 0x9cda56f3},
    {50, 33, 336, QB_FIT_PAD, 0x33399132},
};

static void squares_have_pillows_crc(QbResizer *resizer)
{
    for (size_t i = 0; i < sizeof squares / sizeof *squares; i++) {
        QbImage *image = made_picture(squares[i].width, squares[i].height);
        QbPreprocess p = clip(squares[i].fit, squares[i].size);
        int width, height;
        qb_preprocess_size(&width, &height, &p, image->width, image->height);
        assert_int_equal(width, squares[i].size);
        assert_int_equal(height, squares[i].size);
        size_t n_bytes = (size_t)width * (size_t)height * 3;
        uint8_t *pixels = qb_alloc(n_bytes);
        assert_int_equal(qb_preprocess_rgb(resizer, pixels, &p, image), QB_OK);
        assert_int_equal(crc32_of(pixels, n_bytes), squares[i].crc);
        qb_free(pixels);
        qb_image_free(&image);
    }
}

static const struct {
    int width, height, out_width, out_height;
    unsigned crc;
} plain[] = {
    {640, 480, 448, 448, 0xe0f3dae8}, {500, 333, 672, 448, 0x6ea085f4},
    {100, 80, 560, 448, 0xc3fe9565},  {1024, 768, 448, 336, 0x3fa04821},
    {37, 301, 448, 3644, 0xf7e1b146}, {448, 448, 448, 448, 0x5b6a0972},
};

static void every_level_and_thread_count_gives_pillows_crc(void **state)
{
    (void)state;
    for (int i = 0; i < N_LEVELS; i++) {
        if (!can_run(levels[i]))
            continue;
        QbKernels kernels;
        qb_kernels_init(&kernels, levels[i]);
        for (int n_threads = 0; n_threads <= 3; n_threads += 3) {
            QbResizer resizer = {.kernels = &kernels};
            if (n_threads)
                assert_int_equal(qb_pool_new(&resizer.pool, n_threads), QB_OK);
            squares_have_pillows_crc(&resizer);
            for (size_t j = 0; j < sizeof plain / sizeof *plain; j++) {
                size_t n_bytes = (size_t)plain[j].out_width * (size_t)plain[j].out_height * 3;
                QbImage *image = made_picture(plain[j].width, plain[j].height);
                uint8_t *pixels = qb_alloc(n_bytes);
                assert_int_equal(qb_resize_rgb(&resizer, pixels, plain[j].out_width,
                                               plain[j].out_height, image->pixels, image->width,
                                               image->height),
                                 QB_OK);
                assert_int_equal(crc32_of(pixels, n_bytes), plain[j].crc);
                qb_free(pixels);
                qb_image_free(&image);
            }
            qb_resizer_deinit(&resizer);
            qb_pool_free(&resizer.pool);
        }
    }
}

static void public_resize_is_the_same(void **state)
{
    (void)state;
    QbImage *image = made_picture(640, 480), *scaled;
    assert_int_equal(qb_image_resize(&scaled, image, 448, 448), QB_OK);
    assert_int_equal(crc32_of(scaled->pixels, byte_count(scaled)), 0xe0f3dae8);
    qb_image_free(&scaled);
    assert_fails(qb_image_resize(&scaled, image, 0, 4), QB_ERR_ARG, "0 x 4");
    assert_null(scaled);
    qb_image_free(&image);
}

/* ---- the canvas and the window that are never made ---------------------------------------------
 */

static void copy_into(QbImage *canvas, const QbImage *image, int left, int top)
{
    for (int y = 0; y < image->height; y++)
        memcpy(canvas->pixels + ((size_t)(top + y) * (size_t)canvas->width + (size_t)left) * 3,
               image->pixels + (size_t)y * (size_t)image->width * 3, (size_t)image->width * 3);
}

/* A window of a scaled canvas equals the same made step by step, for odd shapes and offsets. */
static void window_equals_whole(void **state)
{
    (void)state;
    static const int shapes[][10] = {
        /* picture, canvas, left, top, scaled, window */
        {50, 30, 50, 50, 0, 10, 20, 20, 0, 0},  {50, 30, 50, 50, 0, 10, 50, 50, 3, 7},
        {3, 90, 90, 90, 43, 0, 31, 31, 0, 0},   {41, 29, 60, 70, 11, 13, 100, 35, 17, 5},
        {41, 29, 41, 29, 0, 0, 82, 58, 40, 20}, {41, 29, 41, 29, 0, 0, 9, 7, 4, 6},
        {40, 30, 40, 30, 0, 0, 40, 90, 5, 31},  {40, 30, 40, 30, 0, 0, 80, 30, 5, 11},
        {1, 1, 1, 1, 0, 0, 33, 17, 30, 16},     {2000, 2, 2000, 2000, 0, 999, 5, 5, 1, 1},
    };
    QbKernels kernels;
    qb_kernels_init(&kernels, qb_cpu_flags());
    QbResizer resizer = {.kernels = &kernels};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        QbImage *image = made_picture(s[0], s[1]), *canvas, *whole;
        QbResizeJob job = {image->pixels, s[0], s[1], s[2], s[3], s[4],        s[5],
                           {9, 99, 199},  s[6], s[7], s[8], s[9], s[6] - s[8], s[7] - s[9]};
        uint8_t *window = qb_alloc((size_t)job.out_width * (size_t)job.out_height * 3);
        assert_int_equal(qb_resize_window(&resizer, window, &job), QB_OK);
        assert_int_equal(qb_image_new(&canvas, s[2], s[3], "rgb"), QB_OK);
        for (size_t p = 0; p < byte_count(canvas); p++)
            canvas->pixels[p] = job.color[p % 3];
        copy_into(canvas, image, s[4], s[5]);
        assert_int_equal(qb_image_resize(&whole, canvas, s[6], s[7]), QB_OK);
        for (int y = 0; y < job.out_height; y++)
            assert_memory_equal(window + (size_t)y * (size_t)job.out_width * 3,
                                whole->pixels +
                                    ((size_t)(y + s[9]) * (size_t)s[6] + (size_t)s[8]) * 3,
                                (size_t)job.out_width * 3);
        qb_free(window);
        qb_image_free(&image);
        qb_image_free(&canvas);
        qb_image_free(&whole);
    }
    qb_resizer_deinit(&resizer);
}

static void impossible_jobs_are_refused(void **state)
{
    (void)state;
    uint8_t pixel[3] = {0}, out[12];
    QbKernels kernels;
    qb_kernels_init(&kernels, 0);
    QbResizer resizer = {.kernels = &kernels};
    assert_fails(qb_resize_rgb(&resizer, out, 0, 2, pixel, 1, 1), QB_ERR_ARG, "cannot scale");
    assert_fails(qb_resize_rgb(&resizer, out, 2, 2, pixel, -1, 1), QB_ERR_ARG, "cannot scale");
    QbResizeJob job = {.src = pixel,
                       .width = 1,
                       .height = 1,
                       .canvas_width = 2,
                       .canvas_height = 1,
                       .left = 2,
                       .scaled_width = 2,
                       .scaled_height = 2,
                       .out_width = 2,
                       .out_height = 2};
    assert_fails(qb_resize_window(&resizer, out, &job), QB_ERR_ARG, "cannot scale");
    assert_null(resizer.scratch);
}

/* A picture one pixel high and a million wide does not take the square of that. */
static void extreme_shapes_are_bounded(void **state)
{
    (void)state;
    QbKernels kernels;
    qb_kernels_init(&kernels, qb_cpu_flags());
    QbResizer resizer = {.kernels = &kernels};
    QbImage *strip = made_picture(100000, 1);
    QbPreprocess p = clip(QB_FIT_CROP, 28);
    uint8_t *pixels = qb_alloc(28 * 28 * 3);
    assert_int_equal(qb_preprocess_rgb(&resizer, pixels, &p, strip), QB_OK);
    assert_true(resizer.scratch_bytes < 1 << 20);
    qb_free(pixels);
    qb_image_free(&strip);
    qb_resizer_deinit(&resizer);
}

static void scratch_is_reused(void **state)
{
    (void)state;
    QbKernels kernels;
    qb_kernels_init(&kernels, qb_cpu_flags());
    QbResizer resizer = {.kernels = &kernels};
    QbImage *large = made_picture(300, 200), *small = made_picture(90, 150);
    QbPreprocess p = clip(QB_FIT_PAD, 64);
    uint8_t *pixels = qb_alloc(64 * 64 * 3);
    assert_int_equal(qb_preprocess_rgb(&resizer, pixels, &p, large), QB_OK);
    uint64_t count = qb_mem_allocation_count();
    assert_int_equal(qb_preprocess_rgb(&resizer, pixels, &p, small), QB_OK);
    assert_int_equal(qb_preprocess_rgb(&resizer, pixels, &p, large), QB_OK);
    assert_int_equal(qb_mem_allocation_count(), count);
    qb_resizer_deinit(&resizer);
    qb_mem_fail_after(1);
    assert_int_equal(qb_preprocess_rgb(&resizer, pixels, &p, large), QB_ERR_NOMEM);
    qb_mem_fail_after(0);
    qb_resizer_deinit(&resizer);
    qb_free(pixels);
    qb_image_free(&large);
    qb_image_free(&small);
}

/* ---- sizes ----------------------------------------------------------------------------- */

static void view_sizes(void **state)
{
    (void)state;
    static const int cases[][4] = {
        {640, 480, 512, 384}, {480, 640, 384, 512}, {384, 384, 384, 384}, {385, 1000, 384, 997},
        {100, 200, 100, 200}, {20, 900, 64, 900},   {20, 5000, 64, 1024}, {4000, 400, 1024, 384},
        {1, 1, 64, 64},       {30000, 1, 1024, 64}, {769, 768, 385, 384}, {1153, 768, 577, 384},
    };
    QbPreprocess p = {.fit = QB_FIT_VIEW, .image_size = 384, .max_long_side = 1024, .min_side = 64};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int width, height;
        qb_preprocess_size(&width, &height, &p, cases[i][0], cases[i][1]);
        assert_int_equal(width, cases[i][2]);
        assert_int_equal(height, cases[i][3]);
    }
}

static void view_is_a_plain_resize(void **state)
{
    (void)state;
    QbKernels kernels;
    qb_kernels_init(&kernels, qb_cpu_flags());
    QbResizer resizer = {.kernels = &kernels};
    QbPreprocess p = {.fit = QB_FIT_VIEW, .image_size = 50, .max_long_side = 120, .min_side = 16};
    QbImage *image = made_picture(300, 90), *expected;
    int width, height;
    qb_preprocess_size(&width, &height, &p, 300, 90);
    assert_int_equal(width, 120); /* 167 would exceed the long side */
    assert_int_equal(height, 50);
    uint8_t *pixels = qb_alloc((size_t)width * (size_t)height * 3);
    assert_int_equal(qb_preprocess_rgb(&resizer, pixels, &p, image), QB_OK);
    assert_int_equal(qb_image_resize(&expected, image, width, height), QB_OK);
    assert_memory_equal(pixels, expected->pixels, byte_count(expected));
    qb_free(pixels);
    qb_image_free(&image);
    qb_image_free(&expected);
    qb_resizer_deinit(&resizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_and_thread_count_gives_pillows_crc),
        cmocka_unit_test(public_resize_is_the_same),
        cmocka_unit_test(window_equals_whole),
        cmocka_unit_test(impossible_jobs_are_refused),
        cmocka_unit_test(extreme_shapes_are_bounded),
        cmocka_unit_test(scratch_is_reused),
        cmocka_unit_test(view_sizes),
        cmocka_unit_test(view_is_a_plain_resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
