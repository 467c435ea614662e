/* table.c: the memory of tables, and which reader a file wants; see table.h.
 *
 * Texts lie one behind the other in blocks, logits in one array of rows whose width doubles: half a
 * million rows are a few dozen allocations. */
// SPDX-License-Identifier: Apache-2.0
#include "eval/table.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/table_reader.h"

#include <math.h>
#include <string.h>

enum { FIRST_ROWS = 256, FIRST_WORDS = 8, BLOCK_BYTES = 65536 };

struct QbTextBlock {
    QbTextBlock *next; /* older */
    size_t used, size;
    char text[];
};

static const QbTableRow empty_row = {.name = "", .dataset = "", .opinion = NAN, .score = NAN};

QbStatus qb_table_new(QbTable **out)
{
    *out = qb_calloc(1, sizeof **out);
    return *out ? QB_OK : QB_ERR_NOMEM;
}

void qb_table_free(QbTable **table)
{
    if (!table || !*table)
        return;
    for (QbTextBlock *block = (*table)->texts, *next; block; block = next) {
        next = block->next;
        qb_free(block);
    }
    qb_free((*table)->rows);
    qb_free((*table)->logits);
    qb_free(*table);
    *table = NULL;
}

/* Room for logits of so many rows and words; what is new is NAN. */
static QbStatus resize_logits(QbTable *table, size_t row_capacity, size_t stride)
{
    size_t n;
    if (!stride)
        return QB_OK;
    if (!qb_mul_size(&n, row_capacity, stride) || n > QB_TABLE_MAX_LOGITS)
        return qb_fail(QB_ERR_LIMIT, "more than %d logits", QB_TABLE_MAX_LOGITS);
    double *logits = qb_calloc(n, sizeof *logits);
    if (!logits)
        return QB_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        logits[i] = NAN;
    for (size_t row = 0; row < table->n_rows; row++)
        for (size_t word = 0; word < table->stride; word++)
            logits[row * stride + word] = table->logits[row * table->stride + word];
    qb_free(table->logits);
    table->logits = logits;
    table->stride = stride;
    return QB_OK;
}

static QbStatus grow_rows(QbTable *table)
{
    size_t capacity = table->row_capacity ? 2 * table->row_capacity : FIRST_ROWS;
    if (table->n_rows == QB_TABLE_MAX_ROWS)
        return qb_fail(QB_ERR_LIMIT, "more than %d rows", QB_TABLE_MAX_ROWS);
    if (capacity > QB_TABLE_MAX_ROWS)
        capacity = QB_TABLE_MAX_ROWS;
    QbStatus status = resize_logits(table, capacity, table->stride);
    if (status)
        return status;
    QbTableRow *rows =
        qb_realloc(table->rows, table->n_rows * sizeof *rows, capacity * sizeof *rows);
    if (!rows)
        return QB_ERR_NOMEM;
    table->rows = rows;
    table->row_capacity = capacity;
    return QB_OK;
}

QbStatus qb_table_add_row(QbTableRow **out, QbTable *table)
{
    QbStatus status = table->n_rows == table->row_capacity ? grow_rows(table) : QB_OK;
    if (status)
        return status;
    *out = &table->rows[table->n_rows++];
    **out = empty_row;
    return QB_OK;
}

QbStatus qb_table_add_text(const char **out, QbTable *table, const char *text, size_t length)
{
    QbTextBlock *block = table->texts;
    size_t bytes = length + 1;
    if (!block || block->size - block->used < bytes) {
        size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        block = qb_alloc(sizeof *block + size);
        if (!block)
            return QB_ERR_NOMEM;
        *block = (QbTextBlock){.next = table->texts, .size = size};
        table->texts = block;
    }
    char *copy = block->text + block->used;
    memcpy(copy, text, length);
    copy[length] = 0;
    block->used += bytes;
    *out = copy;
    return QB_OK;
}

QbStatus qb_table_add_word(int *out, QbTable *table, const char *word, size_t length)
{
    for (int i = 0; i < table->n_words; i++)
        if (strlen(table->word[i]) == length && !memcmp(table->word[i], word, length)) {
            *out = i;
            return QB_OK;
        }
    if (table->n_words == QB_TABLE_MAX_WORDS)
        return qb_fail(QB_ERR_LIMIT, "logits of more than %d words", QB_TABLE_MAX_WORDS);
    QbStatus status = QB_OK;
    if ((size_t)table->n_words == table->stride && table->row_capacity)
        status = resize_logits(table, table->row_capacity,
                               table->stride ? 2 * table->stride : FIRST_WORDS);
    else if ((size_t)table->n_words == table->stride)
        table->stride = table->stride ? 2 * table->stride : FIRST_WORDS; /* before the first row */
    if (!status)
        status = qb_table_add_text(&table->word[table->n_words], table, word, length);
    if (!status)
        *out = table->n_words++;
    return status;
}

