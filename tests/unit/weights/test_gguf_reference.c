/* test_gguf_reference.c: files written by the format's reference writer (tests/fuzz/corpus/gguf,
 * see the RECIPE.md there) must give back what tools/reference/gguf_samples.py put into them. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/weights/gguf_check.h"

static QbGguf *open_sample(const char *name)
{
    char path[256];
    QbGguf *gguf;
    snprintf(path, sizeof path, "tests/fuzz/corpus/gguf/%s", name);
    QbStatus status = qb_gguf_open(&gguf, path);
    if (status)
        print_error("%s\n", qb_last_error());
    assert_int_equal(status, QB_OK);
    return gguf;
}

static void assert_text(const QbGguf *gguf, const char *key, const char *expected)
{
    char text[64];
    int index = 0;
    while (index < qb_gguf_key_count(gguf) && strcmp(qb_gguf_key_at(gguf, index), key) != 0)
        index++;
    qb_gguf_value_text(text, sizeof text, gguf, index);
    assert_string_equal(text, expected);
}

static void keys_are_as_written(void **state)
{
    (void)state;
    static const char *const files[] = {"sample.gguf", "keys_only.gguf"};
    for (size_t i = 0; i < 2; i++) {
        QbGguf *gguf = open_sample(files[i]);
        assert_int_equal(qb_gguf_key_count(gguf), 19);
        assert_text(gguf, "general.architecture", "sample");
        assert_text(gguf, "sample.u8", "250");
        assert_text(gguf, "sample.i8", "-100");
        assert_text(gguf, "sample.u16", "65000");
        assert_text(gguf, "sample.i16", "-30000");
        assert_text(gguf, "sample.u32", "4000000000");
        assert_text(gguf, "sample.i32", "-2000000000");
        assert_text(gguf, "sample.u64", "18000000000000000000");
        assert_text(gguf, "sample.i64", "-9000000000000000000");
        assert_text(gguf, "sample.f32", "0.5");
        assert_text(gguf, "sample.f64", "0.25");
        assert_text(gguf, "sample.bool", "true");
        assert_text(gguf, "sample.string", "na\xc3\xafve \xe7\xbe\x8e");
        assert_text(gguf, "sample.ints", "[-1, 0, 1, 2]");
        assert_text(gguf, "sample.floats", "[0.5, -0.25]");
        assert_text(gguf, "sample.bools", "[true, false, true]");
        assert_text(gguf, "tokenizer.ggml.tokens",
                    "[<unk>, \xe2\x96\x81"
                    "a, b]");
        assert_text(gguf, "tokenizer.ggml.scores", "[0, -1, -2]");
        assert_text(gguf, "tokenizer.ggml.token_type", "[2, 1, 1]");
        qb_gguf_close(&gguf);
    }
}

static void tensors_are_as_written(void **state)
{
    (void)state;
    static const char *const files[] = {"sample.gguf", "aligned_to_8.gguf"};
    for (size_t i = 0; i < 2; i++) {
        QbGguf *gguf = open_sample(files[i]);
        assert_int_equal(qb_gguf_tensor_count(gguf), 5);
        const QbGgufTensor *f32 = qb_gguf_find_tensor(gguf, "f32.weight");
        assert_true(f32->n_dims == 2 && f32->ne[0] == 6 && f32->ne[1] == 4);
        for (int k = 0; k < 24; k++)
            assert_memory_equal((const float *)f32->data + k, &(float){(float)k}, 4);
        const QbGgufTensor *f16 = qb_gguf_find_tensor(gguf, "f16.weight");
        assert_true(f16->n_dims == 3 && f16->ne[0] == 4 && f16->ne[1] == 3 && f16->ne[2] == 2);
        assert_int_equal(f16->size_bytes, 48);
        assert_int_equal(((const uint16_t *)f16->data)[1], 0x3c00); /* 1.0 */
        const QbGgufTensor *q8 = qb_gguf_find_tensor(gguf, "q8_0.weight");
        assert_int_equal(q8->type, QB_TYPE_Q8_0);
        assert_true(q8->ne[0] == 256 && q8->ne[1] == 2 && q8->size_bytes == 16 * 34);
        assert_int_equal(((const int8_t *)q8->data)[2], -127); /* -1, the largest of its block */
        const QbGgufTensor *q4 = qb_gguf_find_tensor(gguf, "q4_0.weight");
        assert_true(q4->type == QB_TYPE_Q4_0 && q4->size_bytes == 16 * 18);
        const QbGgufTensor *bf16 = qb_gguf_find_tensor(gguf, "bf16.weight");
        assert_true(bf16->type == QB_TYPE_BF16 && bf16->size_bytes == 1024);
        assert_int_equal(*(const uint16_t *)bf16->data, 0xbf80); /* -1.0 */
        qb_gguf_close(&gguf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_as_written),
        cmocka_unit_test(tensors_are_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
