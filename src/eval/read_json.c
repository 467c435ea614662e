/* read_json.c: tables of JSON objects, by jansson: an array, lines, or objects one behind the other
 * with or without commas, as the published lists and logits come.
 *
 * Each object is parsed by itself, found by its braces, so memory does not grow with the file and
 * an error can name the record. */
// SPDX-License-Identifier: Apache-2.0
#include "eval/table_reader.h"

#include "base/error.h"
#include "base/mem.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct {
    QbTableReader *reader;
    const char *text;
    size_t size, at;
    size_t record, line; /* both from 1 */
} JsonReader;

/* Which column a key is. Objects mostly have the same keys in the same order. */
static QbStatus find_column(int *out, QbTableReader *reader, const char *key, int expected)
{
    if (expected < reader->n_columns && !strcmp(reader->columns[expected].name, key)) {
        *out = expected;
        return QB_OK;
    }
    for (int i = 0; i < reader->n_columns; i++)
        if (!strcmp(reader->columns[i].name, key)) {
            *out = i;
            return QB_OK;
        }
    return qb_table_reader_add_column(out, reader, key, strlen(key));
}

static QbStatus set_value(QbTableReader *reader, const QbColumn *column, const json_t *value)
{
    if (json_is_null(value))
        return QB_OK;
    if (json_is_string(value))
        return qb_table_reader_set_text(reader, column, json_string_value(value),
                                        json_string_length(value));
    if (json_is_number(value))
        return qb_table_reader_set_number(reader, column, json_number_value(value));
    return qb_fail(QB_ERR_FORMAT, "\"%s\" is neither a number nor a text", column->name);
}

static QbStatus set_logits(QbTableReader *reader, const char *name, json_t *object)
{
    const char *word;
    json_t *value;
    QbStatus status = QB_OK;
    if (json_is_null(object))
        return QB_OK;
    if (!json_is_object(object))
        return qb_fail(QB_ERR_FORMAT, "\"%s\" is not an object of words", name);
    json_object_foreach(object, word, value)
    {
        QbColumn column = {.name = word, .kind = QB_COLUMN_LOGIT};
        status = qb_table_add_word(&column.word, reader->table, word, strlen(word));
        if (!status)
            status = set_value(reader, &column, value);
        if (status)
            return status;
    }
    return QB_OK;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A name that is not UTF-8, in the place of the one that stands for it. */
static QbStatus set_base64_name(QbTableReader *reader, const char *name, const char *digits)
{
    char bytes[QB_TABLE_MAX_NAME];
    size_t length = 0;
    unsigned bits = 0;
    int n_bits = 0;
    QbColumn column = {.name = name, .kind = QB_COLUMN_NAME};
    for (; digits && *digits && *digits != '='; digits++) {
        int digit = base64_digit(*digits);
        bool bad = digit < 0;
        bits = (bits << 6 | (unsigned)digit) & 0xffffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            bytes[length] = (char)(bits >> n_bits);
            bad = bad || !bytes[length] || ++length == sizeof bytes;
        }
        if (bad)
            return qb_fail(QB_ERR_FORMAT, "\"%s\" is not a name in base64", name);
    }
    return qb_table_reader_set_text(reader, &column, bytes, length);
}

/* Values whose keys stand for themselves, and of the roles those that were chosen. */
static QbStatus set_values(QbTableReader *reader, json_t *object, const int *present)
{
    const char *key;
    json_t *value;
    int i = 0;
    QbStatus status = QB_OK;
    json_object_foreach(object, key, value)
    {
        /* set_logits adds no columns, so the pointer holds */
        const QbColumn *column = &reader->columns[present[i]];
        if (column->kind == QB_COLUMN_LOGITS)
            status = set_logits(reader, key, value);
        else if (column->kind == QB_COLUMN_LOGIT ||
                 (column->kind < QB_COLUMN_ROLES && reader->chosen[column->kind] == present[i]))
            status = set_value(reader, column, value);
        if (status)
            return status;
        i++;
    }
    for (i = 0; i < (int)json_object_size(object) && !status; i++)
        if (reader->columns[present[i]].kind == QB_COLUMN_NAME_BASE64) {
            const char *name = reader->columns[present[i]].name;
            status =
                set_base64_name(reader, name, json_string_value(json_object_get(object, name)));
        }
    return status;
}

