/* test_gguf_values.c: what the typed getters give and refuse, arrays, and values as text. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "tests/unit/weights/gguf_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static QbGguf *gguf;
static uint8_t *bytes;

static void build_keys(GgufBuild *b)
{
    static const char *const texts[] = {"one", "", "dr\xc3\xa9i"};
    gguf_build_number(b, "u8", GGUF_BUILD_U8, 200, 1);
    gguf_build_number(b, "i8", GGUF_BUILD_I8, (uint64_t)-7, 1);
    gguf_build_number(b, "u16", GGUF_BUILD_U16, 65535, 2);
    gguf_build_number(b, "i16", GGUF_BUILD_I16, 1234, 2);
    gguf_build_u32(b, "u32", UINT32_MAX);
    gguf_build_i32(b, "i32", 2147483647);
    gguf_build_i32(b, "negative", -1);
    gguf_build_u64(b, "u64", 4096);
    gguf_build_u64(b, "big", (uint64_t)1 << 32);
    gguf_build_u64(b, "huge", UINT64_MAX);
    gguf_build_number(b, "i64", GGUF_BUILD_I64, 99, 8);
    gguf_build_number(b, "low", GGUF_BUILD_I64, (uint64_t)INT64_MIN, 8);
    gguf_build_f32(b, "f32", 1e-5f);
    gguf_build_f64(b, "f64", 0.25);
    gguf_build_f64(b, "wide", 1e300);
    gguf_build_f32(b, "nan", NAN);
    gguf_build_f32(b, "inf", INFINITY);
    gguf_build_f64(b, "nan64", NAN);
    gguf_build_bool(b, "yes", true);
    gguf_build_bool(b, "no", false);
    gguf_build_string(b, "text", "caf\xc3\xa9\n\x1b[31m");
    gguf_build_string(b, "empty", "");
    gguf_build_key(b, "nul", GGUF_BUILD_STRING);
    gguf_bytes_add_string(&b->keys, "a\0b", 3);
    gguf_build_strings(b, "texts", texts, 3);
    gguf_build_f32s(b, "floats", (float[]){0.5f, -1, 2}, 3);
    gguf_build_f32s(b, "bad_floats", (float[]){0.5f, NAN}, 2);
    gguf_build_i32s(b, "ints", (int32_t[]){-5, 0, 7, 1, 2, 3, 4, 5, 6}, 9);
    gguf_build_array(b, "u64s", GGUF_BUILD_U64, 2);
    gguf_bytes_add_number(&b->keys, 3, 8);
    gguf_bytes_add_number(&b->keys, (uint64_t)1 << 31, 8);
    gguf_build_array(b, "bytes", GGUF_BUILD_U8, 3);
    gguf_bytes_add(&b->keys, "\1\2\377", 3);
    gguf_build_array(b, "flags", GGUF_BUILD_BOOL, 2);
    gguf_bytes_add(&b->keys, "\1\0", 2);
    gguf_build_array(b, "nothing", GGUF_BUILD_F32, 0);
    gguf_build_strings(b, "no_texts", NULL, 0);
}

static int open_keys(void **state)
{
    (void)state;
    GgufBuild b;
    size_t size;
    gguf_build_init(&b);
    build_keys(&b);
    bytes = gguf_build_finish(&b, &size);
    return qb_gguf_open_memory(&gguf, bytes, size, "keys.gguf");
}

static int close_keys(void **state)
{
    (void)state;
    qb_gguf_close(&gguf);
    free(bytes);
    return 0;
}

static void assert_error(QbStatus status, const char *message)
{
    if (status != QB_ERR_FORMAT || !strstr(qb_last_error(), message) ||
        !strstr(qb_last_error(), "keys.gguf")) {
        print_error("expected \"%s\", got %d \"%s\"\n", message, status, qb_last_error());
        fail();
    }
}

static void assert_u32(const char *key, uint32_t expected)
{
    uint32_t value = 12345;
    assert_int_equal(qb_gguf_get_u32(&value, gguf, key), QB_OK);
    assert_int_equal(value, expected);
}

static void integers_of_any_width_are_read(void **state)
{
    (void)state;
    assert_u32("u8", 200);
    assert_u32("u16", 65535);
    assert_u32("i16", 1234);
    assert_u32("u32", UINT32_MAX);
    assert_u32("i32", 2147483647);
    assert_u32("u64", 4096);
    assert_u32("i64", 99);
}

static void integers_out_of_range_are_refused(void **state)
{
    (void)state;
    uint32_t value = 5;
    assert_error(qb_gguf_get_u32(&value, gguf, "i8"), "key i8: -7 is not from 0 to 4294967295");
    assert_error(qb_gguf_get_u32(&value, gguf, "negative"), "key negative: -1 is not from 0");
    assert_error(qb_gguf_get_u32(&value, gguf, "big"), "key big: 4294967296 is not");
    assert_error(qb_gguf_get_u32(&value, gguf, "huge"), "key huge: 18446744073709551615 is not");
    assert_error(qb_gguf_get_u32(&value, gguf, "low"), "key low: -9223372036854775808 is not");
    assert_error(qb_gguf_get_u32(&value, gguf, "f32"), "key f32: expected an integer, got f32");
    assert_error(qb_gguf_get_u32(&value, gguf, "yes"), "key yes: expected an integer, got bool");
    assert_error(qb_gguf_get_u32(&value, gguf, "text"),
                 "key text: expected an integer, got string");
    assert_error(qb_gguf_get_u32(&value, gguf, "ints"), "expected an integer, got an array of i32");
    assert_error(qb_gguf_get_u32(&value, gguf, "absent"), "key absent is missing");
    assert_error(qb_gguf_get_u32_or(&value, gguf, "i8"), "key i8: -7");
    assert_int_equal(value, 5);
}

static void floats_are_read_when_finite(void **state)
{
    (void)state;
    float value = 5;
    assert_int_equal(qb_gguf_get_f32(&value, gguf, "f32"), QB_OK);
    assert_true(value == 1e-5f);
    assert_int_equal(qb_gguf_get_f32(&value, gguf, "f64"), QB_OK);
    assert_true(value == 0.25f);
    assert_error(qb_gguf_get_f32(&value, gguf, "nan"), "key nan: ");
    assert_error(qb_gguf_get_f32(&value, gguf, "nan64"), "key nan64: ");
    assert_error(qb_gguf_get_f32(&value, gguf, "inf"), "key inf: inf is not a finite");
    assert_error(qb_gguf_get_f32(&value, gguf, "wide"), "key wide: 1e+300 is not a finite");
    assert_error(qb_gguf_get_f32(&value, gguf, "u32"), "key u32: expected a float, got u32");
    assert_error(qb_gguf_get_f32(&value, gguf, "floats"), "expected a float, got an array of f32");
    assert_error(qb_gguf_get_f32(&value, gguf, "absent"), "key absent is missing");
    assert_true(value == 0.25f);
}

static void bools_and_strings_are_read(void **state)
{
    (void)state;
    bool flag = false;
    const char *text = NULL;
    assert_int_equal(qb_gguf_get_bool(&flag, gguf, "yes"), QB_OK);
    assert_true(flag);
    assert_int_equal(qb_gguf_get_bool(&flag, gguf, "no"), QB_OK);
    assert_false(flag);
    assert_error(qb_gguf_get_bool(&flag, gguf, "u8"), "key u8: expected a bool, got u8");
    assert_error(qb_gguf_get_bool(&flag, gguf, "flags"), "expected a bool, got an array of bool");
    assert_error(qb_gguf_get_bool(&flag, gguf, "absent"), "key absent is missing");
    assert_int_equal(qb_gguf_get_string(&text, gguf, "text"), QB_OK);
    assert_string_equal(text, "caf\xc3\xa9\n\x1b[31m");
    assert_int_equal(qb_gguf_get_string(&text, gguf, "empty"), QB_OK);
    assert_string_equal(text, "");
    assert_error(qb_gguf_get_string(&text, gguf, "nul"), "key nul: the string has a NUL inside");
    assert_error(qb_gguf_get_string(&text, gguf, "u8"), "key u8: expected a string, got u8");
    assert_error(qb_gguf_get_string(&text, gguf, "texts"), "got an array of string");
    assert_error(qb_gguf_get_string(&text, gguf, "absent"), "key absent is missing");
}

static void absent_keys_leave_the_default(void **state)
{
    (void)state;
    uint32_t number = 5;
    float value = 1.5f;
    bool flag = true;
    const char *text = "default";
    assert_int_equal(qb_gguf_get_u32_or(&number, gguf, "absent"), QB_OK);
    assert_int_equal(qb_gguf_get_f32_or(&value, gguf, "absent"), QB_OK);
    assert_int_equal(qb_gguf_get_bool_or(&flag, gguf, "absent"), QB_OK);
    assert_int_equal(qb_gguf_get_string_or(&text, gguf, "absent"), QB_OK);
    assert_true(number == 5 && value == 1.5f && flag && strcmp(text, "default") == 0);
    assert_int_equal(qb_gguf_get_u32_or(&number, gguf, "u8"), QB_OK);
    assert_int_equal(qb_gguf_get_f32_or(&value, gguf, "f64"), QB_OK);
    assert_int_equal(qb_gguf_get_bool_or(&flag, gguf, "no"), QB_OK);
    assert_int_equal(qb_gguf_get_string_or(&text, gguf, "empty"), QB_OK);
    assert_true(number == 200 && value == 0.25f && !flag && strcmp(text, "") == 0);
    assert_false(qb_gguf_has_key(gguf, "absent"));
    assert_true(qb_gguf_has_key(gguf, "u8"));
}

static void arrays_of_numbers_are_copied(void **state)
{
    (void)state;
    float floats[3];
    int32_t ints[9];
    size_t n = 99;
    assert_int_equal(qb_gguf_get_array_length(&n, gguf, "floats"), QB_OK);
    assert_int_equal(n, 3);
    assert_int_equal(qb_gguf_copy_f32_array(floats, 3, gguf, "floats"), QB_OK);
    assert_true(floats[0] == 0.5f && floats[1] == -1 && floats[2] == 2);
    assert_error(qb_gguf_copy_f32_array(floats, 2, gguf, "floats"), "expected 2 elements, got 3");
    assert_error(qb_gguf_copy_f32_array(floats, 2, gguf, "bad_floats"), "is not a finite");
    assert_error(qb_gguf_copy_f32_array(floats, 2, gguf, "flags"), "expected a float, got bool");
    assert_int_equal(qb_gguf_copy_i32_array(ints, 9, gguf, "ints"), QB_OK);
    assert_true(ints[0] == -5 && ints[1] == 0 && ints[8] == 6);
    assert_int_equal(qb_gguf_copy_i32_array(ints, 3, gguf, "bytes"), QB_OK);
    assert_true(ints[0] == 1 && ints[2] == 255);
    assert_error(qb_gguf_copy_i32_array(ints, 2, gguf, "u64s"), "key u64s: 2147483648 is not from");
    assert_error(qb_gguf_copy_i32_array(ints, 3, gguf, "floats"), "expected an integer, got f32");
    assert_error(qb_gguf_copy_i32_array(ints, 1, gguf, "i32"), "expected an array, got i32");
    assert_error(qb_gguf_get_array_length(&n, gguf, "text"), "expected an array, got string");
    assert_error(qb_gguf_get_array_length(&n, gguf, "absent"), "key absent is missing");
    assert_int_equal(qb_gguf_copy_f32_array(NULL, 0, gguf, "nothing"), QB_OK);
    assert_int_equal(qb_gguf_get_array_length(&n, gguf, "no_texts"), QB_OK);
    assert_int_equal(n, 0);
}

static void strings_of_arrays_are_borrowed(void **state)
{
    (void)state;
    const char *text;
    size_t length;
    assert_int_equal(qb_gguf_get_string_at(&text, &length, gguf, "texts", 0), QB_OK);
    assert_int_equal(length, 3);
    assert_memory_equal(text, "one", 3);
    assert_int_equal(qb_gguf_get_string_at(&text, &length, gguf, "texts", 1), QB_OK);
    assert_int_equal(length, 0);
    assert_int_equal(qb_gguf_get_string_at(&text, &length, gguf, "texts", 2), QB_OK);
    assert_int_equal(length, 5);
    assert_memory_equal(text, "dr\xc3\xa9i", 5);
    assert_int_equal(qb_gguf_get_string_at(&text, &length, gguf, "texts", 3), QB_ERR_ARG);
    assert_int_equal(qb_gguf_get_string_at(&text, &length, gguf, "no_texts", 0), QB_ERR_ARG);
    assert_error(qb_gguf_get_string_at(&text, &length, gguf, "floats", 0),
                 "expected an array of strings, got an array of f32");
    assert_error(qb_gguf_get_string_at(&text, &length, gguf, "text", 0), "expected an array");
    assert_error(qb_gguf_get_string_at(&text, &length, gguf, "absent", 0), "key absent is missing");
}

static void values_are_text_for_people(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text;
    } cases[] = {
        {"u8", "200"},
        {"i8", "-7"},
        {"u32", "4294967295"},
        {"huge", "18446744073709551615"},
        {"low", "-9223372036854775808"},
        {"f32", "1e-05"},
        {"f64", "0.25"},
        {"inf", "inf"},
        {"yes", "true"},
        {"no", "false"},
        {"text", "caf\xc3\xa9??[31m"},
        {"empty", ""},
        {"nul", "a?b"},
        {"texts", "[one, , dr\xc3\xa9i]"},
        {"floats", "[0.5, -1, 2]"},
        {"ints", "[-5, 0, 7, \xe2\x80\xa6 9 numbers]"},
        {"flags", "[true, false]"},
        {"nothing", "[]"},
        {"no_texts", "[]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        int index = 0;
        while (strcmp(qb_gguf_key_at(gguf, index), cases[i].key) != 0)
            index++;
        qb_gguf_value_text(text, sizeof text, gguf, index);
        assert_string_equal(text, cases[i].text);
    }
}

static void text_is_cut_to_its_place(void **state)
{
    (void)state;
    int index = 0;
    char text[32];
    while (strcmp(qb_gguf_key_at(gguf, index), "text") != 0)
        index++;
    static const char *const cut[] = {"", "c", "ca", "caf", "caf", "caf\xc3\xa9"};
    for (size_t n = 1; n <= 6; n++) {
        memset(text, 'x', sizeof text);
        qb_gguf_value_text(text, n, gguf, index);
        assert_string_equal(text, cut[n - 1]);
        assert_int_equal(text[n], 'x');
    }
    qb_gguf_value_text(text, 0, gguf, index);
    qb_gguf_value_text(text, sizeof text, gguf, -1);
    assert_string_equal(text, "");
    qb_gguf_value_text(text, sizeof text, gguf, qb_gguf_key_count(gguf));
    assert_string_equal(text, "");
    assert_null(qb_gguf_key_at(gguf, -1));
    assert_null(qb_gguf_key_at(gguf, qb_gguf_key_count(gguf)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_any_width_are_read),
        cmocka_unit_test(integers_out_of_range_are_refused),
        cmocka_unit_test(floats_are_read_when_finite),
        cmocka_unit_test(bools_and_strings_are_read),
        cmocka_unit_test(absent_keys_leave_the_default),
        cmocka_unit_test(arrays_of_numbers_are_copied),
        cmocka_unit_test(strings_of_arrays_are_borrowed),
        cmocka_unit_test(values_are_text_for_people),
        cmocka_unit_test(text_is_cut_to_its_place),
    };
    return cmocka_run_group_tests(tests, open_keys, close_keys);
}
