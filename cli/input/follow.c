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
    TICK_MS = 500,   /* a folder is looked at that often, whatever the system tells */
    SETTLE_MS = 300, /* a file that nobody said was closed may still grow */
    RETRY_MS = 250
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

void waiting_start(Waiting *out, const FileStamp *stamp, double patience_s)
{
    double age_s = stamp->size < 0 ? 0 : file_stamp_age_s(stamp);
    bool old = age_s > patience_s && age_s > SETTLE_MS / 1e3;
    *out = (Waiting){.stamp = *stamp, .since_ms = old ? -INFINITY : clock_ms()};
}

bool waiting_is_over(const Waiting *waiting, double patience_s)
{
    return clock_ms() - waiting->since_ms >= patience_s * 1e3;
}

double waiting_ms(const Waiting *waiting, double patience_s)
{
    double now = clock_ms(), until = waiting->since_ms + SETTLE_MS;
    if (waiting->closed || waiting_is_over(waiting, patience_s))
        until = now;
    else if (waiting->being_written)
        until = waiting->since_ms + patience_s * 1e3;
    until = until > waiting->retry_ms ? until : waiting->retry_ms;
    return until > now ? until - now : 0;
}

bool waiting_settle(Waiting *waiting, const char *path, bool readable, double patience_s)
{
    FileStamp now;
    file_stamp(&now, path);
    if (!file_stamp_equal(&now, &waiting->stamp)) {
        waiting_start(waiting, &now, patience_s);
        return false;
    }
    waiting->retry_ms = clock_ms() + RETRY_MS;
    return readable || waiting_is_over(waiting, patience_s);
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
        double wait_ms = TICK_MS;
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
        if (!wait_for_change(follow, ready ? 0 : wait_ms < TICK_MS ? wait_ms : TICK_MS))
            return FOLLOW_STOPPED;
        if (ready && clock_ms() >= follow->end_ms)
            return FOLLOW_TIMEOUT;
        if (ready)
            return FOLLOW_PICTURE;
    }
}

bool follow_settle(Follow *follow, bool readable)
{
    return follow->folder ? follow_folder_settle(follow->folder, readable)
                          : follow_lines_settle(follow->lines, readable);
}
