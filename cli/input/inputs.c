/* inputs.c: the path iterator: operands, then the list's lines, folders expanded on the way.
 *
 * Inside folders: hidden names are skipped, symbolic links to files are followed, those to folders
 * are not (so a loop is impossible), and what is neither of the kind by name nor a folder is
 * ignored.
 */
// SPDX-License-Identifier: Apache-2.0
#include "input/inputs.h"

#include "base/hash.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <qboost/image.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* One directory on the way down: its names, sorted, and how far we are. */
typedef struct Level {
    char *path;
    char **names;
    size_t n_names, at;
} Level;

struct Inputs {
    InputsSpec spec;
    int path_at;
    FILE *list;
    char *line;
    size_t line_capacity;
    Level *levels;
    size_t n_levels, levels_capacity;
    bool found_any, list_begun;
};

/* What follows the last dot, NULL when that is nothing. */
static const char *ending(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name && dot[1] ? dot + 1 : NULL;
}

/* Whether the comma separated list has the ending, in any case. */
static bool has_ending(const char *list, const char *wanted)
{
    size_t length = strlen(wanted);
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ",");
        if (n == length && strncasecmp(at, wanted, n) == 0)
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

bool is_picture_name(const char *name)
{
    const char *wanted = ending(name);
    for (int i = 0; wanted && qb_image_format_name(i); i++)
        if (has_ending(qb_image_format_extensions(i), wanted))
            return true;
    return false;
}

bool is_video_name(const char *name)
{
    static const char endings[] =
        "mp4,m4v,mov,qt,mkv,webm,avi,ts,mts,m2ts,mpg,mpeg,m2v,vob,flv,wmv,asf,ogv,3gp,3g2,mxf,"
        "y4m,ivf";
    const char *wanted = ending(name);
    return wanted && has_ending(endings, wanted);
}

static bool is_wanted(const Inputs *inputs, const char *name)
{
    return inputs->spec.kind == INPUT_VIDEOS ? is_video_name(name) : is_picture_name(name);
}

void input_free(Input *input)
{
    free(input->path);
    free(input->error);
    *input = (Input){0};
}

bool inputs_open(Inputs **out, const InputsSpec *spec)
{
    Inputs *inputs = cli_calloc(1, sizeof *inputs);
    inputs->spec = *spec;
    if (spec->files_from) {
        inputs->list = strcmp(spec->files_from, "-") ? fopen(spec->files_from, "re") : stdin;
        struct stat info;
        if (inputs->list && fstat(fileno(inputs->list), &info) == 0 && S_ISDIR(info.st_mode)) {
            fclose(inputs->list);
            inputs->list = NULL;
            errno = EISDIR;
        }
        if (!inputs->list) {
            int saved = errno;
            free(inputs);
            errno = saved;
            return false;
        }
    }
    *out = inputs;
    return true;
}

static void pop_level(Inputs *inputs)
{
    Level *level = &inputs->levels[--inputs->n_levels];
    for (size_t i = level->at; i < level->n_names; i++)
        free(level->names[i]);
    free(level->names);
    free(level->path);
}

void inputs_close(Inputs **inputs)
{
    if (!*inputs)
        return;
    while ((*inputs)->n_levels > 0)
        pop_level(*inputs);
    if ((*inputs)->list && (*inputs)->list != stdin)
        fclose((*inputs)->list);
    free((*inputs)->levels);
    free((*inputs)->line);
    free(*inputs);
    *inputs = NULL;
}

bool inputs_found_any(const Inputs *inputs)
{
    return inputs->found_any;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads all names of an open directory into level; false on a read error. */
static bool read_names(const Inputs *inputs, Level *level, DIR *directory)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(directory);
        if (!entry)
            break;
        if (entry->d_name[0] == '.')
            continue;
        bool may_be_folder = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
        if (!may_be_folder && !is_wanted(inputs, entry->d_name))
            continue;
        if (level->n_names == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            level->names = cli_realloc(level->names, capacity, sizeof *level->names);
        }
        level->names[level->n_names++] = cli_strdup(entry->d_name);
    }
    int saved = errno;
    if (level->n_names > 0)
        qsort(level->names, level->n_names, sizeof *level->names, compare_names);
    errno = saved;
    return saved == 0;
}

