/* follow_folder.c: the pictures in a folder that are new or have changed since they were read.
 *
 * What is there is listed anew at each look; inotify only says when to look and which files are
 * still open for writing, so that a folder without it (a network's, or when watches have run out)
 * is followed as well, half a second late. */
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
    bool taken; /* as it is now */
} Known;

struct FollowFolder {
    FollowSpec spec;
    int notify;   /* -1 = none */
    Known *known; /* [n], by name, bytewise */
    size_t n;
    size_t given; /* index of what follow_folder_next gave last */
    Text path;    /* of that */
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

/* What is known of the file from before stays known while its stamp does. */
static void add_known(Known *out, const FollowFolder *folder, const char *name,
                      const FileStamp *stamp)
{
    const Known *before = find(folder->known, folder->n, name);
    *out = (Known){.name = cli_strdup(name)};
    waiting_start(&out->file, stamp, folder->spec.patience_s);
    if (before && file_stamp_equal(&before->file.stamp, stamp)) {
        out->file = before->file;
        out->taken = before->taken;
    } else if (before) {
        out->file.being_written = before->file.being_written;
    }
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
    errno = saved;
    return saved == 0;
}

/* ---- what the system tells ------------------------------------------------------------------ */

static void apply_event(FollowFolder *folder, const struct inotify_event *event)
{
    Known *known = event->len > 0 ? find(folder->known, folder->n, event->name) : NULL;
    if (event->mask & IN_Q_OVERFLOW) /* what was open may have been closed unheard */
        for (size_t i = 0; i < folder->n; i++)
            folder->known[i].file.being_written = false;
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

/* Of the files that wait, the one that comes first; folder->n when there is none. A numbered series
 * goes by its numbers, for copies have times of their own; else the older comes first. */
static size_t find_first(const FollowFolder *folder)
{
    size_t first = folder->n;
    bool series = true;
    const char *name = NULL;
    for (size_t i = 0; i < folder->n; i++) {
        if (folder->known[i].taken)
            continue;
        series = series && (!name || same_series(name, folder->known[i].name));
        name = folder->known[i].name;
    }
    for (size_t i = 0; i < folder->n; i++) {
        const Known *known = &folder->known[i], *best = &folder->known[first];
        if (known->taken)
            continue;
        int64_t later = first == folder->n || series
                            ? 0
                            : known->file.stamp.mtime_ns - best->file.stamp.mtime_ns;
        if (first == folder->n || later < 0 ||
            (later == 0 && compare_natural(known->name, best->name) < 0))
            first = i;
    }
    return first;
}

/* ---- the source ----------------------------------------------------------------------------- */

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
    if (look(folder))
        return true;
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

SourceState follow_folder_next(FollowFolder *folder, Followed *out, double *wait_ms)
{
    if (!look(folder))
        return SOURCE_FAILED;
    read_events(folder);
    folder->given = find_first(folder);
    if (folder->given == folder->n)
        return folder->spec.once ? SOURCE_END : SOURCE_WAIT;
    const Known *known = &folder->known[folder->given];
    double ms = waiting_ms(&known->file, folder->spec.patience_s);
    if (ms > 0) {
        *wait_ms = fmin(*wait_ms, ms);
        return SOURCE_WAIT;
    }
    *out = (Followed){.path = path_of(folder, known->name)};
    return SOURCE_READY;
}

bool follow_folder_settle(FollowFolder *folder, bool readable)
{
    Known *known = &folder->known[folder->given];
    known->taken = waiting_settle(&known->file, path_of(folder, known->name), readable,
                                  folder->spec.patience_s);
    return known->taken;
}

int follow_folder_descriptor(const FollowFolder *folder)
{
    return folder->notify;
}
