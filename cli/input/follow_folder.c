/* follow_folder.c: the pictures in a folder that are new or have changed since they were read.
 *
 * What is there is listed anew now and then; between that, inotify tells of single files and which
 * of them are still open for writing, so that a folder without it (a network's, or when watches
 * have run out) is followed as well, half a second late. */
// SPDX-License-Identifier: Apache-2.0
#include "input/follow_source.h"

#include "base/progress.h"
#include "base/text.h"
#include "input/inputs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

typedef struct Known {
    char *name;
    Waiting file;
    bool taken;  /* as it is now, or it is gone */
    bool passed; /* files that come after it were read while it could not be */
} Known;

struct FollowFolder {
    FollowSpec spec;
    int notify;   /* -1 = none */
    Known *known; /* [n], by name, bytewise */
    size_t n;
    double looked_ms; /* by clock_ms, when they were all there was */
    size_t given;     /* index of what follow_folder_next gave last */
    Text path;        /* of that */
};

static int compare_known(const void *a, const void *b)
{
    return strcmp(((const Known *)a)->name, ((const Known *)b)->name);
}

static Known *find(Known *known, size_t n, const char *name)
{
    const Known key = {.name = (char *)name};
    return n > 0 ? bsearch(&key, known, n, sizeof *known, compare_known) : NULL;
}

static const char *path_of(FollowFolder *folder, const char *name)
{
    const char *base = folder->spec.folder;
    size_t length = strlen(base);
    text_clear(&folder->path);
    text_addf(&folder->path, "%s%s%s", base, length > 0 && base[length - 1] == '/' ? "" : "/",
              name);
    return folder->path.data;
}

static bool is_wanted(const FollowFolder *folder, const char *name)
{
    return name[0] != '.' && is_picture_name(name) &&
           (!folder->spec.match || fnmatch(folder->spec.match, name, 0) == 0);
}

static void free_known(Known *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(known[i].name);
    free(known);
}

static void start_known(Known *out, const FollowFolder *folder, const char *name,
                        const FileStamp *stamp)
{
    *out = (Known){.name = cli_strdup(name)};
    waiting_start(&out->file, stamp, &folder->spec);
}

/* What is known of the file stays known while its stamp does. */
static void update_known(Known *known, const FollowFolder *folder, const FileStamp *stamp)
{
    if (file_stamp_equal(&known->file.stamp, stamp) || (folder->spec.once && known->taken))
        return;
    if (known->taken) {
        bool being_written = known->file.being_written;
        known->file = (Waiting){.changing_ms = INFINITY, .being_written = being_written};
        waiting_change(&known->file, stamp, &folder->spec);
        known->passed = false;
    } else {
        waiting_change(&known->file, stamp, &folder->spec);
    }
    known->taken = stamp->size < 0;
}

static void refresh(FollowFolder *folder, Known *known)
{
    FileStamp stamp;
    file_stamp(&stamp, path_of(folder, known->name));
    update_known(known, folder, &stamp);
}

static void add_known(Known *out, const FollowFolder *folder, const char *name,
                      const FileStamp *stamp)
{
    const Known *before = find(folder->known, folder->n, name);
    if (!before) {
        start_known(out, folder, name, stamp);
        return;
    }
    *out = *before;
    out->name = cli_strdup(name);
    update_known(out, folder, stamp);
}

/* false: errno says why the folder cannot be read. */
static bool look(FollowFolder *folder)
{
    DIR *directory = opendir(folder->spec.folder);
    Known *known = NULL;
    size_t n = 0, capacity = 0;
    if (!directory)
        return false;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        FileStamp stamp;
        if (!entry)
            break;
        if (!is_wanted(folder, entry->d_name) ||
            !file_stamp(&stamp, path_of(folder, entry->d_name)))
            continue;
        if (n == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            known = cli_realloc(known, capacity, sizeof *known);
        }
        add_known(&known[n++], folder, entry->d_name, &stamp);
    }
    int saved = errno;
    closedir(directory);
    if (n > 0)
        qsort(known, n, sizeof *known, compare_known);
    free_known(folder->known, folder->n);
    folder->known = known;
    folder->n = n;
    folder->looked_ms = clock_ms();
    errno = saved;
    return saved == 0;
}

