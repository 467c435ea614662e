/* file.h: whole files as memory, and files that appear whole or not at all. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_FILE_H
#define QB_BASE_FILE_H

#include <qboost/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A read-only file mapping, or memory that belongs to somebody else. */
typedef struct QbFileMap {
    const uint8_t *data; /* owned mapping, or borrowed when mapped is 0 */
    size_t size;
    int mapped;
} QbFileMap;

/* Maps a regular file; an empty one, a folder or a device is an error. */
QbStatus qb_file_map(QbFileMap *out, const char *path);
void qb_file_unmap(QbFileMap *map);

/* Gives the memory of the whole pages in data[size] back: they are read from the file again when
 * they are looked at. Does nothing for memory that is not mapped. */
void qb_file_map_release(const QbFileMap *map, const void *data, size_t size);

/* Reads the whole of a regular file, pipe or device into memory, at most max_bytes.
 * *out_data: owned, qb_free. A file read this way may change or shrink meanwhile without harm,
 * which a mapping does not forgive. */
QbStatus qb_file_read(uint8_t **out_data, size_t *out_size, const char *path, size_t max_bytes);

/* The same for a regular file alone: in a folder from a stranger, a pipe that nobody writes to
 * would be waited for. */
QbStatus qb_file_read_regular(uint8_t **out_data, size_t *out_size, const char *path,
                              size_t max_bytes);

/* Whether the first bytes of a file are those of the text that Git LFS leaves in place of a large
 * one that was not fetched. n >= 8. */
bool qb_file_is_pointer(const void *data, size_t n);

/* A temporary file beside path; commit renames it to path, abandon removes it. A link is followed.
 * What is not a regular file (a pipe, a device) is opened and written to as it is. */
typedef struct QbAtomicFile {
    FILE *stream;
    char *path;           /* owned */
    char *temporary_path; /* owned */
} QbAtomicFile;

QbStatus qb_atomic_file_open(QbAtomicFile *out, const char *path);
QbStatus qb_atomic_file_commit(QbAtomicFile *file); /* also closes; on failure nothing is left */
void qb_atomic_file_abandon(QbAtomicFile *file);    /* accepts a closed or zeroed one */

#endif
