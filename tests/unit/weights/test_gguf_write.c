/* test_gguf_write.c: what the GGUF writer writes, the GGUF reader reads back, to the byte; misuse,
 * full disks and too little memory are told. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "weights/gguf_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Output {
    FILE *stream;
    char *bytes; /* open_memstream's */
    size_t size;
    QbGgufWriter *writer;
} Output;

static void start(Output *o)
{
    *o = (Output){0};
    o->stream = open_memstream(&o->bytes, &o->size);
    assert_non_null(o->stream);
    assert_int_equal(qb_gguf_writer_new(&o->writer, o->stream, "out.gguf"), QB_OK);
}

static void stop(Output *o)
{
    qb_gguf_writer_free(&o->writer);
    assert_null(o->writer);
    fclose(o->stream);
    free(o->bytes);
}

static void assert_fails(QbStatus status, QbStatus expected, const char *message)
{
    if (status != expected || !strstr(qb_last_error(), message))
        fail_msg("expected %d \"%s\", got %d \"%s\"", expected, message, status, qb_last_error());
}

/* The begin of `o` must fail so; a second time likewise, whatever happened between. */
static void assert_begin_fails(Output *o, const char *message)
{
    assert_fails(qb_gguf_writer_begin(o->writer), QB_ERR_ARG, message);
    qb_fail(QB_ERR_IO, "another failure in between");
    assert_fails(qb_gguf_writer_begin(o->writer), QB_ERR_ARG, message);
    assert_fails(qb_gguf_writer_data(o->writer, "", 1), QB_ERR_ARG, message);
    assert_fails(qb_gguf_writer_end(o->writer), QB_ERR_ARG, message);
    fflush(o->stream);
    assert_int_equal(o->size, 0);
    stop(o);
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 37 + 11);
}

/* ---- a file with a bit of everything --------------------------------------------------------- */

static const QbGgufText texts[] = {{"one", 3}, {"", 0}, {"t\0w\xff", 4}};
static const float floats[] = {1.5f, -0.0f, 3e30f};
static const int32_t ints[] = {-1, INT32_MIN, 7};

static void put_sample(QbGgufWriter *w)
{
    qb_gguf_put_string(w, "general.architecture", "test");
    qb_gguf_put_u32(w, "u", 4000000000u);
    qb_gguf_put_f32(w, "f", 0.1f);
    qb_gguf_put_bool(w, "yes", true);
    qb_gguf_put_bool(w, "no", false);
    qb_gguf_put_string(w, "s", "text \xe2\x96\x81");
    qb_gguf_put_string(w, "s.empty", "");
    qb_gguf_put_f32_array(w, "fs", floats, 3);
    qb_gguf_put_i32_array(w, "is", ints, 3);
    qb_gguf_put_string_array(w, "ss", texts, 3);
    qb_gguf_put_f32_array(w, "none", NULL, 0);
    qb_gguf_declare(w, "b", QB_TYPE_F32, 1, (int64_t[]){3});
    qb_gguf_declare(w, "a.weight", QB_TYPE_Q8_0, 2, (int64_t[]){64, 3});
    qb_gguf_declare(w, "c", QB_TYPE_F16, 4, (int64_t[]){1, 2, 3, 5});
    qb_gguf_declare(w, "a123456789012345678901234567890123456789012345678901234567890.w",
                    QB_TYPE_Q4_K, 2, (int64_t[]){256, 2});
}

enum { SAMPLE_DATA = 12 + 3 * 2 * 34 + 60 + 2 * 144 };

/* In pieces of at most `piece` bytes. */
static QbStatus write_sample(QbGgufWriter *w, size_t piece)
{
    static const size_t sizes[] = {12, 204, 60, 288};
    uint8_t buffer[512];
    size_t at = 0;
    QbStatus status = qb_gguf_writer_begin(w);
    for (int t = 0; t < 4; t++)
        for (size_t done = 0; done < sizes[t] && !status;) {
            size_t n = sizes[t] - done < piece ? sizes[t] - done : piece;
            for (size_t i = 0; i < n; i++)
                buffer[i] = pattern(at++);
            status = qb_gguf_writer_data(w, buffer, n);
            done += n;
        }
    return status ? status : qb_gguf_writer_end(w);
}

