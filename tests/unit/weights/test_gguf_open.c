/* test_gguf_open.c: GGUF files that must open, from memory and from disk, and where their tensors
 * then are. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/weights/gguf_check.h"

#include <unistd.h>

static void tensors_are_where_the_file_says(void **state)
{
    (void)state;
    uint8_t *bytes;
    build_sample();
    QbGguf *gguf = open_build(&bytes);
    size_t size;
    assert_string_equal(qb_gguf_name(gguf), "good.gguf");
    assert_ptr_equal(qb_gguf_bytes(gguf, &size), bytes);
    assert_int_equal(qb_gguf_tensor_count(gguf), 3);
    assert_null(qb_gguf_tensor_at(gguf, -1));
    assert_null(qb_gguf_tensor_at(gguf, 3));
    const QbGgufTensor *b = qb_gguf_find_tensor(gguf, "b.weight");
    assert_ptr_equal(b, qb_gguf_tensor_at(gguf, 0)); /* in the order of the file */
    assert_string_equal(b->name, "b.weight");
    assert_int_equal(b->type, QB_TYPE_F32);
    assert_int_equal(b->n_dims, 2);
    assert_true(b->ne[0] == 3 && b->ne[1] == 2 && b->ne[2] == 1 && b->ne[3] == 1);
    assert_int_equal(b->size_bytes, 24);
    assert_memory_equal(b->data, ((float[]){1, 2, 3, 4, 5, 6}), 24);
    const QbGgufTensor *a = qb_gguf_find_tensor(gguf, "a.weight");
    assert_int_equal(a->size_bytes, 4 * 34);
    assert_int_equal((const uint8_t *)a->data - (const uint8_t *)b->data, 32);
    const QbGgufTensor *c = qb_gguf_find_tensor(gguf, "c.weight");
    assert_int_equal(c->size_bytes, 60);
    assert_int_equal(((const uint8_t *)c->data - bytes) % 32, 0);
    assert_true((const uint8_t *)c->data + c->size_bytes == bytes + size);
    assert_null(qb_gguf_find_tensor(gguf, "weight"));
    assert_null(qb_gguf_find_tensor(gguf, ""));
    qb_gguf_close(&gguf);
    assert_null(gguf);
    qb_gguf_close(&gguf);
    qb_gguf_close(NULL);
    free(bytes);
}

static void a_file_on_disk_opens(void **state)
{
    (void)state;
    char path[64];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/qb_gguf_XXXXXX",
             folder && strlen(folder) < 40 ? folder : P_tmpdir);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    build_sample();
    assert_int_equal(gguf_build_write(&build, path), 0);
    QbGguf *gguf;
    assert_int_equal(qb_gguf_open(&gguf, path), QB_OK);
    assert_string_equal(qb_gguf_name(gguf), path);
    assert_int_equal(qb_gguf_key_count(gguf), 5);
    assert_memory_equal(qb_gguf_find_tensor(gguf, "b.weight")->data, ((float[]){1, 2}), 8);
    qb_gguf_close(&gguf);
    unlink(path);
    assert_int_equal(qb_gguf_open(&gguf, path), QB_ERR_IO);
    assert_null(gguf);
}

static void empty_and_old_files_open(void **state)
{
    (void)state;
    uint8_t *bytes;
    QbGguf *gguf = open_build(&bytes); /* nothing but a header */
    assert_int_equal(qb_gguf_key_count(gguf), 0);
    assert_int_equal(qb_gguf_tensor_count(gguf), 0);
    assert_false(qb_gguf_has_key(gguf, "x"));
    assert_null(qb_gguf_find_tensor(gguf, "x"));
    qb_gguf_close(&gguf);
    free(bytes);
    build_sample();
    build.version = 2;
    gguf = open_build(&bytes);
    assert_int_equal(qb_gguf_tensor_count(gguf), 3);
    qb_gguf_close(&gguf);
    free(bytes);
}

