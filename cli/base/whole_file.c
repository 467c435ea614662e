/* whole_file.c: see whole_file.h. */
// SPDX-License-Identifier: Apache-2.0
#include "base/whole_file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The error that brought it here stays in errno. */
static bool give_up(WholeFile *file)
{
    int saved = errno;
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (WholeFile){0};
    errno = saved;
    return false;
}

/* With the permissions that any new file gets: mkstemp would make it private. */
static int create_beside(WholeFile *out)
{
    int fd = -1;
    for (int tries = 0; tries < 1000; tries++) {
        Text name = {0};
        text_addf(&name, "%s.%ld-%d.tmp", out->path, (long)getpid(), tries);
        fd = open(name.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            out->temporary = name.data;
            return fd;
        }
        text_free(&name);
        if (errno != EEXIST)
            return fd;
    }
    return fd;
}

bool whole_file_open(WholeFile *out, const char *path)
{
    struct stat info;
    char *resolved = realpath(path, NULL);
    *out = (WholeFile){.path = resolved ? resolved : cli_strdup(path)};
    bool special = stat(out->path, &info) == 0 && !S_ISREG(info.st_mode);
    int fd = special ? open(out->path, O_WRONLY | O_CLOEXEC) : create_beside(out);
    out->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (out->stream)
        return true;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return give_up(out);
}

bool whole_file_finish(WholeFile *file)
{
    if (ferror(file->stream) || fflush(file->stream) != 0 ||
        (file->temporary && fsync(fileno(file->stream)) != 0))
        return give_up(file);
    bool closed = fclose(file->stream) == 0;
    file->stream = NULL;
    if (!closed || (file->temporary && rename(file->temporary, file->path) != 0))
        return give_up(file);
    free(file->temporary);
    free(file->path);
    *file = (WholeFile){0};
    return true;
}

bool whole_file_write(const char *path, const void *data, size_t size_bytes)
{
    WholeFile file;
    if (!whole_file_open(&file, path))
        return false;
    if (fwrite(data, 1, size_bytes, file.stream) != size_bytes)
        return give_up(&file);
    return whole_file_finish(&file);
}
