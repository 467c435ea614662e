/* json_questions.c: reads a list of questions in the form of Q-Bench's public ones: an array of
 * objects, or an object a line, with img_path (a text, or a list for several pictures), question,
 * candidates (2 to 26 texts) and, where it is told, correct_ans (one of them). Other keys are
 * skipped. */
// SPDX-License-Identifier: Apache-2.0
#include "base/report.h"
#include "output/json.h"
#include "output/json_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void item_free(McqItem *item)
{
    for (int i = 0; i < item->n_paths; i++)
        free(item->paths[i]);
    for (int i = 0; i < item->n_options; i++)
        free(item->options[i]);
    free(item->paths);
    free(item->options);
    free(item->question);
}

void mcq_list_free(McqList *list)
{
    for (int64_t i = 0; i < list->n; i++)
        item_free(&list->items[i]);
    free(list->items);
    *list = (McqList){0};
}

static char *in_folder(const char *folder, const char *path)
{
    Text text = {0};
    if (*folder && path[0] != '/')
        text_addf(&text, "%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/");
    text_add(&text, path);
    return text.data;
}

/* Texts of a list, or one text alone; *out: owned. 0: none, or something else among them. */
static int read_texts(char ***out, const json_t *value, const char *folder)
{
    size_t n = json_is_string(value) ? 1 : json_array_size(value);
    for (size_t i = 0; i < n; i++) {
        const json_t *text = json_is_string(value) ? value : json_array_get(value, i);
        if (!json_is_string(text) || text_is_blank(json_string_value(text)))
            return 0;
    }
    if (n == 0 || n > 1000)
        return 0;
    *out = cli_calloc(n + 1, sizeof **out);
    for (size_t i = 0; i < n; i++) {
        const json_t *text = json_is_string(value) ? value : json_array_get(value, i);
        (*out)[i] = in_folder(folder, json_string_value(text));
    }
    return (int)n;
}

static int index_of(const McqItem *item, const char *text)
{
    for (int i = 0; i < item->n_options; i++)
        if (strcmp(item->options[i], text) == 0)
            return i;
    return -1;
}

/* NULL, or what is wrong. */
static const char *read_item(McqItem *item, const json_t *object, const char *folder)
{
    const char *question = json_string_value(json_object_get(object, "question"));
    const json_t *correct = json_object_get(object, "correct_ans");
    item->correct = -1;
    item->n_paths = read_texts(&item->paths, json_object_get(object, "img_path"), folder);
    if (item->n_paths == 0)
        return "img_path must be a text or a list of texts, none of them empty";
    if (!question || text_is_blank(question))
        return "question must be a text that is not empty";
    item->question = cli_strdup(question);
    item->n_options = read_texts(&item->options, json_object_get(object, "candidates"), "");
    if (item->n_options < 2 || item->n_options > QB_MCQ_MAX_OPTIONS)
        return "candidates must be a list of 2 to 26 texts, none of them empty";
    if (!correct || json_is_null(correct))
        return NULL;
    if (json_is_string(correct))
        item->correct = index_of(item, json_string_value(correct));
    return item->correct < 0 ? "correct_ans must be one of the candidates" : NULL;
}

static bool at_end(FILE *in)
{
    int c;
    while ((c = getc(in)) != EOF && strchr(" \t\r\n", c))
        ;
    if (c != EOF)
        ungetc(c, in);
    return c == EOF;
}

/* Each value's lines are counted from 1 again, so the place is told by what stands before. */
static void fail_behind(json_error_t *error, size_t n)
{
    char why[sizeof error->text];
    snprintf(why, sizeof why, "%s", error->text);
    error->line = 0;
    snprintf(error->text, sizeof error->text, "behind question %zu: %.120s", n, why);
}

/* An array, or objects one after the other (JSON lines), of which an array is made. */
static json_t *load_values(FILE *in, json_error_t *error)
{
    json_t *first = json_loadf(in, JSON_DISABLE_EOF_CHECK, error);
    json_t *list = json_is_object(first) ? json_array() : first;
    if (list != first)
        json_array_append_new(list, first);
    bool good = list != NULL;
    while (good && !at_end(in)) {
        json_t *next = list == first ? NULL : json_loadf(in, JSON_DISABLE_EOF_CHECK, error);
        good = next != NULL;
        if (next)
            json_array_append_new(list, next);
        else if (list == first)
            snprintf(error->text, sizeof error->text, "something follows the list");
    }
    if (list != first && !good)
        fail_behind(error, json_array_size(list));
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

/* "-" is standard input. NULL: *error is filled, its line 0 when nothing could be read. */
static json_t *load(const char *file, json_error_t *error)
{
    struct stat info;
    *error = (json_error_t){0};
    FILE *in = strcmp(file, "-") ? fopen(file, "re") : stdin;
    int why = in ? 0 : errno;
    if (in && fstat(fileno(in), &info) == 0 && S_ISDIR(info.st_mode))
        why = EISDIR;
    json_t *list = NULL;
    if (why)
        snprintf(error->text, sizeof error->text, "%s", strerror(why));
    else
        list = load_values(in, error);
    if (in && in != stdin)
        fclose(in);
    return list;
}

bool json_read_questions(McqList *out, const char *file, const char *folder)
{
    json_error_t error;
    json_t *list = load(file, &error);
    *out = (McqList){0};
    const char *wrong = !list ? error.text : json_array_size(list) == 0 ? "has no question" : NULL;
    if (wrong) {
        if (!list && error.line > 0)
            report("%s:%d: %s", file, error.line, wrong);
        else
            report("%s: %s", file, wrong);
        json_decref(list);
        return false;
    }
    size_t n = json_array_size(list);
    out->items = cli_calloc(n, sizeof *out->items);
    for (size_t i = 0; i < n && !wrong; i++) {
        wrong = read_item(&out->items[out->n++], json_array_get(list, i), folder);
        if (wrong)
            report("%s: question %zu: %s", file, i + 1, wrong);
    }
    json_decref(list);
    if (wrong)
        mcq_list_free(out);
    return !wrong;
}
