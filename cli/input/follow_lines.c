/* follow_lines.c: paths as they come on standard input, one a line, or two with a tab between them.
 * Read without stdio, so that waiting for a line can be ended. */
// SPDX-License-Identifier: Apache-2.0
#include "input/follow_source.h"

#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_LINE = 65536 };

struct FollowLines {
    FollowSpec spec;
    Text waiting;       /* bytes that are no whole line yet, or lines behind the one at hand */
    bool ended;         /* there will be no more bytes */
    char *line;         /* at hand, or NULL */
    bool taken;         /* it is done with */
    char *path, *other; /* in line */
    Waiting files[2];
};

FollowLines *follow_lines_open(const FollowSpec *spec)
{
    FollowLines *lines = cli_calloc(1, sizeof *lines);
    lines->spec = *spec;
    return lines;
}

void follow_lines_close(FollowLines **lines)
{
    if (!*lines)
        return;
    text_free(&(*lines)->waiting);
    free((*lines)->line);
    free(*lines);
    *lines = NULL;
}

/* The bytes up to the next line's end, which is not part of them; NULL when there is none yet. */
static char *cut_line(FollowLines *lines)
{
    Text *text = &lines->waiting;
    char *end = text->length > 0 ? memchr(text->data, '\n', text->length) : NULL;
    if (!end && (!lines->ended || text->length == 0))
        return NULL;
    size_t length = end ? (size_t)(end - text->data) : text->length;
    char *line = cli_alloc(length + 1);
    memcpy(line, text->data, length);
    line[length] = 0;
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = 0;
    size_t used = length + (end != NULL);
    memmove(text->data, text->data + used, text->length - used + 1);
    text->length -= used;
    return line;
}

static void take_line(FollowLines *lines, char *line)
{
    char *tab = lines->spec.pairs ? strchr(line, '\t') : NULL;
    char *paths[2] = {line, tab ? tab + 1 : NULL};
    if (tab)
        *tab = 0;
    lines->line = line;
    lines->path = paths[0];
    lines->other = paths[1];
    for (int i = 0; i < 2 && paths[i]; i++) {
        FileStamp stamp;
        file_stamp(&stamp, paths[i]);
        waiting_start(&lines->files[i], &stamp, &lines->spec);
        /* Whoever names a file has written it; if it cannot be read after all, it is waited for. */
        lines->files[i].closed = true;
    }
}

/* One read, which does not block: called when there is something. false: errno says why not. */
static bool read_more(FollowLines *lines)
{
    char buffer[4096];
    ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n < 0)
        return false;
    lines->ended = n == 0;
    text_add_bytes(&lines->waiting, buffer, (size_t)n);
    errno = ENAMETOOLONG;
    return lines->waiting.length <= LONGEST_LINE + sizeof buffer ||
           memchr(lines->waiting.data, '\n', lines->waiting.length);
}

/* The next line that is not empty; NULL: none yet. */
static char *next_line(FollowLines *lines)
{
    char *line;
    while ((line = cut_line(lines)) && !*line)
        free(line);
    return line;
}

static bool has_more(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

SourceState follow_lines_next(FollowLines *lines, Followed *out, double *wait_ms)
{
    if (lines->taken) {
        free(lines->line);
        lines->line = NULL;
        lines->taken = false;
    }
    while (!lines->line) {
        char *line = next_line(lines);
        if (line)
            take_line(lines, line);
        else if (lines->ended)
            return SOURCE_END;
        else if (!has_more())
            return SOURCE_WAIT;
        else if (!read_more(lines))
            return SOURCE_FAILED;
    }
    for (int i = 0; i < (lines->other ? 2 : 1); i++) {
        Waiting *file = &lines->files[i];
        FileStamp stamp;
        file_stamp(&stamp, i ? lines->other : lines->path);
        if (!file_stamp_equal(&stamp, &file->stamp))
            waiting_change(file, &stamp, &lines->spec);
        double ms = waiting_ms(file, &lines->spec);
        if (ms > 0) {
            *wait_ms = fmin(*wait_ms, ms);
            return SOURCE_WAIT;
        }
    }
    *out = (Followed){
        .path = lines->path, .other = lines->other, .mtime_ns = lines->files[0].stamp.mtime_ns};
    return SOURCE_READY;
}

FollowVerdict follow_lines_settle(FollowLines *lines, bool readable)
{
    FollowVerdict verdict = FOLLOW_COUNTS;
    for (int i = 0; i < (lines->other ? 2 : 1); i++) {
        const char *path = i ? lines->other : lines->path;
        FollowVerdict one = waiting_settle(&lines->files[i], path, readable, &lines->spec);
        verdict = one > verdict ? one : verdict;
    }
    lines->taken = verdict != FOLLOW_AGAIN;
    return verdict;
}

int follow_lines_descriptor(const FollowLines *lines)
{
    return lines->line || lines->ended ? -1 : STDIN_FILENO;
}
