/* test_sentencepiece_model.c: SentencePiece models made here and the published one, whole, damaged,
 * and with settings that the tokenizer does not follow. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tokenizer/sentencepiece_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct Proto {
    uint8_t bytes[1024];
    size_t n;
} Proto;

static void add(Proto *proto, const void *bytes, size_t n)
{
    assert_true(n <= sizeof proto->bytes - proto->n);
    memcpy(proto->bytes + proto->n, bytes, n);
    proto->n += n;
}

static void add_varint(Proto *proto, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        add(proto, &byte, 1);
        value >>= 7;
    } while (value);
}

static void add_number(Proto *proto, uint64_t field, int64_t value)
{
    add_varint(proto, field << 3);
    add_varint(proto, (uint64_t)value);
}

static void add_bytes(Proto *proto, uint64_t field, const void *bytes, size_t n)
{
    add_varint(proto, field << 3 | 2);
    add_varint(proto, n);
    add(proto, bytes, n);
}

static void add_message(Proto *proto, uint64_t field, const Proto *message)
{
    add_bytes(proto, field, message->bytes, message->n);
}

static void add_piece(Proto *proto, const char *text, float score, int type)
{
    Proto piece = {.n = 0};
    add_bytes(&piece, 1, text, strlen(text));
    add_varint(&piece, 2 << 3 | 5);
    add(&piece, &score, 4);
    if (type != QB_PIECE_NORMAL)
        add_number(&piece, 3, type);
    add_message(proto, 1, &piece);
}

static void add_pieces(Proto *proto)
{
    add_piece(proto, "<unk>", 0, QB_PIECE_UNKNOWN);
    add_piece(proto, "<s>", 0, QB_PIECE_CONTROL);
    add_piece(proto, "</s>", 0, QB_PIECE_CONTROL);
    add_piece(proto, "ab", -1.5f, QB_PIECE_NORMAL);
    add_piece(proto, "a", -2, QB_PIECE_NORMAL);
    add_piece(proto, "b", -3, QB_PIECE_USER_DEFINED);
}

/* The settings of a model that the tokenizer can do, and one more of the trainer's and one more of
 * the normalizer's (0 = none), which come last and so win. */
static void add_settings(Proto *proto, uint64_t trainer_field, int64_t trainer_value,
                         uint64_t normalizer_field, int64_t normalizer_value)
{
    Proto trainer = {.n = 0}, normalizer = {.n = 0};
    add_bytes(&trainer, 1, "input.txt", 9);
    add_number(&trainer, 3, 2);
    add_number(&trainer, 4, 12345); /* vocab_size is not asked */
    add_number(&trainer, 43, -1);
    add_varint(&trainer, 10 << 3 | 5);
    add(&trainer, "\0\0\x80\x3f", 4);
    add_bytes(&normalizer, 1, "identity", 8);
    add_number(&normalizer, 4, 0);
    if (trainer_field)
        add_number(&trainer, trainer_field, trainer_value);
    if (normalizer_field)
        add_number(&normalizer, normalizer_field, normalizer_value);
    add_message(proto, 2, &trainer);
    add_message(proto, 3, &normalizer);
}

/* Reads a copy of exactly the size, so that the sanitizer sees the end. */
static QbStatus read_copy(const void *bytes, size_t n)
{
    QbSentencePieceModel model;
    uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    QbStatus status = qb_sentencepiece_model_read(&model, copy, n, "x.model");
    if (status) {
        assert_null(model.pieces);
        assert_non_null(strstr(qb_last_error(), "x.model"));
    } else {
        size_t length = 0;
        for (int i = 0; i < model.n; i++)
            for (size_t k = 0; k < model.pieces[i].length; k++)
                length += model.pieces[i].text[k] != 0;
        assert_true(length <= n);
    }
    qb_sentencepiece_model_deinit(&model);
    free(copy);
    return status;
}

