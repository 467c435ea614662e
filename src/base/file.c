/* file.c: mapping, reading and atomic writing of files; see file.h. */
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static QbStatus fail_errno(const char *path)
{
    return qb_fail(errno == ENOMEM ? QB_ERR_NOMEM : QB_ERR_IO, "%s: %s", path, strerror(errno));
}

static QbStatus open_for_reading(int *out, struct stat *info, const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return fail_errno(path);
    QbStatus status = QB_OK;
    if (fstat(fd, info))
        status = fail_errno(path);
    else if (S_ISDIR(info->st_mode))
        status = qb_fail(QB_ERR_IO, "%s: is a folder", path);
    if (status) {
        close(fd);
        return status;
    }
    *out = fd;
    return QB_OK;
}

QbStatus qb_file_map(QbFileMap *out, const char *path)
{
    *out = (QbFileMap){0};
    struct stat info;
    int fd;
    /* a pipe must not be waited for */
    QbStatus status = open_for_reading(&fd, &info, path, O_NONBLOCK);
    if (status)
        return status;
    if (!S_ISREG(info.st_mode) || info.st_size <= 0) {
        close(fd);
        return qb_fail(QB_ERR_FORMAT, "%s: %s", path,
                       S_ISREG(info.st_mode) ? "is empty" : "is not a regular file");
    }
    size_t size = (size_t)info.st_size;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    status = data == MAP_FAILED ? fail_errno(path) : QB_OK;
    close(fd);
    if (!status)
        *out = (QbFileMap){.data = data, .size = size, .mapped = 1};
    return status;
}

void qb_file_unmap(QbFileMap *map)
{
    if (map->mapped)
        munmap((void *)(uintptr_t)map->data, map->size);
    *map = (QbFileMap){0};
}

void qb_file_map_release(const QbFileMap *map, const void *data, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)data + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)data + size) / page * page;
    if (map->mapped && end > begin)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

