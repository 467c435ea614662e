/* test_gguf_damaged.c: damaged GGUF files must be refused with a text that names the file and what
 * is wrong, and do no harm; too little memory likewise. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/weights/gguf_check.h"

/* ---- damaged headers and keys ---------------------------------------------------------------- */

static void wrong_headers_are_refused(void **state)
{
    (void)state;
    static const uint8_t zeros[64] __attribute__((aligned(64))) = {0};
    QbGguf *gguf;
    assert_bytes_refused(zeros, 64, QB_ERR_FORMAT, "is not a GGUF file (it begins with 00");
    assert_bytes_refused(zeros, 0, QB_ERR_FORMAT, "the file ends at 0");
    assert_bytes_refused(NULL, 0, QB_ERR_FORMAT, "the file ends at 0");
    assert_int_equal(qb_gguf_open_memory(&gguf, zeros + 1, 63, "x"), QB_ERR_ARG);
    static const struct {
        uint32_t version;
        const char *message;
    } versions[] = {
        {0, "is GGUF version 0, expected 2 or 3"},
        {1, "is GGUF version 1, expected 2 or 3"},
        {4, "is GGUF version 4, expected 2 or 3"},
        {0x03000000, "big-endian"},
        {0x02000000, "big-endian"},
        {0xffffffff, "is GGUF version 4294967295"},
    };
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        build_sample();
        build.version = versions[i].version;
        assert_refused(QB_ERR_UNSUPPORTED, versions[i].message);
    }
    static const uint64_t counts[] = {1000, 1u << 31, UINT64_MAX / 14, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        build_sample();
        build.n_keys = counts[i];
        assert_refused(QB_ERR_FORMAT, "the number of keys");
        build_sample();
        build.n_tensors = counts[i];
        assert_refused(QB_ERR_FORMAT, "the number of tensors");
    }
}

static void damaged_keys_are_refused(void **state)
{
    (void)state;
    gguf_build_u32(&build, "", 1);
    assert_refused(QB_ERR_FORMAT, "the name of a key at byte 24 has 0 bytes");
    gguf_bytes_add_string(&build.keys, "a\0b", 3);
    gguf_bytes_add_number(&build.keys, 0, 8);
    build.n_keys++;
    assert_refused(QB_ERR_FORMAT, "NUL inside");
    gguf_bytes_add_number(&build.keys, UINT64_MAX, 8);
    gguf_bytes_add_number(&build.keys, 0, 8);
    build.n_keys++;
    assert_refused(QB_ERR_FORMAT, "the name of a key is 18446744073709551615");
    gguf_build_u32(&build, "x.twice", 1);
    gguf_build_bool(&build, "y", 1);
    gguf_build_bool(&build, "x.twice", 1);
    assert_refused(QB_ERR_FORMAT, "key x.twice is there twice");
    gguf_build_number(&build, "x.kind", 13, 0, 8);
    assert_refused(QB_ERR_FORMAT, "key x.kind has unknown type 13");
    gguf_build_number(&build, "x.flag", GGUF_BUILD_BOOL, 2, 1);
    assert_refused(QB_ERR_FORMAT, "key x.flag: a bool is 2");
    gguf_build_key(&build, "x.text", GGUF_BUILD_STRING);
    gguf_bytes_add_number(&build.keys, 5, 8);
    gguf_bytes_add(&build.keys, "1234", 4);
    assert_refused(QB_ERR_FORMAT, "key x.text");
    gguf_build_key(&build, "x.number", GGUF_BUILD_U64);
    gguf_bytes_add(&build.keys, "1234567", 7);
    assert_refused(QB_ERR_FORMAT, "key x.number");
}

static void damaged_arrays_are_refused(void **state)
{
    (void)state;
    gguf_build_array(&build, "x.nested", GGUF_BUILD_ARRAY, 1);
    gguf_bytes_add_number(&build.keys, 0, 16);
    assert_refused(QB_ERR_UNSUPPORTED, "key x.nested is an array of arrays");
    gguf_build_array(&build, "x.kind", 77, 0);
    assert_refused(QB_ERR_FORMAT, "key x.kind: elements of unknown type 77");
    static const uint64_t lengths[] = {3, UINT64_MAX, UINT64_MAX / 4 + 1, (uint64_t)1 << 61};
    for (size_t i = 0; i < 4; i++) {
        gguf_build_array(&build, "x.long", GGUF_BUILD_F32, lengths[i]);
        gguf_bytes_add_number(&build.keys, 0, 8);
        assert_refused(QB_ERR_FORMAT, "key x.long");
        gguf_build_array(&build, "x.texts", GGUF_BUILD_STRING, lengths[i]);
        gguf_bytes_add_number(&build.keys, 0, 8);
        gguf_bytes_add_number(&build.keys, 0, 8);
        assert_refused(QB_ERR_FORMAT, "key x.texts");
    }
    gguf_build_array(&build, "x.texts", GGUF_BUILD_STRING, 2);
    gguf_bytes_add_string(&build.keys, "ab", 2);
    gguf_bytes_add_number(&build.keys, UINT64_MAX - 7, 8);
    assert_refused(QB_ERR_FORMAT, "key x.texts");
    gguf_build_array(&build, "x.flags", GGUF_BUILD_BOOL, 3);
    gguf_bytes_add(&build.keys, "\0\1\3", 3);
    assert_refused(QB_ERR_FORMAT, "key x.flags: a bool is 3");
}

