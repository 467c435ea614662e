/* exr_piz.c: a look at a PIZ chunk before the library unpacks it.
 *
 * OpenEXRCore 3.1 finds codes of more than 14 bits by trying all that begin with the same 14, and
 * builds its lists of them in time that grows with the square of their number. An encoder makes few
 * such codes; a file made to keep a machine busy holds 65,536 of them in every 50 kB. */
// SPDX-License-Identifier: Apache-2.0
#include "image/exr.h"

#include <string.h>

enum {
    MAX_SYMBOL = 65536, /* the 16-bit values and one code for runs */
    MAX_CODE_BITS = 58,
    TABLE_BITS = 14,
    /* A 6-bit length of 59 … 62 stands for 2 … 5 symbols without a code, 63 for 6 and what the next
     * 8 bits say. */
    SHORT_RUN = 59,
    LONG_RUN = 63,
    LONG_RUN_SYMBOLS = 6,
    HUFFMAN_HEADER_BYTES = 20,
    FEW = 256 /* codes alike in their first bits, of small chunks */
};

typedef struct {
    const uint8_t *data;
    size_t size_bits, position;
} Bits;

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

/* n_codes[bits]: how many symbols have a code of so many bits. */
static bool count_codes(uint32_t n_codes[MAX_CODE_BITS + 1], Bits *bits, uint32_t first,
                        uint32_t last)
{
    for (uint32_t symbol = first; symbol <= last;) {
        int length = take_bits(bits, 6);
        if (length < 0)
            return false;
        uint32_t n = 1;
        if (length == LONG_RUN) {
            int more = take_bits(bits, 8);
            if (more < 0)
                return false;
            n = (uint32_t)more + LONG_RUN_SYMBOLS;
        } else if (length >= SHORT_RUN) {
            n = (uint32_t)(length - SHORT_RUN) + 2;
        } else {
            n_codes[length]++;
        }
        if (n > last - symbol + 1)
            return false;
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
    if (position > size || size - position < HUFFMAN_HEADER_BYTES)
        return false;
    const uint8_t *huffman = data + position;
    uint32_t first_symbol = get_u32(huffman), last_symbol = get_u32(huffman + 4);
    if (first_symbol > MAX_SYMBOL || last_symbol > MAX_SYMBOL)
        return false;
    Bits bits = {.data = huffman + HUFFMAN_HEADER_BYTES,
                 .size_bits = (size - position - HUFFMAN_HEADER_BYTES) * 8};
    uint32_t n_codes[MAX_CODE_BITS + 1] = {0};
    if (!count_codes(n_codes, &bits, first_symbol, last_symbol))
        return false;
    /* Codes of one length follow one another, so that at most 2^(length - 14) begin alike. Below a
     * node at depth 14 of Huffman's tree lie at most n / 610 of n values (a Fibonacci number, the
     * worst case), and each code takes at least one; twice that and a few are let through. */
    uint64_t alike = 0, most = FEW + unpacked_bytes / 2 / 256;
    for (int length = TABLE_BITS + 1; length <= MAX_CODE_BITS; length++) {
        uint64_t room = UINT64_C(1) << (length - TABLE_BITS);
        alike += n_codes[length] < room ? n_codes[length] : room;
    }
    return alike <= most;
}
