/* prompt.c: see prompt.h. */
// SPDX-License-Identifier: Apache-2.0
#include "score/prompt.h"

#include "base/error.h"
#include "base/mem.h"
#include "models/session.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

QbStatus qb_ids_append(QbIds *ids, const int32_t *id, int n)
{
    if (n > INT_MAX / 8 - ids->n)
        return qb_fail(QB_ERR_LIMIT, "the prompt is too long");
    if (ids->n + n > ids->capacity) {
        int grown = 2 * (ids->n + n) + 16;
        int32_t *block =
            qb_realloc(ids->id, (size_t)ids->n * sizeof *id, (size_t)grown * sizeof *id);
        if (!block)
            return QB_ERR_NOMEM;
        ids->id = block;
        ids->capacity = grown;
    }
    if (n)
        memcpy(ids->id + ids->n, id, (size_t)n * sizeof *id);
    ids->n += n;
    return QB_OK;
}

void qb_ids_deinit(QbIds *ids)
{
    qb_free(ids->id);
    *ids = (QbIds){0};
}

static QbStatus append_text(QbIds *ids, const QbTokenizer *tokenizer, const char *text,
                            size_t length)
{
    int32_t *id;
    int n;
    QbStatus status = qb_tokenizer_encode(&id, &n, tokenizer, text, length);
    if (!status) {
        status = qb_ids_append(ids, id, n);
        qb_free(id);
    }
    return status;
}

QbTemplate qb_template_plain(const char *text)
{
    return (QbTemplate){text, "<image>", "<image>", ""};
}

/* More fits no context; a file's template may ask for any number of copies of a long text. */
enum { MAX_BYTES = 1 << 20 };

/* A prompt while it is put together: ids, and the text since the last picture. */
typedef struct Builder {
    QbIds *ids;
    const QbTokenizer *tokenizer;
    char *text; /* owned */
    size_t length, capacity;
    size_t total;    /* bytes of all texts */
    QbStatus status; /* the first failure; nothing is added after it */
} Builder;

static void add_bytes(Builder *b, const char *bytes, size_t n)
{
    if (b->status)
        return;
    if (n > MAX_BYTES - b->total) {
        b->status =
            qb_fail(QB_ERR_LIMIT, "the question is too long: more than %d bytes", MAX_BYTES);
        return;
    }
    b->total += n;
    size_t needed = b->length + n;
    if (needed > b->capacity) {
        char *block = qb_realloc(b->text, b->capacity, 2 * needed);
        if (!block) {
            b->status = QB_ERR_NOMEM;
            return;
        }
        b->text = block;
        b->capacity = 2 * needed;
    }
    if (n)
        memcpy(b->text + b->length, bytes, n);
    b->length = needed;
}

static void end_text(Builder *b)
{
    if (!b->status && b->length)
        b->status = append_text(b->ids, b->tokenizer, b->text, b->length);
    b->length = 0;
}

static void add_picture(Builder *b)
{
    end_text(b);
    if (!b->status)
        b->status = qb_ids_append(b->ids, &(int32_t){QB_ID_IMAGE}, 1);
}

/* "first", "second", …: of Co-Instruct's questions. */
static void add_ordinal(Builder *b, int i)
{
    static const char *const names[] = {"first",       "second",     "third",      "fourth",
                                        "fifth",       "sixth",      "seventh",    "eighth",
                                        "ninth",       "tenth",      "eleventh",   "twelfth",
                                        "thirteenth",  "fourteenth", "fifteenth",  "sixteenth",
                                        "seventeenth", "eighteenth", "nineteenth", "twentieth"};
    char number[32];
    int n = i + 1, tail = n % 10;
    const char *ending = n / 10 % 10 == 1 ? "th"
                         : tail == 1      ? "st"
                         : tail == 2      ? "nd"
                         : tail == 3      ? "rd"
                                          : "th";
    snprintf(number, sizeof number, "%d%s", n, ending);
    const char *text = i < (int)(sizeof names / sizeof *names) ? names[i] : number;
    add_bytes(b, text, strlen(text));
}

static bool starts_with(const char *text, const char *slot)
{
    return !strncmp(text, slot, strlen(slot));
}

static void add_image_text(Builder *b, const char *text, int i)
{
    while (*text && !b->status) {
        if (starts_with(text, "<image>")) {
            add_picture(b);
            text += strlen("<image>");
        } else if (starts_with(text, "{nth}")) {
            add_ordinal(b, i);
            text += strlen("{nth}");
        } else {
            add_bytes(b, text++, 1);
        }
    }
}

static void add_images(Builder *b, const QbTemplate *t, int n_images)
{
    for (int i = 0; i < n_images && !b->status; i++) {
        if (i)
            add_bytes(b, t->join, strlen(t->join));
        add_image_text(b, n_images > 1 ? t->images : t->image, i);
    }
}

QbStatus qb_prompt_ids(QbIds *out, const QbTokenizer *tokenizer, const QbTemplate *where,
                       const char *question, int n_images)
{
    *out = (QbIds){0};
    Builder b = {.ids = out, .tokenizer = tokenizer};
    int32_t bos = qb_tokenizer_bos(tokenizer);
    b.status = bos >= 0 ? qb_ids_append(out, &bos, 1) : QB_OK;
    for (const char *text = where->text; *text && !b.status;) {
        if (starts_with(text, "{prompt}")) {
            add_bytes(&b, question, strlen(question));
            text += strlen("{prompt}");
        } else if (starts_with(text, "{images}") || starts_with(text, "<image>")) {
            add_images(&b, where, n_images);
            text += *text == '{' ? strlen("{images}") : strlen("<image>");
        } else {
            add_bytes(&b, text++, 1);
        }
    }
    end_text(&b);
    qb_free(b.text);
    if (b.status)
        qb_ids_deinit(out);
    return b.status;
}

static bool starts_with_space(const QbTokenizer *tokenizer, int32_t id)
{
    size_t length;
    const char *bytes = qb_tokenizer_piece_bytes(&length, tokenizer, id);
    return length > 0 && bytes[0] == ' ';
}

QbStatus qb_word_id(int32_t *out_id, int *out_pieces, const QbTokenizer *tokenizer,
                    const char *word)
{
    /* Tokenizers without a dummy prefix need the space spelled out. */
    char spaced[256];
    int length = snprintf(spaced, sizeof spaced, " %s", word);
    if (length >= (int)sizeof spaced)
        return qb_fail(QB_ERR_ARG, "the word \"%s\" is too long", word);
    QbIds ids = {0};
    QbStatus status = append_text(&ids, tokenizer, word, strlen(word));
    if (!status && (ids.n == 0 || !starts_with_space(tokenizer, ids.id[0]))) {
        ids.n = 0;
        status = append_text(&ids, tokenizer, spaced, (size_t)length);
    }
    if (!status) {
        size_t piece_length = 0;
        if (ids.n > 0)
            qb_tokenizer_piece_bytes(&piece_length, tokenizer, ids.id[0]);
        int type = ids.n > 0 ? qb_tokenizer_piece_type(tokenizer, ids.id[0]) : QB_PIECE_UNKNOWN;
        if (type == QB_PIECE_UNKNOWN || type == QB_PIECE_BYTE || piece_length < 2)
            status =
                qb_fail(QB_ERR_ARG,
                        "the word \"%s\" cannot be read: no token of the model begins it", word);
    }
    if (!status) {
        *out_id = ids.id[0];
        *out_pieces = ids.n;
    }
    qb_ids_deinit(&ids);
    return status;
}
