/* video_file.c: reads the bytes of a video. The first ones are looked at before FFmpeg is; from a
 * pipe they are kept and handed out again, and if they say that the rest cannot be read as it
 * comes, a temporary file takes the place of the pipe. */
// SPDX-License-Identifier: Apache-2.0
#include "video/video_file.h"

#include "base/error.h"
#include "video/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t read_some(QbVideoFile *file, uint8_t *out, size_t size)
{
    ssize_t n;
    do {
        n = file->is_seekable ? pread(file->fd, out, size, (off_t)(file->base + file->position))
                              : read(file->fd, out, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* What is in the pipe becomes a file. */
static QbStatus spool(QbVideoFile *file, const char *name)
{
    struct stat info;
    int fd;
    QbStatus status = qb_video_spool(&fd, file->head, file->head_size, file->fd, name);
    if (status)
        return status;
    if (fstat(fd, &info)) {
        status = qb_fail(QB_ERR_IO, "%s: %s", name, strerror(errno));
        close(fd);
        return status;
    }
    file->fd = fd;
    file->is_owned = true;
    file->is_seekable = true;
    file->size = info.st_size;
    return QB_OK;
}

QbStatus qb_video_file_open_fd(QbVideoFile *out, int fd, const char *name)
{
    struct stat info;
    *out = (QbVideoFile){.fd = fd, .size = -1};
    if (fstat(fd, &info))
        return qb_fail(QB_ERR_IO, "%s: %s", name, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return qb_fail(QB_ERR_IO, "%s: is a folder", name);
    off_t base = S_ISREG(info.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
    if (base >= 0) {
        out->is_seekable = true;
        out->base = base;
        out->size = info.st_size > base ? info.st_size - base : 0;
    }
    while (out->head_size < sizeof out->head) {
        ssize_t n = read_some(out, out->head + out->head_size, sizeof out->head - out->head_size);
        if (n < 0)
            return qb_fail(QB_ERR_IO, "%s: %s", name, strerror(errno));
        if (n == 0)
            break;
        out->head_size += (size_t)n;
        out->position += n;
    }
    out->position = 0;
    if (!out->head_size)
        return qb_fail(QB_ERR_FORMAT, "%s: is empty", name);
    bool needs_spool = !out->is_seekable && qb_video_needs_spool(out->head, out->head_size);
    return needs_spool ? spool(out, name) : QB_OK;
}

QbStatus qb_video_file_open(QbVideoFile *out, const char *path)
{
    *out = (QbVideoFile){.fd = -1};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return qb_fail(QB_ERR_IO, "%s: %s", path, strerror(errno));
    QbStatus status = qb_video_file_open_fd(out, fd, path);
    if (out->fd != fd) /* spooled from a named pipe */
        close(fd);
    out->is_owned = true;
    return status;
}

void qb_video_file_deinit(QbVideoFile *file)
{
    if (file->is_owned)
        close(file->fd);
    *file = (QbVideoFile){.fd = -1};
}

int qb_video_file_read(void *user, uint8_t *out, int size)
{
    QbVideoFile *file = user;
    if (size <= 0)
        return 0;
    ssize_t n;
    if (!file->is_seekable && file->position < (int64_t)file->head_size) {
        size_t left = file->head_size - (size_t)file->position;
        n = (ssize_t)(left < (size_t)size ? left : (size_t)size);
        memcpy(out, file->head + file->position, (size_t)n);
    } else {
        n = read_some(file, out, (size_t)size);
    }
    if (n > 0)
        file->position += n;
    return (int)n;
}

bool qb_video_file_seek(void *user, int64_t offset)
{
    QbVideoFile *file = user;
    if (!file->is_seekable || offset < 0 || offset > INT64_MAX - file->base)
        return false;
    file->position = offset;
    return true;
}
