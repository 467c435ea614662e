/* test_tokenizer.c: the tokenizer with our own small vocabularies (tests/golden/tokenizer) against
 * the sentencepiece library, and what it must do with odd text, damaged vocabularies and too little
 * memory. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tests/unit/tokenizer/tokenizer_golden.h"

#include <jansson.h>
#include <math.h>
#include <time.h>

enum { MAX_PIECES = 1024 };

/* Pieces, and the JSON file that their texts lie in. */
typedef struct Vocabulary {
    json_t *root;
    QbPiece pieces[MAX_PIECES];
    int n;
    QbTokenizerOptions options;
} Vocabulary;

static void load_vocabulary(Vocabulary *out, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "tests/golden/tokenizer/%s.json", name);
    *out = (Vocabulary){.root = json_load_file(path, JSON_ALLOW_NUL, NULL)};
    assert_non_null(out->root);
    json_t *list = json_object_get(out->root, "pieces");
    out->n = (int)json_array_size(list);
    assert_in_range(out->n, 300, MAX_PIECES);
    for (int i = 0; i < out->n; i++) {
        json_t *piece = json_array_get(list, (size_t)i);
        json_t *text = json_array_get(piece, 0);
        out->pieces[i] = (QbPiece){.text = json_string_value(text),
                                   .length = json_string_length(text),
                                   .score = (float)json_number_value(json_array_get(piece, 1)),
                                   .type = (int)json_integer_value(json_array_get(piece, 2))};
    }
    out->options = (QbTokenizerOptions){
        .bos_id = (int)json_integer_value(json_object_get(out->root, "bos_id")),
        .eos_id = (int)json_integer_value(json_object_get(out->root, "eos_id")),
        .unk_id = (int)json_integer_value(json_object_get(out->root, "unk_id")),
        .add_dummy_prefix = json_is_true(json_object_get(out->root, "add_dummy_prefix"))};
}

static QbTokenizer *open_vocabulary(const char *name)
{
    Vocabulary vocabulary;
    QbTokenizer *tokenizer;
    load_vocabulary(&vocabulary, name);
    assert_int_equal(
        qb_tokenizer_new(&tokenizer, vocabulary.pieces, vocabulary.n, &vocabulary.options), QB_OK);
    json_decref(vocabulary.root); /* the pieces were copied */
    return tokenizer;
}

/* ---- against the library --------------------------------------------------------------------- */

static void equals_the_library(void **state)
{
    (void)state;
    static const char *const names[] = {"plain", "unused", "ties", "no_bytes"};
    for (size_t i = 0; i < 4; i++) {
        char path[256];
        QbTokenizer *tokenizer = open_vocabulary(names[i]);
        snprintf(path, sizeof path, "tests/golden/tokenizer/%s.ids", names[i]);
        check_golden(tokenizer, path);
        qb_tokenizer_free(&tokenizer);
        assert_null(tokenizer);
    }
}

static void decoding_gives_the_text_back(void **state)
{
    (void)state;
    QbTokenizer *tokenizer = open_vocabulary("plain");
    check_round_trips(tokenizer, 2000);
    qb_tokenizer_free(&tokenizer);
}

/* ---- small vocabularies made by hand --------------------------------------------------------- */

/* Makes pieces from texts; the first is the unknown piece; scores fall from left to right. */
static int make_pieces(QbPiece *pieces, const char *const *texts, int n)
{
    for (int i = 0; i < n; i++)
        pieces[i] = (QbPiece){.text = texts[i],
                              .length = strlen(texts[i]),
                              .score = (float)-i,
                              .type = i ? QB_PIECE_NORMAL : QB_PIECE_UNKNOWN};
    return n;
}

static const QbTokenizerOptions bare_options = {.bos_id = -1, .eos_id = -1, .unk_id = 0};

static QbTokenizer *new_tokenizer(const QbPiece *pieces, int n, const QbTokenizerOptions *options)
{
    QbTokenizer *tokenizer;
    assert_int_equal(qb_tokenizer_new(&tokenizer, pieces, n, options), QB_OK);
    return tokenizer;
}

