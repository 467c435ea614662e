/* eval_model.c: runs the model over the pictures of labelled sets.
 *
 * It is the run of `qboost score --resume`: the list of pictures and, unless it is to be kept, the
 * journal are files in memory. The lines that belong to this run are read back from the journal, so
 * an interrupted evaluation goes on where it stopped. */
// SPDX-License-Identifier: Apache-2.0
#include "base/report.h"
#include "output/json.h"
#include "run/eval_sources.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FD_PATH = 40 };

/* A file in memory that has a path. */
static int make_memory_file(char path[FD_PATH])
{
    int fd = memfd_create("qboost-eval", MFD_CLOEXEC);
    if (fd < 0)
        report("cannot make a temporary file: %s", strerror(errno));
    snprintf(path, FD_PATH, "/proc/self/fd/%d", fd);
    return fd;
}

static void add_path(Text *out, const char *folder, const char *name)
{
    size_t n = strlen(folder);
    if (*name != '/') {
        text_add(out, folder);
        if (folder[n - 1] != '/')
            text_add_char(out, '/');
    }
    text_add(out, name);
}

static bool write_list(int fd, QbTable *const *labels, const char *const *folders, int n)
{
    Text list = {0};
    for (int k = 0; k < n; k++)
        for (size_t i = 0; i < qb_table_count(labels[k]); i++) {
            QbTableRow row;
            qb_table_row(&row, labels[k], i);
            if (!isfinite(row.opinion))
                continue; /* nothing to hold a score against */
            add_path(&list, folders[k], row.name);
            text_add_bytes(&list, "", 1);
        }
    bool good = write_all(fd, list.data, list.length);
    if (!good)
        report("cannot write a temporary file: %s", strerror(errno));
    text_free(&list);
    return good;
}

/* What add_path put in front is taken away again; NULL: it was not in front. */
static const char *name_in(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    if (strncmp(path, folder, n))
        return NULL;
    return folder[n - 1] == '/' ? path + n : path[n] == '/' ? path + n + 1 : NULL;
}

/* A line of this run, for every set whose labels may name the picture: by its name in the folder,
 * by its whole path, or both. So each label finds an equal name, and that of its own picture. */
static void add_line(Text *out_lines, const RunIdentity *run, const char *const *folders, int n,
                     const char *line, size_t length)
{
    JsonLine read;
    if (!json_read_line(&read, JSON_SCORE_SCHEMA, line, length))
        return;
    if (!strcmp(read.model_hash, run->model_hash) && !strcmp(read.settings, run->settings))
        for (int k = 0; k < n; k++) {
            const char *name = name_in(read.path, folders[k]);
            if (name)
                json_add_renamed(&out_lines[k], line, length, name);
            if (*read.path == '/')
                json_add_renamed(&out_lines[k], line, length, read.path);
        }
    json_line_free(&read);
}

static int read_back(Text *out_lines, const RunIdentity *run, const char *journal,
                     const char *const *folders, int n)
{
    FILE *stream = fopen(journal, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    if (!stream) {
        report("%s: %s", journal, strerror(errno));
        return CLI_FAILED;
    }
    while ((length = getline(&line, &capacity, stream)) > 0)
        add_line(out_lines, run, folders, n, line, (size_t)length);
    int code = ferror(stream) ? CLI_FAILED : CLI_OK;
    if (code != CLI_OK)
        report("%s: %s", journal, strerror(errno));
    free(line);
    fclose(stream);
    return code;
}

static int score_list(RunIdentity *run, const Command *command, const EvalArgs *args,
                      const char *list, const char *journal)
{
    ScoreArgs score = {.model = args->model,
                       .picture = args->picture,
                       .prompt = args->prompt,
                       .format = "jsonl",
                       .scale = "0-1",
                       .sort = "none",
                       .color = "never",
                       .resume = journal,
                       .retry_failed = args->retry_failed,
                       .quiet = args->quiet,
                       .fail_under = NAN};
    score.prompt.all_methods = true;
    InputsSpec inputs = {
        .files_from = list, .nul_separated = true, .files_only = true, .n_shards = 1};
    return score_run(command, &score, &inputs, run);
}

/* Without them each picture would fail by itself. */
static int check_folders(const char *const *folders, int n)
{
    for (int k = 0; k < n; k++) {
        struct stat info;
        bool is_there = stat(folders[k], &info) == 0;
        if (is_there && S_ISDIR(info.st_mode))
            continue;
        report("--images: '%s': %s", folders[k], is_there ? "is no folder" : strerror(errno));
        return CLI_NO_INPUT;
    }
    return CLI_OK;
}

int eval_run_model(Text *out_lines, RunIdentity *run, const Command *command, const EvalArgs *args,
                   QbTable *const *labels, const char *const *folders, int n)
{
    char list[FD_PATH], memory[FD_PATH];
    if (check_folders(folders, n) != CLI_OK)
        return CLI_NO_INPUT;
    int list_fd = make_memory_file(list), memory_fd = make_memory_file(memory);
    const char *journal = args->journal ? args->journal : memory;
    int code = list_fd >= 0 && memory_fd >= 0 && write_list(list_fd, labels, folders, n)
                   ? score_list(run, command, args, list, journal)
                   : CLI_FAILED;
    bool ran = run->settings[0] && (code == CLI_OK || code == CLI_FAILED);
    if (ran) {
        int read_code = read_back(out_lines, run, journal, folders, n);
        code = read_code == CLI_OK ? code : read_code;
    }
    if (list_fd >= 0)
        close(list_fd);
    if (memory_fd >= 0)
        close(memory_fd);
    return code;
}
