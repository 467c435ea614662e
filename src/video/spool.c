/* spool.c: most MP4 files have their index (moov) behind the frames (mdat), where a pipe does not
 * lead back from. Such a video goes to disk first, in TMPDIR or else /tmp; memory stays as small as
 * with any other. Streams made for pipes have moov first and are never written down. */
// SPDX-License-Identifier: Apache-2.0
#include "video/spool.h"

#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 18 };

static uint64_t big_endian(const uint8_t *p, int n_bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < n_bytes; i++)
        value = value << 8 | p[i];
    return value;
}

/* Boxes that come before the index and the frames. */
static bool is_preface(const uint8_t *type)
{
    return !memcmp(type, "ftyp", 4) || !memcmp(type, "wide", 4) || !memcmp(type, "free", 4) ||
           !memcmp(type, "skip", 4) || !memcmp(type, "uuid", 4) || !memcmp(type, "pnot", 4) ||
           !memcmp(type, "pdin", 4);
}

bool qb_video_needs_spool(const uint8_t *head, size_t size)
{
    size_t at = 0;
    while (size - at >= 16) {
        const uint8_t *box = head + at;
        if (!memcmp(box + 4, "mdat", 4))
            return true;
        if (!is_preface(box + 4))
            return false;
        uint64_t length = big_endian(box, 4);
        if (length == 1)
            length = big_endian(box + 8, 8);
        if (length < 8)
            return false;
        if (length > size - at - 1) /* what is behind it cannot be seen from here */
            return true;
        at += (size_t)length;
    }
    return false;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

static int open_temporary(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/qboost-XXXXXX", folder && *folder ? folder : "/tmp");
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

QbStatus qb_video_spool(int *out, const uint8_t *head, size_t size, int fd, const char *name)
{
    *out = -1;
    uint8_t *piece = qb_alloc(PIECE_BYTES);
    if (!piece)
        return QB_ERR_NOMEM;
    QbStatus status = QB_OK;
    int file = open_temporary();
    bool is_written = file >= 0 && write_all(file, head, size);
    while (is_written) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = qb_fail(QB_ERR_IO, "%s: %s", name, strerror(errno));
        if (n <= 0)
            break;
        is_written = write_all(file, piece, (size_t)n);
    }
    if (!is_written)
        status = qb_fail(QB_ERR_IO,
                         "%s: the frames are in front of the index, so that the pipe must be kept "
                         "in a temporary file, and that cannot be written (TMPDIR): %s",
                         name, strerror(errno));
    qb_free(piece);
    if (status && file >= 0)
        close(file);
    *out = status ? -1 : file;
    return status;
}
