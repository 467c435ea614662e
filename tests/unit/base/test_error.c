/* test_error.c: the text of the last error: prefixes, control bytes, long texts, one a thread. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_text_and_status(void **state)
{
    (void)state;
    assert_int_equal(qb_fail(QB_ERR_FORMAT, "%s: %d of %d", "a.png", 3, 4), QB_ERR_FORMAT);
    assert_string_equal(qb_last_error(), "a.png: 3 of 4");
    assert_int_equal(qb_fail_prefix(QB_ERR_IO, "line %d", 7), QB_ERR_IO);
    assert_string_equal(qb_last_error(), "line 7: a.png: 3 of 4");
    assert_int_equal(qb_fail(QB_ERR_ARG, "<%s>", qb_last_error()), QB_ERR_ARG);
    assert_string_equal(qb_last_error(), "<line 7: a.png: 3 of 4>");
}

static void test_control_bytes(void **state)
{
    (void)state;
    qb_fail(QB_ERR_IO, "a\nb\tc\x1b[31md\x7f\x01 \xc3\xa9");
    assert_string_equal(qb_last_error(), "a?b?c?[31md?? \xc3\xa9");
}

static void test_long_texts(void **state)
{
    (void)state;
    static char text[20000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    qb_fail(QB_ERR_IO, "begin %s", text);
    size_t length = strlen(qb_last_error());
    assert_true(length > 500 && length < sizeof text);
    assert_memory_equal(qb_last_error(), "begin xxx", 9);
    qb_fail_prefix(QB_ERR_IO, "%s", text);
    assert_true(strlen(qb_last_error()) < sizeof text);
    /* the longest path leaves room for the cause */
    text[4095] = 0;
    qb_fail(QB_ERR_IO, "%s: the cause", text);
    assert_string_equal(qb_last_error() + strlen(qb_last_error()) - 9, "the cause");
    qb_fail(QB_ERR_IO, "short");
    for (int i = 0; i < 2000; i++)
        qb_fail_prefix(QB_ERR_IO, "p%d", i);
    assert_memory_equal(qb_last_error(), "p1999: p1998: ", 14);
}

static void *other_thread(void *user)
{
    *(int *)user = !strcmp(qb_last_error(), "");
    qb_fail(QB_ERR_LIMIT, "from the other");
    *(int *)user &= !strcmp(qb_last_error(), "from the other");
    return NULL;
}

static void test_one_a_thread(void **state)
{
    (void)state;
    pthread_t thread;
    int ok = 0;
    qb_fail(QB_ERR_IO, "mine");
    assert_int_equal(pthread_create(&thread, NULL, other_thread, &ok), 0);
    pthread_join(thread, NULL);
    assert_true(ok);
    assert_string_equal(qb_last_error(), "mine");
}

static void test_status_names(void **state)
{
    (void)state;
    assert_string_equal(qb_status_name(QB_OK), "ok");
    for (int i = QB_ERR_CANCELLED; i <= QB_OK; i++)
        for (int j = QB_ERR_CANCELLED; j < i; j++)
            assert_string_not_equal(qb_status_name(i), qb_status_name(j));
    assert_string_equal(qb_status_name(1), "unknown status");
    assert_string_equal(qb_status_name(QB_ERR_CANCELLED - 1), "unknown status");
    assert_string_equal(qb_status_name(INT32_MIN), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_status), cmocka_unit_test(test_control_bytes),
        cmocka_unit_test(test_long_texts),      cmocka_unit_test(test_one_a_thread),
        cmocka_unit_test(test_status_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
