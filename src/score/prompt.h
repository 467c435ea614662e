/* prompt.h: a question in the model's conversation template, as token ids. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_PROMPT_H
#define QB_SCORE_PROMPT_H

#include "models/model.h"

typedef struct QbIds {
    int32_t *id; /* owned; QB_ID_IMAGE where the picture stands */
    int n, capacity;
} QbIds;

QbStatus qb_ids_append(QbIds *ids, const int32_t *id, int n);
void qb_ids_deinit(QbIds *ids);

/* The template is split at <image>; {prompt} is replaced inside each part, so text of the question
 * is never taken for a picture; each part is tokenised by itself, BOS comes once in front
 * (models/mplug-owl2 and LLaVA do it so). */
QbStatus qb_prompt_ids(QbIds *out, const QbModel *model, const char *question);

/* The id that stands for a word as the first word of an answer, and how many tokens the word splits
 * into (see <qboost/scorer.h>). */
QbStatus qb_word_id(int32_t *out_id, int *out_pieces, const QbTokenizer *tokenizer,
                    const char *word);

#endif
