/* tokenizer.h: text to token ids and back, as LLaMA's SentencePiece BPE with byte fallback does it.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TOKENIZER_TOKENIZER_H
#define QB_TOKENIZER_TOKENIZER_H

#include <qboost/error.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct QbTokenizer QbTokenizer;

/* Piece types, numbered as in GGUF and SentencePiece. */
enum {
    QB_PIECE_NORMAL = 1,
    QB_PIECE_UNKNOWN = 2,
    QB_PIECE_CONTROL = 3,
    QB_PIECE_USER_DEFINED = 4,
    QB_PIECE_UNUSED = 5,
    QB_PIECE_BYTE = 6
};

enum { QB_PIECE_MAX_BYTES = 512 };

typedef struct QbPiece {
    const char *text; /* UTF-8, U+2581 for a space, "<0x0A>" for bytes; not NUL-terminated */
    size_t length;
    float score;
    int type;
} QbPiece;

typedef struct QbTokenizerOptions {
    int bos_id, eos_id, unk_id; /* -1 = none */
    bool add_dummy_prefix;      /* a space in front of non-empty text */
} QbTokenizerOptions;

/* pieces[n]: copied. Checks types, lengths (1 to QB_PIECE_MAX_BYTES), scores (finite), duplicates,
 * ids and that byte pieces are complete or absent; without them unk_id is needed. *out: owned by
 * the caller. */
QbStatus qb_tokenizer_new(QbTokenizer **out, const QbPiece *pieces, int n,
                          const QbTokenizerOptions *options);
void qb_tokenizer_free(QbTokenizer **tokenizer);

int qb_tokenizer_size(const QbTokenizer *tokenizer);
int qb_tokenizer_bos(const QbTokenizer *tokenizer); /* -1 = none */
int qb_tokenizer_eos(const QbTokenizer *tokenizer);

/* Ids of text[length], without BOS or EOS; empty text gives none, and text never yields control
 * pieces. Each byte that is not part of valid UTF-8 becomes U+FFFD as sentencepiece does. *out_ids:
 * owned, qb_free; *out_n: how many. Thread-safe. */
QbStatus qb_tokenizer_encode(int32_t **out_ids, int *out_n, const QbTokenizer *tokenizer,
                             const char *text, size_t length);

/* The bytes of one token (a space for U+2581, one byte for byte pieces, nothing for control pieces,
 * " U+2047 " for the unknown piece as sentencepiece does; nothing for ids out of range).
 * Borrowed from tokenizer; not NUL-terminated. */
const char *qb_tokenizer_piece_bytes(size_t *out_length, const QbTokenizer *tokenizer, int id);
int qb_tokenizer_piece_type(const QbTokenizer *tokenizer, int id); /* 0 for ids out of range */

#endif