static void assert_refused(const Proto *proto, QbStatus expected, const char *message)
{
    QbStatus status = read_copy(proto->bytes, proto->n);
    if (status != expected || !strstr(qb_last_error(), message))
        fail_msg("expected %d \"%s\", got %d \"%s\"", expected, message, status,
                 status ? qb_last_error() : "");
}

/* Pieces of two bytes each: what they take in memory is bounded. */
static void too_many_pieces_are_refused(void **state)
{
    (void)state;
    const size_t n = ((size_t)1 << 20) + 1;
    uint8_t *bytes = calloc(n, 2);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[2 * i] = 1 << 3 | 2;
    assert_int_equal(read_copy(bytes, 2 * n), QB_ERR_LIMIT);
    assert_non_null(strstr(qb_last_error(), "more than 1048576 pieces"));
    assert_int_equal(read_copy(bytes, 2 * (n - 1)), QB_ERR_UNSUPPORTED); /* not a BPE model */
    free(bytes);
}

static void models_are_read(void **state)
{
    (void)state;
    Proto proto = {.n = 0};
    QbSentencePieceModel model;
    add_varint(&proto, 99 << 3 | 1); /* unknown fields of every type are skipped */
    add(&proto, "12345678", 8);
    add_number(&proto, 98, INT64_MIN);
    add_pieces(&proto);
    add_settings(&proto, 42, -1, 3, 0);
    add_bytes(&proto, 5, "anything", 8);
    assert_int_equal(qb_sentencepiece_model_read(&model, proto.bytes, proto.n, "x"), QB_OK);
    assert_int_equal(model.n, 6);
    assert_int_equal(model.pieces[3].length, 2);
    assert_memory_equal(model.pieces[3].text, "ab", 2);
    assert_true(model.pieces[3].score == -1.5f);
    assert_int_equal(model.pieces[3].type, QB_PIECE_NORMAL);
    assert_int_equal(model.pieces[5].type, QB_PIECE_USER_DEFINED);
    assert_int_equal(model.options.unk_id, 0);
    assert_int_equal(model.options.bos_id, 1);
    assert_int_equal(model.options.eos_id, -1);
    assert_int_equal(model.pad_id, -1);
    assert_false(model.options.add_dummy_prefix);
    QbTokenizer *tokenizer;
    int32_t *ids;
    int n;
    assert_int_equal(qb_tokenizer_new(&tokenizer, model.pieces, model.n, &model.options), QB_OK);
    qb_sentencepiece_model_deinit(&model);
    assert_int_equal(qb_tokenizer_encode(&ids, &n, tokenizer, "aba?", 4), QB_OK);
    assert_int_equal(n, 4); /* user-defined b is kept whole */
    assert_memory_equal(ids, ((int32_t[]){4, 5, 4, 0}), sizeof(int32_t[4]));
    qb_free(ids);
    qb_tokenizer_free(&tokenizer);
}

