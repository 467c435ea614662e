/* vocabulary.h: the pieces of a tokenizer: looked up by their text, matched whole when the user
 * defined them. Internal to this folder; tokenizer.h is what others see. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TOKENIZER_VOCABULARY_H
#define QB_TOKENIZER_VOCABULARY_H

#include "tokenizer/tokenizer.h"

typedef struct VocabularyPiece {
    const char *text;    /* borrowed from QbVocabulary.texts */
    const char *surface; /* what it stands for in plain text; borrowed likewise */
    uint16_t length, surface_length;
    uint8_t type;
    float score;
    int unused_index; /* numbers the UNUSED pieces from 0; -1 for others */
} VocabularyPiece;

typedef struct QbVocabulary {
    VocabularyPiece *pieces; /* [n] owned */
    int n;
    size_t max_length; /* bytes of the longest piece that merging can make */
    char *texts;       /* owned */
    int32_t *slots;    /* [slot_mask + 1] hash table of ids, -1 = empty; owned */
    size_t slot_mask;
    int32_t *user_defined; /* [n_user_defined] ids sorted by text; owned */
    int n_user_defined;
    int n_unused;
    bool has_bytes; /* every byte has its piece */
    int32_t byte_ids[256];
} QbVocabulary;

/* Takes over copies of pieces[n] after checking them. On failure *out is empty. */
QbStatus qb_vocabulary_init(QbVocabulary *out, const QbPiece *pieces, int n);
void qb_vocabulary_deinit(QbVocabulary *vocabulary);

/* The NORMAL, USER_DEFINED or UNUSED piece with this text, -1 if there is none. */
int32_t qb_vocabulary_find(const QbVocabulary *vocabulary, const char *text, size_t length);

/* Bytes of the longest USER_DEFINED piece that text[length] begins with; 0 if none does. */
size_t qb_vocabulary_match_user_defined(const QbVocabulary *vocabulary, const char *text,
                                        size_t length);

#endif
