/* fuzz_tokenizer.c: a vocabulary and a text out of any bytes: flags, number of pieces, then length,
 * type, score and bytes of each piece; the rest is the text. Seeds: corpus/tokenizer. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>

enum { ADD_BYTES = 1, ADD_DUMMY_PREFIX = 2, MAX_PIECES = 255 + 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const QbTokenizer *tokenizer, const uint8_t *text, size_t length, int flags)
{
    int32_t *ids;
    int n;
    size_t bytes;
    size_t at = 0;                   /* in text */
    bool plain = flags == ADD_BYTES; /* and no space, which may come back as U+2581 */
    for (size_t i = 0; i < length; i++)
        plain = plain && text[i] < 0x80 && text[i] != ' ';
    if (qb_tokenizer_encode(&ids, &n, tokenizer, (const char *)text, length))
        abort();
    if ((n == 0) != (length == 0))
        abort();
    for (int i = 0; i < n; i++) {
        int type = qb_tokenizer_piece_type(tokenizer, ids[i]);
        if (type == 0 || (type == QB_PIECE_CONTROL && (flags & ADD_BYTES)))
            abort();
        const char *piece = qb_tokenizer_piece_bytes(&bytes, tokenizer, ids[i]);
        qb_free(qb_strndup(piece, bytes));
        for (size_t k = 0; plain && k < bytes; k++, at++) /* the ids stand for the text */
            if (at >= length || piece[k] != (char)text[at])
                abort();
    }
    if (plain && at != length)
        abort();
    qb_free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char byte_texts[256][8];
    QbPiece pieces[MAX_PIECES];
    int n = 0;
    if (size < 2)
        return 0;
    const uint8_t *end = data + size;
    const int flags = data[0] & (ADD_BYTES | ADD_DUMMY_PREFIX);
    const int wanted = data[1];
    for (data += 2; n < wanted && end - data > 3 && data[0] <= end - data - 3; n++) {
        pieces[n] = (QbPiece){.text = (const char *)data + 3,
                              .length = data[0],
                              .type = data[1],
                              .score = (float)(int8_t)data[2]};
        data += 3 + pieces[n].length;
    }
    for (int i = 0; i < 256 && (flags & ADD_BYTES); i++) {
        snprintf(byte_texts[i], sizeof byte_texts[i], "<0x%02X>", (unsigned)i);
        pieces[n++] = (QbPiece){.text = byte_texts[i], .length = 6, .type = QB_PIECE_BYTE};
    }
    const QbTokenizerOptions options = {.bos_id = -1,
                                        .eos_id = -1,
                                        .unk_id = flags & ADD_BYTES ? -1 : 0,
                                        .add_dummy_prefix = (flags & ADD_DUMMY_PREFIX) != 0};
    QbTokenizer *tokenizer;
    if (qb_tokenizer_new(&tokenizer, pieces, n, &options) == QB_OK)
        encode(tokenizer, data, (size_t)(end - data), flags);
    else if (tokenizer)
        abort();
    qb_tokenizer_free(&tokenizer);
    return 0;
}