static void assert_ids(const QbTokenizer *tokenizer, const char *text, const int32_t *ids, int n)
{
    assert_encodes_to(tokenizer, text, strlen(text), ids, n);
}

static void merges_by_score_then_from_the_left(void **state)
{
    (void)state;
    QbPiece pieces[8];
    int n = make_pieces(pieces, (const char *[]){"?", "bc", "ab", "aa", "a", "b", "c"}, 7);
    QbTokenizer *tokenizer = new_tokenizer(pieces, n, &bare_options);
    assert_ids(tokenizer, "abc", (int32_t[]){4, 1}, 2); /* bc before ab */
    assert_ids(tokenizer, "ab", (int32_t[]){2}, 1);
    assert_ids(tokenizer, "aaa", (int32_t[]){3, 4}, 2);
    assert_ids(tokenizer, "aaaa", (int32_t[]){3, 3}, 2);
    qb_tokenizer_free(&tokenizer);
}

static void unknown_runs_give_one_id(void **state)
{
    (void)state;
    QbPiece pieces[4];
    int n = make_pieces(pieces, (const char *[]){"?", "a"}, 2);
    QbTokenizer *tokenizer = new_tokenizer(pieces, n, &bare_options);
    assert_ids(tokenizer, "xyzaxax", (int32_t[]){0, 1, 0, 1, 0}, 5);
    assert_ids(tokenizer, "?", (int32_t[]){0}, 1);
    assert_int_equal(qb_tokenizer_bos(tokenizer), -1);
    assert_int_equal(qb_tokenizer_eos(tokenizer), -1);
    qb_tokenizer_free(&tokenizer);
}

static void empty_text_gives_no_ids(void **state)
{
    (void)state;
    QbTokenizer *tokenizer = open_vocabulary("plain");
    assert_encodes_to(tokenizer, "", 0, NULL, 0);
    assert_encodes_to(tokenizer, NULL, 0, NULL, 0);
    qb_tokenizer_free(&tokenizer);
}

/* Every byte that is not part of valid UTF-8 counts as one U+FFFD. */
static void invalid_utf8_is_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int replaced; /* bytes at the beginning */
    } cases[] = {
        {"\x80", 1},     /* a continuation byte */
        {"\xc0\xaf", 2}, /* overlong */
        {"\xc1\xbf", 2},
        {"\xc3", 1}, /* cut off */
        {"\xc3(", 1},
        {"\xe0\x80\x80", 3}, /* overlong */
        {"\xe0\x9f\xbf", 3},
        {"\xe0\xa0\x80", 0}, /* U+0800, the first of three bytes */
        {"\xe2\x82", 2},     /* cut off */
        {"\xe2\x82(", 2},
        {"\xed\x9f\xbf", 0},     /* U+D7FF */
        {"\xed\xa0\x80", 3},     /* U+D800, a surrogate */
        {"\xed\xbf\xbf", 3},     /* U+DFFF */
        {"\xee\x80\x80", 0},     /* U+E000 */
        {"\xef\xbf\xbd", 0},     /* U+FFFD itself */
        {"\xf0\x80\x80\x80", 4}, /* overlong */
        {"\xf0\x8f\xbf\xbf", 4},
        {"\xf0\x90\x80\x80", 0}, /* U+10000 */
        {"\xf0\x9f\x98", 3},     /* cut off */
        {"\xf4\x8f\xbf\xbf", 0}, /* U+10FFFF */
        {"\xf4\x90\x80\x80", 4}, /* U+110000 */
        {"\xf5\x80\x80\x80", 4},
        {"\xf8\x88\x80\x80\x80", 5}, /* five bytes were never UTF-8's */
        {"\xff", 1},
    };
    QbTokenizer *tokenizer = open_vocabulary("plain");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char replaced[32] = "";
        int32_t *ids;
        int n;
        for (int k = 0; k < cases[i].replaced; k++)
            strcat(replaced, "\xef\xbf\xbd");
        strcat(replaced, cases[i].text + cases[i].replaced);
        assert_int_equal(qb_tokenizer_encode(&ids, &n, tokenizer, replaced, strlen(replaced)),
                         QB_OK);
        assert_ids(tokenizer, cases[i].text, ids, n);
        qb_free(ids);
    }
    qb_tokenizer_free(&tokenizer);
}

