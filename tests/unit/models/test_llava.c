/* test_llava.c: a tiny LLaVA-1.5 against what Hugging Face transformers computed with the same
 * weights (tests/golden/llava, recipe there): pixels, tower, image tokens, decoder layers, logits,
 * greedy answer; at every instruction set level, and with the matrices as f16, bf16 and q8_0. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "base/mem.h"
#include "models/clip_vit.h"
#include "models/session.h"
#include "tests/unit/models/gguf_convert.h"
#include "tests/unit/models/llava_golden.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define GOLDEN "tests/golden/llava/"

static json_t *expected;

static int set_up(void **state)
{
    (void)state;
    json_error_t error;
    expected = json_load_file(GOLDEN "expected.json", 0, &error);
    return !expected;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(expected);
    return 0;
}

/* The formula of llava.py's picture(). */
static QbImage *make_picture(const json_t *golden)
{
    int width = (int)json_integer_value(json_object_get(golden, "width"));
    int height = (int)json_integer_value(json_object_get(golden, "height"));
    uint8_t *rgb = malloc((size_t)(width * height * 3)), *p = rgb;
    assert_non_null(rgb);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                *p++ = (uint8_t)((x * 5 + y * 3 + c * 40 + (x * y * (c + 1)) / 4 +
                                  ((x * 7 + y * 13 + c * 29) % 17) * 6) %
                                 256);
    QbImage *image = NULL;
    assert_int_equal(qb_image_new_rgb(&image, rgb, width, height, (size_t)width * 3), QB_OK);
    free(rgb);
    return image;
}

/* What a part of the network needs to run by itself. */
typedef struct {
    QbOps ops;
    QbArena arena;
    QbClipVitState tower;
    QbLlamaState llama;
} Parts;

static void lay_out(Parts *p, const QbModel *m, QbPool *pool, const QbClipVit *tower,
                    const QbLlama *llama)
{
    *p = (Parts){0};
    for (int pass = 0; pass < 2; pass++) {
        p->ops = (QbOps){.kernels = &m->kernels, .pool = pool};
        qb_clip_vit_layout(&p->tower, &p->ops, &p->arena, tower);
        qb_llama_layout(&p->llama, &p->ops, &p->arena, llama, llama->n_context);
        qb_ops_layout(&p->ops, &p->arena);
        if (pass == 0)
            assert_int_equal(qb_arena_commit(&p->arena), QB_OK);
    }
}

static void check_pixels(const QbModel *m, const json_t *golden, const QbImage *image, int side)
{
    float mean[3], std[3];
    QbResizer resizer = {.kernels = &m->kernels};
    const QbPreprocess crop = {.fit = QB_FIT_CROP, .image_size = side};
    size_t n = (size_t)(side * side * 3);
    uint8_t *square = malloc(n);
    float *pixels = malloc(n * sizeof *pixels);
    assert_true(square && pixels);
    assert_int_equal(qb_gguf_copy_f32_array(mean, 3, m->gguf, "clip.vision.image_mean"), QB_OK);
    assert_int_equal(qb_gguf_copy_f32_array(std, 3, m->gguf, "clip.vision.image_std"), QB_OK);
    assert_int_equal(qb_preprocess_rgb(&resizer, square, &crop, image), QB_OK);
    for (size_t i = 0; i < n; i++)
        pixels[i] = ((float)square[i] / 255.0f - mean[i % 3]) / std[i % 3];
    golden_compare(json_object_get(golden, "pixel_values"), 0, n, pixels, 2e-6, "a pixel");
    qb_resizer_deinit(&resizer);
    free(square);
    free(pixels);
}

