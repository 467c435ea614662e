/* vocabulary.c: checks and stores the pieces of a tokenizer. A vocabulary comes out of a model file
 * and is as hostile as one: the hash table refuses piece sets made to collide, so that building it
 * and asking it stay fast whatever the file holds. */
// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/vocabulary.h"

#include "base/error.h"
#include "base/mem.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With a quarter of the slots in use, a run of this many is out of reach for honest vocabularies
 * (the longest of LLaMA's 32,000 is 8). */
enum { MAX_PROBES = 256 };

static const char space_symbol[] = "\xe2\x96\x81";      /* U+2581 stands for a space */
static const char unknown_surface[] = " \xe2\x81\x87 "; /* U+2047, sentencepiece's unk_surface */

static size_t hash_text(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a, 64 bits */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (size_t)(hash ^ hash >> 32);
}

static bool text_equals(const VocabularyPiece *piece, const char *text, size_t length)
{
    return piece->length == length && memcmp(piece->text, text, length) == 0;
}

/* ---- byte pieces ----------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 0 ... 255 for "<0x00>" ... "<0xFF>", else -1. */
static int parse_byte_piece(const QbPiece *piece)
{
    if (piece->length != 6 || memcmp(piece->text, "<0x", 3) || piece->text[5] != '>')
        return -1;
    int high = hex_digit(piece->text[3]);
    int low = hex_digit(piece->text[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static QbStatus collect_byte_pieces(QbVocabulary *vocabulary, const QbPiece *pieces)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        vocabulary->byte_ids[i] = -1;
    for (int id = 0; id < vocabulary->n; id++) {
        if (pieces[id].type != QB_PIECE_BYTE)
            continue;
        int byte = parse_byte_piece(&pieces[id]);
        if (byte < 0)
            return qb_fail(QB_ERR_FORMAT, "tokenizer: piece %d is a byte but not <0x00> to <0xFF>",
                           id);
        if (vocabulary->byte_ids[byte] >= 0)
            return qb_fail(QB_ERR_FORMAT, "tokenizer: pieces %d and %d are both byte %d",
                           vocabulary->byte_ids[byte], id, byte);
        vocabulary->byte_ids[byte] = id;
        count++;
    }
    if (count != 0 && count != 256)
        return qb_fail(QB_ERR_FORMAT, "tokenizer: has %d byte pieces, expected 256 or none", count);
    vocabulary->has_bytes = count == 256;
    return QB_OK;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static QbStatus check_piece(const QbPiece *piece, int id)
{
    if (piece->type < QB_PIECE_NORMAL || piece->type > QB_PIECE_BYTE)
        return qb_fail(QB_ERR_FORMAT, "tokenizer: piece %d has unknown type %d", id, piece->type);
    if (piece->length < 1 || piece->length > QB_PIECE_MAX_BYTES)
        return qb_fail(QB_ERR_FORMAT, "tokenizer: piece %d has %zu bytes, expected 1 to %d", id,
                       piece->length, QB_PIECE_MAX_BYTES);
    if (!isfinite(piece->score))
        return qb_fail(QB_ERR_FORMAT, "tokenizer: the score of piece %d is not finite", id);
    return QB_OK;
}

/* Writes what the piece stands for (never longer than text, but for the unknown piece). */
static size_t write_surface(char *out, const QbPiece *piece)
{
    const size_t symbol = sizeof space_symbol - 1;
    size_t n = 0;
    if (piece->type == QB_PIECE_CONTROL)
        return 0;
    if (piece->type == QB_PIECE_BYTE) {
        out[0] = (char)parse_byte_piece(piece);
        return 1;
    }
    if (piece->type == QB_PIECE_UNKNOWN) {
        memcpy(out, unknown_surface, sizeof unknown_surface - 1);
        return sizeof unknown_surface - 1;
    }
    for (size_t i = 0; i < piece->length;) {
        if (piece->length - i >= symbol && memcmp(piece->text + i, space_symbol, symbol) == 0) {
            out[n++] = ' ';
            i += symbol;
        } else
            out[n++] = piece->text[i++];
    }
    return n;
}

static QbStatus copy_pieces(QbVocabulary *vocabulary, const QbPiece *pieces)
{
    size_t bytes = 0;
    for (int id = 0; id < vocabulary->n; id++) {
        QbStatus status = check_piece(&pieces[id], id);
        if (status)
            return status;
        bytes += 2 * pieces[id].length + sizeof unknown_surface; /* < 2^31 * 2^11 */
    }
    vocabulary->pieces = qb_calloc((size_t)vocabulary->n, sizeof *vocabulary->pieces);
    vocabulary->texts = qb_alloc(bytes);
    if (!vocabulary->pieces || !vocabulary->texts)
        return QB_ERR_NOMEM;
    char *next = vocabulary->texts;
    for (int id = 0; id < vocabulary->n; id++) {
        VocabularyPiece *piece = &vocabulary->pieces[id];
        piece->type = (uint8_t)pieces[id].type;
        piece->score = pieces[id].score;
        piece->length = (uint16_t)pieces[id].length;
        piece->unused_index = piece->type == QB_PIECE_UNUSED ? vocabulary->n_unused++ : -1;
        piece->text = memcpy(next, pieces[id].text, piece->length);
        next += piece->length;
        piece->surface = next;
        piece->surface_length = (uint16_t)write_surface(next, &pieces[id]);
        next += piece->surface_length;
    }
    return QB_OK;
}

/* ---- look-up --------------------------------------------------------------------------------- */

static bool takes_part(const VocabularyPiece *piece)
{
    return piece->type == QB_PIECE_NORMAL || piece->type == QB_PIECE_USER_DEFINED ||
           piece->type == QB_PIECE_UNUSED;
}

static QbStatus insert_piece(QbVocabulary *vocabulary, int32_t id)
{
    const VocabularyPiece *piece = &vocabulary->pieces[id];
    size_t slot = hash_text(piece->text, piece->length) & vocabulary->slot_mask;
    for (int probe = 0; probe < MAX_PROBES; probe++) {
        int32_t other = vocabulary->slots[slot];
        if (other < 0) {
            vocabulary->slots[slot] = id;
            return QB_OK;
        }
        if (text_equals(&vocabulary->pieces[other], piece->text, piece->length))
            return qb_fail(QB_ERR_FORMAT, "tokenizer: pieces %d and %d are both \"%.*s\"", other,
                           id, (int)piece->length, piece->text);
        slot = (slot + 1) & vocabulary->slot_mask;
    }
    return qb_fail(QB_ERR_LIMIT, "tokenizer: too many pieces with the same hash as piece %d", id);
}

static QbStatus build_table(QbVocabulary *vocabulary)
{
    size_t slots = 64;
    while (slots / 4 < (size_t)vocabulary->n)
        slots *= 2;
    vocabulary->slots = qb_calloc(slots, sizeof *vocabulary->slots);
    if (!vocabulary->slots)
        return QB_ERR_NOMEM;
    memset(vocabulary->slots, 0xff, slots * sizeof *vocabulary->slots);
    vocabulary->slot_mask = slots - 1;
    QbStatus status = QB_OK;
    for (int id = 0; id < vocabulary->n && !status; id++) {
        const VocabularyPiece *piece = &vocabulary->pieces[id];
        status = insert_piece(vocabulary, id);
        if (takes_part(piece) && piece->length > vocabulary->max_length)
            vocabulary->max_length = piece->length;
    }
    return status;
}

int32_t qb_vocabulary_find(const QbVocabulary *vocabulary, const char *text, size_t length)
{
    if (length > vocabulary->max_length)
        return -1;
    size_t slot = hash_text(text, length) & vocabulary->slot_mask;
    for (;; slot = (slot + 1) & vocabulary->slot_mask) { /* some slots are empty */
        int32_t id = vocabulary->slots[slot];
        if (id < 0)
            return -1;
        if (text_equals(&vocabulary->pieces[id], text, length))
            return takes_part(&vocabulary->pieces[id]) ? id : -1;
    }
}

/* ---- user-defined pieces --------------------------------------------------------------------- */

typedef struct UserDefined {
    const VocabularyPiece *piece;
    int32_t id;
} UserDefined;

static int compare_user_defined(const void *a, const void *b)
{
    const VocabularyPiece *x = ((const UserDefined *)a)->piece;
    const VocabularyPiece *y = ((const UserDefined *)b)->piece;
    int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    return order ? order : (int)x->length - (int)y->length;
}

static QbStatus sort_user_defined(QbVocabulary *vocabulary)
{
    size_t count = 0;
    for (int id = 0; id < vocabulary->n; id++)
        count += vocabulary->pieces[id].type == QB_PIECE_USER_DEFINED;
    if (count == 0)
        return QB_OK;
    UserDefined *list = qb_calloc(count, sizeof *list);
    vocabulary->user_defined = qb_calloc(count, sizeof *vocabulary->user_defined);
    if (!list || !vocabulary->user_defined) {
        qb_free(list);
        return QB_ERR_NOMEM;
    }
    size_t next = 0;
    for (int id = 0; id < vocabulary->n; id++)
        if (vocabulary->pieces[id].type == QB_PIECE_USER_DEFINED)
            list[next++] = (UserDefined){&vocabulary->pieces[id], id};
    qsort(list, count, sizeof *list, compare_user_defined);
    for (size_t i = 0; i < count; i++)
        vocabulary->user_defined[i] = list[i].id;
    vocabulary->n_user_defined = (int)count;
    qb_free(list);
    return QB_OK;
}

/* First of the sorted pieces low ... high-1, all of which share their first `at` bytes, whose byte
 * `at` is at least `byte`; pieces that end before come first. */
static int lower_bound(const QbVocabulary *vocabulary, int low, int high, size_t at, int byte)
{
    while (low < high) {
        int middle = low + (high - low) / 2;
        const VocabularyPiece *piece = &vocabulary->pieces[vocabulary->user_defined[middle]];
        int there = piece->length > at ? (unsigned char)piece->text[at] : -1;
        if (there < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t qb_vocabulary_match_user_defined(const QbVocabulary *vocabulary, const char *text,
                                        size_t length)
{
    int low = 0;
    int high = vocabulary->n_user_defined;
    size_t longest = 0;
    for (size_t at = 0; at < length && low < high; at++) {
        int byte = (unsigned char)text[at];
        low = lower_bound(vocabulary, low, high, at, byte);
        high = lower_bound(vocabulary, low, high, at, byte + 1);
        if (low < high && vocabulary->pieces[vocabulary->user_defined[low]].length == at + 1)
            longest = at + 1;
    }
    return longest;
}

/* ---- making and freeing ---------------------------------------------------------------------- */

QbStatus qb_vocabulary_init(QbVocabulary *out, const QbPiece *pieces, int n)
{
    *out = (QbVocabulary){.n = n};
    if (n < 1 || n > INT_MAX / 8)
        return qb_fail(QB_ERR_FORMAT, "tokenizer: has %d pieces, expected 1 to %d", n, INT_MAX / 8);
    QbStatus status = copy_pieces(out, pieces);
    if (!status)
        status = collect_byte_pieces(out, pieces);
    if (!status)
        status = build_table(out);
    if (!status)
        status = sort_user_defined(out);
    if (status)
        qb_vocabulary_deinit(out);
    return status;
}

void qb_vocabulary_deinit(QbVocabulary *vocabulary)
{
    qb_free(vocabulary->pieces);
    qb_free(vocabulary->texts);
    qb_free(vocabulary->slots);
    qb_free(vocabulary->user_defined);
    *vocabulary = (QbVocabulary){0};
}