/* Goes into the folder at path (owned by the new level). false: errno says why; path is freed. */
static bool push_level(Inputs *inputs, char *path, bool follow)
{
    Level level = {.path = path};
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    bool good = directory && read_names(inputs, &level, directory);
    int saved = errno;
    if (directory)
        closedir(directory);
    else if (fd >= 0)
        close(fd);
    if (inputs->n_levels == inputs->levels_capacity) {
        inputs->levels_capacity = inputs->levels_capacity ? inputs->levels_capacity * 2 : 8;
        inputs->levels =
            cli_realloc(inputs->levels, inputs->levels_capacity, sizeof *inputs->levels);
    }
    inputs->levels[inputs->n_levels++] = level;
    if (!good)
        pop_level(inputs);
    errno = saved;
    return good;
}

static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    Text path = {0};
    text_add(&path, folder);
    if (length > 0 && folder[length - 1] != '/')
        text_add_char(&path, '/');
    text_add(&path, name);
    return path.data;
}

/* Enters the folder; when that fails, *out says so and true comes back. */
static bool enter_folder(Inputs *inputs, Input *out, const char *path, bool follow)
{
    if (push_level(inputs, cli_strdup(path), follow))
        return false;
    *out = (Input){.path = cli_strdup(path), .error = cli_strdup(strerror(errno))};
    return true;
}

/* The next file in the innermost directory. false: nothing this time, look again. */
static bool next_in_folder(Inputs *inputs, Input *out)
{
    Level *level = &inputs->levels[inputs->n_levels - 1];
    if (level->at == level->n_names) {
        pop_level(inputs);
        return false;
    }
    char *name = level->names[level->at++];
    char *path = join(level->path, name);
    struct stat info;
    bool found = false;
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        found = inputs->spec.recursive && enter_folder(inputs, out, path, false);
    } else if (is_wanted(inputs, name) && (stat(path, &info) != 0 || S_ISREG(info.st_mode))) {
        *out = (Input){.path = path};
        path = NULL;
        found = true; /* one that cannot be read is reported when it is opened */
    }
    free(path);
    free(name);
    return found;
}

/* An operand or a line of the list. false: it was a folder, entered. */
static bool take_named(Inputs *inputs, Input *out, const char *path, bool is_stdin)
{
    struct stat info;
    bool is_folder = !is_stdin && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    if (is_folder && !inputs->spec.files_only)
        return enter_folder(inputs, out, path, true);
    *out = (Input){.path = cli_strdup(path), .is_stdin = is_stdin};
    if (is_folder)
        out->error = cli_strdup("is a folder");
    return true;
}

/* Lines may come from where they end in CRLF: takes the CR off unless a file is really called so.
 */
static void cut_return(char *line)
{
    struct stat info;
    size_t n = strlen(line);
    if (n == 0 || line[n - 1] != '\r' || lstat(line, &info) == 0)
        return;
    line[n - 1] = 0;
    if (n > 1 && lstat(line, &info) != 0)
        line[n - 1] = '\r'; /* neither: the message shows what the list says */
}

/* The next non-empty line of the list, NULL at its end. Names are bytes when NUL ends them; in
 * lines, a byte order mark in front and CRLF are no part of them. */
static const char *next_line(Inputs *inputs)
{
    bool lines = !inputs->spec.nul_separated;
    int separator = lines ? '\n' : 0;
    for (;;) {
        ssize_t n = getdelim(&inputs->line, &inputs->line_capacity, separator, inputs->list);
        if (n < 0)
            return NULL;
        if (n > 0 && inputs->line[n - 1] == separator)
            inputs->line[n - 1] = 0;
        char *line = inputs->line;
        if (lines && !inputs->list_begun && strncmp(line, "\xef\xbb\xbf", 3) == 0)
            line += 3;
        inputs->list_begun = true;
        if (lines)
            cut_return(line);
        if (*line)
            return line;
    }
}

static bool next_of_all(Inputs *inputs, Input *out)
{
    for (;;) {
        bool found;
        if (inputs->n_levels > 0) {
            found = next_in_folder(inputs, out);
        } else if (inputs->path_at < inputs->spec.n_paths) {
            const char *path = inputs->spec.paths[inputs->path_at++];
            found = take_named(inputs, out, path, strcmp(path, "-") == 0);
        } else {
            const char *line = inputs->list ? next_line(inputs) : NULL;
            if (!line)
                return false;
            found = take_named(inputs, out, line, false);
        }
        if (found)
            return true;
    }
}

bool inputs_next(Inputs *inputs, Input *out)
{
    while (next_of_all(inputs, out)) {
        inputs->found_any = true;
        int n = inputs->spec.n_shards;
        if (n <= 1 || shard_of(out->path, n) == inputs->spec.shard)
            return true;
        input_free(out);
    }
    return false;
}
