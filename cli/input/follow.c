/* follow.c: waits for whichever source there is, for the end of the time and for being stopped. */
// SPDX-License-Identifier: Apache-2.0
#include "input/follow.h"

#include "base/progress.h"
#include "base/text.h"
#include "input/follow_source.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum {
    QUIET_MS = 2000, /* a file that nobody said was closed may still be filled, even if its size is
                        final */
    RETRY_MS = 250,
    UNSTEADY_MS = 1000
};

struct Follow {
    FollowSpec spec;
    double end_ms; /* by clock_ms */
    FollowFolder *folder;
    FollowLines *lines;
};

bool file_stamp(FileStamp *out, const char *path)
{
    struct stat info;
    *out = (FileStamp){.size = -1};
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    out->mtime_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
    out->size = info.st_size;
    out->device = info.st_dev;
    out->inode = info.st_ino;
    return true;
}

bool file_stamp_equal(const FileStamp *a, const FileStamp *b)
{
    return a->mtime_ns == b->mtime_ns && a->size == b->size && a->device == b->device &&
           a->inode == b->inode;
}

double file_stamp_age_s(const FileStamp *stamp)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec - (double)stamp->mtime_ns / 1e9 + (double)now.tv_nsec / 1e9;
}

void waiting_start(Waiting *out, const FileStamp *stamp, const FollowSpec *spec)
{
    bool old = stamp->size >= 0 && file_stamp_age_s(stamp) > spec->patience_s;
    double now = clock_ms();
    *out = (Waiting){.stamp = *stamp,
                     .since_ms = old ? -INFINITY : now,
                     .changing_ms = old || stamp->size < 0 ? INFINITY : now};
}

void waiting_change(Waiting *waiting, const FileStamp *stamp, const FollowSpec *spec)
{
    const Waiting before = *waiting;
    waiting_start(waiting, stamp, spec);
    /* Just now, whatever its time says: one that is being emptied keeps its own for a moment. */
    waiting->since_ms = clock_ms();
    waiting->changing_ms =
        stamp->size < 0 ? before.changing_ms : fmin(before.changing_ms, clock_ms());
    waiting->tried = before.tried;
    waiting->being_written = before.being_written;
}

/* It has not changed for so long that it is what it is. */
static bool is_over(const Waiting *waiting, const FollowSpec *spec)
{
    return clock_ms() - waiting->since_ms >= spec->patience_s * 1e3;
}

/* A run that looks once does not wait for ever for a file to come to rest. */
static bool is_unsteady(const Waiting *waiting, const FollowSpec *spec)
{
    return spec->once &&
           clock_ms() - waiting->changing_ms >= 2 * spec->patience_s * 1e3 + UNSTEADY_MS;
}

double waiting_ms(const Waiting *waiting, const FollowSpec *spec)
{
    double now = clock_ms(), patience_ms = spec->patience_s * 1e3;
    double until = waiting->since_ms + fmin(patience_ms, QUIET_MS);
    /* One that is written over and over is never quiet. */
    bool restless = now - waiting->changing_ms >= patience_ms && !waiting->being_written;
    if (waiting->closed || restless || is_unsteady(waiting, spec))
        until = now;
    else if (waiting->being_written)
        until = waiting->since_ms + patience_ms;
    until = fmax(until, waiting->retry_ms);
    return until > now ? until - now : 0;
}

FollowVerdict waiting_settle(Waiting *waiting, const char *path, bool readable,
                             const FollowSpec *spec)
{
    FileStamp now;
    file_stamp(&now, path);
    bool same = file_stamp_equal(&now, &waiting->stamp);
    if (same && (is_over(waiting, spec) || (readable && !waiting->being_written)))
        return FOLLOW_COUNTS;
    if (is_unsteady(waiting, spec))
        return FOLLOW_UNSTEADY;
    if (!same)
        waiting_change(waiting, &now, spec);
    waiting->tried = true;
    waiting->retry_ms = clock_ms() + RETRY_MS;
    return FOLLOW_AGAIN;
}

bool follow_is_no_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

bool follow_open(Follow **out, const FollowSpec *spec)
{
    Follow *follow = cli_calloc(1, sizeof *follow);
    follow->spec = *spec;
    follow->end_ms = clock_ms() + spec->timeout_s * 1e3;
    if (spec->folder && !follow_folder_open(&follow->folder, spec)) {
        int saved = errno;
        free(follow);
        errno = saved;
        return false;
    }
    if (!spec->folder)
        follow->lines = follow_lines_open(spec);
    *out = follow;
    return true;
}

void follow_close(Follow **follow)
{
    if (!*follow)
        return;
    follow_folder_close(&(*follow)->folder);
    follow_lines_close(&(*follow)->lines);
    free(*follow);
    *follow = NULL;
}

/* false: it is time to stop. */
static bool wait_for_change(const Follow *follow, double wait_ms)
{
    int source = follow->folder ? follow_folder_descriptor(follow->folder)
                                : follow_lines_descriptor(follow->lines);
    struct pollfd polled[] = {{.fd = follow->spec.stop_fd, .events = POLLIN},
                              {.fd = source, .events = POLLIN}};
    double left = follow->end_ms - clock_ms();
    wait_ms = wait_ms < left ? wait_ms : left;
    poll(polled, 2, wait_ms > 0 ? (int)ceil(wait_ms) : 0);
    return !(polled[0].revents & POLLIN);
}

FollowEvent follow_next(Follow *follow, Followed *out)
{
    for (;;) {
        double wait_ms = FOLLOW_TICK_MS;
        SourceState state = follow->folder ? follow_folder_next(follow->folder, out, &wait_ms)
                                           : follow_lines_next(follow->lines, out, &wait_ms);
        if (state == SOURCE_FAILED)
            return FOLLOW_FAILED;
        if (state == SOURCE_END)
            return FOLLOW_END;
        bool ready = state == SOURCE_READY;
        if (!ready && clock_ms() >= follow->end_ms)
            return FOLLOW_TIMEOUT;
        if (!ready && follow->spec.tick)
            follow->spec.tick(follow->spec.user);
        if (!wait_for_change(follow, ready ? 0 : fmin(wait_ms, FOLLOW_TICK_MS)))
            return FOLLOW_STOPPED;
        if (ready && clock_ms() >= follow->end_ms)
            return FOLLOW_TIMEOUT;
        if (ready)
            return FOLLOW_PICTURE;
    }
}

FollowVerdict follow_settle(Follow *follow, bool readable)
{
    return follow->folder ? follow_folder_settle(follow->folder, readable)
                          : follow_lines_settle(follow->lines, readable);
}
