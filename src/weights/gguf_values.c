/* gguf_values.c: typed access to the keys of an open GGUF file. A value of the wrong kind or out of
 * range is an error that names file, key, what was expected and what is there. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/gguf_internal.h"

#include "base/error.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX_ELEMENTS = 8, TEXT_SHOWN_ELEMENTS = 3 }; /* of arrays as text for people */

typedef struct KindInfo {
    const char *name;
    size_t bytes;
} KindInfo;

static const KindInfo kinds[GGUF_KIND_COUNT] = {
    [GGUF_U8] = {"u8", 1},       [GGUF_I8] = {"i8", 1},     [GGUF_U16] = {"u16", 2},
    [GGUF_I16] = {"i16", 2},     [GGUF_U32] = {"u32", 4},   [GGUF_I32] = {"i32", 4},
    [GGUF_F32] = {"f32", 4},     [GGUF_BOOL] = {"bool", 1}, [GGUF_STRING] = {"string", 0},
    [GGUF_ARRAY] = {"array", 0}, [GGUF_U64] = {"u64", 8},   [GGUF_I64] = {"i64", 8},
    [GGUF_F64] = {"f64", 8},
};

const char *qb_gguf_kind_name(GgufKind kind)
{
    return kinds[kind].name;
}

size_t qb_gguf_kind_bytes(GgufKind kind)
{
    return kinds[kind].bytes;
}

/* ---- one element ----------------------------------------------------------------------------- */

static uint64_t load_element(const GgufKey *key, size_t i)
{
    size_t bytes = kinds[key->element].bytes;
    return gguf_load(key->values + i * bytes, bytes);
}

static bool is_unsigned(GgufKind kind)
{
    return kind == GGUF_U8 || kind == GGUF_U16 || kind == GGUF_U32 || kind == GGUF_U64;
}

static bool is_signed(GgufKind kind)
{
    return kind == GGUF_I8 || kind == GGUF_I16 || kind == GGUF_I32 || kind == GGUF_I64;
}

static bool is_float(GgufKind kind)
{
    return kind == GGUF_F32 || kind == GGUF_F64;
}

/* Of a signed kind. */
static int64_t load_signed(const GgufKey *key, size_t i)
{
    int unused_bits = 64 - 8 * (int)kinds[key->element].bytes;
    return (int64_t)(load_element(key, i) << unused_bits) >> unused_bits;
}

/* Of a float kind. */
static double load_float(const GgufKey *key, size_t i)
{
    uint64_t bits = load_element(key, i);
    if (key->element == GGUF_F64) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    uint32_t bits32 = (uint32_t)bits;
    float value;
    memcpy(&value, &bits32, sizeof value);
    return (double)value;
}

/* Element i as a number from low to high. */
static QbStatus read_integer(int64_t *out, const QbGguf *gguf, const GgufKey *key, size_t i,
                             int64_t low, int64_t high)
{
    if (is_unsigned(key->element)) {
        uint64_t value = load_element(key, i);
        if (value <= (uint64_t)high) {
            *out = (int64_t)value;
            return QB_OK;
        }
        return qb_fail(QB_ERR_FORMAT, "%s: key %s: %" PRIu64 " is not from %" PRId64 " to %" PRId64,
                       gguf->name, key->name, value, low, high);
    }
    if (!is_signed(key->element))
        return qb_fail(QB_ERR_FORMAT, "%s: key %s: expected an integer, got %s", gguf->name,
                       key->name, kinds[key->element].name);
    int64_t value = load_signed(key, i);
    if (value < low || value > high)
        return qb_fail(QB_ERR_FORMAT, "%s: key %s: %" PRId64 " is not from %" PRId64 " to %" PRId64,
                       gguf->name, key->name, value, low, high);
    *out = value;
    return QB_OK;
}

static QbStatus read_float(float *out, const QbGguf *gguf, const GgufKey *key, size_t i)
{
    if (!is_float(key->element))
        return qb_fail(QB_ERR_FORMAT, "%s: key %s: expected a float, got %s", gguf->name, key->name,
                       kinds[key->element].name);
    double value = load_float(key, i);
    if (!(fabs(value) <= (double)__FLT_MAX__))
        return qb_fail(QB_ERR_FORMAT, "%s: key %s: %g is not a finite 32-bit float", gguf->name,
                       key->name, value);
    *out = (float)value;
    return QB_OK;
}

/* ---- single values --------------------------------------------------------------------------- */

