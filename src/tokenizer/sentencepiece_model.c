/* sentencepiece_model.c: reads a SentencePiece model, a protobuf message (ModelProto of
 * sentencepiece_model.proto; wire format: protobuf.dev, "Encoding"): pieces, and of the trainer's
 * and the normalizer's settings those that decide how a text is split. Unknown fields are skipped,
 * as protobuf asks; settings that the tokenizer does not follow are refused. */
// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/sentencepiece_model.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

typedef enum WireType { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 } WireType;

/* Fields that are read, by their numbers in sentencepiece_model.proto. */
enum {
    MODEL_PIECE = 1,
    MODEL_TRAINER = 2,
    MODEL_NORMALIZER = 3,
    PIECE_TEXT = 1,
    PIECE_SCORE = 2,
    PIECE_TYPE = 3,
    TRAINER_MODEL_TYPE = 3,
    TRAINER_SUFFIX = 24, /* treat_whitespace_as_suffix */
    TRAINER_BYTE_FALLBACK = 35,
    TRAINER_UNK_ID = 40,
    TRAINER_BOS_ID = 41,
    TRAINER_EOS_ID = 42,
    TRAINER_PAD_ID = 43,
    TRAINER_UNK_SURFACE = 44,
    NORMALIZER_NAME = 1,
    NORMALIZER_CHARSMAP = 2,
    NORMALIZER_DUMMY_PREFIX = 3,
    NORMALIZER_SQUEEZE = 4, /* remove_extra_whitespaces */
    NORMALIZER_ESCAPE = 5   /* escape_whitespaces */
};

enum { MODEL_TYPE_UNIGRAM = 1, MODEL_TYPE_BPE = 2 };

/* Four times the largest published vocabularies; in memory a piece takes many times its two bytes
 * in the file. */
enum { MAX_PIECES = 1 << 20 };

/* A message and where reading it stands. */
typedef struct Message {
    const uint8_t *at, *end;
    const char *file;
} Message;

typedef struct Field {
    uint32_t number;
    WireType type;
    uint64_t value;       /* WIRE_VARINT, WIRE_32 */
    const uint8_t *bytes; /* WIRE_BYTES */
    size_t length;
} Field;

/* What the settings say; unset ones have the defaults of sentencepiece_model.proto. */
typedef struct Settings {
    int model_type;
    bool suffix, byte_fallback, squeeze, escape, other_surface;
    const uint8_t *name; /* of the normalizer */
    size_t name_length, charsmap_length;
} Settings;

/* ---- the wire -------------------------------------------------------------------------------- */

static QbStatus fail_damaged(const Message *message)
{
    return qb_fail(QB_ERR_FORMAT, "%s: is not a SentencePiece model, or is damaged", message->file);
}