static void user_defined_pieces_stay_whole(void **state)
{
    (void)state;
    QbPiece pieces[8];
    int n = make_pieces(pieces, (const char *[]){"?", "ab", "abc", "a", "b", "c", "xa", "cab"}, 8);
    pieces[1].type = pieces[2].type = QB_PIECE_USER_DEFINED;
    QbTokenizer *tokenizer = new_tokenizer(pieces, n, &bare_options);
    assert_ids(tokenizer, "xabcab", (int32_t[]){0, 2, 1}, 3); /* the longest; never "xa" */
    assert_ids(tokenizer, "cab", (int32_t[]){5, 1}, 2);
    assert_ids(tokenizer, "xa", (int32_t[]){6}, 1);
    qb_tokenizer_free(&tokenizer);
}

static void unused_pieces_are_split_again(void **state)
{
    (void)state;
    QbPiece pieces[8];
    int n = make_pieces(pieces, (const char *[]){"?", "ab", "abc", "abcd", "a", "b", "c", "d"}, 8);
    pieces[2].type = QB_PIECE_UNUSED;
    pieces[7].type = QB_PIECE_UNUSED; /* a character cannot be split */
    QbTokenizer *tokenizer = new_tokenizer(pieces, n, &bare_options);
    assert_ids(tokenizer, "abc", (int32_t[]){1, 6}, 2);
    assert_ids(tokenizer, "abcd", (int32_t[]){3}, 1);
    assert_ids(tokenizer, "d", (int32_t[]){7}, 1);
    qb_tokenizer_free(&tokenizer);
}

static void text_never_gives_control_pieces(void **state)
{
    (void)state;
    QbPiece pieces[8];
    int n = make_pieces(pieces, (const char *[]){"?", "<s>", "<", "s", ">", "<s", "!"}, 7);
    pieces[1].type = pieces[6].type = QB_PIECE_CONTROL;
    QbTokenizer *tokenizer = new_tokenizer(pieces, n, &bare_options);
    assert_ids(tokenizer, "<s>!", (int32_t[]){5, 4, 0}, 3);
    qb_tokenizer_free(&tokenizer);
}

static void piece_bytes_are_what_pieces_stand_for(void **state)
{
    (void)state;
    QbTokenizer *tokenizer = open_vocabulary("plain");
    size_t length;
    for (int id = 0; id < qb_tokenizer_size(tokenizer); id++) {
        const char *bytes = qb_tokenizer_piece_bytes(&length, tokenizer, id);
        switch (qb_tokenizer_piece_type(tokenizer, id)) {
        case QB_PIECE_UNKNOWN:
            assert_int_equal(length, 5);
            assert_memory_equal(bytes, " \xe2\x81\x87 ", 5);
            break;
        case QB_PIECE_CONTROL:
            assert_int_equal(length, 0);
            break;
        case QB_PIECE_BYTE:
            assert_int_equal(length, 1);
            break;
        default:
            assert_true(length > 0);
            assert_null(memmem(bytes, length, "\xe2\x96\x81", 3));
        }
    }
    qb_tokenizer_piece_bytes(&length, tokenizer, -1);
    assert_int_equal(length, 0);
    qb_tokenizer_piece_bytes(&length, tokenizer, qb_tokenizer_size(tokenizer));
    assert_int_equal(length, 0);
    assert_int_equal(qb_tokenizer_piece_type(tokenizer, -1), 0);
    assert_int_equal(qb_tokenizer_piece_type(tokenizer, qb_tokenizer_size(tokenizer)), 0);
    qb_tokenizer_free(&tokenizer);
    qb_tokenizer_free(&tokenizer);
    qb_tokenizer_free(NULL);
}

