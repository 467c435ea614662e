/* tokenizer_golden.h: holds a tokenizer against ids that the sentencepiece library gave for
 * generated strings. The strings are made here from their number, byte for byte as
 * tools/reference/tokenizer_vectors.py makes them; a golden file keeps a digest of all strings and,
 * a line each, the number of ids and their FNV-1a hash. See tests/golden/tokenizer/RECIPE.md. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_TOKENIZER_GOLDEN_H
#define QB_TESTS_TOKENIZER_GOLDEN_H

#include "base/mem.h"
#include "tokenizer/tokenizer.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GOLDEN_MAX_BYTES = 4096 };

/* ---- the string generator -------------------------------------------------------------------- */

typedef struct GoldenText {
    uint64_t state;
    unsigned char bytes[GOLDEN_MAX_BYTES];
    size_t length;
} GoldenText;

// clang-format off
static const char *const golden_words[] = {
    "the", "image", "quality", "of", "Rate", "good", "poor", "average", "excellent", "bad", "fair", "is", "a",
    "USER:", "ASSISTANT:", "How", "would", "you", "rate", "this", "blurry", "noise", "noisy", "sharp",
    "overexposed", "underexposed", "compression", "artifacts", "don't", "it's", "3.14159", "1920x1080",
    "http://example.org/a?b=c", "<s>", "</s>", "<unk>", "<0x0A>", "<image>", "self.assertEqual(x)", "NASA",
    "iPhone", "caf\xc3\xa9", "na\xc3\xafve", "Stra\303\237e", "\xe3\x81\x8a\xe3\x81\xaf\xe3\x82\x88\xe3\x81\x86",
    "\xe7\xbe\x8e\xe3\x81\x97\xe3\x81\x84", "\xd0\xbc\xd0\xb8\xd1\x80", "\xf0\x9f\x98\x80", "photo", "lighting",
    "medium", "moderate", "acceptable", "xyzzy", "QWERTY", "e\xcc\x81", "\xe2\x96\x81", "\xef\xbf\xbd",
};
static const uint32_t golden_ranges[][2] = {
    {0x20, 0x7e}, {0xa0, 0xff}, {0x100, 0x17f}, {0x300, 0x36f}, {0x370, 0x3ff}, {0x400, 0x45f},
    {0x5d0, 0x5ea}, {0x620, 0x64a}, {0x905, 0x939}, {0xe01, 0xe3a}, {0x1100, 0x1112}, {0x2000, 0x206f},
    {0x2190, 0x21ff}, {0x2500, 0x25ff}, {0x3041, 0x30ff}, {0x4e00, 0x9fff}, {0xac00, 0xd7a3},
    {0xe000, 0xf8ff}, {0xfe00, 0xfe0f}, {0xff01, 0xffee}, {0x1d400, 0x1d7ff}, {0x1f300, 0x1f64f},
    {0x20000, 0x2a6df}, {0x10fff0, 0x10ffff}, {0x0, 0x1f}, {0x80, 0x9f}, {0x2581, 0x2581},
};
static const char *const golden_gaps[] = {
    " ", "  ", "   ", "\n", "\n\n", "\t", " \n", "\r\n", ". ", ", ", "! ", "? ", ": ", " - ", "", "\xc2\xa0",
};
// clang-format on

/* splitmix64. */
static inline uint64_t golden_random(GoldenText *text, uint64_t below)
{
    text->state += 0x9e3779b97f4a7c15u;
    uint64_t z = text->state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % below;
}

static inline void golden_add(GoldenText *text, const char *bytes, size_t n)
{
    assert_true(text->length + n <= GOLDEN_MAX_BYTES);
    memcpy(text->bytes + text->length, bytes, n);
    text->length += n;
}

static inline void golden_add_word(GoldenText *text)
{
    const char *word =
        golden_words[golden_random(text, sizeof golden_words / sizeof *golden_words)];
    golden_add(text, word, strlen(word));
}

static inline void golden_add_gap(GoldenText *text)
{
    const char *gap = golden_gaps[golden_random(text, sizeof golden_gaps / sizeof *golden_gaps)];
    golden_add(text, gap, strlen(gap));
}

static inline void golden_add_character(GoldenText *text)
{
    const uint32_t *range =
        golden_ranges[golden_random(text, sizeof golden_ranges / sizeof *golden_ranges)];
    uint32_t c = range[0] + (uint32_t)golden_random(text, range[1] - range[0] + 1);
    char bytes[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xf0) | c);
    golden_add(text, bytes, n);
}

static inline void golden_add_byte(GoldenText *text, uint64_t low, uint64_t count)
{
    char byte = (char)(low + golden_random(text, count));
    golden_add(text, &byte, 1);
}

