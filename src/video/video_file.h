/* video_file.h: the bytes of a video, from a file or a pipe. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_VIDEO_VIDEO_FILE_H
#define QB_VIDEO_VIDEO_FILE_H

#include <qboost/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct QbVideoFile {
    int fd;
    bool is_owned;    /* fd is closed by deinit */
    bool is_seekable; /* a regular file, read by pread: the descriptor's own position stays */
    int64_t base;     /* where the video begins in a seekable file */
    int64_t size;     /* from base; -1 = not known */
    int64_t position; /* from base */
    size_t head_size;
    uint8_t head[4096]; /* its first bytes, which tell a picture from a video */
} QbVideoFile;

/* name: for error texts. The descriptor is borrowed; a seekable one is read from where it stands.
 */
QbStatus qb_video_file_open(QbVideoFile *out, const char *path);
QbStatus qb_video_file_open_fd(QbVideoFile *out, int fd, const char *name);
void qb_video_file_deinit(QbVideoFile *file);

/* For QbVideoHost; user: a QbVideoFile. */
int qb_video_file_read(void *user, uint8_t *out, int size);
bool qb_video_file_seek(void *user, int64_t offset);

#endif