static double check_tower(Parts *p, const QbClipVit *tower, const json_t *golden, double tolerance)
{
    size_t n = (size_t)(tower->image_size * tower->image_size * 3);
    const json_t *pixels = json_object_get(golden, "pixel_values");
    for (size_t i = 0; i < n; i++)
        p->tower.picture[i] = (float)json_number_value(json_array_get(pixels, i));
    qb_clip_vit_forward(&p->tower, &p->ops, tower);
    return golden_compare(json_object_get(golden, "tower"), 0,
                          (size_t)((tower->grid * tower->grid + 1) * tower->width), p->tower.x,
                          tolerance, "the tower");
}

/* In the last layer only the last row goes on, so the rows before it show the layer before. */
static double check_layers(Parts *p, const QbLlama *whole, const json_t *golden, double tolerance)
{
    int32_t ids[64];
    int n_ids = golden_ids(ids, expected), n = 0, width = whole->n_embd;
    const json_t *layers = json_object_get(golden, "layers"),
                 *tokens = json_object_get(golden, "image_tokens");
    double worst = 0;
    QbLlama part = *whole;
    for (part.n_layers = 1; part.n_layers <= whole->n_layers; part.n_layers++) {
        n = 0;
        for (int i = 0; i < n_ids; i++) {
            float *x = p->llama.x + n * width;
            if (ids[i] != QB_ID_IMAGE)
                qb_embedding_row(x, &whole->embedding, p->ops.kernels, ids[i]);
            size_t values = ids[i] == QB_ID_IMAGE ? json_array_size(tokens) : 0;
            for (size_t j = 0; j < values; j++)
                x[j] = (float)json_number_value(json_array_get(tokens, j));
            n += values ? (int)values / width : 1;
        }
        assert_int_equal(n, json_integer_value(json_object_get(golden, "rows")));
        p->llama.cache.length = 0;
        qb_llama_forward(&p->llama, &p->ops, &part, n, 1);
        size_t last = (size_t)((n - 1) * width);
        if (part.n_layers > 1)
            worst = fmax(worst, golden_compare(json_array_get(layers, (size_t)part.n_layers - 2), 0,
                                               last, p->llama.x, tolerance, "a layer"));
        if (part.n_layers < whole->n_layers)
            worst = fmax(worst, golden_compare(json_array_get(layers, (size_t)part.n_layers - 1),
                                               last, (size_t)width, p->llama.x + last, tolerance,
                                               "a layer's last row"));
    }
    return fmax(worst, golden_compare(json_object_get(golden, "final_norm"), 0, (size_t)width,
                                      p->llama.h, tolerance, "the normed state"));
}

static double check_session(QbSession *session, const QbLlama *llama, const json_t *golden,
                            const QbImage *image, double tolerance, bool greedy)
{
    int32_t ids[64];
    int n_ids = golden_ids(ids, expected), n_vocab = llama->n_vocab;
    float *logits = malloc((size_t)n_vocab * sizeof *logits);
    const json_t *answer = json_object_get(golden, "greedy");
    assert_non_null(logits);
    assert_int_equal(qb_session_eval(logits, session, ids, n_ids, &image, 1, NULL, 0), QB_OK);
    const json_t *tokens = json_object_get(golden, "image_tokens");
    double worst =
        golden_compare(tokens, 0, json_array_size(tokens), qb_session_image_tokens(session, image),
                       tolerance, "the image tokens");
    worst = fmax(worst, golden_compare(json_object_get(golden, "logits"), 0, (size_t)n_vocab,
                                       logits, tolerance, "the logits"));
    for (size_t step = 0; step < json_array_size(answer) && greedy; step++) {
        int best = 0;
        for (int i = 1; i < n_vocab; i++)
            best = logits[i] > logits[best] ? i : best;
        assert_int_equal(best, json_integer_value(json_array_get(answer, step)));
        ids[n_ids++] = best;
        assert_int_equal(qb_session_eval(logits, session, ids, n_ids, &image, 1, NULL, 0), QB_OK);
    }
    free(logits);
    return worst;
}