static void other_settings_are_refused(void **state)
{
    (void)state;
    static const struct {
        int trainer_field, trainer_value, normalizer_field, normalizer_value;
        QbStatus status;
        const char *message;
    } cases[] = {
        {0, 0, 0, 0, QB_OK, ""},
        {3, 1, 0, 0, QB_ERR_UNSUPPORTED, "is a unigram model"},
        {3, 3, 0, 0, QB_ERR_UNSUPPORTED, "is a word model"},
        {3, 4, 0, 0, QB_ERR_UNSUPPORTED, "is a character model"},
        {3, 99, 0, 0, QB_ERR_UNSUPPORTED, "is an unknown kind of model"},
        {24, 1, 0, 0, QB_ERR_UNSUPPORTED, "has spaces as suffix"},
        {35, 1, 0, 0, QB_ERR_FORMAT, "byte fallback is on, but byte pieces are missing"},
        {40, 1, 0, 0, QB_ERR_FORMAT, "unknown id is 1, a piece of type 3"},
        {40, 6, 0, 0, QB_ERR_FORMAT, "unknown id is 6, but there are 6 pieces"},
        {41, 3, 0, 0, QB_ERR_FORMAT, "bos id is 3, a piece of type 1"},
        {41, -2, 0, 0, QB_ERR_FORMAT, "bos id is -2"},
        {42, 0, 0, 0, QB_ERR_FORMAT, "eos id is 0, a piece of type 2"},
        {43, 4, 0, 0, QB_ERR_FORMAT, "pad id is 4, a piece of type 1"},
        {0, 0, 4, 1, QB_ERR_UNSUPPORTED, "squeezes spaces"},
        {0, 0, 5, 0, QB_ERR_UNSUPPORTED, "keeps spaces unescaped"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Proto proto = {.n = 0};
        add_pieces(&proto);
        add_settings(&proto, (uint64_t)cases[i].trainer_field, cases[i].trainer_value,
                     (uint64_t)cases[i].normalizer_field, cases[i].normalizer_value);
        if (cases[i].status)
            assert_refused(&proto, cases[i].status, cases[i].message);
        else
            assert_int_equal(read_copy(proto.bytes, proto.n), QB_OK);
    }
    Proto proto = {.n = 0}, inner = {.n = 0};
    add_pieces(&proto);
    assert_refused(&proto, QB_ERR_UNSUPPORTED, "is a unigram model"); /* the default */
    add_number(&inner, 3, 2);
    add_message(&proto, 2, &inner);
    assert_refused(&proto, QB_ERR_UNSUPPORTED, "squeezes spaces"); /* the default */
    add_settings(&proto, 0, 0, 0, 0);
    assert_int_equal(read_copy(proto.bytes, proto.n), QB_OK);
    Proto other = proto;
    inner.n = 0;
    add_bytes(&inner, 1, "nmt_nfkc", 8);
    add_bytes(&inner, 2, "map", 3);
    add_message(&other, 3, &inner);
    assert_refused(&other, QB_ERR_UNSUPPORTED, "normalizer \"nmt_nfkc\" has a character map");
    other = proto;
    inner.n = 0;
    add_bytes(&inner, 44, "??", 2);
    add_message(&other, 2, &inner);
    assert_refused(&other, QB_ERR_UNSUPPORTED, "has its own text for unknown pieces");
    other = proto;
    add_piece(&other, "<0x00>", 0, QB_PIECE_BYTE);
    assert_refused(&other, QB_ERR_FORMAT, "byte fallback is off, but byte pieces are there");
    other.n = 0;
    assert_refused(&other, QB_ERR_FORMAT, "is empty");
    add_settings(&other, 0, 0, 0, 0);
    assert_refused(&other, QB_ERR_FORMAT, "has no pieces");
}

static void wrong_wires_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\x08\x01", 2},                                      /* a piece that is a number */
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* 2^64 - 1 bytes */
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, /* more than 64 bits */
        {"\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12},
        {"\x12\x05", 2},
        {"\x12", 1},
        {"\x80", 1},
        {"\x00\x01", 2},                     /* field 0 */
        {"\x88\x80\x80\x80\x80\x01\x01", 7}, /* a field beyond 2^29 */
        {"\x53\x54", 2},                     /* a group */
        {"\x56\x01", 2},                     /* wire type 6 */
        {"\x57\x01", 2},
        {"\x51"
         "1234567",
         8}, /* 8 bytes of which 7 are there */
        {"\x55"
         "123",
         4},                     /* 4 of which 3 */
        {"\x0a\x02\x08\x01", 4}, /* a text that is a number */
        {"\x0a\x02\x10\x01", 4}, /* a score that is */
        {"\x0a\x03\x1a\x01x", 5},
        {"\x12\x03\x1a\x01x", 5}, /* a model type that is a text */
        {"\x12\x03\xe0\x02\x01", 5},
        {"\x1a\x03\x22\x01x", 5},
        {"\x1a\x02\x08\x01", 4},
        {"\x1a\x02\x10\x01", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Proto proto = {.n = 0};
        add(&proto, cases[i].bytes, cases[i].n);
        assert_refused(&proto, QB_ERR_FORMAT, "is not a SentencePiece model, or is damaged");
    }
}

static void damage_is_harmless(void **state)
{
    (void)state;
    Proto proto = {.n = 0};
    int read = 0, refused = 0;
    add_settings(&proto, 0, 0, 0, 0);
    add_pieces(&proto);
    for (size_t n = 0; n < proto.n; n++)
        read_copy(proto.bytes, n); /* a message may end between fields */
    for (size_t bit = 0; bit < proto.n * 8; bit++) {
        proto.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        *(read_copy(proto.bytes, proto.n) ? &refused : &read) += 1;
        proto.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(read > 0 && refused > 0);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static uint8_t bytes[20000];
    size_t size = 0;
    Proto settings = {.n = 0}, first = {.n = 0};
    add_pieces(&first);
    add_settings(&settings, 0, 0, 0, 0);
    memcpy(bytes, first.bytes, first.n);
    size = first.n;
    for (int i = 0; i < 1000; i++) {
        char text[16];
        Proto piece = {.n = 0};
        snprintf(text, sizeof text, "p%d", i);
        add_piece(&piece, text, 0, QB_PIECE_NORMAL);
        memcpy(bytes + size, piece.bytes, piece.n);
        size += piece.n;
    }
    memcpy(bytes + size, settings.bytes, settings.n);
    size += settings.n;
    QbStatus status = QB_ERR_NOMEM;
    uint64_t n;
    for (n = 1; status == QB_ERR_NOMEM; n++) {
        QbSentencePieceModel model;
        qb_mem_fail_after(n);
        status = qb_sentencepiece_model_read(&model, bytes, size, "memory");
        assert_true(status == QB_OK ? model.n == 1006 : !model.pieces);
        qb_sentencepiece_model_deinit(&model);
    }
    qb_mem_fail_after(0);
    assert_int_equal(status, QB_OK);
    assert_int_equal(n, 5); /* 256, 512, 1024 */
}

static void the_published_model_is_read(void **state)
{
    (void)state;
    uint8_t *data;
    size_t size;
    QbSentencePieceModel model;
    int counts[7] = {0};
    if (!load_llama_model(&data, &size)) {
        print_message("llama_tokenizer.model is absent: skipping\n");
        skip();
    }
    assert_int_equal(qb_sentencepiece_model_read(&model, data, size, "llama"), QB_OK);
    assert_int_equal(model.n, 32000);
    for (int i = 0; i < model.n; i++)
        counts[model.pieces[i].type]++;
    assert_int_equal(counts[QB_PIECE_NORMAL], 31741);
    assert_int_equal(counts[QB_PIECE_BYTE], 256);
    assert_int_equal(counts[QB_PIECE_CONTROL], 2);
    assert_int_equal(counts[QB_PIECE_UNKNOWN], 1);
    assert_memory_equal(model.pieces[13].text, "<0x0A>", 6);
    assert_true(model.pieces[29871].score == -1e9f);
    assert_int_equal(model.options.unk_id, 0);
    assert_int_equal(model.options.bos_id, 1);
    assert_int_equal(model.options.eos_id, 2);
    assert_int_equal(model.pad_id, -1);
    assert_true(model.options.add_dummy_prefix);
    qb_sentencepiece_model_deinit(&model);
    for (size_t n = 0; n < size; n += 1009)
        read_copy(data, n);
    qb_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_many_pieces_are_refused), cmocka_unit_test(models_are_read),
        cmocka_unit_test(other_settings_are_refused),  cmocka_unit_test(wrong_wires_are_refused),
        cmocka_unit_test(damage_is_harmless),          cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_published_model_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
