/* gguf_index.c: keys and tensors of an open GGUF file by number and by name. Names are kept as
 * sorted lists, so that files with many tensors open and answer quickly and duplicates are
 * neighbours. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/gguf_internal.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Keys and tensor entries both begin with a pointer to their name. */
static const char *name_of(void *const *element)
{
    return *(const char *const *)*element;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(name_of(a), name_of(b));
}

static int compare_to_name(const void *name, const void *element)
{
    return strcmp(name, name_of(element));
}

static void *find_name(void *const *sorted, size_t n, const char *name)
{
    void *const *found = n ? bsearch(name, sorted, n, sizeof *sorted, compare_to_name) : NULL;
    return found ? *found : NULL;
}

QbStatus qb_gguf_list_elements(void ***out, void *table, size_t n, size_t element_bytes)
{
    *out = qb_calloc(n ? n : 1, sizeof **out);
    if (!*out)
        return QB_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        (*out)[i] = (uint8_t *)table + i * element_bytes;
    return QB_OK;
}

QbStatus qb_gguf_sort_names(void **list, size_t n, const char *file, const char *what)
{
    qsort(list, n, sizeof *list, compare_names);
    for (size_t i = 1; i < n; i++)
        if (compare_names(&list[i - 1], &list[i]) == 0)
            return qb_fail(QB_ERR_FORMAT, "%s: %s %s is there twice", file, what,
                           name_of(&list[i]));
    return QB_OK;
}

const char *qb_gguf_name(const QbGguf *gguf)
{
    return gguf->name;
}

const void *qb_gguf_bytes(const QbGguf *gguf, size_t *out_size)
{
    *out_size = gguf->file.size;
    return gguf->file.data;
}

int qb_gguf_tensor_count(const QbGguf *gguf)
{
    return (int)gguf->n_tensors;
}

const QbGgufTensor *qb_gguf_tensor_at(const QbGguf *gguf, int index)
{
    return index >= 0 && (size_t)index < gguf->n_tensors ? &gguf->tensors[index].tensor : NULL;
}

const QbGgufTensor *qb_gguf_find_tensor(const QbGguf *gguf, const char *name)
{
    const GgufTensorEntry *entry = find_name(gguf->tensors_by_name, gguf->n_tensors, name);
    return entry ? &entry->tensor : NULL;
}

int qb_gguf_key_count(const QbGguf *gguf)
{
    return (int)gguf->n_keys;
}

const char *qb_gguf_key_at(const QbGguf *gguf, int index)
{
    return index >= 0 && (size_t)index < gguf->n_keys ? gguf->keys[index].name : NULL;
}

const GgufKey *qb_gguf_find_key(const QbGguf *gguf, const char *name)
{
    return find_name(gguf->keys_by_name, gguf->n_keys, name);
}

bool qb_gguf_has_key(const QbGguf *gguf, const char *key)
{
    return qb_gguf_find_key(gguf, key) != NULL;
}
