/* config.c: see config.h. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

QbStatus qb_config_parse(QbConfigFile *out, const char *text, size_t length, const char *name)
{
    json_error_t error;
    *out = (QbConfigFile){.path = qb_strdup(name)};
    if (!out->path)
        return QB_ERR_NOMEM;
    /* Real numbers throughout: some tools write whole ones that fit no integer (1e30). */
    out->root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    QbStatus status = QB_OK;
    if (!out->root && json_error_code(&error) == json_error_out_of_memory)
        status = qb_fail(QB_ERR_NOMEM, "out of memory");
    else if (!out->root)
        status = qb_fail(QB_ERR_FORMAT, "%s: line %d: %s", name, error.line, error.text);
    else if (!json_is_object(out->root))
        status = qb_fail(QB_ERR_FORMAT, "%s: is not a JSON object", name);
    if (status)
        qb_config_close(out);
    return status;
}

QbStatus qb_config_open(QbConfigFile *out, const char *folder, const char *name, bool required)
{
    *out = (QbConfigFile){0};
    size_t length = strlen(folder) + strlen(name) + 2, size;
    char *path = qb_alloc(length);
    if (!path)
        return QB_ERR_NOMEM;
    snprintf(path, length, "%s/%s", folder, name);
    QbStatus status = QB_OK;
    uint8_t *text = NULL;
    struct stat info;
    /* A link that leads nowhere is there: to do without the file would change the model. */
    if (required || !lstat(path, &info)) {
        status = qb_file_read_regular(&text, &size, path, QB_CONFIG_MAX_BYTES);
        if (!status)
            status = qb_config_parse(out, (const char *)text, size, path);
    }
    qb_free(text);
    qb_free(path);
    return status;
}

void qb_config_close(QbConfigFile *file)
{
    json_decref(file->root);
    qb_free(file->path);
    *file = (QbConfigFile){0};
}

QbConfigNode qb_config_root(const QbConfigFile *file)
{
    return (QbConfigNode){file->path, "", file->root};
}

static const json_t *find(const QbConfigNode *node, const char *key)
{
    const json_t *value = json_object_get(node->object, key);
    return json_is_null(value) ? NULL : value;
}

/* "a string", and numbers as they are. */
static const char *kind_of(char *buffer, size_t size, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        return "null";
    default:
        snprintf(buffer, size, "%.9g", json_number_value(value));
        return buffer;
    }
}

static QbStatus wrong(const QbConfigNode *node, const char *key, const json_t *value,
                      const char *expected)
{
    char buffer[32];
    return qb_fail(QB_ERR_FORMAT, "%s: %s%s is %s, expected %s", node->file, node->prefix, key,
                   kind_of(buffer, sizeof buffer, value), expected);
}

QbStatus qb_config_child(QbConfigNode *out, const QbConfigNode *node, const char *key,
                         const char *prefix)
{
    const json_t *value = find(node, key);
    *out = (QbConfigNode){node->file, prefix, value};
    return value && !json_is_object(value) ? wrong(node, key, value, "an object") : QB_OK;
}

bool qb_config_has(const QbConfigNode *node, const char *key)
{
    return find(node, key) != NULL;
}

QbStatus qb_config_int(int *out, const QbConfigNode *node, const char *key, int min, int max)
{
    const json_t *value = find(node, key);
    if (!value)
        return QB_OK;
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= min && number <= max) || number != floor(number)) {
        char expected[64];
        snprintf(expected, sizeof expected, "a whole number from %d to %d", min, max);
        return wrong(node, key, value, expected);
    }
    *out = (int)number;
    return QB_OK;
}

QbStatus qb_config_real(double *out, const QbConfigNode *node, const char *key, double min,
                        double max)
{
    const json_t *value = find(node, key);
    if (!value)
        return QB_OK;
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number > min && number < max)) {
        char expected[64];
        snprintf(expected, sizeof expected, "a number between %g and %g", min, max);
        return wrong(node, key, value, expected);
    }
    *out = number;
    return QB_OK;
}

QbStatus qb_config_bool(bool *out, const QbConfigNode *node, const char *key)
{
    const json_t *value = find(node, key);
    if (!value)
        return QB_OK;
    if (!json_is_boolean(value))
        return wrong(node, key, value, "true or false");
    *out = json_is_true(value);
    return QB_OK;
}

QbStatus qb_config_text(const char **out, const QbConfigNode *node, const char *key)
{
    const json_t *value = find(node, key);
    if (!value)
        return QB_OK;
    if (!json_is_string(value))
        return wrong(node, key, value, "a string");
    *out = json_string_value(value);
    return QB_OK;
}

QbStatus qb_config_triple(float out[3], const QbConfigNode *node, const char *key, double min,
                          double max)
{
    const json_t *value = find(node, key);
    if (!value)
        return QB_OK;
    if (json_array_size(value) != 3)
        return wrong(node, key, value, "an array of three numbers");
    for (size_t i = 0; i < 3; i++) {
        double number = json_number_value(json_array_get(value, i));
        if (!json_is_number(json_array_get(value, i)) || !(number >= min && number <= max))
            return qb_fail(QB_ERR_FORMAT, "%s: %s%s[%zu] is not a number from %g to %g", node->file,
                           node->prefix, key, i, min, max);
    }
    for (size_t i = 0; i < 3; i++)
        out[i] = (float)json_number_value(json_array_get(value, i));
    return QB_OK;
}

QbStatus qb_config_only(const QbConfigNode *node, const char *key, const char *only,
                        const char *reason)
{
    const char *text = only;
    QbStatus status = qb_config_text(&text, node, key);
    if (status || !strcmp(text, only))
        return status;
    return qb_fail(QB_ERR_UNSUPPORTED, "%s: %s%s is \"%s\"; %s", node->file, node->prefix, key,
                   text, reason);
}