/* String number i: eight kinds in turn. */
static inline void golden_make(GoldenText *text, uint64_t i)
{
    text->state = i * 0x2545f4914f6cdd1du;
    text->length = 0;
    uint64_t n = 1 + golden_random(text, 24);
    for (uint64_t k = 0; k < n; k++) {
        switch (i % 8) {
        case 0: /* a sentence */
            if (k)
                golden_add(text, " ", 1);
            golden_add_word(text);
            break;
        case 1: /* printable ASCII */
            golden_add_byte(text, 0x20, 95);
            break;
        case 2: /* words and odd gaps */
            golden_add_gap(text);
            golden_add_word(text);
            golden_add_gap(text);
            break;
        case 3: /* characters of many scripts */
            golden_add_character(text);
            break;
        case 4: /* words and characters */
            golden_add_word(text);
            golden_add_character(text);
            break;
        case 5: /* any bytes */
            golden_add_byte(text, 0, 256);
            break;
        case 6: /* runs */
            golden_add_character(text);
            for (uint64_t run = golden_random(text, 12); run; run--)
                golden_add(text, (const char *)text->bytes + text->length - 1, 1);
            break;
        default: /* letters only */
            golden_add_byte(text, 'a', 26);
        }
    }
    /* Cuts and damage: kinds 3 and 4 now and then. */
    if ((i % 8 == 3 || i % 8 == 4) && golden_random(text, 3) == 0) {
        text->length -= golden_random(text, 4) % text->length;
        uint64_t at = golden_random(text, text->length);
        text->bytes[at] = (unsigned char)golden_random(text, 256);
    }
}

/* ---- checks ---------------------------------------------------------------------------------- */

static inline uint32_t golden_hash(uint32_t hash, uint32_t value)
{
    for (int i = 0; i < 4; i++, value >>= 8)
        hash = (hash ^ (value & 0xff)) * 16777619u;
    return hash;
}

static inline void golden_print(const char *what, const unsigned char *bytes, size_t length)
{
    print_error("%s \"", what);
    for (size_t i = 0; i < length; i++)
        print_error(bytes[i] >= 0x20 && bytes[i] < 0x7f ? "%c" : "\\x%02x", bytes[i]);
    print_error("\"\n");
}

static inline void golden_print_ids(const char *what, const int32_t *ids, int n)
{
    print_error("%s", what);
    for (int i = 0; i < n; i++)
        print_error(" %d", ids[i]);
    print_error("\n");
}

static inline void assert_encodes_to(const QbTokenizer *tokenizer, const char *text, size_t length,
                                     const int32_t *expected, int n_expected)
{
    int32_t *ids;
    int n;
    assert_int_equal(qb_tokenizer_encode(&ids, &n, tokenizer, text, length), QB_OK);
    bool equal = n == n_expected && (n == 0 || memcmp(ids, expected, (size_t)n * sizeof *ids) == 0);
    if (!equal) {
        golden_print("text", (const unsigned char *)text, length);
        golden_print_ids("expected", expected, n_expected);
        golden_print_ids("got", ids, n);
    }
    qb_free(ids);
    assert_true(equal);
}

static inline void check_golden(const QbTokenizer *tokenizer, const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int count, expected_n, n, wrong = 0;
    uint32_t expected_strings, expected_ids, strings = 2166136261u;
    assert_int_equal(fscanf(file, "strings %d %" SCNx32, &count, &expected_strings), 2);
    assert_true(count >= 1000);
    GoldenText text;
    for (int i = 0; i < count; i++) {
        golden_make(&text, (uint64_t)i);
        for (size_t k = 0; k < text.length; k++)
            strings = golden_hash(strings, text.bytes[k]);
        assert_int_equal(fscanf(file, "%d %" SCNx32, &expected_n, &expected_ids), 2);
        int32_t *ids;
        uint32_t hash = 2166136261u;
        assert_int_equal(
            qb_tokenizer_encode(&ids, &n, tokenizer, (const char *)text.bytes, text.length), QB_OK);
        for (int k = 0; k < n; k++)
            hash = golden_hash(hash, (uint32_t)ids[k]);
        if (n != expected_n || hash != expected_ids) {
            print_error("string %d: expected %d ids\n", i, expected_n);
            golden_print("text", text.bytes, text.length);
            golden_print_ids("got", ids, n);
            wrong++;
        }
        qb_free(ids);
    }
    fclose(file);
    assert_int_equal(strings, expected_strings); /* else the generators differ */
    assert_int_equal(wrong, 0);
}

/* With byte pieces, what the ids stand for is the text with the dummy prefix in front, U+2581 read
 * as a space and invalid bytes as U+FFFD; checked on strings that have neither. */
static inline void check_round_trips(const QbTokenizer *tokenizer, int count)
{
    GoldenText text;
    for (int i = 0; i < count; i++) {
        golden_make(&text, (uint64_t)i);
        if (i % 8 >= 3 && i % 8 != 7)
            continue;
        if (memmem(text.bytes, text.length, "\xe2\x96\x81", 3))
            continue;
        int32_t *ids;
        int n;
        size_t at = 0;
        char decoded[GOLDEN_MAX_BYTES * 2];
        assert_int_equal(
            qb_tokenizer_encode(&ids, &n, tokenizer, (const char *)text.bytes, text.length), QB_OK);
        for (int k = 0; k < n; k++) {
            size_t length;
            const char *bytes = qb_tokenizer_piece_bytes(&length, tokenizer, ids[k]);
            assert_true(at + length <= sizeof decoded);
            memcpy(decoded + at, bytes, length);
            at += length;
        }
        qb_free(ids);
        assert_int_equal(at, text.length + 1);
        assert_int_equal(decoded[0], ' ');
        assert_memory_equal(decoded + 1, text.bytes, text.length);
    }
}

#endif
