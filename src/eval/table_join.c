/* table_join.c: opinions of one table with scores of another, by the names of the pictures.
 *
 * Lists of opinions mostly have bare names, lists of scores paths, or the other way round: besides
 * equal names those are the same of which one is the end of the other behind a '/'. Names are
 * hashed from their last byte to their first, so on the way through a name the hash of every end of
 * it comes along, and the work is as the length of the texts, however many pictures share a bare
 * name. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "eval/table.h"

#include <string.h>

/* FNV-1a, 64 bits (Fowler, Noll & Vo; IETF draft-eastlake-fnv). */
static const uint64_t HASH_START = UINT64_C(0xcbf29ce484222325);
static const uint64_t HASH_PRIME = UINT64_C(0x100000001b3);

static const uint32_t NONE = UINT32_MAX;

/* The different names of a table: open addressing, at most half full. */
typedef struct {
    const QbTable *table;
    uint32_t *slots;    /* [n_slots] the last row with a name, or NONE; owned */
    uint64_t n_slots;   /* a power of two */
    uint32_t *previous; /* [rows] of a row: the one before with its name, or NONE; owned */
} NameIndex;

static uint64_t hash_byte(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * HASH_PRIME;
}

static uint64_t hash_name(const char *name, size_t length)
{
    uint64_t hash = HASH_START;
    while (length)
        hash = hash_byte(hash, name[--length]);
    return hash;
}

/* The slot of a name, or the free one where it belongs. */
static uint64_t find_slot(const NameIndex *index, const char *name, uint64_t hash)
{
    uint64_t slot = (hash ^ hash >> 32) & (index->n_slots - 1);
    while (index->slots[slot] != NONE &&
           strcmp(index->table->rows[index->slots[slot]].name, name) != 0)
        slot = (slot + 1) & (index->n_slots - 1);
    return slot;
}

static uint32_t find_row(const NameIndex *index, const char *name, uint64_t hash)
{
    return index->slots[find_slot(index, name, hash)];
}

static void index_deinit(NameIndex *index)
{
    qb_free(index->slots);
    qb_free(index->previous);
    *index = (NameIndex){0};
}

static QbStatus index_init(NameIndex *out, const QbTable *table)
{
    *out = (NameIndex){.table = table, .n_slots = 16};
    while (out->n_slots < 2 * table->n_rows)
        out->n_slots *= 2;
    out->slots = qb_calloc(out->n_slots, sizeof *out->slots);
    out->previous = qb_calloc(table->n_rows, sizeof *out->previous);
    if (!out->slots || !out->previous) {
        index_deinit(out);
        return QB_ERR_NOMEM;
    }
    memset(out->slots, 0xff, out->n_slots * sizeof *out->slots);
    for (uint32_t row = 0; row < table->n_rows; row++) {
        const char *name = table->rows[row].name;
        uint64_t slot = find_slot(out, name, hash_name(name, strlen(name)));
        out->previous[row] = out->slots[slot];
        out->slots[slot] = row;
    }
    return QB_OK;
}

/* What is found so far. */
typedef struct {
    const QbTable *labels, *scores;
    NameIndex label_names, score_names;
    uint32_t
        *match;    /* [label rows] the row of scores for the last label of a name, or NONE; owned */
    bool *is_used; /* [score rows] of the last row with a name; owned */
} Join;

static QbStatus add_match(Join *join, uint32_t label, uint32_t score)
{
    const char *name = join->labels->rows[label].name;
    uint32_t before = join->match[label];
    if (before != NONE && before != score)
        return qb_fail(QB_ERR_ARG, "two scores fit the picture %s: those of %s and %s", name,
                       join->scores->rows[before].name, join->scores->rows[score].name);
    join->match[label] = score;
    return QB_OK;
}

/* Whether the row is the one that stands for all with its name. */
static bool is_last(const NameIndex *index, uint32_t row)
{
    const char *name = index->table->rows[row].name;
    return find_row(index, name, hash_name(name, strlen(name))) == row;
}

static void match_equal(Join *join)
{
    for (uint32_t label = 0; label < join->labels->n_rows; label++) {
        const char *name = join->labels->rows[label].name;
        join->match[label] = find_row(&join->score_names, name, hash_name(name, strlen(name)));
    }
}

