/* whole_file.h: files that appear whole or not at all, as the library writes its own. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_WHOLE_FILE_H
#define QBOOST_CLI_WHOLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

/* What is written goes to a temporary file beside the one that is meant, which keeps its content
 * until all is on the disk. A link is followed. What is not a regular file (a pipe, a device) is
 * opened and written to as it is. Each call returns false on failure: errno says why, and nothing
 * is left. */
typedef struct WholeFile {
    FILE *stream;    /* to write to; an error of it is told by finish */
    char *path;      /* owned */
    char *temporary; /* owned; NULL when path is written to as it is */
} WholeFile;

bool whole_file_open(WholeFile *out, const char *path);

/* Also closes. */
bool whole_file_finish(WholeFile *file);

/* All of it in one. */
bool whole_file_write(const char *path, const void *data, size_t size_bytes);

#endif