static void other_alignments_work(void **state)
{
    (void)state;
    static const uint32_t alignments[] = {8, 16, 64, 4096};
    for (size_t i = 0; i < 4; i++) {
        uint8_t *bytes;
        gguf_build_u32(&build, "general.alignment", alignments[i]);
        build.alignment = alignments[i];
        gguf_build_tensor(&build, "a", QB_TYPE_F32, 1, (int64_t[]){1}, (float[]){5});
        gguf_build_tensor(&build, "b", QB_TYPE_F32, 1, (int64_t[]){1}, (float[]){6});
        QbGguf *gguf = open_build(&bytes);
        const uint8_t *a = qb_gguf_find_tensor(gguf, "a")->data;
        const uint8_t *b = qb_gguf_find_tensor(gguf, "b")->data;
        assert_int_equal((a - bytes) % alignments[i], 0);
        assert_int_equal(b - a, alignments[i]);
        assert_memory_equal(b, (float[]){6}, 4);
        qb_gguf_close(&gguf);
        free(bytes);
    }
}

static void element_types_have_their_sizes(void **state)
{
    (void)state;
    static const struct {
        QbType type;
        const char *name;
        int values, bytes;
    } types[] = {
        {QB_TYPE_F32, "f32", 1, 4},       {QB_TYPE_F16, "f16", 1, 2},
        {QB_TYPE_BF16, "bf16", 1, 2},     {QB_TYPE_Q4_0, "q4_0", 32, 18},
        {QB_TYPE_Q8_0, "q8_0", 32, 34},   {QB_TYPE_Q4_K, "q4_k", 256, 144},
        {QB_TYPE_Q5_K, "q5_k", 256, 176}, {QB_TYPE_Q6_K, "q6_k", 256, 210},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        uint8_t *bytes;
        assert_string_equal(qb_type_name(types[i].type), types[i].name);
        assert_int_equal(qb_type_block_values(types[i].type), types[i].values);
        assert_int_equal(qb_type_block_bytes(types[i].type), types[i].bytes);
        gguf_build_tensor(&build, "x", types[i].type, 2, (int64_t[]){512, 3}, NULL);
        QbGguf *gguf = open_build(&bytes);
        assert_int_equal(qb_gguf_tensor_at(gguf, 0)->size_bytes,
                         512 / types[i].values * types[i].bytes * 3);
        qb_gguf_close(&gguf);
        free(bytes);
    }
    assert_null(qb_type_name((QbType)3));
    assert_int_equal(qb_type_block_values((QbType)99), 0);
    assert_int_equal(qb_type_block_bytes((QbType)99), 0);
}

static void many_tensors_are_no_trouble(void **state)
{
    (void)state;
    enum { N = 40000 };
    uint8_t *bytes;
    char name[32];
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "blk.%d.weight", (i * 7919) % N);
        gguf_build_u32(&build, name, (uint32_t)i);
        gguf_build_tensor(&build, name, QB_TYPE_F32, 1, (int64_t[]){1}, &(float){(float)i});
    }
    QbGguf *gguf = open_build(&bytes);
    for (int i = 0; i < N; i++) {
        uint32_t value;
        snprintf(name, sizeof name, "blk.%d.weight", (i * 7919) % N);
        assert_memory_equal(qb_gguf_find_tensor(gguf, name)->data, &(float){(float)i}, 4);
        assert_int_equal(qb_gguf_get_u32(&value, gguf, name), QB_OK);
        assert_int_equal(value, i);
    }
    qb_gguf_close(&gguf);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tensors_are_where_the_file_says, start),
        cmocka_unit_test_setup(a_file_on_disk_opens, start),
        cmocka_unit_test_setup(empty_and_old_files_open, start),
        cmocka_unit_test_setup(other_alignments_work, start),
        cmocka_unit_test_setup(element_types_have_their_sizes, start),
        cmocka_unit_test_setup(many_tensors_are_no_trouble, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
