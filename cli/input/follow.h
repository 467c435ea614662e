/* follow.h: the successive pictures of a render, as they appear: files of a folder that are new or
 * have changed, or the lines of standard input.
 *
 * A file may be given while it is still being written: it is given again until it can be read or
 * has not changed for a while, and it counts only when its size, its time of change and what it is
 * (device, inode) were the same before and after it was read. That is all that is compared: bytes
 * put into a file of that size between two ticks of the file system's clock, through a mapping, or
 * behind the back of a network's cache are not noticed, so before it is read a file that nobody
 * said was closed must have been quiet for a while. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_FOLLOW_H
#define QBOOST_CLI_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

typedef struct FollowSpec {
    const char *folder; /* NULL = paths on standard input, one a line. Borrowed, as all texts */
    const char *match;  /* glob pattern for the names in the folder; NULL = all pictures */
    bool pairs;         /* lines name two files with a tab between them */
    bool poll;          /* look again and again instead of being told by the system */
    bool once;          /* what is there now, each file one time, not what comes */
    bool only_new;      /* not what was in the folder and last changed before start_ns */
    int64_t start_ns;   /* by the clock that files get their times from */
    double patience_s;  /* how long an unreadable file may stay unchanged before it is given up */
    double timeout_s;   /* of everything; INFINITY = none */
    int stop_fd;        /* becomes readable when all is to stop */
    void (*tick)(void *user); /* called now and then while waiting */
    void *user;
} FollowSpec;

typedef enum FollowEvent {
    FOLLOW_PICTURE,
    FOLLOW_END,     /* once: that was all; or standard input has ended */
    FOLLOW_TIMEOUT, /* the time is over */
    FOLLOW_STOPPED, /* stop_fd */
    FOLLOW_FAILED   /* errno says why: the folder is gone, or the like */
} FollowEvent;

typedef struct Followed {
    const char *path;  /* borrowed until the next call */
    const char *other; /* the second of a pair, or NULL */
    int64_t mtime_ns;  /* of path */
    bool late;         /* while it could not be read, files that come after it were */
} Followed;

/* What becomes of a picture that was given. */
typedef enum FollowVerdict {
    FOLLOW_COUNTS,   /* it is what it is, readable or not */
    FOLLOW_UNSTEADY, /* once: it has been changing for too long, what was read may not be whole */
    FOLLOW_AGAIN     /* it changed meanwhile or may not be whole yet, and will be given again */
} FollowVerdict;

typedef struct Follow Follow;

/* false: the folder cannot be read, errno says why. spec is copied. */
bool follow_open(Follow **out, const FollowSpec *spec);
void follow_close(Follow **follow);

/* Waits for the next picture. */
FollowEvent follow_next(Follow *follow, Followed *out);

/* To be called once a picture that was given has been read, or could not be. */
FollowVerdict follow_settle(Follow *follow, bool readable);

/* There is something of that name which is no file, such as a pipe: opening it could take for ever.
 */
bool follow_is_no_file(const char *path);

#endif
