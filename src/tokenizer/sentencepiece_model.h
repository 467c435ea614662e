/* sentencepiece_model.h: reads SentencePiece's tokenizer.model (a protobuf message, ModelProto of
 * sentencepiece_model.proto). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TOKENIZER_SENTENCEPIECE_MODEL_H
#define QB_TOKENIZER_SENTENCEPIECE_MODEL_H

#include "tokenizer/tokenizer.h"

typedef struct QbSentencePieceModel {
    QbPiece *pieces; /* [n] owned; texts borrowed from data */
    int n;
    QbTokenizerOptions options;
    int pad_id; /* -1 = none */
} QbSentencePieceModel;

/* data: the file, borrowed until _deinit. name: for messages. What qb_tokenizer_new cannot do
 * exactly (models that are not BPE, a character map, squeezed or unescaped spaces, spaces as
 * suffix, an own text for unknown pieces) is refused by name; so are ids of pieces of another type
 * and byte pieces without byte fallback. The pieces themselves are judged by qb_tokenizer_new. On
 * failure *out is empty. */
QbStatus qb_sentencepiece_model_read(QbSentencePieceModel *out, const void *data, size_t size_bytes,
                                     const char *name);
void qb_sentencepiece_model_deinit(QbSentencePieceModel *model);

#endif
