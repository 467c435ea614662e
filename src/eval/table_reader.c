/* table_reader.c: which column is which, and values out of texts; see table_reader.h. */
// SPDX-License-Identifier: Apache-2.0
#include "eval/table_reader.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_COLUMNS = 16, MAX_KNOWN = 20, SHOWN_BYTES = 60, LIST_BYTES = 600 };

static const char BLANKS[] = " \t\r\n";
static const char LOGIT_PREFIX[] = "logit_";

/* The names that are known for each role; of several that are there the first counts. Case does not
 * matter, and a blank or '-' is as good as '_'.
 * Names: with folders before bare ones. Opinions: what the published lists call the scale that
 * people voted on comes before what was made of it (z-scores, ranges moved to 0..1), so that RMSE
 * and calibration are on the scale that papers report. */
static const struct {
    const char *what; /* for error texts */
    const char *known[MAX_KNOWN];
} roles[QB_COLUMN_ROLES] = {
    [QB_COLUMN_NAME] = {"names of pictures or videos",
                        {"path", "img_path", "image_path", "video_path", "file_path", "image",
                         "img", "video", "image_name", "img_name", "video_name", "dist_img",
                         "filename", "file_name", "file", "name"}},
    [QB_COLUMN_OPINION] = {"opinions",
                           {"gt_score", "mos_raw", "mos", "gt_mos", "mos_quality", "quality_mos",
                            "dmos", "mos_zscore", "mos_0_1", "opinion", "gt"}},
    [QB_COLUMN_SCORE] = {"scores",
                         {"score", "pred_score", "predicted_score", "pred", "prediction",
                          "quality"}},
    [QB_COLUMN_DATASET] = {"data sets", {"dataset", "data_set", "database", "set"}},
    [QB_COLUMN_ERROR] = {"errors", {"error"}},
};

static char plain(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == ' ' || c == '-' ? '_' : c;
}

static bool same_name(const char *a, const char *b)
{
    while (*a && plain(*a) == plain(*b))
        a++, b++;
    return plain(*a) == plain(*b);
}

static const char *asked_for(const QbTableOptions *options, int role)
{
    switch (role) {
    case QB_COLUMN_NAME:
        return options->name_column;
    case QB_COLUMN_OPINION:
        return options->opinion_column;
    case QB_COLUMN_SCORE:
        return options->score_column;
    case QB_COLUMN_DATASET:
        return options->dataset_column;
    default:
        return NULL;
    }
}

/* What the caller has named comes before what is known. */
static void find_role(QbColumn *column, const QbTableOptions *options)
{
    for (int role = 0; role < QB_COLUMN_ROLES; role++) {
        const char *asked = asked_for(options, role);
        if (asked && same_name(column->name, asked)) {
            column->kind = (QbColumnKind)role;
            column->rank = strcmp(column->name, asked) ? 1 : 0;
            return;
        }
    }
    for (int role = 0; role < QB_COLUMN_ROLES; role++)
        for (int i = 0; !asked_for(options, role) && roles[role].known[i]; i++)
            if (same_name(column->name, roles[role].known[i])) {
                column->kind = (QbColumnKind)role;
                column->rank = i;
                return;
            }
}

static QbStatus find_kind(QbColumn *column, QbTableReader *reader)
{
    size_t prefix = sizeof LOGIT_PREFIX - 1;
    column->kind = QB_COLUMN_OTHER;
    find_role(column, reader->options);
    if (column->kind != QB_COLUMN_OTHER)
        return QB_OK;
    if (!strcmp(column->name, "logits"))
        column->kind = QB_COLUMN_LOGITS;
    else if (!strcmp(column->name, "path_b64") && !reader->options->name_column)
        column->kind = QB_COLUMN_NAME_BASE64;
    else if (!strncmp(column->name, LOGIT_PREFIX, prefix) && column->name[prefix])
        column->kind = QB_COLUMN_LOGIT;
    return column->kind == QB_COLUMN_LOGIT
               ? qb_table_add_word(&column->word, reader->table, column->name + prefix,
                                   strlen(column->name + prefix))
               : QB_OK;
}

QbStatus qb_table_reader_add_column(int *out, QbTableReader *reader, const char *name,
                                    size_t length)
{
    if (reader->n_columns == QB_TABLE_MAX_COLUMNS)
        return qb_fail(QB_ERR_LIMIT, "more than %d columns", QB_TABLE_MAX_COLUMNS);
    if (reader->n_columns == reader->column_capacity) {
        int capacity = reader->column_capacity ? 2 * reader->column_capacity : FIRST_COLUMNS;
        QbColumn *columns = qb_realloc(reader->columns, (size_t)reader->n_columns * sizeof *columns,
                                       (size_t)capacity * sizeof *columns);
        if (!columns)
            return QB_ERR_NOMEM;
        reader->columns = columns;
        reader->column_capacity = capacity;
    }
    QbColumn *column = &reader->columns[reader->n_columns];
    QbStatus status = qb_table_add_text(&column->name, reader->table, name, length);
    if (!status)
        status = find_kind(column, reader);
    if (!status)
        *out = reader->n_columns++;
    return status;
}

QbStatus qb_table_reader_choose(QbTableReader *reader, const int *present, int n)
{
    for (int role = 0; role < QB_COLUMN_ROLES; role++) {
        int best = reader->chosen[role];
        for (int i = 0; i < n && reader->chosen[role] < 0; i++) {
            const QbColumn *column = &reader->columns[present[i]];
            if (column->kind == (QbColumnKind)role &&
                (best < 0 || column->rank < reader->columns[best].rank))
                best = present[i];
        }
        reader->chosen[role] = best;
        for (int i = 0; i < n && best >= 0; i++) {
            const QbColumn *column = &reader->columns[present[i]];
            if (column->kind == (QbColumnKind)role && present[i] != best &&
                column->rank == reader->columns[best].rank)
                return qb_fail(QB_ERR_FORMAT, "two columns of %s: \"%s\" and \"%s\"",
                               roles[role].what, reader->columns[best].name, column->name);
        }
    }
    return QB_OK;
}