/* ---- what the system tells ------------------------------------------------------------------ */

/* A file that was not there at the last look. NULL: it is none that is wanted. */
static Known *learn(FollowFolder *folder, const char *name)
{
    FileStamp stamp;
    if (folder->spec.once || !is_wanted(folder, name) || !file_stamp(&stamp, path_of(folder, name)))
        return NULL;
    size_t at = 0;
    while (at < folder->n && strcmp(folder->known[at].name, name) < 0)
        at++;
    folder->known = cli_realloc(folder->known, folder->n + 1, sizeof *folder->known);
    memmove(folder->known + at + 1, folder->known + at, (folder->n - at) * sizeof *folder->known);
    folder->n++;
    start_known(&folder->known[at], folder, name, &stamp);
    return &folder->known[at];
}

static void apply_event(FollowFolder *folder, const struct inotify_event *event)
{
    Known *known = event->len > 0 ? find(folder->known, folder->n, event->name) : NULL;
    if (event->len == 0) /* about the folder, or some were lost: it is to be looked at */
        folder->looked_ms = -INFINITY;
    if (event->mask & IN_Q_OVERFLOW) /* what was open may have been closed unheard */
        for (size_t i = 0; i < folder->n; i++)
            folder->known[i].file.being_written = false;
    if (known)
        refresh(folder, known);
    else if (event->len > 0)
        known = learn(folder, event->name);
    if (!known)
        return;
    bool closed = event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO);
    known->file.closed = closed;
    known->file.being_written = !closed && (event->mask & IN_MODIFY);
}

static void read_events(FollowFolder *folder)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;
    while (folder->notify >= 0 && (n = read(folder->notify, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
            apply_event(folder, event);
            at += (ssize_t)(sizeof *event + event->len);
        }
}

/* ---- the order ------------------------------------------------------------------------------ */

/* Digits by their value: r_9 before r_10. */
static int compare_natural(const char *a, const char *b)
{
    for (;;) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0");
            b += strspn(b, "0");
            size_t n_a = strspn(a, "0123456789"), n_b = strspn(b, "0123456789");
            int order = n_a != n_b ? (n_a < n_b ? -1 : 1) : memcmp(a, b, n_a);
            if (order)
                return order;
            a += n_a;
            b += n_b;
        } else if (*a != *b || !*a) {
            return (unsigned char)*a - (unsigned char)*b;
        } else {
            a++;
            b++;
        }
    }
}

/* Names that differ in numbers alone. */
static bool same_series(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0123456789") - 1;
            b += strspn(b, "0123456789") - 1;
        } else if (*a != *b) {
            return false;
        }
    }
    return *a == *b;
}

/* What waits differs in numbers alone. */
static bool is_series(const FollowFolder *folder)
{
    const char *name = NULL;
    for (size_t i = 0; i < folder->n; i++) {
        if (folder->known[i].taken)
            continue;
        if (name && !same_series(name, folder->known[i].name))
            return false;
        name = folder->known[i].name;
    }
    return true;
}

/* A numbered series goes by its numbers, for copies have times of their own; else the older comes
 * first. */
static bool comes_before(const Known *a, const Known *b, bool series)
{
    if (!series && a->file.stamp.mtime_ns != b->file.stamp.mtime_ns)
        return a->file.stamp.mtime_ns < b->file.stamp.mtime_ns;
    return compare_natural(a->name, b->name) < 0;
}

/* Of the files that wait, the one that comes first; folder->n when there is none. One that could
 * not be read and is to be tried again later does not hold up the others; *wait_ms is lowered to
 * then. */
static size_t find_first(const FollowFolder *folder, double *wait_ms)
{
    size_t first = folder->n;
    bool series = is_series(folder);
    for (size_t i = 0; i < folder->n; i++) {
        const Known *known = &folder->known[i];
        double ms =
            !known->taken && known->file.tried ? waiting_ms(&known->file, &folder->spec) : 0;
        if (ms > 0)
            *wait_ms = fmin(*wait_ms, ms);
        else if (!known->taken &&
                 (first == folder->n || comes_before(known, &folder->known[first], series)))
            first = i;
    }
    return first;
}

