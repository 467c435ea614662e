/* text.c: growing byte strings, checked memory, UTF-8, whole writes. */
// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "base/exit_code.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

void cli_out_of_memory(void)
{
    static const char message[] = "qboost: out of memory\n";
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(CLI_LIMIT);
}

static void *check(void *block)
{
    if (!block)
        cli_out_of_memory();
    return block;
}

void *cli_alloc(size_t size_bytes)
{
    return check(malloc(size_bytes ? size_bytes : 1));
}

void *cli_calloc(size_t count, size_t size_bytes)
{
    return check(calloc(count ? count : 1, size_bytes));
}

void *cli_realloc(void *block, size_t count, size_t size_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size_bytes, &bytes))
        cli_out_of_memory();
    return check(realloc(block, bytes ? bytes : 1));
}

char *cli_strdup(const char *text)
{
    return check(strdup(text));
}

static void reserve(Text *text, size_t more)
{
    size_t needed = text->length + more + 1;
    if (needed <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity : 128;
    while (capacity < needed)
        capacity *= 2;
    text->data = cli_realloc(text->data, capacity, 1);
    text->capacity = capacity;
}

void text_add_bytes(Text *text, const void *bytes, size_t n)
{
    reserve(text, n);
    memcpy(text->data + text->length, bytes, n);
    text->length += n;
    text->data[text->length] = 0;
}

void text_add(Text *text, const char *more)
{
    text_add_bytes(text, more, strlen(more));
}

void text_add_char(Text *text, char c)
{
    text_add_bytes(text, &c, 1);
}

void text_addf(Text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0) {
        reserve(text, (size_t)n);
        vsnprintf(text->data + text->length, (size_t)n + 1, format, again);
        text->length += (size_t)n;
    }
    va_end(again);
}

int utf8_sequence(const char *bytes, unsigned *code)
{
    static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *b = (const unsigned char *)bytes;
    int n = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : b[0] >> 3 == 30 ? 4 : 0;
    if (n == 0)
        return 0;
    unsigned value = n == 1 ? b[0] : b[0] & (0x7fu >> n);
    for (int i = 1; i < n; i++) {
        if (b[i] >> 6 != 2)
            return 0;
        value = value << 6 | (b[i] & 0x3fu);
    }
    if (value < smallest[n] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    if (code)
        *code = value;
    return n;
}

bool utf8_valid(const char *bytes)
{
    while (*bytes) {
        int n = utf8_sequence(bytes, NULL);
        if (n == 0)
            return false;
        bytes += n;
    }
    return true;
}

void text_add_printable(Text *text, const char *bytes)
{
    while (*bytes) {
        unsigned code = 0;
        int n = utf8_sequence(bytes, &code);
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
                       code == 0x2029 || (code >= 0x202a && code <= 0x202e) ||
                       (code >= 0x2066 && code <= 0x2069); /* also what reverses the line */
        if (n > 0 && !control) {
            text_add_bytes(text, bytes, (size_t)n);
        } else if (*bytes == '\n' || *bytes == '\t' || *bytes == '\r') {
            text_add(text, *bytes == '\n' ? "\\n" : *bytes == '\t' ? "\\t" : "\\r");
        } else {
            n = n ? n : 1;
            for (int i = 0; i < n; i++)
                text_addf(text, "\\x%02x", (unsigned char)bytes[i]);
        }
        bytes += n;
    }
}

/* Columns of the character at bytes, and its length. */
static int columns_of_one(const char *bytes, int *length)
{
    unsigned code = 0;
    int n = utf8_sequence(bytes, &code);
    int columns = n > 1 ? wcwidth((wchar_t)code) : 1;
    *length = n > 0 ? n : 1;
    if (columns < 0) /* not known in this locale: the wide ones begin there */
        columns = code >= 0x1100 ? 2 : 1;
    return columns;
}

void text_add_fitted(Text *text, const char *printable, int columns, bool utf8)
{
    int length, total = 0, dots = utf8 ? 1 : 3;
    for (const char *at = printable; *at; at += length)
        total += columns_of_one(at, &length);
    if (total <= columns) {
        text_add(text, printable);
        return;
    }
    dots = dots < columns ? dots : columns;
    int head = (columns - dots) / 3, tail = columns - dots - head, column = 0;
    const char *at = printable;
    for (; *at && column + columns_of_one(at, &length) <= head; at += length)
        column += columns_of_one(at, &length);
    text_add_bytes(text, printable, (size_t)(at - printable));
    text_add_bytes(text, utf8 ? "…" : "...", utf8 && dots > 0 ? strlen("…") : (size_t)dots);
    for (column = total, at = printable; *at && column > tail; at += length)
        column -= columns_of_one(at, &length);
    text_add(text, at);
}

void text_add_duration(Text *text, double seconds)
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        text_addf(text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        text_addf(text, "%ld:%02ld", s / 60, s % 60);
}

bool text_is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n\v\f")] == 0;
}

/* Columns of n bytes: continuation bytes take none (our own texts have no wide characters). */
static int columns_of(const char *bytes, size_t n)
{
    int columns = 0;
    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return columns;
}

void text_add_wrapped(Text *text, const char *paragraphs, int column, int indent, int width)
{
    bool line_empty = true;
    for (; column < indent; column++)
        text_add_char(text, ' ');
    for (const char *at = paragraphs; *at;) {
        if (*at == '\n') {
            text_add_char(text, '\n');
            column = 0;
            for (at++; *at && *at != '\n' && column < indent; column++)
                text_add_char(text, ' ');
            line_empty = true;
            continue;
        }
        size_t n = strcspn(at, " \n");
        int columns = columns_of(at, n);
        if (!line_empty && column + 1 + columns > width) {
            text_addf(text, "\n%*s", indent, "");
            column = indent;
            line_empty = true;
        }
        if (!line_empty) {
            text_add_char(text, ' ');
            column++;
        }
        text_add_bytes(text, at, n);
        column += columns;
        line_empty = false;
        at += n;
        at += strspn(at, " ");
    }
    text_add_char(text, '\n');
}

void text_add_base64(Text *text, const void *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = bytes;
    text_add(text, "");
    for (size_t i = 0; i < n; i += 3, b += 3) {
        size_t left = n - i < 3 ? n - i : 3;
        unsigned bits =
            (unsigned)b[0] << 16 | (left > 1 ? (unsigned)b[1] << 8 : 0) | (left > 2 ? b[2] : 0);
        for (size_t k = 0; k < 4; k++)
            text_add_char(text, k <= left ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
}

void text_clear(Text *text)
{
    text->length = 0;
    if (text->data)
        text->data[0] = 0;
}

void text_free(Text *text)
{
    free(text->data);
    *text = (Text){0};
}

bool write_all(int fd, const void *data, size_t size_bytes)
{
    const char *at = data;
    while (size_bytes > 0) {
        ssize_t n = write(fd, at, size_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        size_bytes -= (size_t)n;
    }
    return true;
}