static QbStatus take_object(QbTableReader *reader, json_t *object)
{
    int present[QB_TABLE_MAX_COLUMNS], n = 0;
    const char *key;
    json_t *value;
    QbTableRow *row;
    QbStatus status = qb_table_add_row(&row, reader->table);
    json_object_foreach(object, key, value)
    {
        if (!status && n == QB_TABLE_MAX_COLUMNS)
            status = qb_fail(QB_ERR_LIMIT, "more than %d keys", QB_TABLE_MAX_COLUMNS);
        if (!status)
            status = find_column(&present[n], reader, key, n);
        n++;
    }
    if (!status)
        status = qb_table_reader_choose(reader, present, n);
    if (!status)
        status = set_values(reader, object, present);
    if (status)
        return status;
    if (*reader->table->rows[reader->table->n_rows - 1].name)
        return QB_OK;
    int name = reader->chosen[QB_COLUMN_NAME];
    return name < 0 ? qb_table_reader_check(reader)
                    : qb_fail(QB_ERR_FORMAT, "\"%s\" is missing", reader->columns[name].name);
}

/* From a brace to its other half, 0 when there is none. */
static size_t object_length(const char *text, size_t size)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\' && quoted)
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && text[i] == '{')
            depth++;
        else if (!quoted && text[i] == '}' && --depth == 0)
            return i + 1;
    }
    return 0;
}

static QbStatus read_object(JsonReader *json)
{
    const char *start = json->text + json->at;
    size_t left = json->size - json->at,
           room = left < QB_TABLE_MAX_RECORD ? left : QB_TABLE_MAX_RECORD;
    size_t length = object_length(start, room);
    json_error_t error;
    if (!length && left > room)
        return qb_fail(QB_ERR_LIMIT, "an object of more than %d bytes", QB_TABLE_MAX_RECORD);
    /* without its other half, the parser says what is wrong */
    json_t *object = json_loadb(start, length ? length : room,
                                JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (!object && json_error_code(&error) == json_error_out_of_memory)
        return qb_fail(QB_ERR_NOMEM, "out of memory");
    if (!object) {
        json->line += (size_t)error.line - 1;
        return qb_fail(QB_ERR_FORMAT, "%s", error.text);
    }
    QbStatus status = take_object(json->reader, object);
    json_decref(object);
    for (size_t i = 0; i < length && !status; i++)
        json->line += start[i] == '\n';
    json->at += length;
    return status;
}

static void skip_blanks(JsonReader *json)
{
    for (; json->at < json->size && strchr(" \t\r\n", json->text[json->at]); json->at++)
        json->line += json->text[json->at] == '\n';
}

static QbStatus read_objects(JsonReader *json)
{
    bool in_array = false, ended = false;
    QbStatus status = QB_OK;
    for (; !status; skip_blanks(json)) {
        if (json->at == json->size)
            return in_array ? qb_fail(QB_ERR_FORMAT, "the array has no end") : QB_OK;
        char c = json->text[json->at];
        if (c == '{' && !ended) {
            json->record++;
            status = read_object(json);
        } else if (c == '[' && !json->record && !in_array && !ended) {
            in_array = true;
            json->at++;
        } else if (c == ']' && in_array) {
            in_array = false;
            ended = true;
            json->at++;
        } else if (c == ',' && json->record && !ended) {
            json->at++;
        } else {
            return qb_fail(QB_ERR_FORMAT, "'%c' where an object is expected", c);
        }
    }
    return status;
}

QbStatus qb_table_read_json(QbTableReader *reader, const char *text, size_t size)
{
    JsonReader json = {.reader = reader, .text = text, .size = size, .line = 1};
    skip_blanks(&json);
    QbStatus status = read_objects(&json);
    if (status && status != QB_ERR_NOMEM)
        qb_fail_prefix(status, "record %zu, line %zu", json.record, json.line);
    return status;
}
