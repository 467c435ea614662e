/* fuzz_sentencepiece_model.c: any bytes as a SentencePiece model; when it can be read, a tokenizer
 * is made of it and a text goes through that. Seeds: corpus/sentencepiece_model. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tokenizer/sentencepiece_model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "ab a\xc3\xa4 <s>abba \xff\n";
    QbSentencePieceModel model;
    QbTokenizer *tokenizer;
    uint8_t *copy = malloc(size ? size : 1); /* exactly size bytes, so that the end is seen */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    QbStatus status = qb_sentencepiece_model_read(&model, copy, size, "fuzz");
    if (status && model.pieces)
        abort();
    if (!status && qb_tokenizer_new(&tokenizer, model.pieces, model.n, &model.options) == QB_OK) {
        int32_t *ids;
        int n;
        if (model.pad_id < -1 || model.pad_id >= model.n ||
            qb_tokenizer_encode(&ids, &n, tokenizer, text, sizeof text - 1))
            abort();
        qb_free(ids);
        qb_tokenizer_free(&tokenizer);
    }
    qb_sentencepiece_model_deinit(&model);
    free(copy);
    return 0;
}