static QbStatus fail_absent(const QbGguf *gguf, const char *key)
{
    return qb_fail(QB_ERR_FORMAT, "%s: key %s is missing", gguf->name, key);
}

static QbStatus fail_kind(const QbGguf *gguf, const GgufKey *key, const char *expected)
{
    return qb_fail(QB_ERR_FORMAT, "%s: key %s: expected %s, got %s%s", gguf->name, key->name,
                   expected, key->kind == GGUF_ARRAY ? "an array of " : "",
                   kinds[key->element].name);
}

QbStatus qb_gguf_get_u32_or(uint32_t *out, const QbGguf *gguf, const char *name)
{
    const GgufKey *key = qb_gguf_find_key(gguf, name);
    int64_t value = 0;
    if (!key)
        return QB_OK;
    if (key->kind == GGUF_ARRAY)
        return fail_kind(gguf, key, "an integer");
    QbStatus status = read_integer(&value, gguf, key, 0, 0, UINT32_MAX);
    if (!status)
        *out = (uint32_t)value;
    return status;
}

QbStatus qb_gguf_get_f32_or(float *out, const QbGguf *gguf, const char *name)
{
    const GgufKey *key = qb_gguf_find_key(gguf, name);
    if (!key)
        return QB_OK;
    if (key->kind == GGUF_ARRAY)
        return fail_kind(gguf, key, "a float");
    return read_float(out, gguf, key, 0);
}

QbStatus qb_gguf_get_bool_or(bool *out, const QbGguf *gguf, const char *name)
{
    const GgufKey *key = qb_gguf_find_key(gguf, name);
    if (!key)
        return QB_OK;
    if (key->kind != GGUF_BOOL)
        return fail_kind(gguf, key, "a bool");
    *out = key->values[0] != 0;
    return QB_OK;
}

QbStatus qb_gguf_get_string_or(const char **out, const QbGguf *gguf, const char *name)
{
    const GgufKey *key = qb_gguf_find_key(gguf, name);
    if (!key)
        return QB_OK;
    if (key->kind != GGUF_STRING)
        return fail_kind(gguf, key, "a string");
    if (memchr(key->text, 0, key->count))
        return qb_fail(QB_ERR_FORMAT, "%s: key %s: the string has a NUL inside", gguf->name, name);
    *out = key->text;
    return QB_OK;
}

QbStatus qb_gguf_get_u32(uint32_t *out, const QbGguf *gguf, const char *key)
{
    return qb_gguf_has_key(gguf, key) ? qb_gguf_get_u32_or(out, gguf, key) : fail_absent(gguf, key);
}

QbStatus qb_gguf_get_f32(float *out, const QbGguf *gguf, const char *key)
{
    return qb_gguf_has_key(gguf, key) ? qb_gguf_get_f32_or(out, gguf, key) : fail_absent(gguf, key);
}

QbStatus qb_gguf_get_bool(bool *out, const QbGguf *gguf, const char *key)
{
    return qb_gguf_has_key(gguf, key) ? qb_gguf_get_bool_or(out, gguf, key)
                                      : fail_absent(gguf, key);
}

