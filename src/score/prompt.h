/* prompt.h: a question in the model's conversation template, as token ids. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_PROMPT_H
#define QB_SCORE_PROMPT_H

#include "models/model.h"

typedef struct QbIds {
    int32_t *id; /* owned; QB_ID_IMAGE where a picture stands */
    int n, capacity;
} QbIds;

QbStatus qb_ids_append(QbIds *ids, const int32_t *id, int n);
void qb_ids_deinit(QbIds *ids);

/* What a question is put into; see models/manners.h. Texts are borrowed. */
typedef struct QbTemplate {
    const char *text; /* one {images} or <image>, at least one {prompt} */
    const char *image, *images, *join;
} QbTemplate;

/* For one picture, in the place of <image>. */
QbTemplate qb_template_plain(const char *text);

/* The text between two pictures, the question in it, is tokenised by itself, BOS comes once in
 * front (mPLUG-Owl2 and LLaVA do it so). Slots are filled once: whatever a question says, it brings
 * neither a picture nor a slot with it. */
QbStatus qb_prompt_ids(QbIds *out, const QbTokenizer *tokenizer, const QbTemplate *where,
                       const char *question, int n_images);

/* The id that stands for a word as the first word of an answer, and how many tokens the word splits
 * into (see <qboost/scorer.h>). */
QbStatus qb_word_id(int32_t *out_id, int *out_pieces, const QbTokenizer *tokenizer,
                    const char *word);

#endif
