/* json_read.c: reads back the lines that json_write.c wrote, for --resume. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The text behind base64, NULL when it is none. */
static char *decode_base64(const char *digits)
{
    Text text = {0};
    unsigned bits = 0;
    int n_bits = 0;
    for (; *digits && *digits != '='; digits++) {
        int value = digit_value(*digits);
        if (value < 0) {
            text_free(&text);
            return NULL;
        }
        bits = (bits << 6 | (unsigned)value) & 0xffffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            text_add_char(&text, (char)(bits >> n_bits));
        }
    }
    return text.data;
}

static char *member(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? cli_strdup(value) : NULL;
}

bool json_read_line(JsonLine *out, const char *schema, const char *line, size_t length)
{
    *out = (JsonLine){.score = NAN};
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    const char *found = json_string_value(json_object_get(object, "schema"));
    if (found && strcmp(found, schema) == 0) {
        const char *b64 = json_string_value(json_object_get(object, "path_b64"));
        const json_t *score = json_object_get(object, "score");
        out->path = b64 ? decode_base64(b64) : member(object, "path");
        out->model_hash = member(object, "model_hash");
        out->settings = member(object, "settings");
        out->failed =
            json_object_get(object, "error") || json_is_true(json_object_get(object, "partial"));
        if (json_is_number(score))
            out->score = json_number_value(score);
    }
    json_decref(object);
    if (out->path && out->model_hash && out->settings)
        return true;
    json_line_free(out);
    return false;
}

void json_line_free(JsonLine *line)
{
    free(line->path);
    free(line->model_hash);
    free(line->settings);
    *line = (JsonLine){0};
}
