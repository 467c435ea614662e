/* exif.c: the one thing of EXIF that changes pixels, the orientation (tag 0x0112 of the first
 * directory; EXIF 2.32 section 4.6.4). Anything damaged means "upright". */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };

typedef struct {
    const uint8_t *data;
    size_t size;
    bool big_endian;
} Block;

/* n_bytes (2 or 4) at offset; 0 outside. */
static uint32_t get(const Block *b, size_t offset, int n_bytes)
{
    if (offset > b->size || b->size - offset < (size_t)n_bytes)
        return 0;
    uint32_t value = 0;
    for (int i = 0; i < n_bytes; i++)
        value |= (uint32_t)b->data[offset + (size_t)i] << 8 * (b->big_endian ? n_bytes - 1 - i : i);
    return value;
}

int qb_exif_orientation(const uint8_t *data, size_t size)
{
    if (size >= 6 && !memcmp(data, "Exif\0", 5)) {
        data += 6;
        size -= 6;
    }
    if (size < 8 || (memcmp(data, "II*\0", 4) && memcmp(data, "MM\0*", 4)))
        return 1;
    Block block = {.data = data, .size = size, .big_endian = data[0] == 'M'};
    size_t directory = get(&block, 4, 4);
    uint32_t n_entries = get(&block, directory, 2);
    for (uint32_t i = 0; i < n_entries; i++) {
        size_t entry = directory + 2 + (size_t)i * ENTRY_BYTES;
        if (entry > size || size - entry < ENTRY_BYTES)
            break;
        if (get(&block, entry, 2) != TAG_ORIENTATION)
            continue;
        uint32_t type = get(&block, entry + 2, 2);
        uint32_t value = type == TYPE_SHORT  ? get(&block, entry + 8, 2)
                         : type == TYPE_LONG ? get(&block, entry + 8, 4)
                                             : 0;
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
