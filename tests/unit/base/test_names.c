/* test_names.c: lists of names for error texts: none, several, and more than there is room for. */
// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *none(int index)
{
    (void)index;
    return NULL;
}

static const char *three(int index)
{
    static const char *const names[] = {"one", "two", "three", NULL};
    return names[index];
}

static void test_join(void **state)
{
    (void)state;
    char text[32] = "before";
    qb_names_join(text, sizeof text, none);
    assert_string_equal(text, "");
    qb_names_join(text, sizeof text, three);
    assert_string_equal(text, "one, two, three");
}

static void test_full(void **state)
{
    (void)state;
    char whole[] = "one, two, three";
    for (size_t size = 1; size <= sizeof whole; size++) {
        char text[32];
        memset(text, '#', sizeof text);
        qb_names_join(text, size, three);
        assert_int_equal(strlen(text), size - 1);
        assert_memory_equal(text, whole, size - 1);
        assert_int_equal(text[size], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