/* ---- damaged vocabularies -------------------------------------------------------------------- */

static Vocabulary damaged;

static void assert_refused(const char *message)
{
    QbTokenizer *tokenizer = (QbTokenizer *)&damaged;
    QbStatus status = qb_tokenizer_new(&tokenizer, damaged.pieces, damaged.n, &damaged.options);
    assert_int_equal(status, QB_ERR_FORMAT);
    assert_null(tokenizer);
    if (!strstr(qb_last_error(), message)) {
        print_error("expected \"%s\" in \"%s\"\n", message, qb_last_error());
        fail();
    }
    json_decref(damaged.root);
    load_vocabulary(&damaged, "plain");
}

static int find_type(int type)
{
    for (int i = 0; i < damaged.n; i++)
        if (damaged.pieces[i].type == type)
            return i;
    return -1;
}

static void damaged_pieces_are_refused(void **state)
{
    (void)state;
    load_vocabulary(&damaged, "plain");
    const int normal = find_type(QB_PIECE_NORMAL);
    const int byte = find_type(QB_PIECE_BYTE);
    char long_text[QB_PIECE_MAX_BYTES + 1];
    memset(long_text, 'a', sizeof long_text);
    QbPiece *piece = &damaged.pieces[normal];
    piece->length = 0;
    assert_refused("has 0 bytes");
    *piece = (QbPiece){.text = long_text, .length = sizeof long_text, .type = QB_PIECE_NORMAL};
    assert_refused("has 513 bytes");
    piece->type = 0;
    assert_refused("unknown type 0");
    piece->type = 7;
    assert_refused("unknown type 7");
    piece->score = NAN;
    assert_refused("not finite");
    piece->score = -INFINITY;
    assert_refused("not finite");
    *piece = damaged.pieces[normal + 1];
    assert_refused("are both");
    piece->text = "<s>";
    piece->length = 3;
    assert_refused("are both");
    damaged.pieces[byte].type = QB_PIECE_NORMAL;
    assert_refused("255 byte pieces");
    damaged.pieces[byte].text = "<0xg0>";
    assert_refused("not <0x00>");
    damaged.pieces[byte + 10].text = "<0x0a>";
    assert_refused("not <0x00>");
    damaged.pieces[byte].text = "<0x01>";
    assert_refused("are both byte 1");
    json_decref(damaged.root);
}

static void damaged_ids_are_refused(void **state)
{
    (void)state;
    load_vocabulary(&damaged, "plain");
    damaged.options.bos_id = damaged.n;
    assert_refused("bos id");
    damaged.options.eos_id = -2;
    assert_refused("eos id");
    damaged.options.unk_id = 1 << 30;
    assert_refused("unknown id");
    damaged.n = 0;
    assert_refused("has 0 pieces");
    damaged.n = -5;
    assert_refused("has -5 pieces");
    for (int i = 0; i < damaged.n; i++)
        if (damaged.pieces[i].type == QB_PIECE_BYTE)
            damaged.pieces[i].type = QB_PIECE_CONTROL;
    damaged.options.unk_id = -1;
    assert_refused("neither byte pieces nor");
    json_decref(damaged.root);
}

/* Pieces made so that all fall into one slot of the hash table of vocabulary.c. */
static void pieces_made_to_collide_are_refused(void **state)
{
    (void)state;
    enum { N = 300 };
    static char texts[N][8];
    QbPiece pieces[N];
    int n = 0;
    for (uint64_t i = 0; n < N; i++) {
        char text[8];
        uint64_t hash = 0xcbf29ce484222325u;
        snprintf(text, sizeof text, "%07x", (unsigned)i);
        for (int k = 0; k < 7; k++)
            hash = (hash ^ (unsigned char)text[k]) * 0x100000001b3u;
        if (((hash ^ hash >> 32) & 2047) != 0)
            continue;
        memcpy(texts[n], text, sizeof text);
        pieces[n] = (QbPiece){.text = texts[n], .length = 7, .type = QB_PIECE_NORMAL};
        n++;
    }
    QbTokenizer *tokenizer;
    assert_int_equal(qb_tokenizer_new(&tokenizer, pieces, N, &bare_options), QB_ERR_LIMIT);
    assert_null(tokenizer);
    assert_int_equal(qb_tokenizer_new(&tokenizer, pieces, 200, &bare_options), QB_OK);
    qb_tokenizer_free(&tokenizer);
}