static QbStatus read_all(uint8_t **data, size_t *size, size_t capacity, int fd, const char *path,
                         size_t max_bytes)
{
    for (;;) {
        if (*size == capacity) {
            size_t wanted = capacity < max_bytes / 2 ? capacity * 2 : max_bytes + 1;
            if (capacity > max_bytes)
                return qb_fail(QB_ERR_LIMIT, "%s: is larger than %zu bytes", path, max_bytes);
            uint8_t *grown = qb_realloc(*data, *size, wanted);
            if (!grown)
                return QB_ERR_NOMEM;
            *data = grown;
            capacity = wanted;
        }
        ssize_t got = read(fd, *data + *size, capacity - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(path);
        if (got == 0)
            return QB_OK;
        *size += (size_t)got;
    }
}

/* Closes fd. */
static QbStatus read_file(uint8_t **out_data, size_t *out_size, int fd, const struct stat *info,
                          const char *path, size_t max_bytes)
{
    if (max_bytes > SIZE_MAX - 1)
        max_bytes = SIZE_MAX - 1;
    /* One byte more than the file has, so that the end is seen without growing. */
    size_t capacity = 65536;
    if (S_ISREG(info->st_mode) && info->st_size >= 0) {
        if ((uintmax_t)info->st_size > max_bytes) {
            close(fd);
            return qb_fail(QB_ERR_LIMIT, "%s: %jd bytes, the limit is %zu", path,
                           (intmax_t)info->st_size, max_bytes);
        }
        capacity = (size_t)info->st_size + 1;
    }
    uint8_t *data = qb_alloc(capacity);
    size_t size = 0;
    QbStatus status = data ? read_all(&data, &size, capacity, fd, path, max_bytes) : QB_ERR_NOMEM;
    if (!status && size > max_bytes)
        status = qb_fail(QB_ERR_LIMIT, "%s: is larger than %zu bytes", path, max_bytes);
    close(fd);
    if (status) {
        qb_free(data);
        return status;
    }
    *out_data = data;
    *out_size = size;
    return QB_OK;
}

QbStatus qb_file_read(uint8_t **out_data, size_t *out_size, const char *path, size_t max_bytes)
{
    struct stat info;
    int fd;
    *out_data = NULL;
    *out_size = 0;
    QbStatus status = open_for_reading(&fd, &info, path, 0);
    return status ? status : read_file(out_data, out_size, fd, &info, path, max_bytes);
}

QbStatus qb_file_read_regular(uint8_t **out_data, size_t *out_size, const char *path,
                              size_t max_bytes)
{
    struct stat info;
    int fd;
    *out_data = NULL;
    *out_size = 0;
    QbStatus status = open_for_reading(&fd, &info, path, O_NONBLOCK);
    if (status)
        return status;
    if (!S_ISREG(info.st_mode)) {
        close(fd);
        return qb_fail(QB_ERR_IO, "%s: is not a regular file", path);
    }
    return read_file(out_data, out_size, fd, &info, path, max_bytes);
}

bool qb_file_is_pointer(const void *data, size_t n)
{
    static const char start[] = "version https://git-lfs."; /* git-lfs, docs/spec.md */
    return memcmp(data, start, n < sizeof start - 1 ? n : sizeof start - 1) == 0;
}

/* A new file beside path with the permissions that any new file gets; mkstemp would make it
 * private, and asking for the umask changes it for other threads for a moment. */
static int create_temporary(char *out, size_t size, const char *path)
{
    static atomic_uint counter;
    for (int tries = 0; tries < 1000; tries++) {
        snprintf(out, size, "%s.%ld-%u.tmp", path, (long)getpid(), atomic_fetch_add(&counter, 1));
        int fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* Pipes, devices and the like are written to as they are: a rename would replace them. */
static QbStatus open_special(QbAtomicFile *out, const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    out->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (out->stream)
        return QB_OK;
    QbStatus status = fail_errno(path);
    if (fd >= 0)
        close(fd);
    return status;
}

static QbStatus open_beside(QbAtomicFile *out)
{
    size_t length = strlen(out->path) + 64;
    char *temporary = qb_alloc(length);
    if (!temporary)
        return QB_ERR_NOMEM;
    int fd = create_temporary(temporary, length, out->path);
    if (fd < 0) {
        QbStatus status = fail_errno(out->path);
        qb_free(temporary);
        return status;
    }
    out->temporary_path = temporary;
    out->stream = fdopen(fd, "wb");
    if (out->stream)
        return QB_OK;
    QbStatus status = fail_errno(out->path);
    close(fd);
    return status;
}

QbStatus qb_atomic_file_open(QbAtomicFile *out, const char *path)
{
    *out = (QbAtomicFile){0};
    /* what a link points to is replaced, not the link */
    char *resolved = realpath(path, NULL);
    out->path = qb_strdup(resolved ? resolved : path);
    free(resolved);
    QbStatus status = out->path ? QB_OK : QB_ERR_NOMEM;
    struct stat info;
    if (!status && stat(out->path, &info) == 0 && S_ISDIR(info.st_mode))
        status = qb_fail(QB_ERR_IO, "%s: is a folder", path);
    else if (!status && stat(out->path, &info) == 0 && !S_ISREG(info.st_mode))
        status = open_special(out, out->path);
    else if (!status)
        status = open_beside(out);
    if (status)
        qb_atomic_file_abandon(out);
    return status;
}

QbStatus qb_atomic_file_commit(QbAtomicFile *file)
{
    int bad = fflush(file->stream) || ferror(file->stream);
    if (!bad && file->temporary_path)
        bad = fsync(fileno(file->stream));
    bad |= fclose(file->stream);
    file->stream = NULL;
    if (!bad && file->temporary_path)
        bad = rename(file->temporary_path, file->path);
    if (bad) {
        QbStatus status = fail_errno(file->path);
        qb_atomic_file_abandon(file);
        return status;
    }
    qb_free(file->temporary_path);
    qb_free(file->path);
    *file = (QbAtomicFile){0};
    return QB_OK;
}

void qb_atomic_file_abandon(QbAtomicFile *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary_path)
        unlink(file->temporary_path);
    qb_free(file->temporary_path);
    qb_free(file->path);
    *file = (QbAtomicFile){0};
}
