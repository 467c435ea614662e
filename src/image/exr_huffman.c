/* exr_huffman.c: the Huffman code of OpenEXR, which packs the values of PIZ and the coefficients of
 * DWAA and DWAB: 16-bit values and one code that repeats the value before.
 *
 * PIZ is unpacked by the library, which finds codes of more than 14 bits by trying all that begin
 * with the same 14, and builds its lists of them in time that grows with the square of their
 * number. An encoder makes few such codes; a file made to keep a machine busy holds 65,536 of them
 * in every 50 kB. Such chunks are found here before. */
// SPDX-License-Identifier: Apache-2.0
#include "image/exr.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

enum {
    N_SYMBOLS = 65537, /* the 16-bit values and one code for runs, the last that is used */
    MAX_CODE_BITS = 58,
    PREFIX_BITS = 14,
    /* A 6-bit length of 59 … 62 stands for 2 … 5 symbols without a code, 63 for 6 and what the next
     * 8 bits say. */
    SHORT_RUN = 59,
    LONG_RUN = 63,
    LONG_RUN_SYMBOLS = 6,
    /* First and last symbol, bytes of the table, bits of the codes, nothing: 32 bits each. */
    HEADER_BYTES = 20,
    FEW = 256 /* codes alike in their first bits, of small chunks */
};

typedef struct {
    const uint8_t *data;
    size_t size_bits, position;
} Bits;

/* Codes of one length are numbers that follow one another in the order of their symbols; those of
 * greater lengths are smaller. */
typedef struct {
    Bits bits; /* of the table, then of the codes */
    uint32_t first_symbol, last_symbol, code_bits;
    uint32_t n_codes[MAX_CODE_BITS + 1]; /* symbols with a code of so many bits; [0] unused */
    uint64_t first_code[MAX_CODE_BITS + 1];
    uint32_t first_index[MAX_CODE_BITS + 1]; /* into symbols */
    uint8_t *lengths;                        /* [N_SYMBOLS], owned; NULL = not wanted */
    uint32_t *symbols;                       /* [N_SYMBOLS] by length, then symbol, owned */
} Code;

/* The next n <= 8 bits, high ones first; -1 at the end. */
static int take_bits(Bits *bits, int n)
{
    if (bits->size_bits - bits->position < (size_t)n)
        return -1;
    int value = 0;
    for (; n > 0; n--, bits->position++)
        value = value << 1 | (bits->data[bits->position / 8] >> (7 - bits->position % 8) & 1);
    return value;
}

static uint32_t get_u32(const uint8_t *data)
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

/* Header and table. */
static bool read_table(Code *code, const uint8_t *data, size_t size)
{
    if (size < HEADER_BYTES)
        return false;
    code->first_symbol = get_u32(data);
    code->last_symbol = get_u32(data + 4);
    code->code_bits = get_u32(data + 12);
    if (code->first_symbol >= N_SYMBOLS || code->last_symbol >= N_SYMBOLS)
        return false;
    code->bits = (Bits){.data = data + HEADER_BYTES, .size_bits = (size - HEADER_BYTES) * 8};
    for (uint32_t symbol = code->first_symbol; symbol <= code->last_symbol;) {
        int length = take_bits(&code->bits, 6);
        int more = length == LONG_RUN ? take_bits(&code->bits, 8) : 0;
        if (length < 0 || more < 0)
            return false;
        uint32_t n = length == LONG_RUN    ? (uint32_t)more + LONG_RUN_SYMBOLS
                     : length >= SHORT_RUN ? (uint32_t)(length - SHORT_RUN) + 2
                                           : 1;
        if (n > code->last_symbol - symbol + 1)
            return false;
        if (length && length < SHORT_RUN) {
            code->n_codes[length]++;
            if (code->lengths)
                code->lengths[symbol] = (uint8_t)length;
        }
        symbol += n;
    }
    return true;
}