static void wrong_alignments_are_refused(void **state)
{
    (void)state;
    static const uint32_t wrong[] = {0, 1, 4, 7, 24, 33, 1u << 21, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gguf_build_u32(&build, "general.alignment", wrong[i]);
        assert_refused(QB_ERR_FORMAT, "key general.alignment is");
    }
    gguf_build_string(&build, "general.alignment", "32");
    assert_refused(QB_ERR_FORMAT, "key general.alignment: expected an integer, got string");
    gguf_build_u64(&build, "general.alignment", (uint64_t)1 << 33);
    assert_refused(QB_ERR_FORMAT, "key general.alignment: 8589934592 is not from 0");
}

/* ---- damaged tensors ------------------------------------------------------------------------- */

/* A tensor info with 4096 bytes of data behind it. */
static void assert_tensor_refused(uint32_t type, uint32_t n_dims, const int64_t *ne,
                                  uint64_t offset, QbStatus expected, const char *message)
{
    gguf_build_tensor_info(&build, "x.weight", type, n_dims, ne, offset);
    for (int i = 0; i < 512; i++)
        gguf_bytes_add_number(&build.data, 0, 8);
    assert_refused(expected, message);
}

static void damaged_shapes_are_refused(void **state)
{
    (void)state;
    const int64_t big = (int64_t)1 << 32;
    const struct {
        uint32_t type, n_dims;
        int64_t ne[5];
        QbStatus status;
        const char *message;
    } cases[] = {
        {QB_TYPE_F32, 0, {0}, QB_ERR_FORMAT, "tensor x.weight has 0 dimensions"},
        {QB_TYPE_F32, 5, {1, 1, 1, 1, 1}, QB_ERR_FORMAT, "tensor x.weight has 5 dimensions"},
        {QB_TYPE_F32, 2, {0, 4}, QB_ERR_FORMAT, "tensor x.weight: dimension 0 is 0"},
        {QB_TYPE_F32, 2, {4, 0}, QB_ERR_FORMAT, "tensor x.weight: dimension 1 is 0"},
        {QB_TYPE_F32,
         2,
         {4, -1},
         QB_ERR_FORMAT,
         "tensor x.weight: dimension 1 is 1844674407370955"},
        {QB_TYPE_F32, 2, {big, big}, QB_ERR_FORMAT, "tensor x.weight: its shape overflows"},
        {QB_TYPE_F32, 4, {big, 1, 1, big}, QB_ERR_FORMAT, "tensor x.weight: its shape overflows"},
        {QB_TYPE_F32, 1, {INT64_MAX}, QB_ERR_FORMAT, "tensor x.weight: its shape overflows"},
        {QB_TYPE_F16,
         2,
         {big, big / 4},
         QB_ERR_FORMAT,
         "tensor x.weight needs 9223372036854775808"},
        {QB_TYPE_F32, 1, {1025}, QB_ERR_FORMAT, "tensor x.weight needs 4100 bytes at offset 0"},
        {QB_TYPE_Q8_0, 2, {33, 32}, QB_ERR_FORMAT, "rows of 33 values are not whole q8_0 blocks"},
        {QB_TYPE_Q6_K, 1, {32}, QB_ERR_FORMAT, "rows of 32 values are not whole q6_k blocks"},
        {3, 1, {32}, QB_ERR_UNSUPPORTED, "tensor x.weight has element type 3"},
        {31, 1, {32}, QB_ERR_UNSUPPORTED, "tensor x.weight has element type 31"},
        {UINT32_MAX, 1, {32}, QB_ERR_UNSUPPORTED, "has element type 4294967295"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_tensor_refused(cases[i].type, cases[i].n_dims, cases[i].ne, 0, cases[i].status,
                              cases[i].message);
}

static void damaged_offsets_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset;
        const char *message;
    } cases[] = {
        {8, "tensor x.weight: offset 8 is not a multiple of 32"},
        {4096, "tensor x.weight needs 32 bytes at offset 4096"},
        {UINT64_MAX - 31, "tensor x.weight needs 32 bytes at offset 18446744073709551584"},
        {UINT64_MAX / 2 + 1, "tensor x.weight needs 32 bytes at offset 9223372036854775808"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_tensor_refused(QB_TYPE_F32, 1, (int64_t[]){8}, cases[i].offset, QB_ERR_FORMAT,
                              cases[i].message);
    gguf_build_tensor_info(&build, "no.data", QB_TYPE_F32, 1, (int64_t[]){1}, 0);
    assert_refused(QB_ERR_FORMAT, "tensor no.data needs 4 bytes");
}

static void overlaps_and_names_are_refused(void **state)
{
    (void)state;
    const int64_t ne[] = {16};
    gguf_build_tensor_info(&build, "second", QB_TYPE_F32, 1, ne, 64);
    gguf_build_tensor_info(&build, "first", QB_TYPE_F32, 1, ne, 32);
    gguf_build_tensor_info(&build, "fill", QB_TYPE_F32, 1, ne, 256);
    for (int i = 0; i < 512; i++)
        gguf_bytes_add_number(&build.data, 0, 8);
    assert_refused(QB_ERR_FORMAT, "tensors first and second overlap");
    gguf_build_tensor(&build, "same", QB_TYPE_F32, 1, ne, NULL);
    gguf_build_tensor(&build, "other", QB_TYPE_F32, 1, ne, NULL);
    gguf_build_tensor(&build, "same", QB_TYPE_F32, 1, ne, NULL);
    assert_refused(QB_ERR_FORMAT, "tensor same is there twice");
    gguf_build_tensor(&build, "", QB_TYPE_F32, 1, ne, NULL);
    assert_refused(QB_ERR_FORMAT, "the name of a tensor at byte 24 has 0 bytes");
    char name[66];
    memset(name, 'n', 65);
    name[65] = 0;
    gguf_build_tensor(&build, name, QB_TYPE_F32, 1, ne, NULL);
    assert_refused(QB_ERR_FORMAT, "has 65 bytes, expected 1 to 64");
    uint8_t *bytes;
    name[64] = 0;
    gguf_build_tensor(&build, name, QB_TYPE_F32, 1, ne, NULL);
    QbGguf *gguf = open_build(&bytes);
    qb_gguf_close(&gguf);
    free(bytes);
}

/* ---- truncation, bit flips, memory ----------------------------------------------------------- */

/* Copies of exactly the size, so that the address sanitizer sees every byte read past the end. */
static void truncated_files_are_refused(void **state)
{
    (void)state;
    size_t size;
    build_sample();
    uint8_t *bytes = gguf_build_finish(&build, &size);
    for (size_t n = 0; n < size; n++) {
        QbGguf *gguf;
        uint8_t *copy = NULL;
        assert_int_equal(posix_memalign((void **)&copy, 64, n ? n : 1), 0);
        memcpy(copy, bytes, n);
        assert_int_equal(qb_gguf_open_memory(&gguf, copy, n, "short"), QB_ERR_FORMAT);
        assert_null(gguf);
        free(copy);
    }
    free(bytes);
}

static void flipped_bits_do_no_harm(void **state)
{
    (void)state;
    size_t size;
    int opened = 0;
    build_sample();
    uint8_t *bytes = gguf_build_finish(&build, &size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        QbGguf *gguf;
        char text[64];
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (qb_gguf_open_memory(&gguf, bytes, size, "flipped") == QB_OK) {
            opened++;
            for (int i = 0; i < qb_gguf_key_count(gguf); i++)
                qb_gguf_value_text(text, sizeof text, gguf, i);
            for (int i = 0; i < qb_gguf_tensor_count(gguf); i++) {
                const QbGgufTensor *tensor = qb_gguf_tensor_at(gguf, i);
                const uint8_t *end = (const uint8_t *)tensor->data + tensor->size_bytes;
                assert_true((const uint8_t *)tensor->data > bytes && end <= bytes + size);
            }
            qb_gguf_close(&gguf);
        } else
            assert_null(gguf);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(opened > 0);
    free(bytes);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t size;
    build_sample();
    uint8_t *bytes = gguf_build_finish(&build, &size);
    QbStatus status = QB_ERR_NOMEM;
    uint64_t n;
    for (n = 1; status == QB_ERR_NOMEM; n++) {
        QbGguf *gguf;
        qb_mem_fail_after(n);
        status = qb_gguf_open_memory(&gguf, bytes, size, "memory");
        assert_true(status == QB_OK || !gguf);
        qb_gguf_close(&gguf);
    }
    qb_mem_fail_after(0);
    assert_int_equal(status, QB_OK);
    assert_true(n > 15); /* 8 names, a string, offsets, tables */
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(wrong_headers_are_refused, start),
        cmocka_unit_test_setup(damaged_keys_are_refused, start),
        cmocka_unit_test_setup(damaged_arrays_are_refused, start),
        cmocka_unit_test_setup(wrong_alignments_are_refused, start),
        cmocka_unit_test_setup(damaged_shapes_are_refused, start),
        cmocka_unit_test_setup(damaged_offsets_are_refused, start),
        cmocka_unit_test_setup(overlaps_and_names_are_refused, start),
        cmocka_unit_test_setup(truncated_files_are_refused, start),
        cmocka_unit_test_setup(flipped_bits_do_no_harm, start),
        cmocka_unit_test_setup(every_allocation_may_fail, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
