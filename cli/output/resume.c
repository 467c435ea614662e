/* resume.c: reads the results file and keeps a hash table of what is done.
 *
 * Every record was appended by one write() of a whole line, so whatever stopped the last run, at
 * most the last line is damaged. It is cut off and its picture scored again. Nothing is changed in
 * a file that does not look like ours. */
// SPDX-License-Identifier: Apache-2.0
#include "output/resume.h"

#include "base/exit_code.h"
#include "base/hash.h"
#include "base/report.h"
#include "output/json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Entry {
    Hash128 key;  /* of path, model and settings; 0,0 = empty */
    double score; /* NAN: failed */
} Entry;

struct Resume {
    int fd;
    Hash128 run_key; /* of model hash and settings */
    Entry *entries;
    size_t n_entries, capacity; /* capacity: a power of two */
};

/* Where key is, or the empty place where it belongs. */
static Entry *find(Entry *entries, size_t capacity, Hash128 key)
{
    size_t at = (size_t)(key.low ^ key.high >> 7) & (capacity - 1);
    while ((entries[at].key.high || entries[at].key.low) &&
           (entries[at].key.high != key.high || entries[at].key.low != key.low))
        at = (at + 1) & (capacity - 1);
    return &entries[at];
}

static void grow(Resume *r)
{
    size_t capacity = r->capacity ? r->capacity * 2 : 1024;
    Entry *entries = cli_calloc(capacity, sizeof *entries);
    for (size_t i = 0; i < r->capacity; i++)
        if (r->entries[i].key.high || r->entries[i].key.low)
            *find(entries, capacity, r->entries[i].key) = r->entries[i];
    free(r->entries);
    r->entries = entries;
    r->capacity = capacity;
}

/* The entry for key; *is_new tells whether it was added. */
static Entry *put(Resume *r, Hash128 key, bool *is_new)
{
    if (2 * r->n_entries >= r->capacity)
        grow(r);
    Entry *entry = find(r->entries, r->capacity, key);
    *is_new = !entry->key.high && !entry->key.low;
    if (*is_new) {
        entry->key = key;
        r->n_entries++;
    }
    return entry;
}

static Hash128 run_key(const char *model_hash, const char *settings)
{
    return hash128_add_text(hash128_add_text(hash128_start, model_hash), settings);
}

typedef struct Loading {
    Resume *resume;
    const char *file;
    const RunInfo *run;
    bool retry_failed;
    int64_t n_lines, n_others;
} Loading;

/* Whose output the file has to be. */
static const char *command_name(const Loading *l)
{
    return l->run->video ? "video" : "score";
}

static bool take_line(Loading *l, const char *text, size_t length)
{
    JsonLine line;
    l->n_lines++;
    if (!json_read_line(&line, json_record_schema(l->run), text, length)) {
        report("%s: line %lld is not a result of 'qboost %s --json'; nothing was changed", l->file,
               (long long)l->n_lines, command_name(l));
        return false;
    }
    Hash128 key = run_key(line.model_hash, line.settings);
    if (key.high != l->resume->run_key.high || key.low != l->resume->run_key.low) {
        l->n_others++;
    } else if (!line.failed || !l->retry_failed) {
        bool is_new;
        Entry *entry = put(l->resume, hash128_add_text(key, line.path), &is_new);
        if (is_new || !line.failed)
            entry->score = line.failed ? NAN : line.score;
    }
    json_line_free(&line);
    return true;
}

/* A last line without its end: ours if it begins as our lines do (or the other way round). */
static bool looks_like_ours(const Loading *l, const char *text, size_t length)
{
    char start[64];
    int full = snprintf(start, sizeof start, "{\"schema\":\"%s\"", json_record_schema(l->run));
    size_t n = length < (size_t)full ? length : (size_t)full;
    return memcmp(text, start, n) == 0;
}

/* Returns an exit code. *good_end: how many bytes of the file are whole lines. */
static int load(Loading *l, FILE *stream, off_t *good_end)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    int code = CLI_OK;
    *good_end = 0;
    while (code == CLI_OK && (n = getline(&line, &capacity, stream)) > 0) {
        if (line[n - 1] == '\n') {
            *good_end += n;
            code = take_line(l, line, (size_t)n - 1) ? CLI_OK : CLI_USAGE;
        } else if (!looks_like_ours(l, line, (size_t)n)) {
            report("%s: not a file of 'qboost %s --json' results; nothing was changed", l->file,
                   command_name(l));
            code = CLI_USAGE;
        }
    }
    if (code == CLI_OK && ferror(stream)) {
        report("%s: %s", l->file, strerror(errno));
        code = CLI_FAILED;
    }
    free(line);
    return code;
}

/* Opens and locks; < 0: reported. */
static int open_locked(const char *file)
{
    struct stat info;
    int fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0 || fstat(fd, &info) != 0) {
        report("%s: %s", file, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        report("%s: --resume needs a regular file", file);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        report("%s: another run is writing to it", file);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

int resume_open(Resume **out, const char *file, const RunInfo *run, bool retry_failed)
{
    int fd = open_locked(file);
    if (fd < 0)
        return CLI_USAGE;
    Resume *r = cli_calloc(1, sizeof *r);
    r->fd = fd;
    r->run_key = run_key(run->model_hash, run->settings);
    Loading loading = {.resume = r, .file = file, .run = run, .retry_failed = retry_failed};
    FILE *stream = fopen(file, "re");
    off_t good_end = 0;
    int code = stream ? load(&loading, stream, &good_end) : CLI_USAGE;
    if (!stream)
        report("%s: %s", file, strerror(errno));
    else
        fclose(stream);
    if (code == CLI_OK && lseek(fd, 0, SEEK_END) > good_end && ftruncate(fd, good_end) != 0) {
        report("%s: %s", file, strerror(errno));
        code = CLI_FAILED;
    }
    if (code == CLI_OK && loading.n_others > 0)
        report("%s: %lld results of another model or other settings are kept beside the new ones",
               file, (long long)loading.n_others);
    if (code == CLI_OK)
        *out = r;
    else
        resume_close(&r);
    return code;
}

void resume_close(Resume **resume)
{
    if (!*resume)
        return;
    close((*resume)->fd);
    free((*resume)->entries);
    free(*resume);
    *resume = NULL;
}

int resume_descriptor(const Resume *resume)
{
    return resume->fd;
}

ResumeVerdict resume_take(Resume *resume, const char *path, double *score)
{
    bool is_new;
    Entry *entry = put(resume, hash128_add_text(resume->run_key, path), &is_new);
    if (is_new) {
        entry->score = HUGE_VAL; /* being scored now; nobody asks for this value */
        return RESUME_NEW;
    }
    *score = entry->score;
    return isnan(entry->score) ? RESUME_FAILED : RESUME_SCORED;
}