/* The one that was given was read: those that come before it missed their turn. */
static void pass_others(FollowFolder *folder)
{
    const Known *given = &folder->known[folder->given];
    bool series = is_series(folder);
    for (size_t i = 0; i < folder->n; i++) {
        Known *known = &folder->known[i];
        known->passed |= !known->taken && comes_before(known, given, series);
    }
}

/* ---- the source ----------------------------------------------------------------------------- */

/* What was there before the start is done with until it changes. */
static void take_old(FollowFolder *folder)
{
    for (size_t i = 0; i < folder->n; i++)
        folder->known[i].taken = folder->known[i].file.stamp.mtime_ns < folder->spec.start_ns;
}

bool follow_folder_open(FollowFolder **out, const FollowSpec *spec)
{
    FollowFolder *folder = cli_calloc(1, sizeof *folder);
    folder->spec = *spec;
    folder->notify = spec->poll ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (folder->notify >= 0 &&
        inotify_add_watch(folder->notify, spec->folder,
                          IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
        close(folder->notify);
        folder->notify = -1;
    }
    *out = folder;
    if (look(folder)) {
        if (spec->only_new)
            take_old(folder);
        return true;
    }
    int saved = errno;
    follow_folder_close(out);
    errno = saved;
    return false;
}

void follow_folder_close(FollowFolder **folder)
{
    if (!*folder)
        return;
    if ((*folder)->notify >= 0)
        close((*folder)->notify);
    free_known((*folder)->known, (*folder)->n);
    text_free(&(*folder)->path);
    free(*folder);
    *folder = NULL;
}

static bool is_used_up(const FollowFolder *folder)
{
    for (size_t i = 0; i < folder->n; i++)
        if (!folder->known[i].taken)
            return false;
    return true;
}

/* Looks at the folder when it is time to; at what was there at the start alone for a run that looks
 * once. false: errno says why the folder cannot be read. */
static bool look_again(FollowFolder *folder)
{
    bool due = clock_ms() - folder->looked_ms >= FOLLOW_TICK_MS;
    if (!folder->spec.once)
        return (!due && !is_used_up(folder)) || look(folder);
    for (size_t i = 0; due && i < folder->n; i++)
        if (!folder->known[i].taken)
            refresh(folder, &folder->known[i]);
    folder->looked_ms = due ? clock_ms() : folder->looked_ms;
    return true;
}

SourceState follow_folder_next(FollowFolder *folder, Followed *out, double *wait_ms)
{
    read_events(folder);
    if (!look_again(folder))
        return SOURCE_FAILED;
    folder->given = find_first(folder, wait_ms);
    if (folder->given == folder->n)
        return folder->spec.once && is_used_up(folder) ? SOURCE_END : SOURCE_WAIT;
    Known *known = &folder->known[folder->given];
    refresh(folder, known);
    double ms = known->taken ? 0 : waiting_ms(&known->file, &folder->spec);
    if (known->taken || ms > 0) {
        *wait_ms = fmin(*wait_ms, ms);
        return SOURCE_WAIT;
    }
    *out = (Followed){.path = path_of(folder, known->name),
                      .mtime_ns = known->file.stamp.mtime_ns,
                      .late = known->passed};
    return SOURCE_READY;
}

FollowVerdict follow_folder_settle(FollowFolder *folder, bool readable)
{
    Known *known = &folder->known[folder->given];
    const char *path = path_of(folder, known->name);
    FollowVerdict verdict = waiting_settle(&known->file, path, readable, &folder->spec);
    if (verdict == FOLLOW_COUNTS && readable)
        pass_others(folder);
    bool gone = verdict == FOLLOW_AGAIN && known->file.stamp.size < 0;
    known->taken = verdict != FOLLOW_AGAIN || gone;
    return verdict;
}

int follow_folder_descriptor(const FollowFolder *folder)
{
    return folder->notify;
}