static void check_sample_keys(const QbGguf *gguf)
{
    uint32_t u;
    float f, fs[3];
    int32_t is[3];
    bool yes, no;
    const char *s;
    size_t n;
    assert_int_equal(qb_gguf_key_count(gguf), 11);
    assert_string_equal(qb_gguf_key_at(gguf, 0), "general.architecture");
    assert_string_equal(qb_gguf_key_at(gguf, 10), "none");
    assert_int_equal(qb_gguf_get_u32(&u, gguf, "u"), QB_OK);
    assert_true(u == 4000000000u);
    assert_int_equal(qb_gguf_get_f32(&f, gguf, "f"), QB_OK);
    assert_true(f == 0.1f);
    assert_int_equal(qb_gguf_get_bool(&yes, gguf, "yes") | qb_gguf_get_bool(&no, gguf, "no"), 0);
    assert_true(yes && !no);
    assert_int_equal(qb_gguf_get_string(&s, gguf, "s"), QB_OK);
    assert_string_equal(s, "text \xe2\x96\x81");
    assert_int_equal(qb_gguf_get_string(&s, gguf, "s.empty"), QB_OK);
    assert_string_equal(s, "");
    assert_int_equal(qb_gguf_copy_f32_array(fs, 3, gguf, "fs"), QB_OK);
    assert_memory_equal(fs, floats, sizeof fs);
    assert_int_equal(qb_gguf_copy_i32_array(is, 3, gguf, "is"), QB_OK);
    assert_memory_equal(is, ints, sizeof is);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(qb_gguf_get_string_at(&s, &n, gguf, "ss", i), QB_OK);
        assert_int_equal(n, texts[i].length);
        assert_memory_equal(s, texts[i].text, n);
    }
    assert_int_equal(qb_gguf_get_array_length(&n, gguf, "none"), QB_OK);
    assert_int_equal(n, 0);
}

static void check_sample_tensors(const QbGguf *gguf)
{
    size_t at = 0;
    assert_int_equal(qb_gguf_tensor_count(gguf), 4);
    for (int t = 0; t < 4; t++) {
        const QbGgufTensor *tensor = qb_gguf_tensor_at(gguf, t);
        for (size_t i = 0; i < tensor->size_bytes; i++)
            assert_int_equal(((const uint8_t *)tensor->data)[i], pattern(at++));
    }
    assert_int_equal(at, SAMPLE_DATA);
    const QbGgufTensor *c = qb_gguf_find_tensor(gguf, "c");
    assert_int_equal(c->type, QB_TYPE_F16);
    assert_int_equal(c->n_dims, 4);
    assert_memory_equal(c->ne, ((int64_t[]){1, 2, 3, 5}), sizeof c->ne);
    assert_int_equal(qb_gguf_find_tensor(gguf, "a.weight")->type, QB_TYPE_Q8_0);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 12, 512};
    char *first = NULL;
    size_t first_size = 0;
    for (size_t p = 0; p < 4; p++) {
        Output o;
        start(&o);
        put_sample(o.writer);
        assert_int_equal(qb_gguf_writer_total_bytes(o.writer), SAMPLE_DATA);
        assert_int_equal(write_sample(o.writer, pieces[p]), QB_OK);
        assert_int_equal(o.size % 32, 0); /* the last tensor is padded, too */
        uint8_t *aligned = NULL;
        assert_int_equal(posix_memalign((void **)&aligned, 64, o.size), 0);
        memcpy(aligned, o.bytes, o.size);
        QbGguf *gguf;
        assert_int_equal(qb_gguf_open_memory(&gguf, aligned, o.size, "x"), QB_OK);
        check_sample_keys(gguf);
        check_sample_tensors(gguf);
        qb_gguf_close(&gguf);
        free(aligned);
        if (first) {
            assert_int_equal(o.size, first_size);
            assert_memory_equal(o.bytes, first, first_size);
        } else {
            first_size = o.size;
            first = malloc(first_size);
            assert_non_null(first);
            memcpy(first, o.bytes, first_size);
        }
        stop(&o);
    }
    free(first);
}

