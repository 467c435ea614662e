/* model_path.c: looks a model up by name, with and without ".gguf", in this order: the current
 * folder, QBOOST_MODEL_PATH, $XDG_DATA_HOME/qboost/models, each of $XDG_DATA_DIRS (XDG base
 * directory specification 0.8: unset or empty variables have a default, relative paths are
 * ignored). */
// SPDX-License-Identifier: Apache-2.0
#include "session/model_path.h"

#include "base/report.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Places that were looked at, for the message. */
typedef struct Search {
    const char *name;
    char *found;
    Text places;
} Search;

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

/* A checkpoint's folder, given where a model file belongs, is told apart from a wrong name. */
static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void report_folder(const char *path)
{
    report("%s: is a folder, not a model file; 'qboost convert' makes one of a checkpoint", path);
}

/* folder: length bytes; suffix follows it ("/qboost/models" or ""). */
static bool try_folder(Search *s, const char *folder, size_t length, const char *suffix)
{
    static const char *const endings[] = {"", ".gguf"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        Text path = {0};
        text_add_bytes(&path, folder, length);
        text_addf(&path, "%s/%s%s", suffix, s->name, endings[i]);
        if (is_file(path.data)) {
            s->found = path.data;
            return true;
        }
        text_free(&path);
    }
    text_add(&s->places, s->places.length ? ", " : "");
    text_add_bytes(&s->places, folder, length);
    text_add(&s->places, suffix);
    return false;
}

static bool try_folders(Search *s, const char *list, const char *suffix, bool absolute_only)
{
    while (*list) {
        size_t n = strcspn(list, ":");
        if (n > 0 && (list[0] == '/' || !absolute_only) && try_folder(s, list, n, suffix))
            return true;
        list += n + (list[n] == ':');
    }
    return false;
}

static const char *variable(const char *name, const char *standard)
{
    const char *value = getenv(name);
    return value && *value ? value : standard;
}

static bool search(Search *s)
{
    static const char below[] = "/qboost/models";
    const char *data_home = variable("XDG_DATA_HOME", ""), *home = variable("HOME", "");
    if (try_folder(s, ".", 1, "") || try_folders(s, variable("QBOOST_MODEL_PATH", ""), "", false))
        return true;
    if (data_home[0] == '/') {
        if (try_folder(s, data_home, strlen(data_home), below))
            return true;
    } else if (home[0] == '/') {
        if (try_folder(s, home, strlen(home), "/.local/share/qboost/models"))
            return true;
    }
    return try_folders(s, variable("XDG_DATA_DIRS", "/usr/local/share:/usr/share"), below, true);
}

bool model_path_find(char **path, const char *name)
{
    *path = NULL;
    if (!name || strcmp(name, "default") == 0)
        return true;
    if (strchr(name, '/') && is_folder(name)) {
        report_folder(name);
        return false;
    }
    if (strchr(name, '/')) {
        *path = cli_strdup(name);
        return true; /* opening it tells what is wrong */
    }
    Search s = {.name = name};
    bool found = search(&s);
    if (found)
        *path = s.found;
    else if (is_folder(name))
        report_folder(name);
    else
        report("no model '%s' (or '%s.gguf') in: %s", name, name, s.places.data);
    text_free(&s.places);
    return found;
}
