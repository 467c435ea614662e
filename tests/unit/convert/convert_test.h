/* convert_test.h: what the converter's tests share: converting a tiny folder, and looking into the
 * result. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_CONVERT_TEST_H
#define QB_TESTS_CONVERT_TEST_H

#include "tests/unit/convert/tiny_checkpoint.h"
#include "weights/gguf_read.h"

#include <qboost/convert.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static inline QbConvertOptions convert_options(const TinyFolder *f, const char *type)
{
    QbConvertOptions o;
    qb_convert_options_init(&o);
    o.type = type;
    o.threads = 2;
    o.preset = f->options->layout == TINY_OWL ? "q-align" : NULL;
    o.vision_tower = f->tower[0] ? f->tower : NULL;
    return o;
}

static inline void convert_ok(const TinyFolder *f, QbConvertOptions o)
{
    if (qb_convert(f->path, f->out, &o))
        fail_msg("%s", qb_last_error());
}

static inline QbGguf *convert_open(const TinyFolder *f)
{
    QbGguf *gguf = NULL;
    if (qb_gguf_open(&gguf, f->out))
        fail_msg("%s", qb_last_error());
    return gguf;
}

static inline const char *convert_text(const QbGguf *gguf, const char *key)
{
    const char *text = NULL;
    if (qb_gguf_get_string(&text, gguf, key))
        fail_msg("%s", qb_last_error());
    return text;
}

/* Fails with this status, a text that has both words, and nothing left in the folder. */
static inline void convert_fails(const TinyFolder *f, QbConvertOptions o, QbStatus want,
                                 const char *first, const char *second)
{
    int before = tiny_file_count(f);
    QbStatus status = qb_convert(f->path, f->out, &o);
    if (status != want || !strstr(qb_last_error(), first) || !strstr(qb_last_error(), second))
        fail_msg("status %d, \"%s\"; expected %d, \"%s\" and \"%s\"", status,
                 status ? qb_last_error() : "", want, first, second);
    assert_int_equal(tiny_file_count(f), before);
}

#endif
