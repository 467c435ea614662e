/* error.c: status names and the thread-local text of the last error. The text lives in a fixed
 * buffer, so reporting that memory ran out needs no memory. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The longest path and a sentence about it: the cause comes last and must not be cut off. */
enum { PREFIX_BYTES = 4096 + 256, MESSAGE_BYTES = PREFIX_BYTES + 1024 };

static _Thread_local char last_error[MESSAGE_BYTES];

/* File names and tags from strangers end up in messages: one line, no control bytes. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

QbStatus qb_fail(QbStatus status, const char *format, ...)
{
    char text[sizeof last_error]; /* arguments may point into last_error */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    make_printable(text);
    memcpy(last_error, text, sizeof last_error);
    return status;
}

QbStatus qb_fail_prefix(QbStatus status, const char *format, ...)
{
    char prefix[PREFIX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    char rest[sizeof last_error];
    memcpy(rest, last_error, sizeof rest);
    return qb_fail(status, "%s: %s", prefix, rest);
}

const char *qb_last_error(void)
{
    return last_error;
}

const char *qb_status_name(QbStatus status)
{
    static const char *const names[] = {"ok",           "invalid argument", "out of memory",
                                        "i/o error",    "format error",     "unsupported",
                                        "over a limit", "cancelled"};
    const int n = (int)(sizeof names / sizeof *names);
    return status <= 0 && status > -n ? names[-status] : "unknown status";
}
