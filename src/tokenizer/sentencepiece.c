/* sentencepiece.c: text to ids as LLaMA's SentencePiece model does it (normalizer "identity", BPE,
 * byte fallback), and ids back to bytes. Steps of encoding:
 *   1. a space in front (dummy prefix); bytes that are not UTF-8 become U+FFFD, spaces U+2581;
 *   2. BPE merging (bpe.c);
 *   3. what no piece covers becomes one byte piece a byte or, without byte pieces, one unknown id a
 * run. Follows normalizer.cc and sentencepiece_processor.cc of the sentencepiece library. */
// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/bpe.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

struct QbTokenizer {
    QbVocabulary vocabulary;
    QbTokenizerOptions options;
};

/* ---- normalising ----------------------------------------------------------------------------- */

enum { SYMBOL_BYTES = 3 }; /* of U+2581 and of U+FFFD */

/* out: room for SYMBOL_BYTES * (length + 1). Returns the bytes written. */
static size_t normalise(char *out, const char *text, size_t length, bool add_dummy_prefix)
{
    static const char space[] = "\xe2\x96\x81";
    static const char replacement[] = "\xef\xbf\xbd";
    size_t n = 0;
    if (add_dummy_prefix) {
        memcpy(out, space, SYMBOL_BYTES);
        n += SYMBOL_BYTES;
    }
    for (size_t at = 0; at < length;) {
        size_t bytes = qb_utf8_character((const unsigned char *)text + at, length - at);
        const char *from = bytes == 0 ? replacement : text[at] == ' ' ? space : text + at;
        size_t written = from == text + at ? bytes : SYMBOL_BYTES;
        memcpy(out + n, from, written);
        n += written;
        at += bytes ? bytes : 1;
    }
    return n;
}

/* ---- encoding -------------------------------------------------------------------------------- */

typedef struct IdList {
    const QbTokenizer *tokenizer;
    int32_t *ids; /* room for one a byte of the normalised text */
    size_t n;
    bool after_unknown;
} IdList;

static void add_piece(void *user, const char *text, size_t length, int32_t id)
{
    IdList *list = user;
    const QbVocabulary *vocabulary = &list->tokenizer->vocabulary;
    bool unknown = id < 0;
    if (!unknown)
        list->ids[list->n++] = id;
    else if (vocabulary->has_bytes)
        for (size_t i = 0; i < length; i++)
            list->ids[list->n++] = vocabulary->byte_ids[(unsigned char)text[i]];
    else if (!list->after_unknown)
        list->ids[list->n++] = list->tokenizer->options.unk_id;
    list->after_unknown = unknown;
}

QbStatus qb_tokenizer_encode(int32_t **out_ids, int *out_n, const QbTokenizer *tokenizer,
                             const char *text, size_t length)
{
    *out_ids = NULL;
    *out_n = 0;
    if (length > INT32_MAX / SYMBOL_BYTES - 1)
        return qb_fail(QB_ERR_LIMIT, "tokenizer: text of %zu bytes is too long", length);
    QbStatus status = QB_ERR_NOMEM;
    IdList list = {.tokenizer = tokenizer};
    size_t n = 0;
    char *normalised = qb_alloc(SYMBOL_BYTES * (length + 1));
    if (!normalised)
        goto fail;
    if (length)
        n = normalise(normalised, text, length, tokenizer->options.add_dummy_prefix);
    list.ids = qb_alloc(n * sizeof *list.ids);
    if (!list.ids)
        goto fail;
    status = qb_bpe_merge(&tokenizer->vocabulary, normalised, n, add_piece, &list);
    if (status)
        goto fail;
    qb_free(normalised);
    *out_ids = list.ids;
    *out_n = (int)list.n;
    return QB_OK;
fail:
    qb_free(list.ids);
    qb_free(normalised);
    return status;
}

/* ---- making, freeing, asking ----------------------------------------------------------------- */

static QbStatus check_ids(const QbTokenizerOptions *options, int n, bool has_bytes)
{
    const int ids[] = {options->bos_id, options->eos_id, options->unk_id};
    static const char *const names[] = {"bos", "eos", "unknown"};
    for (int i = 0; i < 3; i++)
        if (ids[i] < -1 || ids[i] >= n)
            return qb_fail(QB_ERR_FORMAT, "tokenizer: %s id is %d, but there are %d pieces",
                           names[i], ids[i], n);
    if (!has_bytes && options->unk_id < 0)
        return qb_fail(QB_ERR_FORMAT, "tokenizer: has neither byte pieces nor an unknown piece");
    return QB_OK;
}

QbStatus qb_tokenizer_new(QbTokenizer **out, const QbPiece *pieces, int n,
                          const QbTokenizerOptions *options)
{
    *out = NULL;
    QbTokenizer *tokenizer = qb_calloc(1, sizeof *tokenizer);
    if (!tokenizer)
        return QB_ERR_NOMEM;
    tokenizer->options = *options;
    QbStatus status = qb_vocabulary_init(&tokenizer->vocabulary, pieces, n);
    if (!status)
        status = check_ids(options, n, tokenizer->vocabulary.has_bytes);
    if (status)
        qb_tokenizer_free(&tokenizer);
    *out = tokenizer;
    return status;
}

void qb_tokenizer_free(QbTokenizer **tokenizer)
{
    if (!tokenizer || !*tokenizer)
        return;
    qb_vocabulary_deinit(&(*tokenizer)->vocabulary);
    qb_free(*tokenizer);
    *tokenizer = NULL;
}

int qb_tokenizer_size(const QbTokenizer *tokenizer)
{
    return tokenizer->vocabulary.n;
}

int qb_tokenizer_bos(const QbTokenizer *tokenizer)
{
    return tokenizer->options.bos_id;
}

int qb_tokenizer_eos(const QbTokenizer *tokenizer)
{
    return tokenizer->options.eos_id;
}

const char *qb_tokenizer_piece_bytes(size_t *out_length, const QbTokenizer *tokenizer, int id)
{
    *out_length = 0;
    if (id < 0 || id >= tokenizer->vocabulary.n)
        return "";
    const VocabularyPiece *piece = &tokenizer->vocabulary.pieces[id];
    *out_length = piece->surface_length;
    return piece->surface;
}

int qb_tokenizer_piece_type(const QbTokenizer *tokenizer, int id)
{
    bool known = id >= 0 && id < tokenizer->vocabulary.n;
    return known ? tokenizer->vocabulary.pieces[id].type : 0;
}
