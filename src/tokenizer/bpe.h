/* bpe.h: the merging at the heart of the tokenizer. Internal to this folder. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TOKENIZER_BPE_H
#define QB_TOKENIZER_BPE_H

#include "tokenizer/vocabulary.h"

/* Where a run of text became one piece. */
typedef void (*BpeEmit)(void *user, const char *text, size_t length, int32_t id);

/* Merges text (normalised: valid UTF-8, spaces as U+2581; at most INT32_MAX bytes) and calls emit
 * for every piece from left to right; id is -1 where no piece fits. */
QbStatus qb_bpe_merge(const QbVocabulary *vocabulary, const char *text, size_t length, BpeEmit emit,
                      void *user);

#endif