static void a_file_may_be_empty(void **state)
{
    (void)state;
    Output o;
    start(&o);
    assert_int_equal(qb_gguf_writer_begin(o.writer), QB_OK);
    assert_int_equal(qb_gguf_writer_data(o.writer, NULL, 0), QB_OK);
    assert_int_equal(qb_gguf_writer_end(o.writer), QB_OK);
    assert_int_equal(o.size, 32);
    assert_memory_equal(o.bytes, "GGUF\3\0\0\0", 8);
    stop(&o);
    QbGgufWriter *none = NULL;
    qb_gguf_writer_free(&none);
    qb_gguf_writer_free(NULL);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

static void wrong_keys_are_remembered(void **state)
{
    (void)state;
    Output o;
    start(&o);
    qb_gguf_put_u32(o.writer, "x.twice", 1);
    qb_gguf_put_u32(o.writer, "y", 1);
    qb_gguf_put_string(o.writer, "x.twice", "");
    assert_begin_fails(&o, "out.gguf: key x.twice is there twice");
    start(&o);
    qb_gguf_put_u32(o.writer, "", 1);
    qb_gguf_put_u32(o.writer, "y", 1);
    assert_begin_fails(&o, "out.gguf: the name of a key has 0 bytes");
    start(&o);
    qb_gguf_put_u32(o.writer, "general.alignment", 64);
    assert_begin_fails(&o, "key general.alignment cannot be chosen");
}

static void wrong_tensors_are_remembered(void **state)
{
    (void)state;
    const int64_t big = (int64_t)1 << 40;
    const struct {
        const char *name;
        int type, n_dims;
        int64_t ne[4];
        const char *message;
    } cases[] = {
        {"", QB_TYPE_F32, 1, {1}, "has 0 bytes"},
        {"n123456789012345678901234567890123456789012345678901234567890123",
         QB_TYPE_F32,
         1,
         {1},
         "has 64 bytes, expected 1 to 63"},
        {"x", 3, 1, {32}, "tensor x has the unknown type 3"},
        {"x", QB_TYPE_F32, 0, {1}, "tensor x has 0 dimensions"},
        {"x", QB_TYPE_F32, 5, {1}, "tensor x has 5 dimensions"},
        {"x", QB_TYPE_F32, 2, {1, 0}, "tensor x: dimension 1 is 0"},
        {"x", QB_TYPE_F32, 1, {-4}, "tensor x: dimension 0 is -4"},
        {"x", QB_TYPE_Q8_0, 1, {48}, "rows of 48 values are not whole q8_0 blocks of 32"},
        {"x", QB_TYPE_F32, 2, {big, big}, "tensor x is too large"},
        {"x", QB_TYPE_F32, 1, {INT64_MAX}, "tensor x is too large"},
        {"first", QB_TYPE_F32, 1, {1}, "tensor first is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Output o;
        start(&o);
        qb_gguf_declare(o.writer, "first", QB_TYPE_F32, 1, (int64_t[]){4});
        qb_gguf_declare(o.writer, cases[i].name, (QbType)cases[i].type, cases[i].n_dims,
                        cases[i].ne);
        qb_gguf_declare(o.writer, "z", QB_TYPE_F32, 1, (int64_t[]){4});
        assert_begin_fails(&o, cases[i].message);
    }
}

static void wrong_order_is_told(void **state)
{
    (void)state;
    Output o;
    start(&o);
    assert_fails(qb_gguf_writer_end(o.writer), QB_ERR_ARG, "its header was not written");
    stop(&o);
    start(&o);
    qb_gguf_declare(o.writer, "x", QB_TYPE_F32, 1, (int64_t[]){2});
    assert_fails(qb_gguf_writer_data(o.writer, floats, 4), QB_ERR_ARG, "no tensor asks for");
    stop(&o);
    start(&o);
    qb_gguf_declare(o.writer, "x", QB_TYPE_F32, 1, (int64_t[]){2});
    assert_int_equal(qb_gguf_writer_begin(o.writer), QB_OK);
    assert_fails(qb_gguf_writer_begin(o.writer), QB_ERR_ARG, "was written before");
    stop(&o);
    start(&o);
    qb_gguf_declare(o.writer, "x", QB_TYPE_F32, 1, (int64_t[]){2});
    assert_int_equal(qb_gguf_writer_begin(o.writer), QB_OK);
    qb_gguf_put_u32(o.writer, "late", 1);
    assert_fails(qb_gguf_writer_data(o.writer, floats, 4), QB_ERR_ARG, "key late comes after");
    stop(&o);
    start(&o);
    qb_gguf_declare(o.writer, "x", QB_TYPE_F32, 1, (int64_t[]){2});
    qb_gguf_declare(o.writer, "y", QB_TYPE_F32, 1, (int64_t[]){1});
    assert_int_equal(qb_gguf_writer_begin(o.writer), QB_OK);
    assert_int_equal(qb_gguf_writer_data(o.writer, floats, 4), QB_OK);
    assert_fails(qb_gguf_writer_data(o.writer, floats, 8), QB_ERR_ARG,
                 "tensor x wants 4 more bytes, 8 came");
    stop(&o);
    start(&o);
    qb_gguf_declare(o.writer, "x", QB_TYPE_F32, 1, (int64_t[]){2});
    assert_int_equal(qb_gguf_writer_begin(o.writer), QB_OK);
    assert_int_equal(qb_gguf_writer_data(o.writer, floats, 4), QB_OK);
    assert_fails(qb_gguf_writer_end(o.writer), QB_ERR_ARG, "tensor x is not complete");
    stop(&o);
}

/* ---- disks and memory ------------------------------------------------------------------------ */

static void full_disks_are_told(void **state)
{
    (void)state;
    for (int buffered = 0; buffered < 2; buffered++) {
        FILE *stream = fopen("/dev/full", "wb");
        if (!stream)
            skip();
        setvbuf(stream, NULL, buffered ? _IOFBF : _IONBF, 4096);
        QbGgufWriter *w;
        assert_int_equal(qb_gguf_writer_new(&w, stream, "full.gguf"), QB_OK);
        put_sample(w);
        assert_fails(write_sample(w, 512), QB_ERR_IO, "full.gguf: No space left on device");
        assert_fails(qb_gguf_writer_end(w), QB_ERR_IO, "full.gguf: No space left on device");
        qb_gguf_writer_free(&w);
        fclose(stream);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    QbStatus status = QB_ERR_NOMEM;
    uint64_t n;
    for (n = 1; status == QB_ERR_NOMEM; n++) {
        FILE *stream = tmpfile();
        assert_non_null(stream);
        QbGgufWriter *w;
        qb_mem_fail_after(n);
        status = qb_gguf_writer_new(&w, stream, "memory");
        assert_true((status == QB_OK) == (w != NULL));
        if (!status) {
            put_sample(w);
            status = write_sample(w, 512);
        }
        qb_gguf_writer_free(&w);
        qb_mem_fail_after(0);
        fclose(stream);
    }
    assert_int_equal(status, QB_OK);
    assert_true(n > 20); /* 15 names, tables, lists */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),   cmocka_unit_test(a_file_may_be_empty),
        cmocka_unit_test(wrong_keys_are_remembered), cmocka_unit_test(wrong_tensors_are_remembered),
        cmocka_unit_test(wrong_order_is_told),       cmocka_unit_test(full_disks_are_told),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
