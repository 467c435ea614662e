/* checkpoint_files.c: which files of a folder are its checkpoint: those that an index names
 * ({"weight_map": {tensor: file}}), the one that has the name of a whole checkpoint, or all that
 * are named like one. An index is from strangers: it may name plain files of the folder and nothing
 * else. What its metadata say of sizes is ignored; published ones are wrong at times. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/checkpoint_internal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct FileNames {
    char **names; /* owned, as are the texts */
    size_t n, capacity;
} FileNames;

static void free_names(FileNames *list)
{
    for (size_t i = 0; i < list->n; i++)
        qb_free(list->names[i]);
    qb_free(list->names);
    *list = (FileNames){0};
}

static QbStatus add_name(FileNames *list, const char *name)
{
    QbStatus status =
        qb_checkpoint_grow((void **)&list->names, &list->capacity, list->n, sizeof *list->names);
    char *copy = status ? NULL : qb_strdup(name);
    if (!copy)
        return QB_ERR_NOMEM;
    list->names[list->n++] = copy;
    return QB_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_names(FileNames *list)
{
    if (list->n)
        qsort(list->names, list->n, sizeof *list->names, compare_names);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n > m && strcmp(name + n - m, suffix) == 0;
}

/* "folder/name"; *out: owned. */
static QbStatus join_path(char **out, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    *out = qb_alloc(size);
    if (!*out)
        return QB_ERR_NOMEM;
    snprintf(*out, size, "%s/%s", folder, name);
    return QB_OK;
}

static QbStatus add_files(QbCheckpoint *checkpoint, const char *folder, const FileNames *list)
{
    QbStatus status = QB_OK;
    for (size_t i = 0; i < list->n && !status; i++) {
        char *path;
        status = join_path(&path, folder, list->names[i]);
        if (!status)
            status = qb_checkpoint_add_file(checkpoint, path);
        qb_free(path);
    }
    return status ? status : qb_checkpoint_sort(checkpoint);
}

/* ---- an index -------------------------------------------------------------------------------- */

/* Of an index, a shard's name: a file of the folder itself, of the kind that the index is for.
 * Training arguments are pickles of whatever, and never opened. */
static bool is_shard_name(const char *name, const char *suffix)
{
    return !strchr(name, '/') && name[0] != '.' && has_suffix(name, suffix) &&
           strcmp(name, "training_args.bin") != 0;
}

static QbStatus load_json(json_t **out, const char *path)
{
    uint8_t *data;
    size_t size;
    *out = NULL;
    QbStatus status = qb_file_read_regular(&data, &size, path, CHECKPOINT_MAX_HEADER);
    if (status)
        return status;
    json_error_t error;
    *out = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &error);
    qb_free(data);
    if (!*out)
        return qb_fail(QB_ERR_FORMAT, "%s: line %d: %s", path, error.line, error.text);
    return QB_OK;
}

static QbStatus list_shards(FileNames *list, json_t *weight_map, const char *path,
                            const char *suffix)
{
    const char *tensor;
    json_t *value;
    QbStatus status = QB_OK;
    json_object_foreach(weight_map, tensor, value)
    {
        const char *shard = json_string_value(value);
        if (!shard || !is_shard_name(shard, suffix))
            return qb_fail(QB_ERR_FORMAT,
                           "%s: tensor %s is said to be in \"%s\", expected a file of the folder "
                           "that ends in %s",
                           path, tensor, shard ? shard : "", suffix);
        status = add_name(list, shard);
        if (status)
            return status;
    }
    sort_names(list);
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (kept && strcmp(list->names[kept - 1], list->names[i]) == 0)
            qb_free(list->names[i]);
        else
            list->names[kept++] = list->names[i];
    list->n = kept;
    return QB_OK;
}

static QbStatus find_shards(const FileNames *list, const char *folder, const char *index_path)
{
    for (size_t i = 0; i < list->n; i++) {
        char *path;
        QbStatus status = join_path(&path, folder, list->names[i]);
        if (status)
            return status;
        bool absent = access(path, F_OK) != 0 && errno == ENOENT;
        qb_free(path);
        if (absent)
            return qb_fail(QB_ERR_IO, "%s: names %s, which is missing", index_path, list->names[i]);
    }
    return QB_OK;
}