static bool take_varint(uint64_t *out, Message *message)
{
    *out = 0;
    for (int shift = 0; shift < 64 && message->at < message->end; shift += 7) {
        uint8_t byte = *message->at++;
        if (shift == 63 && byte > 1)
            return false;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool skip_bytes(Message *message, uint64_t n)
{
    if (n > (uint64_t)(message->end - message->at))
        return false;
    message->at += n;
    return true;
}

/* The message is not at its end. */
static QbStatus take_field(Field *out, Message *message)
{
    uint64_t tag;
    *out = (Field){0};
    bool good = take_varint(&tag, message) && tag >> 3 >= 1 && tag >> 3 <= (1u << 29) - 1;
    if (!good)
        return fail_damaged(message);
    out->number = (uint32_t)(tag >> 3);
    out->type = (WireType)(tag & 7);
    switch (out->type) {
    case WIRE_VARINT:
        good = take_varint(&out->value, message);
        break;
    case WIRE_64:
        good = skip_bytes(message, 8);
        break;
    case WIRE_BYTES:
        good = take_varint(&out->value, message);
        out->bytes = message->at;
        good = good && skip_bytes(message, out->value);
        out->length = good ? (size_t)out->value : 0;
        break;
    case WIRE_32:
        good = skip_bytes(message, 4);
        for (int i = 0; i < 4 && good; i++)
            out->value |= (uint64_t)message->at[i - 4] << (8 * i);
        break;
    default: /* groups, which this message never has, and what is not defined */
        good = false;
    }
    return good ? QB_OK : fail_damaged(message);
}

/* A known field has another type than the message's definition says. */
static QbStatus expect(const Field *field, WireType type, const Message *message)
{
    return field->type == type ? QB_OK : fail_damaged(message);
}

static Message inner_message(const Field *field, const Message *outer)
{
    return (Message){.at = field->bytes, .end = field->bytes + field->length, .file = outer->file};
}

/* int32 as protobuf has it: the low half of a varint, negative ones sign-extended to 64 bits. */
static int32_t as_int32(const Field *field)
{
    return (int32_t)(uint32_t)field->value;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static QbStatus read_piece(QbPiece *piece, Message message)
{
    *piece = (QbPiece){.text = "", .type = QB_PIECE_NORMAL};
    QbStatus status = QB_OK;
    while (message.at < message.end && !status) {
        Field field;
        status = take_field(&field, &message);
        if (status)
            break;
        const uint32_t bits = (uint32_t)field.value;
        switch (field.number) {
        case PIECE_TEXT:
            status = expect(&field, WIRE_BYTES, &message);
            piece->text = (const char *)field.bytes;
            piece->length = field.length;
            break;
        case PIECE_SCORE:
            status = expect(&field, WIRE_32, &message);
            memcpy(&piece->score, &bits, sizeof bits);
            break;
        case PIECE_TYPE:
            status = expect(&field, WIRE_VARINT, &message);
            piece->type = as_int32(&field);
            break;
        default:
            break;
        }
    }
    return status;
}

static QbStatus add_piece(QbSentencePieceModel *model, size_t *capacity, Message message)
{
    const size_t n = (size_t)model->n;
    if (model->n == MAX_PIECES)
        return qb_fail(QB_ERR_LIMIT, "%s: has more than %d pieces", message.file, MAX_PIECES);
    if (n == *capacity) {
        const size_t wanted = n ? 2 * n : 256;
        QbPiece *grown = qb_realloc(model->pieces, n * sizeof *grown, wanted * sizeof *grown);
        if (!grown)
            return QB_ERR_NOMEM;
        model->pieces = grown;
        *capacity = wanted;
    }
    return read_piece(&model->pieces[model->n++], message);
}

/* ---- settings -------------------------------------------------------------------------------- */

/* Where a whole-number field of the trainer's settings goes; NULL: a flag, or nothing of interest.
 */
static int *trainer_number(Settings *settings, QbSentencePieceModel *model, uint32_t number)
{
    switch (number) {
    case TRAINER_MODEL_TYPE:
        return &settings->model_type;
    case TRAINER_UNK_ID:
        return &model->options.unk_id;
    case TRAINER_BOS_ID:
        return &model->options.bos_id;
    case TRAINER_EOS_ID:
        return &model->options.eos_id;
    case TRAINER_PAD_ID:
        return &model->pad_id;
    default:
        return NULL;
    }
}

static QbStatus read_trainer(Settings *settings, QbSentencePieceModel *model, Message message)
{
    static const char surface[] = " \xe2\x81\x87 "; /* the default */
    QbStatus status = QB_OK;
    while (message.at < message.end && !status) {
        Field field;
        status = take_field(&field, &message);
        if (status)
            break;
        int *number = trainer_number(settings, model, field.number);
        bool *flag = field.number == TRAINER_SUFFIX          ? &settings->suffix
                     : field.number == TRAINER_BYTE_FALLBACK ? &settings->byte_fallback
                                                             : NULL;
        if (number || flag)
            status = expect(&field, WIRE_VARINT, &message);
        else if (field.number == TRAINER_UNK_SURFACE)
            status = expect(&field, WIRE_BYTES, &message);
        if (status)
            break;
        if (number)
            *number = as_int32(&field);
        else if (flag)
            *flag = field.value != 0;
        else if (field.number == TRAINER_UNK_SURFACE)
            settings->other_surface = field.length != sizeof surface - 1 ||
                                      memcmp(field.bytes, surface, sizeof surface - 1) != 0;
    }
    return status;
}

static QbStatus read_normalizer(Settings *settings, QbSentencePieceModel *model, Message message)
{
    QbStatus status = QB_OK;
    while (message.at < message.end && !status) {
        Field field;
        status = take_field(&field, &message);
        if (status)
            break;
        bool *flag = NULL;
        switch (field.number) {
        case NORMALIZER_NAME:
            status = expect(&field, WIRE_BYTES, &message);
            settings->name = field.bytes;
            settings->name_length = field.length;
            continue;
        case NORMALIZER_CHARSMAP:
            status = expect(&field, WIRE_BYTES, &message);
            settings->charsmap_length = field.length;
            continue;
        case NORMALIZER_DUMMY_PREFIX:
            flag = &model->options.add_dummy_prefix;
            break;
        case NORMALIZER_SQUEEZE:
            flag = &settings->squeeze;
            break;
        case NORMALIZER_ESCAPE:
            flag = &settings->escape;
            break;
        default:
            continue;
        }
        status = expect(&field, WIRE_VARINT, &message);
        *flag = field.value != 0;
    }
    return status;
}

/* ---- what the tokenizer can do --------------------------------------------------------------- */

static QbStatus check_settings(const Settings *settings, const char *name)
{
    static const char *const types[] = {"a unigram", "a BPE", "a word", "a character"};
    if (settings->model_type != MODEL_TYPE_BPE)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: is %s model; only BPE models can be used", name,
                       settings->model_type >= 1 && settings->model_type <= 4
                           ? types[settings->model_type - 1]
                           : "an unknown kind of");
    const int length = settings->name_length < 64 ? (int)settings->name_length : 64;
    if (settings->charsmap_length)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: its normalizer \"%.*s\" has a character map, which is not supported",
                       name, length, length ? (const char *)settings->name : "");
    const char *what = settings->squeeze         ? "squeezes spaces"
                       : !settings->escape       ? "keeps spaces unescaped"
                       : settings->suffix        ? "has spaces as suffix"
                       : settings->other_surface ? "has its own text for unknown pieces"
                                                 : NULL;
    return what ? qb_fail(QB_ERR_UNSUPPORTED, "%s: %s, which is not supported", name, what) : QB_OK;
}

/* As sentencepiece itself demands (model_interface.cc, InitializePieces): byte pieces exactly where
 * they are used, and ids that stand for pieces of the right type. */
static QbStatus check_pieces(const QbSentencePieceModel *model, bool byte_fallback,
                             const char *name)
{
    const struct {
        const char *what;
        int id, type;
    } ids[] = {{"unknown", model->options.unk_id, QB_PIECE_UNKNOWN},
               {"bos", model->options.bos_id, QB_PIECE_CONTROL},
               {"eos", model->options.eos_id, QB_PIECE_CONTROL},
               {"pad", model->pad_id, QB_PIECE_CONTROL}};
    if (model->n == 0)
        return qb_fail(QB_ERR_FORMAT, "%s: has no pieces", name);
    for (int i = 0; i < 4; i++) {
        if (ids[i].id < -1 || ids[i].id >= model->n)
            return qb_fail(QB_ERR_FORMAT, "%s: %s id is %d, but there are %d pieces", name,
                           ids[i].what, ids[i].id, model->n);
        if (ids[i].id >= 0 && model->pieces[ids[i].id].type != ids[i].type)
            return qb_fail(QB_ERR_FORMAT, "%s: %s id is %d, a piece of type %d", name, ids[i].what,
                           ids[i].id, model->pieces[ids[i].id].type);
    }
    bool has_bytes = false;
    for (int i = 0; i < model->n; i++)
        has_bytes = has_bytes || model->pieces[i].type == QB_PIECE_BYTE;
    if (has_bytes != byte_fallback)
        return qb_fail(QB_ERR_FORMAT, "%s: byte fallback is %s, but byte pieces are %s", name,
                       byte_fallback ? "on" : "off", has_bytes ? "there" : "missing");
    return QB_OK;
}

static QbStatus read_model(QbSentencePieceModel *model, Settings *settings, Message message)
{
    size_t capacity = 0;
    QbStatus status = QB_OK;
    while (message.at < message.end && !status) {
        Field field;
        status = take_field(&field, &message);
        if (status)
            break;
        if (field.number >= MODEL_PIECE && field.number <= MODEL_NORMALIZER)
            status = expect(&field, WIRE_BYTES, &message);
        if (status)
            break;
        if (field.number == MODEL_PIECE)
            status = add_piece(model, &capacity, inner_message(&field, &message));
        else if (field.number == MODEL_TRAINER)
            status = read_trainer(settings, model, inner_message(&field, &message));
        else if (field.number == MODEL_NORMALIZER)
            status = read_normalizer(settings, model, inner_message(&field, &message));
    }
    return status;
}

QbStatus qb_sentencepiece_model_read(QbSentencePieceModel *out, const void *data, size_t size_bytes,
                                     const char *name)
{
    Settings settings = {.model_type = MODEL_TYPE_UNIGRAM, .squeeze = true, .escape = true};
    *out = (QbSentencePieceModel){
        .options = {.bos_id = 1, .eos_id = 2, .unk_id = 0, .add_dummy_prefix = true}, .pad_id = -1};
    if (size_bytes == 0)
        return qb_fail(QB_ERR_FORMAT, "%s: is empty", name);
    const uint8_t *bytes = data;
    QbStatus status =
        read_model(out, &settings, (Message){.at = bytes, .end = bytes + size_bytes, .file = name});
    if (!status)
        status = check_settings(&settings, name);
    if (!status)
        status = check_pieces(out, settings.byte_fallback, name);
    if (status)
        qb_sentencepiece_model_deinit(out);
    return status;
}

void qb_sentencepiece_model_deinit(QbSentencePieceModel *model)
{
    qb_free(model->pieces);
    *model = (QbSentencePieceModel){0};
}
