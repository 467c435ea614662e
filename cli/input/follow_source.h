/* follow_source.h: what folders and lists have in common for follow.c. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_FOLLOW_SOURCE_H
#define QBOOST_CLI_FOLLOW_SOURCE_H

#include "input/follow.h"

enum { FOLLOW_TICK_MS = 500 }; /* what waits is looked at that often, whatever the system tells */

/* What tells one content of a file from the next. size -1: there is no such file. */
typedef struct FileStamp {
    int64_t mtime_ns, size;
    uint64_t device, inode;
} FileStamp;

/* Of a regular file; false when there is none. */
bool file_stamp(FileStamp *out, const char *path);
bool file_stamp_equal(const FileStamp *a, const FileStamp *b);

/* Seconds since the file was changed, by the system's clock; negative when that lies ahead. */
double file_stamp_age_s(const FileStamp *stamp);

/* A file that waits to be read. */
typedef struct Waiting {
    FileStamp stamp;
    double since_ms;    /* by clock_ms, when it was first seen like that; long ago for old files */
    double changing_ms; /* when it was first seen to change; INFINITY = it was not */
    double retry_ms;    /* not before */
    bool tried;         /* and could not be read, or changed meanwhile */
    bool being_written, closed; /* what the system told */
} Waiting;

void waiting_start(Waiting *out, const FileStamp *stamp, const FollowSpec *spec);

/* It is another now, before it was done with. */
void waiting_change(Waiting *waiting, const FileStamp *stamp, const FollowSpec *spec);

/* Milliseconds until it may be tried; 0 = now. */
double waiting_ms(const Waiting *waiting, const FollowSpec *spec);

/* After path was read, or could not be. */
FollowVerdict waiting_settle(Waiting *waiting, const char *path, bool readable,
                             const FollowSpec *spec);

/* SOURCE_WAIT: *wait_ms may be lowered to when there will be something to do at the latest. */
typedef enum SourceState { SOURCE_READY, SOURCE_WAIT, SOURCE_END, SOURCE_FAILED } SourceState;

typedef struct FollowFolder FollowFolder;
bool follow_folder_open(FollowFolder **out, const FollowSpec *spec);
void follow_folder_close(FollowFolder **folder);
SourceState follow_folder_next(FollowFolder *folder, Followed *out, double *wait_ms);
FollowVerdict follow_folder_settle(FollowFolder *folder, bool readable);
int follow_folder_descriptor(const FollowFolder *folder); /* -1 = none to wait on */

typedef struct FollowLines FollowLines;
FollowLines *follow_lines_open(const FollowSpec *spec);
void follow_lines_close(FollowLines **lines);
SourceState follow_lines_next(FollowLines *lines, Followed *out, double *wait_ms);
FollowVerdict follow_lines_settle(FollowLines *lines, bool readable);
int follow_lines_descriptor(const FollowLines *lines);

#endif