static void check_file(const char *path, const char *level, double tolerance, bool greedy,
                       const char *what)
{
    QbModel *m = NULL;
    QbSession *session = NULL;
    QbPool *pool = NULL;
    QbClipVit tower;
    QbStore store = {0};
    Parts parts;
    assert_int_equal(qb_cpu_set_level(level), QB_OK);
    if (qb_model_open(&m, path, NULL))
        fail_msg("%s", qb_last_error());
    assert_int_equal(qb_pool_new(&pool, 2), QB_OK);
    assert_int_equal(
        qb_clip_vit_load(&tower, &(QbLoader){m->gguf, &store, pool, &m->kernels, m->gguf}), QB_OK);
    const QbLlama *llama = m->arch->decoder(m->weights);
    lay_out(&parts, m, pool, &tower, llama);
    assert_int_equal(qb_session_new(&session, m, &(QbSessionOptions){.threads = 2}), QB_OK);
    double worst = 0;
    size_t i;
    json_t *golden;
    json_array_foreach(json_object_get(expected, "pictures"), i, golden)
    {
        QbImage *image = make_picture(golden);
        check_pixels(m, golden, image, tower.image_size);
        worst = fmax(worst, check_tower(&parts, &tower, golden, tolerance));
        worst = fmax(worst, check_layers(&parts, llama, golden, tolerance));
        worst = fmax(worst, check_session(session, llama, golden, image, tolerance, greedy));
        qb_image_free(&image);
    }
    printf("%s, %s: within %.2g of transformers\n", what, level, worst);
    qb_session_free(&session);
    qb_arena_deinit(&parts.arena);
    qb_store_deinit(&store);
    qb_pool_free(&pool);
    qb_model_close(&m);
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
}

static void check_levels(const char *path, double tolerance, bool greedy, const char *what)
{
    check_file(path, "ref", tolerance, greedy, what);
    if (qb_cpu_detect() & QB_CPU_AVX2)
        check_file(path, "avx2", tolerance, greedy, what);
    if (qb_cpu_detect() & QB_CPU_AVX512)
        check_file(path, "avx512", tolerance, greedy, what);
}

static void check_converted(QbType type, double tolerance, bool greedy)
{
    char path[] = "/tmp/qboost_test_llava_XXXXXX";
    int fd = mkstemp(path);
    QbGguf *gguf = NULL;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(qb_gguf_open(&gguf, GOLDEN "model.gguf"), QB_OK);
    assert_int_equal(gguf_convert(gguf, type, path), 0);
    qb_gguf_close(&gguf);
    check_levels(path, tolerance, greedy, qb_type_name(type));
    unlink(path);
}

/* Both sides compute in f32 and sum in different orders: up to about a hundred roundings a product,
 * some twenty products deep. */
static const double FLOAT_TOLERANCE = 1e-4;

static void test_f32(void **state)
{
    (void)state;
    check_levels(GOLDEN "model.gguf", FLOAT_TOLERANCE, true, "f32");
}

/* The matrices are the same numbers in these types, and activations stay f32. */
static void test_f16(void **state)
{
    (void)state;
    check_converted(QB_TYPE_F16, FLOAT_TOLERANCE, true);
}

static void test_bf16(void **state)
{
    (void)state;
    check_converted(QB_TYPE_BF16, FLOAT_TOLERANCE, true);
}

/* The weights are the same numbers again, but activations are rounded to 127 steps of their block's
 * largest. With a block's largest at three deviations the rounding is step / sqrt(12) = 0.7 % of a
 * deviation, and so is a product's error. 25 products in a row add up to sqrt(25) * 0.7 % = 3.5 %
 * of a typical value; the worst of thousands is four times that, 14 %, which is 5 % of the largest
 * value (three deviations). Softmax and the norms may double it. The seen worst is 6.3 %. */
static void test_q8_0(void **state)
{
    (void)state;
    check_converted(QB_TYPE_Q8_0, 0.1, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32),
        cmocka_unit_test(test_f16),
        cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_q8_0),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