/* Names of one table whose end is a name of the other. equal: labels that are matched already. */
static QbStatus match_ends(Join *join, bool of_scores, const bool *equal)
{
    const NameIndex *longer = of_scores ? &join->score_names : &join->label_names;
    const NameIndex *shorter = of_scores ? &join->label_names : &join->score_names;
    QbStatus status = QB_OK;
    for (uint32_t row = 0; row < longer->table->n_rows && !status; row++) {
        const char *name = longer->table->rows[row].name;
        uint64_t hash = HASH_START;
        if (!is_last(longer, row) || (!of_scores && equal[row]))
            continue;
        for (size_t i = strlen(name); i-- > 0 && !status; hash = hash_byte(hash, name[i])) {
            if (name[i] != '/' || !name[i + 1])
                continue;
            uint32_t found = find_row(shorter, name + i + 1, hash);
            if (found != NONE && !(of_scores && equal[found]))
                status = add_match(join, of_scores ? found : row, of_scores ? row : found);
        }
    }
    return status;
}

static QbStatus match_names(Join *join)
{
    size_t n = join->labels->n_rows;
    bool *equal = qb_calloc(n, sizeof *equal);
    if (!equal)
        return QB_ERR_NOMEM;
    match_equal(join);
    for (size_t label = 0; label < n; label++)
        equal[label] = join->match[label] != NONE;
    QbStatus status = match_ends(join, true, equal);
    if (!status)
        status = match_ends(join, false, equal);
    /* matches were noted for the last label of a name: the ones before have the same */
    for (size_t label = n; label-- > 0;) {
        uint32_t before = join->label_names.previous[label];
        if (before != NONE)
            join->match[before] = join->match[label];
    }
    qb_free(equal);
    return status;
}

static QbStatus copy_text(const char **out, QbTable *table, const char *text)
{
    return text ? qb_table_add_text(out, table, text, strlen(text)) : QB_OK;
}

static QbStatus add_joined(QbTable *out, const Join *join, size_t label)
{
    static const char missing[] = "is not among the scores";
    const QbTableRow *from = &join->labels->rows[label];
    uint32_t match = join->match[label];
    QbTableRow *row, scored = {.error = missing};
    QbStatus status = qb_table_add_row(&row, out);
    if (status)
        return status;
    row->opinion = from->opinion;
    if (match != NONE) {
        qb_table_row(&scored, join->scores, match);
        row->score = scored.score;
        for (int word = 0; word < join->scores->n_words; word++)
            qb_table_set_logit(out, word, scored.logit[word]);
    }
    status = copy_text(&row->name, out, from->name);
    const char *before = label ? row[-1].dataset : "";
    if (!status && !strcmp(before, from->dataset))
        row->dataset = before;
    else if (!status)
        status = copy_text(&row->dataset, out, from->dataset);
    return status ? status : copy_text(&row->error, out, scored.error);
}

static QbStatus build(QbTable *out, QbTableJoin *info, const Join *join)
{
    const QbTable *scores = join->scores;
    QbStatus status = QB_OK;
    for (int i = 0, word; i < scores->n_words && !status; i++)
        status = qb_table_add_word(&word, out, scores->word[i], strlen(scores->word[i]));
    for (size_t label = 0; label < join->labels->n_rows && !status; label++) {
        uint32_t match = join->match[label];
        status = add_joined(out, join, label);
        info->n_unscored += match == NONE;
        if (match != NONE)
            join->is_used[match] = true;
    }
    for (size_t row = scores->n_rows; row-- > 0;) {
        uint32_t before = join->score_names.previous[row];
        info->n_unused += !join->is_used[row];
        if (before != NONE)
            join->is_used[before] = join->is_used[row];
    }
    return status;
}

QbStatus qb_table_join(QbTable **out, QbTableJoin *info, const QbTable *labels,
                       const QbTable *scores)
{
    Join join = {.labels = labels, .scores = scores};
    QbTableJoin counts = {0};
    QbTable *table = NULL;
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_table_join: out is NULL");
    *out = NULL;
    if (!labels || !scores)
        return qb_fail(QB_ERR_ARG, "qb_table_join: a table is NULL");
    QbStatus status = index_init(&join.label_names, labels);
    if (!status)
        status = index_init(&join.score_names, scores);
    join.match = qb_calloc(labels->n_rows, sizeof *join.match);
    join.is_used = qb_calloc(scores->n_rows, sizeof *join.is_used);
    if (!status && (!join.match || !join.is_used))
        status = QB_ERR_NOMEM;
    if (!status)
        status = match_names(&join);
    if (!status)
        status = qb_table_new(&table);
    if (!status)
        status = build(table, &counts, &join);
    index_deinit(&join.label_names);
    index_deinit(&join.score_names);
    qb_free(join.match);
    qb_free(join.is_used);
    if (status) {
        qb_table_free(&table);
        return status;
    }
    *out = table;
    if (info)
        *info = counts;
    return QB_OK;
}
