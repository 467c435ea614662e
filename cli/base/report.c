/* report.c: one message, one line, one write. */
// SPDX-License-Identifier: Apache-2.0
#include "base/report.h"

#include "base/progress.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void report(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *message = cli_alloc(n < 0 ? 1 : (size_t)n + 1);
    message[0] = 0;
    if (n > 0)
        vsnprintf(message, (size_t)n + 1, format, again);
    va_end(again);
    Text line = {0};
    text_add(&line, "qboost: ");
    text_add_printable(&line, message);
    text_add_char(&line, '\n');
    progress_erase();
    write_all(STDERR_FILENO, line.data, line.length);
    text_free(&line);
    free(message);
}

/* Most of the library's errors begin with the path, control characters in it as '?'. */
static bool begins_with_path(const char *what, const char *path)
{
    for (; *path; path++, what++) {
        bool control = (unsigned char)*path < 0x20 || *path == 0x7f;
        if (*what != (control ? '?' : *path))
            return false;
    }
    return true;
}

void report_about(const char *path, const char *what)
{
    bool named = begins_with_path(what, path);
    report("%s%s%s", path, named ? "" : ": ", what + (named ? strlen(path) : 0));
}
