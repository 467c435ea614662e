/* test_weight_types.c: a tiny LLaVA of width 256 in every type of weights that a GGUF file may
 * have, against the same weights decoded to f32, at every instruction set level. */
// SPDX-License-Identifier: Apache-2.0
enum { /* rows of 256, so that K types have whole blocks */
       TINY_IMAGE = 8,
       TINY_PATCH = 4,
       TINY_VISION = 8,
       TINY_WIDTH = 256,
       TINY_FF = 512,
       TINY_LAYERS = 2
};
enum { TINY_HEADS = 8, TINY_KV = 128 };
#define TINY_OWN_SIZES

#include "base/cpu.h"
#include "models/session.h"
#include "tests/unit/models/gguf_convert.h"
#include "tests/unit/models/tiny_model.h"
#include "weights/encode.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MAX_VOCAB = 2000, N_IDS = 12 };

static bool is_converted(const QbGgufTensor *t)
{
    return t->n_dims == 2 && t->ne[0] % 256 == 0;
}

/* The tensor's values in type, in *bytes; smaller than tiny_model.h makes them, whose size is meant
 * for rows of 16. Both are free()d by the caller. */
static float *encode(void **bytes, const QbGgufTensor *t, QbType type)
{
    size_t n = t->size_bytes / sizeof(float);
    float *x = malloc(t->size_bytes);
    *bytes = malloc(t->size_bytes);
    assert_true(x && *bytes);
    for (size_t i = 0; i < n; i++)
        x[i] = ((const float *)t->data)[i] * 0.25f;
    assert_true(qb_type_encode(*bytes, type, x, n));
    qb_type_decode(x, type, *bytes, n);
    return x;
}

static void as_type(GgufBuild *b, const QbGgufTensor *t, QbType type)
{
    if (!is_converted(t)) {
        gguf_build_tensor(b, t->name, t->type, t->n_dims, t->ne, t->data);
        return;
    }
    void *bytes;
    float *x = encode(&bytes, t, type);
    gguf_build_tensor(b, t->name, type, t->n_dims, t->ne, bytes);
    free(x);
    free(bytes);
}

static void as_decoded(GgufBuild *b, const QbGgufTensor *t, QbType type)
{
    if (!is_converted(t)) {
        gguf_build_tensor(b, t->name, t->type, t->n_dims, t->ne, t->data);
        return;
    }
    void *bytes;
    float *x = encode(&bytes, t, type);
    gguf_build_tensor(b, t->name, QB_TYPE_F32, t->n_dims, t->ne, x);
    free(x);
    free(bytes);
}

/* Logits of a prompt with a picture; returns the size of the vocabulary. */
static int run(float *logits, const QbGguf *gguf, GgufConvertTensor *convert, QbType type,
               const char *level)
{
    char path[] = "/tmp/qboost_types_XXXXXX";
    int fd = mkstemp(path);
    QbModel *model = NULL;
    QbSession *session = NULL;
    assert_true(fd >= 0 && !close(fd));
    assert_int_equal(gguf_convert_with(gguf, convert, type, path), 0);
    assert_int_equal(qb_cpu_set_level(level), QB_OK);
    if (qb_model_open(&model, path, NULL))
        fail_msg("%s: %s", qb_type_name(type), qb_last_error());
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
    unlink(path);
    int n_vocab = model->arch->decoder(model->weights)->n_vocab;
    assert_true(n_vocab < MAX_VOCAB);
    const int32_t ids[N_IDS] = {1, 10, 11, QB_ID_IMAGE, 20, 21, 300, 301, 22, 9, 40, 77};
    QbImage *image = tiny_image(9, 12, 3);
    const QbImage *images[] = {image};
    assert_int_equal(qb_session_new(&session, model, &(QbSessionOptions){.threads = 2}), QB_OK);
    assert_int_equal(qb_session_eval(logits, session, ids, N_IDS, images, 1, NULL, 0), QB_OK);
    qb_session_free(&session);
    qb_image_free(&image);
    qb_model_close(&model);
    return n_vocab;
}

/* The weights are the same numbers, so what differs is the rounding of activations to 127 steps of
 * the largest of 32, about 2.5 deviations: 2.5 / 127 / sqrt(12) = 0.6 % of a deviation each, and of
 * a product, whose terms have random signs. In a row come 2 layers of 4 products (v and output;
 * gate or up and down) and the head: sqrt(9) * 0.6 % = 1.7 % of a deviation of the logits, twice
 * that for what the product of gate and up and the softmax add. The worst of some hundred logits is
 * 3.5 times that, 12 % of a deviation, and the largest logit is 3 deviations: 4 % of it. f16 and
 * bf16 weights leave activations alone: sums in another order, as in test_llava.c. */
static double tolerance(QbType type)
{
    return type == QB_TYPE_F16 || type == QB_TYPE_BF16 ? 1e-4 : 0.04;
}

static void check_level(const QbGguf *gguf, QbType type, const float *want, const char *level)
{
    static float got[MAX_VOCAB];
    int n = run(got, gguf, as_type, type, level);
    double worst = 0, largest = 0;
    for (int i = 0; i < n; i++) {
        double difference = fabs((double)got[i] - (double)want[i]);
        worst = !(difference <= worst) ? difference : worst;
        largest = fmax(largest, fabs((double)want[i]));
    }
    print_message("%s, %s: within %.2g of f32\n", qb_type_name(type), level, worst / largest);
    if (!(worst <= tolerance(type) * largest))
        fail_msg("%s, %s: differs by %g of %g", qb_type_name(type), level, worst, largest);
}

static void test_types(void **state)
{
    (void)state;
    static const QbType types[] = {QB_TYPE_F16,  QB_TYPE_BF16, QB_TYPE_Q8_0, QB_TYPE_Q4_0,
                                   QB_TYPE_Q4_K, QB_TYPE_Q5_K, QB_TYPE_Q6_K};
    static float want[MAX_VOCAB];
    GgufBuild b;
    size_t size;
    QbGguf *gguf = NULL;
    TinyModel tiny = {0};
    tiny_build(&b, &tiny);
    uint8_t *bytes = gguf_build_finish(&b, &size);
    assert_int_equal(qb_gguf_open_memory(&gguf, bytes, size, "tiny"), QB_OK);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        run(want, gguf, as_decoded, types[t], "best");
        check_level(gguf, types[t], want, "ref");
        if (qb_cpu_detect() & QB_CPU_AVX2)
            check_level(gguf, types[t], want, "avx2");
        if (qb_cpu_detect() & QB_CPU_AVX512)
            check_level(gguf, types[t], want, "avx512");
    }
    qb_gguf_close(&gguf);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
