/* session.h: one mutable timeline on a model: a prompt of text and pictures in, logits out.
 *
 * A session computes only what it has not computed yet: rows that the KV cache holds for the
 * longest common prefix with the last prompt are kept (the text before a picture for ever, pictures
 * too when several prompts ask about them), and a picture is encoded once: the tokens of a prompt's
 * pictures are kept until another prompt needs the room. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_SESSION_H
#define QB_MODELS_SESSION_H

#include "models/model.h"

typedef struct QbSession QbSession;

/* In a prompt: the place of the next picture. */
enum { QB_ID_IMAGE = -1 };

typedef struct QbSessionTimes {
    double preprocess_ms, vision_ms, prefill_ms;
} QbSessionTimes;

typedef struct QbSessionOptions {
    int threads; /* 0 = all CPUs */
    QbFit fit;   /* how pictures are made to fit, if has_fit; the file's own way otherwise */
    bool has_fit;
} QbSessionOptions;

/* model: borrowed. options: NULL for defaults. A fit that the architecture cannot do is
 * QB_ERR_UNSUPPORTED, with the list of those it can. *out: owned by the caller. */
QbStatus qb_session_new(QbSession **out, const QbModel *model, const QbSessionOptions *options);
void qb_session_free(QbSession **session);
int qb_session_threads(const QbSession *session);

/* Feeds ids[n_ids] and reads the last position. ids: tokens, and QB_ID_IMAGE n_images times, for
 * the pictures in their order; one picture may come several times.
 * logits[n_wanted]: of the tokens wanted[n_wanted]; wanted NULL: of the whole vocabulary.
 * images: may be NULL when n_images is 0. Allocates nothing but what a larger picture's resizing
 * needs and, when a prompt has more different pictures than any before it, room for their tokens.
 */
QbStatus qb_session_eval(float *logits, QbSession *session, const int32_t *ids, int n_ids,
                         const QbImage *const *images, int n_images, const int32_t *wanted,
                         int n_wanted);

/* The same prompt about n_batch (>= 1) pictures, one each: ids has one QB_ID_IMAGE.
 * logits[n_batch][n_wanted], the same bits as of n_batch calls of qb_session_eval. Rows of several
 * pictures, as many as there is room for in the model's context and in one forward pass, go through
 * the decoder together, so that a weight is fetched from memory once for all of them. Allocates
 * only room for the tokens of more pictures than any prompt or group before had, and what resizing
 * needs. logits are undefined on failure; a picture that cannot be encoded is one. */
QbStatus qb_session_eval_batch(float *logits, QbSession *session, const int32_t *ids, int n_ids,
                               const QbImage *const *images, int n_batch, const int32_t *wanted,
                               int n_wanted);

/* Time spent since the last call of this, by phase. */
void qb_session_take_times(QbSessionTimes *out, QbSession *session);

/* For tests: what the vision side made of a picture, [image_token_count][n_embd]; NULL when that is
 * not kept. */
const float *qb_session_image_tokens(const QbSession *session, const QbImage *image);

/* For tests: rows fed through the decoder so far. */
int64_t qb_session_rows_computed(const QbSession *session);

#endif
