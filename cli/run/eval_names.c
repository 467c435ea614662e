/* eval_names.c: see eval_names.h. Names are made at three lengths, and the shortest at which none
 * is ambiguous is taken for all. */
// SPDX-License-Identifier: Apache-2.0
#include "run/eval_names.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

typedef enum Length { SHORT, WITH_FOLDER, WHOLE_PATH } Length;

/* Of scores in the current folder, whose name the command line does not tell. */
static const char NO_FOLDER[] = "scores";

static char *copy(const char *bytes, size_t n)
{
    Text text = {0};
    text_add_bytes(&text, bytes, n);
    char *owned = cli_strdup(text.data ? text.data : "");
    text_free(&text);
    return owned;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *eval_name_of(const char *path)
{
    const char *last = last_part(path), *dot = strrchr(last, '.');
    return copy(last, dot && dot > last ? (size_t)(dot - last) : strlen(last));
}

/* The name of the folder that the file is in; "" when the path does not say it. */
static char *folder_of(const char *path)
{
    const char *end = last_part(path), *start;
    while (end > path && end[-1] == '/')
        end--;
    for (start = end; start > path && start[-1] != '/';)
        start--;
    char *folder = copy(start, (size_t)(end - start));
    if (!strcmp(folder, ".") || !strcmp(folder, ".."))
        *folder = 0;
    return folder;
}

static char *name_at(Length length, const char *path, const char *dataset)
{
    if (length == WHOLE_PATH)
        return cli_strdup(path);
    char *folder = folder_of(path), *stem = eval_name_of(path);
    Text text = {0};
    if (length == WITH_FOLDER && *folder)
        text_addf(&text, "%s/%s", folder, stem);
    else if (length == WITH_FOLDER || !dataset || strcmp(stem, dataset))
        text_add(&text, stem);
    else
        text_add(&text, *folder ? folder : NO_FOLDER);
    char *name = copy(text.data ? text.data : "", text.length);
    text_free(&text);
    free(folder);
    free(stem);
    return name;
}

static bool are_apart(char *const *names, const char *const *paths, char *const *datasets, int n)
{
    for (int a = 0; a < n; a++)
        for (int b = 0; b < a; b++)
            if (!strcmp(names[a], names[b]) && strcmp(paths[a], paths[b]) &&
                (!datasets || !strcmp(datasets[a], datasets[b])))
                return false;
    return true;
}

static void choose(char **out, const char *const *paths, char *const *datasets, int n)
{
    for (Length length = SHORT; length <= WHOLE_PATH; length++) {
        for (int k = 0; k < n; k++)
            out[k] = name_at(length, paths[k], datasets ? datasets[k] : NULL);
        if (length == WHOLE_PATH || are_apart(out, paths, datasets, n))
            return;
        for (int k = 0; k < n; k++)
            free(out[k]);
    }
}

void eval_names_of_labels(char **out, const char *const *paths, int n)
{
    choose(out, paths, NULL, n);
}

void eval_names_of_scores(char **out, const char *const *paths, char *const *datasets, int n)
{
    choose(out, paths, datasets, n);
}