QbStatus qb_gguf_get_string(const char **out, const QbGguf *gguf, const char *key)
{
    return qb_gguf_has_key(gguf, key) ? qb_gguf_get_string_or(out, gguf, key)
                                      : fail_absent(gguf, key);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static QbStatus find_array(const GgufKey **out, const QbGguf *gguf, const char *name)
{
    *out = qb_gguf_find_key(gguf, name);
    if (!*out)
        return fail_absent(gguf, name);
    return (*out)->kind == GGUF_ARRAY ? QB_OK : fail_kind(gguf, *out, "an array");
}

static QbStatus find_array_of(const GgufKey **out, const QbGguf *gguf, const char *name, size_t n)
{
    QbStatus status = find_array(out, gguf, name);
    if (!status && (*out)->count != n)
        status = qb_fail(QB_ERR_FORMAT, "%s: key %s: expected %zu elements, got %zu", gguf->name,
                         name, n, (*out)->count);
    return status;
}

QbStatus qb_gguf_get_array_length(size_t *out, const QbGguf *gguf, const char *name)
{
    const GgufKey *key;
    QbStatus status = find_array(&key, gguf, name);
    if (!status)
        *out = key->count;
    return status;
}

QbStatus qb_gguf_copy_f32_array(float *out, size_t n, const QbGguf *gguf, const char *name)
{
    const GgufKey *key;
    QbStatus status = find_array_of(&key, gguf, name, n);
    for (size_t i = 0; i < n && !status; i++)
        status = read_float(&out[i], gguf, key, i);
    return status;
}

QbStatus qb_gguf_copy_i32_array(int32_t *out, size_t n, const QbGguf *gguf, const char *name)
{
    const GgufKey *key;
    QbStatus status = find_array_of(&key, gguf, name, n);
    for (size_t i = 0; i < n && !status; i++) {
        int64_t value = 0;
        status = read_integer(&value, gguf, key, i, INT32_MIN, INT32_MAX);
        if (!status)
            out[i] = (int32_t)value;
    }
    return status;
}

static const char *string_at(size_t *out_length, const QbGguf *gguf, const GgufKey *key, size_t i)
{
    const uint8_t *start = gguf->file.data + key->offsets[i];
    *out_length = (size_t)gguf_load(start, 8);
    return (const char *)start + 8;
}

QbStatus qb_gguf_get_string_at(const char **out, size_t *out_length, const QbGguf *gguf,
                               const char *name, size_t i)
{
    const GgufKey *key;
    QbStatus status = find_array(&key, gguf, name);
    if (status)
        return status;
    if (key->element != GGUF_STRING)
        return fail_kind(gguf, key, "an array of strings");
    if (i >= key->count)
        return qb_fail(QB_ERR_ARG, "%s: key %s: element %zu of %zu wanted", gguf->name, name, i,
                       key->count);
    *out = string_at(out_length, gguf, key, i);
    return QB_OK;
}

/* ---- text for people ------------------------------------------------------------------------- */

/* Text that grows until its place is full; the NUL is always there. */
typedef struct TextOut {
    char *text;
    size_t size, length;
} TextOut;

/* Adds bytes; control characters become '?'. */
static void add_bytes(TextOut *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n && out->length + 1 < out->size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        out->text[out->length++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    out->text[out->length] = 0;
}

static void add_format(TextOut *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_format(TextOut *out, const char *format, ...)
{
    char text[64]; /* more than any number takes */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add_bytes(out, text, strlen(text));
}

/* A full place may have cut a UTF-8 character: takes its beginning away. */
static void drop_cut_character(TextOut *out)
{
    size_t tail = 0; /* continuation bytes at the end */
    while (tail < out->length && tail < 3 &&
           ((unsigned char)out->text[out->length - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail == out->length)
        return;
    unsigned char lead = (unsigned char)out->text[out->length - 1 - tail];
    size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (wanted > tail)
        out->text[out->length -= tail + 1] = 0;
}

static void add_element(TextOut *out, const QbGguf *gguf, const GgufKey *key, size_t i)
{
    size_t length = key->count;
    const char *text = key->text;
    if (key->element == GGUF_STRING) {
        if (key->kind == GGUF_ARRAY)
            text = string_at(&length, gguf, key, i);
        add_bytes(out, text, length);
    } else if (key->element == GGUF_BOOL)
        add_format(out, "%s", key->values[i] ? "true" : "false");
    else if (is_float(key->element))
        add_format(out, "%.*g", key->element == GGUF_F32 ? 7 : 15, load_float(key, i));
    else if (is_signed(key->element))
        add_format(out, "%" PRId64, load_signed(key, i));
    else
        add_format(out, "%" PRIu64, load_element(key, i));
}

void qb_gguf_value_text(char *text, size_t n, const QbGguf *gguf, int index)
{
    if (n == 0)
        return;
    TextOut out = {.text = text, .size = n};
    text[0] = 0;
    if (index < 0 || (size_t)index >= gguf->n_keys)
        return;
    const GgufKey *key = &gguf->keys[index];
    bool is_array = key->kind == GGUF_ARRAY;
    size_t shown = !is_array                         ? 1
                   : key->count <= TEXT_MAX_ELEMENTS ? key->count
                                                     : TEXT_SHOWN_ELEMENTS;
    if (is_array)
        add_bytes(&out, "[", 1);
    for (size_t i = 0; i < shown; i++) {
        if (i)
            add_bytes(&out, ", ", 2);
        add_element(&out, gguf, key, i);
    }
    if (is_array && shown < key->count)
        add_format(&out, ", … %zu %s", key->count,
                   key->element == GGUF_STRING ? "strings"
                   : key->element == GGUF_BOOL ? "bools"
                                               : "numbers");
    if (is_array)
        add_bytes(&out, "]", 1);
    if (out.length + 1 == out.size)
        drop_cut_character(&out);
}
