/* utf8.h: what is a valid UTF-8 character. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_UTF8_H
#define QB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

static inline bool qb_utf8_is_tail(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes of the valid UTF-8 character that text[length], length >= 1, begins with; 0 if it is not
 * valid (overlong, a surrogate, beyond U+10FFFF, cut off). */
static inline size_t qb_utf8_character(const unsigned char *text, size_t length)
{
    unsigned char lead = text[0];
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return length >= 2 && qb_utf8_is_tail(text[1]) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (length < 3 || !qb_utf8_is_tail(text[1]) || !qb_utf8_is_tail(text[2]))
            return 0;
        bool overlong = lead == 0xe0 && text[1] < 0xa0;
        bool surrogate = lead == 0xed && text[1] >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (length < 4 || !qb_utf8_is_tail(text[1]) || !qb_utf8_is_tail(text[2]) ||
            !qb_utf8_is_tail(text[3]))
            return 0;
        bool overlong = lead == 0xf0 && text[1] < 0x90;
        bool too_high = lead == 0xf4 && text[1] >= 0x90;
        return overlong || too_high ? 0 : 4;
    }
    return 0;
}

#endif
