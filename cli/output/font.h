/* font.h: lettering for the contact sheet: ASCII, drawn by this project, smoothed to any size. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_FONT_H
#define QBOOST_CLI_FONT_H

#include <qboost/image.h>

/* A picture being painted: rgb[height][width][3]. */
typedef struct Pixels {
    uint8_t *rgb;
    int width, height;
} Pixels;

/* Columns that n characters take when a line is height pixels high. */
int font_width(int n_characters, int height);

/* Writes UTF-8 text with its upper left corner at x, y; anything but printable ASCII becomes '?'.
 * Pixels outside the canvas are dropped. */
QbStatus font_draw(Pixels *canvas, int x, int y, int height, const uint8_t color[3],
                   const char *text);

#endif
