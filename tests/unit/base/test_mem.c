/* test_mem.c: alignment, overflow, growing, and failing on purpose. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_alignment_and_content(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 1000003};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *block = qb_alloc(sizes[i]);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % QB_MEM_ALIGN, 0);
        memset(block, 0xa5, sizes[i]);
        qb_free(block);
        block = qb_calloc(sizes[i], 3);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % QB_MEM_ALIGN, 0);
        for (size_t j = 0; j < sizes[i] * 3; j++)
            if (block[j])
                fail_msg("byte %zu of %zu is not zero", j, sizes[i] * 3);
        qb_free(block);
    }
    qb_free(NULL);
}

static void test_overflow(void **state)
{
    (void)state;
    size_t out = 7;
    assert_true(qb_mul_size(&out, 0, SIZE_MAX) && out == 0);
    assert_true(qb_mul_size(&out, SIZE_MAX, 1) && out == SIZE_MAX);
    assert_true(qb_mul_size(&out, (size_t)1 << 31, (size_t)1 << 32) && out == (size_t)1 << 63);
    assert_false(qb_mul_size(&out, (size_t)1 << 32, (size_t)1 << 32));
    assert_false(qb_mul_size(&out, SIZE_MAX, 2));
    assert_true(qb_add_size(&out, SIZE_MAX - 1, 1) && out == SIZE_MAX);
    assert_false(qb_add_size(&out, SIZE_MAX, 1));
    assert_null(qb_calloc(SIZE_MAX / 2, 3));
    assert_non_null(strstr(qb_last_error(), "out of memory"));
    assert_null(qb_alloc(SIZE_MAX));
    assert_null(qb_alloc(SIZE_MAX - QB_MEM_ALIGN + 2));
    assert_null(qb_strndup("x", SIZE_MAX));
}

static void test_growing(void **state)
{
    (void)state;
    uint8_t *block = qb_realloc(NULL, 0, 10);
    assert_non_null(block);
    for (int i = 0; i < 10; i++)
        block[i] = (uint8_t)i;
    block = qb_realloc(block, 10, 1000);
    assert_non_null(block);
    for (int i = 0; i < 10; i++)
        assert_int_equal(block[i], i);
    block = qb_realloc(block, 1000, 4);
    assert_non_null(block);
    for (int i = 0; i < 4; i++)
        assert_int_equal(block[i], i);
    qb_mem_fail_after(1);
    assert_null(qb_realloc(block, 4, 8));
    qb_mem_fail_after(0);
    assert_int_equal(block[3], 3); /* still there */
    qb_free(block);
}

static void test_texts(void **state)
{
    (void)state;
    char *copy = qb_strdup("abc");
    assert_string_equal(copy, "abc");
    qb_free(copy);
    copy = qb_strndup("abcdef", 2);
    assert_string_equal(copy, "ab");
    qb_free(copy);
    copy = qb_strndup("", 0);
    assert_string_equal(copy, "");
    qb_free(copy);
}

static void test_fail_after(void **state)
{
    (void)state;
    void *blocks[5];
    for (uint64_t n = 1; n <= 5; n++) {
        qb_mem_fail_after(n);
        uint64_t before = qb_mem_allocation_count();
        for (uint64_t i = 0; i < 5; i++)
            blocks[i] = qb_alloc(16);
        assert_true(qb_mem_allocation_count() == before + 5);
        for (uint64_t i = 0; i < 5; i++) {
            assert_int_equal(blocks[i] == NULL, i + 1 == n);
            qb_free(blocks[i]);
        }
    }
    qb_mem_fail_after(1);
    qb_mem_fail_after(0); /* taken back */
    void *block = qb_alloc(16);
    assert_non_null(block);
    qb_free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment_and_content),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_fail_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
