/* prompt.c: see prompt.h. */
// SPDX-License-Identifier: Apache-2.0
#include "score/prompt.h"

#include "base/error.h"
#include "base/mem.h"
#include "models/session.h"

#include <limits.h>
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

/* part[length] with every {prompt} replaced. *out: owned. */
static QbStatus fill_in(char **out, const char *part, size_t length, const char *question)
{
    static const char slot[] = "{prompt}";
    size_t slot_length = sizeof slot - 1, question_length = strlen(question), total;
    /* A slot is never shorter than 8 bytes, so length / 8 bounds their number. */
    if (!qb_mul_size(&total, length / slot_length + 1, question_length) ||
        !qb_add_size(&total, total, length + 1) || total > INT_MAX)
        return qb_fail(QB_ERR_LIMIT, "the question is too long");
    char *text = *out = qb_alloc(total);
    if (!text)
        return QB_ERR_NOMEM;
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        if (length - i >= slot_length && !memcmp(part + i, slot, slot_length)) {
            memcpy(text + used, question, question_length);
            used += question_length;
            i += slot_length;
        } else {
            text[used++] = part[i++];
        }
    }
    text[used] = 0;
    return QB_OK;
}

QbStatus qb_prompt_ids(QbIds *out, const QbModel *model, const char *question)
{
    static const char image[] = "<image>";
    *out = (QbIds){0};
    int32_t bos = qb_tokenizer_bos(model->tokenizer);
    QbStatus status = bos >= 0 ? qb_ids_append(out, &bos, 1) : QB_OK;
    for (const char *part = model->prompt_template; part && !status;) {
        const char *end = strstr(part, image);
        size_t length = end ? (size_t)(end - part) : strlen(part);
        char *text = NULL;
        status = fill_in(&text, part, length, question);
        if (!status)
            status = append_text(out, model->tokenizer, text, strlen(text));
        if (!status && end)
            status = qb_ids_append(out, &(int32_t){QB_ID_IMAGE}, 1);
        qb_free(text);
        part = end ? end + sizeof image - 1 : NULL;
    }
    if (status)
        qb_ids_deinit(out);
    return status;
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
