/* session.h: one mutable timeline on a model: a prompt of text and a picture in, logits out.
 *
 * A session computes only what it has not computed yet: rows that the KV cache holds for the
 * longest common prefix with the last prompt are kept (the text before the picture for ever, the
 * picture too when several prompts ask about it), and a picture is encoded once. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_SESSION_H
#define QB_MODELS_SESSION_H

#include "models/model.h"

typedef struct QbSession QbSession;

/* In a prompt: the place of the picture. */
enum { QB_ID_IMAGE = -1 };

typedef struct QbSessionTimes {
    double preprocess_ms, vision_ms, prefill_ms;
} QbSessionTimes;

/* model: borrowed. threads: 0 = all CPUs. *out: owned by the caller. */
QbStatus qb_session_new(QbSession **out, const QbModel *model, int threads);
void qb_session_free(QbSession **session);
int qb_session_threads(const QbSession *session);

/* Feeds ids[n_ids] (tokens, QB_ID_IMAGE at most once) and reads the last position.
 * logits[n_wanted]: of the tokens wanted[n_wanted]; wanted NULL: of the whole vocabulary.
 * image: may be NULL when no id asks for it. Allocates nothing but what a larger picture's resizing
 * needs. */
QbStatus qb_session_eval(float *logits, QbSession *session, const int32_t *ids, int n_ids,
                         const QbImage *image, const int32_t *wanted, int n_wanted);

/* Time spent since the last call of this, by phase. */
void qb_session_take_times(QbSessionTimes *out, QbSession *session);

/* For tests: what the vision side made of the last picture, [image_token_count][n_embd]. */
const float *qb_session_image_tokens(const QbSession *session);

/* For tests: rows fed through the decoder so far. */
int64_t qb_session_rows_computed(const QbSession *session);

#endif