/* ---- long text, little memory ---------------------------------------------------------------- */

static void long_text_is_quick(void **state)
{
    (void)state;
    enum { LENGTH = 1000000 };
    QbTokenizer *tokenizer = open_vocabulary("plain");
    char *text = malloc(LENGTH);
    assert_non_null(text);
    clock_t start = clock();
    for (int kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < LENGTH; i++)
            text[i] = kind == 0   ? 'a'
                      : kind == 1 ? ' '
                      : kind == 2 ? (char)0xff
                                  : "the quality is "[i % 15];
        int32_t *ids;
        int n;
        assert_int_equal(qb_tokenizer_encode(&ids, &n, tokenizer, text, LENGTH), QB_OK);
        assert_in_range(n, LENGTH / 16, LENGTH * 3 + 3);
        qb_free(ids);
    }
    /* Four million characters: about a second with sanitizers; a quadratic merge takes hours. */
    assert_true(clock() - start < 60 * CLOCKS_PER_SEC);
    free(text);
    qb_tokenizer_free(&tokenizer);
}

static void too_long_text_is_refused(void **state)
{
    (void)state;
    QbTokenizer *tokenizer = open_vocabulary("plain");
    int32_t *ids = (int32_t *)tokenizer;
    int n = -1;
    assert_int_equal(qb_tokenizer_encode(&ids, &n, tokenizer, "", SIZE_MAX), QB_ERR_LIMIT);
    assert_null(ids);
    assert_int_equal(n, 0);
    assert_int_equal(qb_tokenizer_encode(&ids, &n, tokenizer, "", INT32_MAX / 3), QB_ERR_LIMIT);
    qb_tokenizer_free(&tokenizer);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    Vocabulary vocabulary;
    load_vocabulary(&vocabulary, "unused");
    QbStatus status = QB_ERR_NOMEM;
    uint64_t n;
    for (n = 1; status == QB_ERR_NOMEM; n++) {
        QbTokenizer *tokenizer;
        int32_t *ids;
        int n_ids;
        qb_mem_fail_after(n);
        status = qb_tokenizer_new(&tokenizer, vocabulary.pieces, vocabulary.n, &vocabulary.options);
        if (status) {
            assert_null(tokenizer);
            continue;
        }
        status = qb_tokenizer_encode(&ids, &n_ids, tokenizer, "the quality", 11);
        if (status) {
            assert_null(ids);
            assert_int_equal(n_ids, 0);
        }
        qb_free(ids);
        qb_tokenizer_free(&tokenizer);
    }
    qb_mem_fail_after(0);
    assert_int_equal(status, QB_OK);
    assert_true(n > 8); /* the calls above allocate that often at least */
    json_decref(vocabulary.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_library),
        cmocka_unit_test(decoding_gives_the_text_back),
        cmocka_unit_test(merges_by_score_then_from_the_left),
        cmocka_unit_test(unknown_runs_give_one_id),
        cmocka_unit_test(empty_text_gives_no_ids),
        cmocka_unit_test(invalid_utf8_is_replaced),
        cmocka_unit_test(user_defined_pieces_stay_whole),
        cmocka_unit_test(unused_pieces_are_split_again),
        cmocka_unit_test(text_never_gives_control_pieces),
        cmocka_unit_test(piece_bytes_are_what_pieces_stand_for),
        cmocka_unit_test(damaged_pieces_are_refused),
        cmocka_unit_test(damaged_ids_are_refused),
        cmocka_unit_test(pieces_made_to_collide_are_refused),
        cmocka_unit_test(long_text_is_quick),
        cmocka_unit_test(too_long_text_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