bool qb_exr_piz_is_sane(const uint8_t *data, size_t size, uint64_t unpacked_bytes)
{
    if (size < 4)
        return false;
    /* The first and the last byte of the bitmap of values that occur, and what lies between. */
    uint32_t first = data[0] | (uint32_t)data[1] << 8, last = data[2] | (uint32_t)data[3] << 8;
    size_t position = 4 + (first <= last ? last - first + 1 : 0) + sizeof(uint32_t);
    Code code = {0};
    if (position > size || !read_table(&code, data + position, size - position))
        return false;
    /* Codes of one length follow one another, so that at most 2^(length - 14) begin alike. Below a
     * node at depth 14 of Huffman's tree lie at most n / 610 of n values (a Fibonacci number, the
     * worst case), and each code takes at least one; twice that and a few are let through. */
    uint64_t alike = 0, most = FEW + unpacked_bytes / 2 / 256;
    for (int length = PREFIX_BITS + 1; length <= MAX_CODE_BITS; length++) {
        uint64_t room = UINT64_C(1) << (length - PREFIX_BITS);
        alike += code.n_codes[length] < room ? code.n_codes[length] : room;
    }
    return alike <= most;
}

/* ---- Decoding -----------------------------------------------------------------------------------
 */

static void assign_codes(Code *code)
{
    uint64_t next = 0;
    uint32_t index = 0, filled[MAX_CODE_BITS + 1];
    for (int length = MAX_CODE_BITS; length > 0; length--) {
        code->first_code[length] = next;
        next = (next + code->n_codes[length]) >> 1;
        code->first_index[length] = filled[length] = index;
        index += code->n_codes[length];
    }
    for (uint32_t symbol = code->first_symbol; symbol <= code->last_symbol; symbol++)
        if (code->lengths[symbol])
            code->symbols[filled[code->lengths[symbol]]++] = symbol;
}

/* false: the codes end, or there is none like this. */
static bool take_symbol(uint32_t *out, Code *code)
{
    uint64_t value = 0;
    for (int length = 1; length <= MAX_CODE_BITS; length++) {
        int bit = take_bits(&code->bits, 1);
        if (bit < 0)
            return false;
        value = value << 1 | (uint64_t)bit;
        if (value >= code->first_code[length] &&
            value - code->first_code[length] < code->n_codes[length]) {
            *out = code->symbols[code->first_index[length] + (value - code->first_code[length])];
            return true;
        }
    }
    return false;
}

static bool take_values(uint16_t *out, size_t n, Code *code)
{
    size_t position = (code->bits.position + 7) / 8, left = code->bits.size_bits / 8 - position;
    if ((code->code_bits + UINT64_C(7)) / 8 > left)
        return false;
    code->bits = (Bits){.data = code->bits.data + position, .size_bits = code->code_bits};
    for (size_t i = 0; i < n;) {
        uint32_t symbol;
        if (!take_symbol(&symbol, code))
            return false;
        if (symbol != code->last_symbol) {
            out[i++] = (uint16_t)symbol;
            continue;
        }
        int repeats = take_bits(&code->bits, 8);
        if (repeats < 0 || !i || (size_t)repeats > n - i)
            return false;
        for (; repeats > 0; repeats--, i++)
            out[i] = out[i - 1];
    }
    return true;
}

QbStatus qb_exr_huffman_decode(uint16_t *out, size_t n, const uint8_t *data, size_t size,
                               const char *name)
{
    Code code = {.lengths = qb_calloc(N_SYMBOLS, sizeof *code.lengths),
                 .symbols = qb_calloc(N_SYMBOLS, sizeof *code.symbols)};
    QbStatus status = code.lengths && code.symbols ? QB_OK : QB_ERR_NOMEM;
    bool whole = !status && read_table(&code, data, size);
    if (whole) {
        assign_codes(&code);
        whole = take_values(out, n, &code);
    }
    if (!status && !whole)
        status = qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: Huffman codes", name);
    qb_free(code.lengths);
    qb_free(code.symbols);
    return status;
}