static QbStatus check_map(const QbCheckpoint *checkpoint, json_t *weight_map, const char *path)
{
    const char *name;
    json_t *value;
    json_object_foreach(weight_map, name, value)
    {
        const char *shard = json_string_value(value);
        const QbCheckpointTensor *tensor = qb_checkpoint_find(checkpoint, name);
        const char *slash = tensor ? strrchr(tensor->file, '/') : NULL;
        if (!slash || strcmp(slash + 1, shard) != 0)
            return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is not in %s", path, name, shard);
    }
    return QB_OK;
}

static QbStatus add_index(QbCheckpoint *checkpoint, const char *folder, const char *path,
                          const char *suffix)
{
    json_t *root;
    FileNames list = {0};
    QbStatus status = load_json(&root, path);
    if (status)
        return status;
    json_t *weight_map = json_object_get(root, "weight_map");
    if (!json_is_object(weight_map) || json_object_size(weight_map) == 0)
        status = qb_fail(QB_ERR_FORMAT, "%s: has no \"weight_map\"", path);
    if (!status)
        status = list_shards(&list, weight_map, path, suffix);
    if (!status)
        status = find_shards(&list, folder, path);
    if (!status)
        status = add_files(checkpoint, folder, &list);
    if (!status)
        status = check_map(checkpoint, weight_map, path);
    free_names(&list);
    json_decref(root);
    return status;
}

/* ---- a folder -------------------------------------------------------------------------------- */

static QbStatus list_folder(FileNames *list, const char *folder, const char *prefix,
                            const char *suffix)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return qb_fail(QB_ERR_IO, "%s: %s", folder, strerror(errno));
    QbStatus status = QB_OK;
    const struct dirent *entry;
    while (!status && (entry = readdir(stream))) {
        const char *name = entry->d_name;
        if (name[0] != '.' && strncmp(name, prefix, strlen(prefix)) == 0 &&
            has_suffix(name, suffix))
            status = add_name(list, name);
    }
    closedir(stream);
    sort_names(list); /* so that nothing depends on the order on the disk */
    return status;
}

/* How one kind of file is named. */
typedef struct FileKind {
    const char *index;
    const char *whole; /* a checkpoint in one file; what else is beside it is something else */
    const char *prefix, *suffix;
} FileKind;

static const FileKind kinds[] = {
    {"model.safetensors.index.json", "model.safetensors", "", ".safetensors"},
    {"pytorch_model.bin.index.json", "pytorch_model.bin", "pytorch_model", ".bin"},
};

/* Of a folder without an index. */
static QbStatus choose_files(FileNames *list, const char *folder, const FileKind *kind)
{
    QbStatus status = list_folder(list, folder, kind->prefix, kind->suffix);
    for (size_t i = 0; i < list->n && !status; i++)
        if (strcmp(list->names[i], kind->whole) == 0) {
            free_names(list);
            return add_name(list, kind->whole);
        }
    return status;
}

/* Adds what there is of one kind; *found says whether there was anything. */
static QbStatus add_kind(bool *found, QbCheckpoint *checkpoint, const char *folder,
                         const FileKind *kind)
{
    char *path;
    QbStatus status = join_path(&path, folder, kind->index);
    if (status)
        return status;
    *found = access(path, F_OK) == 0;
    if (*found)
        status = add_index(checkpoint, folder, path, kind->suffix);
    else {
        FileNames list = {0};
        status = choose_files(&list, folder, kind);
        *found = list.n > 0;
        if (!status && *found)
            status = add_files(checkpoint, folder, &list);
        free_names(&list);
    }
    qb_free(path);
    return status;
}

QbStatus qb_checkpoint_add_folder(QbCheckpoint *checkpoint, const char *folder)
{
    bool found = false;
    QbStatus status = QB_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !status && !found; i++)
        status = add_kind(&found, checkpoint, folder, &kinds[i]);
    if (!status && !found)
        status = qb_fail(QB_ERR_IO,
                         "%s: has no checkpoint (*.safetensors or pytorch_model*.bin, with or "
                         "without an index)",
                         folder);
    return status;
}
