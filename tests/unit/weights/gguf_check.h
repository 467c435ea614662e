/* gguf_check.h: what test_gguf_open.c and test_gguf_damaged.c share: a builder in use, a sample
 * file, and the two ways a file may fare. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_GGUF_CHECK_H
#define QB_TESTS_GGUF_CHECK_H

#include "base/error.h"
#include "base/mem.h"
#include "tests/unit/weights/gguf_build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static GgufBuild build;

static inline int start(void **state)
{
    (void)state;
    gguf_build_init(&build);
    return 0;
}

static inline void assert_bytes_refused(const uint8_t *bytes, size_t size, QbStatus expected,
                                        const char *message)
{
    QbGguf *gguf = (QbGguf *)&build;
    QbStatus status = qb_gguf_open_memory(&gguf, bytes, size, "bad.gguf");
    if (status != expected || !strstr(qb_last_error(), message) ||
        !strstr(qb_last_error(), "bad.gguf")) {
        print_error("expected %d \"%s\", got %d \"%s\"\n", expected, message, status,
                    status ? qb_last_error() : "");
        fail();
    }
    assert_null(gguf);
}

/* Finishes `build`, which must be refused, and starts a new one. */
static inline void assert_refused(QbStatus expected, const char *message)
{
    size_t size;
    uint8_t *bytes = gguf_build_finish(&build, &size);
    assert_bytes_refused(bytes, size, expected, message);
    free(bytes);
}

/* Finishes `build`, which must open; *out_bytes: free() after closing. */
static inline QbGguf *open_build(uint8_t **out_bytes)
{
    size_t size;
    QbGguf *gguf;
    *out_bytes = gguf_build_finish(&build, &size);
    QbStatus status = qb_gguf_open_memory(&gguf, *out_bytes, size, "good.gguf");
    if (status)
        print_error("%s\n", qb_last_error());
    assert_int_equal(status, QB_OK);
    return gguf;
}

/* A file with a bit of everything. */
static inline void build_sample(void)
{
    static const char *const texts[] = {"one", "", "three"};
    static const float floats[] = {1, 2, 3, 4, 5, 6};
    gguf_build_string(&build, "general.architecture", "test");
    gguf_build_u32(&build, "test.count", 7);
    gguf_build_bool(&build, "test.flag", true);
    gguf_build_strings(&build, "test.texts", texts, 3);
    gguf_build_f32s(&build, "test.floats", floats, 6);
    gguf_build_tensor(&build, "b.weight", QB_TYPE_F32, 2, (int64_t[]){3, 2}, floats);
    gguf_build_tensor(&build, "a.weight", QB_TYPE_Q8_0, 2, (int64_t[]){64, 2}, NULL);
    gguf_build_tensor(&build, "c.weight", QB_TYPE_F16, 4, (int64_t[]){1, 2, 3, 5}, NULL);
}

#endif
