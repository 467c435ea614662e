/* text.h: growing byte strings, and memory that is either there or ends the program.
 *
 * A command line program has nothing sensible to do when a few kilobytes are missing: the functions
 * here say so on stderr and exit with CLI_LIMIT, so callers need no checks. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TEXT_H
#define QBOOST_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Says so and ends the program. */
void cli_out_of_memory(void) __attribute__((noreturn));

/* Never NULL. Freed by free(). */
void *cli_alloc(size_t size_bytes);
void *cli_calloc(size_t count, size_t size_bytes);
void *cli_realloc(void *block, size_t count, size_t size_bytes);
char *cli_strdup(const char *text);

/* data is NUL-terminated once anything was added; start with a zeroed struct. */
typedef struct Text {
    char *data;
    size_t length, capacity;
} Text;

void text_add(Text *text, const char *more);
void text_add_bytes(Text *text, const void *bytes, size_t n);
void text_add_char(Text *text, char c);
void text_addf(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds bytes for a person to read: control characters and what is not UTF-8 as \n, \t or \x1b, so
 * that a file name can neither break a line nor drive the terminal. */
void text_add_printable(Text *text, const char *bytes);

/* Adds printable text cut to so many columns, an ellipsis in its middle for what is left out; the
 * end, where names differ, gets the larger part. */
void text_add_fitted(Text *text, const char *printable, int columns, bool utf8);

/* "0:07", "12:34", "1:02:03": whole seconds, rounded. */
void text_add_duration(Text *text, double seconds);

/* true when there is nothing in text but white space. */
bool text_is_blank(const char *text);

/* Adds paragraphs (separated by '\n') broken into lines of at most width columns, each with indent
 * spaces in front; the first line goes on at column, where the text stands now. */
void text_add_wrapped(Text *text, const char *paragraphs, int column, int indent, int width);

/* Adds bytes in base64 (RFC 4648, section 4), without line breaks. */
void text_add_base64(Text *text, const void *bytes, size_t n);

void text_clear(Text *text);
void text_free(Text *text);

/* Length of the UTF-8 sequence at bytes (1 .. 4), 0 when it is not valid UTF-8. *code (may be NULL)
 * gets the code point. bytes is NUL-terminated. */
int utf8_sequence(const char *bytes, unsigned *code);
bool utf8_valid(const char *bytes);

/* Writes all of data to a file descriptor. false: errno says why. */
bool write_all(int fd, const void *data, size_t size_bytes);

#endif
