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
 * exactly (unigram models, a character map, squeezed spaces, spaces as suffix, no byte fallback
 * with unknown normaliser) is refused by name. */
QbStatus qb_sentencepiece_model_read(QbSentencePieceModel *out, const void *data, size_t size_bytes,
                                     const char *name);
void qb_sentencepiece_model_deinit(QbSentencePieceModel *model);

#endif