void qb_table_set_logit(QbTable *table, int word, double logit)
{
    table->logits[(table->n_rows - 1) * table->stride + (size_t)word] = logit;
}

size_t qb_table_count(const QbTable *table)
{
    return table ? table->n_rows : 0;
}

void qb_table_row(QbTableRow *out, const QbTable *table, size_t index)
{
    if (index >= qb_table_count(table)) {
        *out = empty_row;
        return;
    }
    *out = table->rows[index];
    if (table->n_words)
        out->logit = table->logits + index * table->stride;
}

int qb_table_word_count(const QbTable *table)
{
    return table ? table->n_words : 0;
}

const char *qb_table_word(const QbTable *table, int index)
{
    return table && index >= 0 && index < table->n_words ? table->word[index] : NULL;
}

void qb_table_options_init(QbTableOptions *options)
{
    *options = (QbTableOptions){.size = sizeof *options};
}

/* Skips a byte order mark. */
static QbStatus check_text(const char **text, size_t *size)
{
    static const char utf8_mark[] = "\xef\xbb\xbf";
    if (*size >= 2 && (!memcmp(*text, "\xff\xfe", 2) || !memcmp(*text, "\xfe\xff", 2)))
        return qb_fail(QB_ERR_FORMAT, "is UTF-16; please save it as UTF-8");
    if (memchr(*text, 0, *size))
        return qb_fail(QB_ERR_FORMAT, "is not a text: it holds a zero byte");
    if (*size >= 3 && !memcmp(*text, utf8_mark, 3)) {
        *text += 3;
        *size -= 3;
    }
    return QB_OK;
}

static QbStatus read_table(QbTable *table, const char *text, size_t size,
                           const QbTableOptions *options)
{
    QbTableReader reader = {.table = table, .options = options};
    for (int role = 0; role < QB_COLUMN_ROLES; role++)
        reader.chosen[role] = -1;
    QbStatus status = check_text(&text, &size);
    size_t blank = 0;
    while (blank < size && strchr(" \t\r\n", text[blank]))
        blank++;
    if (!status && blank == size)
        status = qb_fail(QB_ERR_FORMAT, "is empty");
    else if (!status && (text[blank] == '{' || text[blank] == '['))
        status = qb_table_read_json(&reader, text, size);
    else if (!status)
        status = qb_table_read_csv(&reader, text, size);
    if (!status)
        status =
            table->n_rows ? qb_table_reader_check(&reader) : qb_fail(QB_ERR_FORMAT, "has no row");
    qb_free(reader.columns);
    return status;
}

QbStatus qb_table_open_memory(QbTable **out, const void *data, size_t size_bytes, const char *name,
                              const QbTableOptions *options)
{
    QbTableOptions defaults;
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_table_open_memory: out is NULL");
    *out = NULL;
    if ((!data && size_bytes) || !name)
        return qb_fail(QB_ERR_ARG, "qb_table_open_memory: an argument is NULL");
    if (options && options->size != sizeof *options)
        return qb_fail(QB_ERR_ARG,
                       "qb_table_open: options were not set up by qb_table_options_init");
    if (size_bytes > QB_TABLE_MAX_BYTES)
        return qb_fail(QB_ERR_LIMIT, "%s: %zu bytes, the limit is %d", name, size_bytes,
                       QB_TABLE_MAX_BYTES);
    qb_table_options_init(&defaults);
    QbTable *table;
    QbStatus status = qb_table_new(&table);
    if (!status)
        status = read_table(table, data ? data : "", size_bytes, options ? options : &defaults);
    if (status) {
        qb_table_free(&table);
        return status == QB_ERR_NOMEM ? status : qb_fail_prefix(status, "%s", name);
    }
    *out = table;
    return QB_OK;
}

QbStatus qb_table_open(QbTable **out, const char *path, const QbTableOptions *options)
{
    uint8_t *data;
    size_t size;
    if (!out || !path)
        return qb_fail(QB_ERR_ARG, "qb_table_open: an argument is NULL");
    *out = NULL;
    QbStatus status = qb_file_read(&data, &size, path, QB_TABLE_MAX_BYTES);
    if (!status)
        status = qb_table_open_memory(out, data, size, path, options);
    if (data)
        qb_free(data);
    return status;
}