/* What is wanted, and the columns that there are. */
static QbStatus lacks(const QbTableReader *reader, const char *what, const char *asked)
{
    char list[LIST_BYTES] = "";
    size_t used = 0;
    for (int i = 0; i < reader->n_columns && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s", i ? ", " : "",
                                 SHOWN_BYTES, reader->columns[i].name);
    return asked
               ? qb_fail(QB_ERR_FORMAT, "no column \"%s\" of %s; there are: %s", asked, what, list)
               : qb_fail(QB_ERR_FORMAT, "no column of %s is known; there are: %s", what, list);
}

QbStatus qb_table_reader_check(const QbTableReader *reader)
{
    const QbTableOptions *options = reader->options;
    const int *chosen = reader->chosen;
    bool scores = chosen[QB_COLUMN_SCORE] >= 0 || reader->table->n_words > 0;
    for (int role = 0; role < QB_COLUMN_ROLES; role++)
        if (chosen[role] < 0 && (role == QB_COLUMN_NAME || asked_for(options, role)))
            return lacks(reader, roles[role].what, asked_for(options, role));
    if (options->need_opinions && chosen[QB_COLUMN_OPINION] < 0)
        return lacks(reader, roles[QB_COLUMN_OPINION].what, NULL);
    if (options->need_scores && !scores && chosen[QB_COLUMN_ERROR] < 0)
        return lacks(reader, "scores or logits", NULL);
    if (chosen[QB_COLUMN_OPINION] < 0 && !scores && chosen[QB_COLUMN_ERROR] < 0)
        return lacks(reader, "opinions, scores or logits", NULL);
    return QB_OK;
}

static QbTableRow *last_row(QbTableReader *reader)
{
    return &reader->table->rows[reader->table->n_rows - 1];
}

/* What a score or a logit that is no number becomes: a failure of whoever scored. */
static QbStatus set_failure(QbTableReader *reader, const QbColumn *column, double value)
{
    char text[SHOWN_BYTES + 32];
    QbTableRow *row = last_row(reader);
    int length = snprintf(text, sizeof text, "%.*s is %s", SHOWN_BYTES, column->name,
                          isnan(value) ? "NaN" : "infinite");
    return row->error ? QB_OK : qb_table_add_text(&row->error, reader->table, text, (size_t)length);
}

/* Rows of one set follow each other: they share its text. */
static QbStatus set_dataset(QbTableReader *reader, const char *text, size_t length)
{
    QbTableRow *row = last_row(reader);
    const char *before = reader->table->n_rows > 1 ? row[-1].dataset : "";
    if (strlen(before) == length && !memcmp(before, text, length)) {
        row->dataset = before;
        return QB_OK;
    }
    return qb_table_add_text(&row->dataset, reader->table, text, length);
}

QbStatus qb_table_reader_set_number(QbTableReader *reader, const QbColumn *column, double value)
{
    QbTableRow *row = last_row(reader);
    char text[32];
    switch (column->kind) {
    case QB_COLUMN_OPINION:
        if (!isfinite(value))
            return qb_fail(QB_ERR_FORMAT, "the opinion \"%s\" is %s, not a finite number",
                           column->name, isnan(value) ? "NaN" : "infinite");
        row->opinion = value;
        return QB_OK;
    case QB_COLUMN_SCORE:
        row->score = isfinite(value) ? value : NAN;
        return isfinite(value) ? QB_OK : set_failure(reader, column, value);
    case QB_COLUMN_LOGIT:
        qb_table_set_logit(reader->table, column->word, isfinite(value) ? value : NAN);
        return isfinite(value) ? QB_OK : set_failure(reader, column, value);
    case QB_COLUMN_DATASET: /* numbered sets */
        snprintf(text, sizeof text, "%.15g", value);
        return set_dataset(reader, text, strlen(text));
    default:
        return qb_fail(QB_ERR_FORMAT, "\"%s\" is a number, expected a text", column->name);
    }
}

static QbStatus set_name(QbTableReader *reader, const char *text, size_t length)
{
    if (!length)
        return qb_fail(QB_ERR_FORMAT, "the name of the picture is empty");
    if (length > QB_TABLE_MAX_NAME)
        return qb_fail(QB_ERR_LIMIT, "a name of %zu bytes, the limit is %d", length,
                       QB_TABLE_MAX_NAME);
    return qb_table_add_text(&last_row(reader)->name, reader->table, text, length);
}

QbStatus qb_table_reader_set_text(QbTableReader *reader, const QbColumn *column, const char *text,
                                  size_t length)
{
    char *end;
    switch (column->kind) {
    case QB_COLUMN_NAME:
        return set_name(reader, text, length);
    case QB_COLUMN_DATASET:
        return set_dataset(reader, text, length);
    case QB_COLUMN_ERROR:
        return length ? qb_table_add_text(&last_row(reader)->error, reader->table, text, length)
                      : QB_OK;
    default:
        break;
    }
    text += strspn(text, BLANKS);
    if (!*text)
        return QB_OK;
    double value = qb_parse_double(text, &end);
    if (end == text || end[strspn(end, BLANKS)])
        return qb_fail(QB_ERR_FORMAT, "%s is \"%.*s\", not a number", column->name, SHOWN_BYTES,
                       text);
    return qb_table_reader_set_number(reader, column, value);
}
