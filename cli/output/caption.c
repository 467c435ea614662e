/* caption.c: see caption.h. */
// SPDX-License-Identifier: Apache-2.0
#include "output/caption.h"

#include <string.h>

void caption_color(uint8_t color[3], double score)
{
    static const double stops[3][3] = {{232, 92, 80}, {240, 188, 72}, {92, 200, 118}};
    int at = score < 0.5 ? 0 : 1;
    double f = score * 2 - at;
    for (int c = 0; c < 3; c++)
        color[c] = (uint8_t)(stops[at][c] + f * (stops[at + 1][c] - stops[at][c]) + 0.5);
}

void caption_add_name(Text *out, const char *path, int columns)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    int length = 0;
    for (const char *c = name; *c; c++)
        length += ((unsigned char)*c & 0xc0) != 0x80;
    int head = (columns - 3) / 2, tail = columns - 3 - head, at = 0;
    for (const char *c = name; *c; c++) {
        at += ((unsigned char)*c & 0xc0) != 0x80;
        if (length <= columns || at <= head || at > length - tail)
            text_add_char(out, *c);
        else if (at == head + 1 && ((unsigned char)*c & 0xc0) != 0x80)
            text_add(out, "...");
    }
}
