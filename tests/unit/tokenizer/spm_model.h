/* spm_model.h: reads the pieces of a SentencePiece .model file (a protobuf) for tests. The product
 * takes vocabularies from GGUF keys; this lets the tests hold it against models as they are
 * published. Header-only; it reads files that the tests choose, and fails on anything odd. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_SPM_MODEL_H
#define QB_TESTS_SPM_MODEL_H

#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct SpmModel {
    char *bytes;     /* owned */
    QbPiece *pieces; /* [n] owned; texts point into bytes */
    int n;
    QbTokenizerOptions options;
} SpmModel;

/* A field of a message: the number, and either a varint / fixed32 value or bytes. */
typedef struct SpmField {
    int number;
    uint64_t value;
    const char *bytes;
    size_t length;
} SpmField;

static inline bool spm_varint(uint64_t *out, const char **at, const char *end)
{
    *out = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        unsigned char byte = (unsigned char)*(*at)++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* false at the end of the message or when it is damaged (then *at != end). */
static inline bool spm_next_field(SpmField *out, const char **at, const char *end)
{
    uint64_t tag;
    const char *start = *at;
    *out = (SpmField){0};
    bool good = spm_varint(&tag, at, end);
    out->number = (int)(tag >> 3);
    switch (good ? tag & 7 : 7) {
    case 0:
        good = spm_varint(&out->value, at, end);
        break;
    case 2: {
        uint64_t length;
        good = spm_varint(&length, at, end) && length <= (uint64_t)(end - *at);
        if (good) {
            out->bytes = *at;
            out->length = (size_t)length;
            *at += length;
        }
        break;
    }
    case 5:
        good = end - *at >= 4;
        if (good) {
            uint32_t bits;
            memcpy(&bits, *at, 4);
            out->value = bits;
            *at += 4;
        }
        break;
    default:
        good = false;
    }
    if (!good && start != end)
        *at = start;
    return good;
}

static inline bool spm_read_piece(QbPiece *out, const SpmField *message)
{
    SpmField field;
    const char *at = message->bytes;
    const char *end = at + message->length;
    *out = (QbPiece){.type = QB_PIECE_NORMAL};
    while (spm_next_field(&field, &at, end)) {
        uint32_t bits = (uint32_t)field.value;
        if (field.number == 1) {
            out->text = field.bytes;
            out->length = field.length;
        } else if (field.number == 2)
            memcpy(&out->score, &bits, sizeof bits);
        else if (field.number == 3)
            out->type = (int)field.value;
    }
    return at == end && out->text;
}

/* TrainerSpec 40, 41, 42: ids of <unk>, <s>, </s>; NormalizerSpec 3: add_dummy_prefix. */
static inline void spm_read_options(SpmModel *model, const SpmField *message)
{
    SpmField field;
    const char *at = message->bytes;
    while (spm_next_field(&field, &at, message->bytes + message->length)) {
        if (message->number == 2 && field.number == 40)
            model->options.unk_id = (int)field.value;
        else if (message->number == 2 && field.number == 41)
            model->options.bos_id = (int)field.value;
        else if (message->number == 2 && field.number == 42)
            model->options.eos_id = (int)field.value;
        else if (message->number == 3 && field.number == 3)
            model->options.add_dummy_prefix = field.value != 0;
    }
}

static inline void spm_model_free(SpmModel *model)
{
    free(model->bytes);
    free(model->pieces);
    *model = (SpmModel){0};
}

/* false when the file is absent or damaged. */
static inline bool spm_model_load(SpmModel *out, const char *path)
{
    SpmField field;
    *out = (SpmModel){.options = {.bos_id = 1, .eos_id = 2, .unk_id = 0, .add_dummy_prefix = true}};
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    out->bytes = malloc(size + 1);
    bool good = out->bytes && fread(out->bytes, 1, size, file) == size;
    fclose(file);
    const char *at = out->bytes;
    const char *end = good ? out->bytes + size : at;
    out->pieces = calloc(size / 2 + 1, sizeof *out->pieces); /* a piece takes 2 bytes at least */
    while (good && out->pieces && spm_next_field(&field, &at, end)) {
        if (field.number == 1 && field.bytes)
            good = spm_read_piece(&out->pieces[out->n++], &field);
        else if (field.bytes)
            spm_read_options(out, &field);
    }
    good = good && out->pieces && at == end;
    if (!good)
        spm_model_free(out);
    return good;
}

#endif
