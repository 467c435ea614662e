/* test_cpu.c: the level that kernels may use, and the version. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "kernels/kernels.h"

#include <qboost/qboost.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_level(const char *level, unsigned needed)
{
    if ((qb_cpu_detect() & needed) != needed) {
        assert_int_equal(qb_cpu_set_level(level), QB_ERR_UNSUPPORTED);
        assert_non_null(strstr(qb_last_error(), level));
        return;
    }
    QbKernels kernels;
    assert_int_equal(qb_cpu_set_level(level), QB_OK);
    assert_string_equal(qb_cpu_level(), level);
    assert_int_equal(qb_cpu_flags(), needed);
    qb_kernels_init(&kernels, qb_cpu_flags());
    assert_string_equal(kernels.level, level);
}

static void test_levels(void **state)
{
    (void)state;
    assert_int_equal(qb_cpu_flags(), qb_cpu_detect());
    /* Each level includes the one below. */
    assert_false((qb_cpu_detect() & QB_CPU_AVX512) && !(qb_cpu_detect() & QB_CPU_AVX2));
    check_level("ref", 0);
    check_level("avx2", QB_CPU_AVX2);
    check_level("avx512", QB_CPU_AVX2 | QB_CPU_AVX512);
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
    assert_int_equal(qb_cpu_flags(), qb_cpu_detect());
}

static void test_unknown_levels_change_nothing(void **state)
{
    (void)state;
    assert_int_equal(qb_cpu_set_level("ref"), QB_OK);
    assert_int_equal(qb_cpu_set_level("sse9"), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "sse9"));
    assert_int_equal(qb_cpu_set_level(""), QB_ERR_ARG);
    assert_int_equal(qb_cpu_set_level(NULL), QB_ERR_ARG);
    assert_string_equal(qb_cpu_level(), "ref");
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
}

static void test_count_and_version(void **state)
{
    (void)state;
    char text[32];
    assert_true(qb_cpu_count() >= 1);
    snprintf(text, sizeof text, "%d.%d.%d", QBOOST_VERSION_MAJOR, QBOOST_VERSION_MINOR,
             QBOOST_VERSION_PATCH);
    assert_string_equal(qb_version(), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_unknown_levels_change_nothing),
        cmocka_unit_test(test_count_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
