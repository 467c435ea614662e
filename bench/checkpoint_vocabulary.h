/* checkpoint_vocabulary.h: a SentencePiece BPE model for make_checkpoint where the published
 * tokenizer.model is not at hand: bytes, ASCII, every word of the published prompts and scoring
 * methods with all its prefixes (so that merges from the left reach it), and as filler single
 * characters of scripts that no prompt is written in. A published prompt splits into as many tokens
 * as with the published tokenizer, within a few. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BENCH_CHECKPOINT_VOCABULARY_H
#define QB_BENCH_CHECKPOINT_VOCABULARY_H

#include "bench/checkpoint_write.h"

enum { VOCABULARY_MAX = 32000 };

static const char vocabulary_words[] =
    "good average poor high medium low fine acceptable bad excellent fair decent moder yes no Yes "
    "No quality image images The the A chat between a curious human user and an artificial "
    "intelligence assistant gives helpful detailed polite answers to questions US Rate of How "
    "would you rate this is in one word video aesthetics first second third fourth Answer with "
    "option letter from given choices directly question What which degree distortion blur noise "
    "lighting color clarity most apparent describe Please Describe details picture photo it that A "
    "B C D E F";

/* What else occurs in the templates, in the pieces that the published tokenizer has for it. */
static const char vocabulary_parts[] = "SS IS IST AN ANT ER Rate ate";

typedef struct Vocabulary {
    char (*pieces)[24]; /* [n] owned */
    int n, limit;
} Vocabulary;

static inline void vocabulary_add(Vocabulary *v, const char *piece)
{
    for (int i = 259; i < v->n && i < 4096; i++) /* filler comes later and is unique */
        if (!strcmp(v->pieces[i], piece))
            return;
    if (v->n < v->limit)
        snprintf(v->pieces[v->n++], sizeof *v->pieces, "%s", piece);
}

static inline void vocabulary_add_words(Vocabulary *v, const char *words, const char *prefix,
                                        int first)
{
    for (const char *at = words; *at; at += *at == ' ') {
        int length = (int)strcspn(at, " ");
        for (int n = first; n <= length; n++) {
            char piece[24];
            snprintf(piece, sizeof piece, "%s%.*s", prefix, n, at);
            vocabulary_add(v, piece);
        }
        at += length;
    }
}

static inline void vocabulary_make(Vocabulary *v, int n)
{
    static const char *const special[] = {"<unk>", "<s>", "</s>"};
    char piece[24];
    *v = (Vocabulary){.pieces = calloc((size_t)n, sizeof *v->pieces), .limit = n};
    if (!v->pieces)
        abort();
    for (int i = 0; i < 3; i++)
        snprintf(v->pieces[v->n++], sizeof piece, "%s", special[i]);
    for (int i = 0; i < 256; i++)
        snprintf(v->pieces[v->n++], sizeof piece, "<0x%02X>", i);
    vocabulary_add_words(v, vocabulary_words, "\xe2\x96\x81", 1);
    vocabulary_add_words(v, vocabulary_parts, "", 2);
    vocabulary_add(v, "\xe2\x96\x81");
    for (int c = '!'; c <= '~'; c++)
        vocabulary_add(v, (char[]){(char)c, 0});
    /* CJK ideographs, then Hangul: all of three bytes. */
    for (int i = 0; v->n < v->limit; i++) {
        unsigned c = i < 0x5200 ? 0x4e00 + (unsigned)i : 0xac00 + (unsigned)(i - 0x5200);
        snprintf(v->pieces[v->n++], sizeof piece, "%c%c%c", (int)(0xe0 | c >> 12),
                 (int)(0x80 | (c >> 6 & 63)), (int)(0x80 | (c & 63)));
    }
}

static inline void protobuf_varint(Bytes *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes_add_int(b, 0x80 | (value & 0x7f), 1);
    bytes_add_int(b, value, 1);
}

static inline void protobuf_int(Bytes *b, int field, int64_t value)
{
    protobuf_varint(b, (uint64_t)field << 3);
    protobuf_varint(b, (uint64_t)value);
}

static inline void protobuf_bytes(Bytes *b, int field, const void *data, size_t n)
{
    protobuf_varint(b, (uint64_t)field << 3 | 2);
    protobuf_varint(b, n);
    bytes_add(b, data, n);
}

/* A ModelProto of n pieces (sentencepiece_model.proto). */
static inline Bytes vocabulary_model(int n)
{
    enum { UNKNOWN = 2, CONTROL = 3, BYTE = 6, BPE = 2 };
    Vocabulary v;
    Bytes model = {0}, part = {0};
    vocabulary_make(&v, n);
    for (int i = 0; i < v.n; i++) {
        float score = i < 259 ? 0.0f : (float)(259 - i);
        uint32_t bits;
        memcpy(&bits, &score, sizeof bits);
        part.n = 0;
        protobuf_bytes(&part, 1, v.pieces[i], strlen(v.pieces[i]));
        protobuf_varint(&part, 2 << 3 | 5);
        bytes_add_int(&part, bits, 4);
        if (i < 259)
            protobuf_int(&part, 3, i == 0 ? UNKNOWN : i < 3 ? CONTROL : BYTE);
        protobuf_bytes(&model, 1, part.data, part.n);
    }
    part.n = 0; /* TrainerSpec: type, size, byte fallback, ids of unk, bos, eos, pad */
    protobuf_int(&part, 3, BPE);
    protobuf_int(&part, 4, v.n);
    protobuf_int(&part, 35, 1);
    for (int i = 0; i < 4; i++)
        protobuf_int(&part, 40 + i, i < 3 ? i : -1);
    protobuf_bytes(&model, 2, part.data, part.n);
    part.n = 0; /* NormalizerSpec: name, add_dummy_prefix, remove_extra_whitespaces, escape */
    protobuf_bytes(&part, 1, "identity", 8);
    protobuf_int(&part, 3, 1);
    protobuf_int(&part, 4, 0);
    protobuf_int(&part, 5, 1);
    protobuf_bytes(&model, 3, part.data, part.n);
    free(part.data);
    free(v.pieces);
    return model;
}

/* Pieces in a tokenizer.model: its fields 1. 0 when it is damaged. */
static inline int vocabulary_count(const uint8_t *data, size_t n)
{
    int pieces = 0;
    for (size_t at = 0; at < n;) {
        uint8_t tag = data[at++];
        uint64_t length = 0;
        for (int shift = 0; at < n && shift < 63; shift += 7) {
            length |= (uint64_t)(data[at] & 0x7f) << shift;
            if (data[at++] < 0x80)
                break;
        }
        if ((tag & 7) != 2 || length > n - at)
            return 0;
        pieces += tag >> 3 == 1;
        at += length;
    }
    return pieces;
}

#endif
