/* keys.h: the keys of the file that every architecture has: tokenizer and manners. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_KEYS_H
#define QB_CONVERT_KEYS_H

#include "score/variant.h"
#include "tokenizer/sentencepiece_model.h"
#include "weights/gguf_write.h"

/* tokenizer.model of the folder, checked to be one that models can use. *out_data: owned, qb_free;
 * out: qb_sentencepiece_model_deinit, before it. */
QbStatus qb_vocabulary_read(QbSentencePieceModel *out, uint8_t **out_data, const char *folder);

/* tokenizer.ggml.* */
QbStatus qb_vocabulary_put_keys(const QbSentencePieceModel *model, QbGgufWriter *w);

/* qboost.* */
void qb_manners_put_keys(const QbVariant *variant, QbGgufWriter *w);

#endif
