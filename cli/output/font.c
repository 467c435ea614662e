/* font.c: a 5x7 pixel font (two rows more for descenders), drawn below as it looks.
 *
 * Text is set on the 6x10 grid, enlarged four times by Scale2x applied twice, which rounds the
 * diagonals (Andrea Mazzoleni's AdvanceMAME rule), and then scaled to the size asked for by the
 * library's antialiased resize. The result is a coverage mask through which the colour is laid. */
// SPDX-License-Identifier: Apache-2.0
#include "output/font.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    GLYPH_WIDTH = 5,
    GLYPH_HEIGHT = 9,
    CELL_WIDTH = 6,
    CELL_HEIGHT = 10,
    GLYPHS_A_BAND = 16,
    ENLARGE = 4,
    LONGEST_TEXT = 200
};

// clang-format off
/* Characters 32 to 126, sixteen a band. */
static const char *const drawing[] = {
    "........#....#.#...#.#....#...##..#..##.....#......#...#......................................#",
    "........#....#.#...#.#...####.##..#.#..#....#.....#.....#.....#.....#.........................#",
    "........#....#.#..#####.#.#......#..#.#.....#....#.......#..#.#.#...#........................#.",
    "........#..........#.#...###....#....#...........#.......#...###..#####.......#####.........#..",
    "........#.........#####...#.#..#....#.#.#........#.......#..#.#.#...#......................#...",
    "...................#.#..####..#..##.#..#..........#.....#.....#.....#.....................#....",
    "........#..........#.#....#...#..##..##.#..........#...#..................#...........#...#....",
    "..........................................................................#....................",
    ".........................................................................#.....................",

    ".###....#....###..#####....#..#####...##..#####..###...###.................................###.",
    "#...#..##...#...#....#....##..#......#........#.#...#.#...#................#.........#....#...#",
    "#..##...#.......#...#....#.#..####..#........#..#...#.#...#...#.....#.....#...#####...#.......#",
    "#.#.#...#......#.....#..#..#......#.####....#....###...####..............#.............#.....#.",
    "##..#...#.....#.......#.#####.....#.#...#..#....#...#.....#...............#...#####...#.....#..",
    "#...#...#....#....#...#....#..#...#.#...#..#....#...#....#.................#.........#.........",
    ".###...###..#####..###.....#...###...###...#.....###...##.....#.....#.......................#..",
    "....................................................................#..........................",
    "...................................................................#...........................",

    ".###...###..####...###..####..#####.#####..###..#...#..###....###.#...#.#.....#...#.#...#..###.",
    "#...#.#...#.#...#.#...#.#...#.#.....#.....#...#.#...#...#......#..#..#..#.....##.##.##..#.#...#",
    "#.###.#...#.#...#.#.....#...#.#.....#.....#.....#...#...#......#..#.#...#.....#.#.#.##..#.#...#",
    "#.#.#.#####.####..#.....#...#.####..####..#.###.#####...#......#..##....#.....#.#.#.#.#.#.#...#",
    "#.###.#...#.#...#.#.....#...#.#.....#.....#...#.#...#...#......#..#.#...#.....#...#.#..##.#...#",
    "#.....#...#.#...#.#...#.#...#.#.....#.....#...#.#...#...#...#..#..#..#..#.....#...#.#..##.#...#",
    ".####.#...#.####...###..####..#####.#......####.#...#..###...##...#...#.#####.#...#.#...#..###.",
    "...............................................................................................",
    "...............................................................................................",

    "####...###..####...####.#####.#...#.#...#.#...#.#...#.#...#.#####..###..#......###....#........",
    "#...#.#...#.#...#.#.......#...#...#.#...#.#...#.#...#.#...#.....#..#....#........#...#.#.......",
    "#...#.#...#.#...#.#.......#...#...#.#...#.#...#..#.#...#.#.....#...#.....#.......#..#...#......",
    "####..#...#.####...###....#...#...#.#...#.#.#.#...#.....#.....#....#......#......#.............",
    "#.....#.#.#.#.#.......#...#...#...#..#.#..#.#.#..#.#....#....#.....#.......#.....#.............",
    "#.....#..#..#..#......#...#...#...#..#.#..##.##.#...#...#...#......#........#....#.............",
    "#......##.#.#...#.####....#....###....#...#...#.#...#...#...#####..###......#..###.............",
    "...............................................................................................",
    "..........................................................................................#####",

    ".#..........#...............#.........##........#.......#......#..#......##....................",
    "..#.........#...............#........#..........#.................#.......#....................",
    "...#...###..####...####..####..###..####...####.####...##.....##..#..#....#...##.#..####...###.",
    "..........#.#...#.#.....#...#.#...#..#....#...#.#...#...#......#..#.#.....#...#.#.#.#...#.#...#",
    ".......####.#...#.#.....#...#.#####..#....#...#.#...#...#......#..##......#...#.#.#.#...#.#...#",
    "......#...#.#...#.#.....#...#.#......#....#...#.#...#...#......#..#.#.....#...#.#.#.#...#.#...#",
    ".......####.####...####..####..####..#.....####.#...#..###.....#..#..#...###..#.#.#.#...#..###.",
    "..............................................#.............#..#...............................",
    "...........................................###...............##................................",

    ".........................#..........................................##....#....##..............",
    ".........................#..........................................#.....#.....#..............",
    "####...####.#.##...####.####..#...#.#...#.#...#.#...#.#...#.#####...#.....#.....#....#..#......",
    "#...#.#...#.##....#......#....#...#.#...#.#.#.#..#.#..#...#....#...#......#......#..#.#.#......",
    "#...#.#...#.#......###...#....#...#.#...#.#.#.#...#...#...#...#.....#.....#.....#...#..#.......",
    "#...#.#...#.#.........#..#....#...#..#.#..#.#.#..#.#..#...#..#......#.....#.....#..............",
    "####...####.#.....####....##...####...#....#.#..#...#..####.#####...##....#....##..............",
    "#.........#...............................................#...............#....................",
    "#.........#............................................###.....................................",
};
// clang-format on

static bool glyph_pixel(unsigned code, int x, int y)
{
    unsigned index = (code < 32 || code > 126 ? '?' : code) - 32;
    if (x >= GLYPH_WIDTH || y >= GLYPH_HEIGHT)
        return false;
    const char *row = drawing[index / GLYPHS_A_BAND * GLYPH_HEIGHT + (unsigned)y];
    return row[index % GLYPHS_A_BAND * CELL_WIDTH + (unsigned)x] == '#';
}

/* One byte a pixel, 0 or 255, width x CELL_HEIGHT; *n_characters of them, one cell each. */
static uint8_t *set_text(const char *text, int *n_characters)
{
    uint8_t *mask = cli_calloc((size_t)LONGEST_TEXT * CELL_WIDTH * CELL_HEIGHT, 1);
    unsigned codes[LONGEST_TEXT];
    int n = 0;
    while (*text && n < LONGEST_TEXT) {
        int length = utf8_sequence(text, &codes[n]);
        if (length == 0)
            codes[n] = '?';
        text += length > 0 ? length : 1;
        n++;
    }
    for (int i = 0; i < n; i++)
        for (int y = 0; y < CELL_HEIGHT; y++)
            for (int x = 0; x < CELL_WIDTH; x++)
                mask[y * n * CELL_WIDTH + i * CELL_WIDTH + x] =
                    glyph_pixel(codes[i], x, y) ? 255 : 0;
    *n_characters = n;
    return mask;
}

/* Scale2x: each pixel becomes four; a corner takes its two neighbours' value when they agree and
 * the other two do not. in is freed. */
static uint8_t *enlarge(uint8_t *in, int width, int height)
{
    uint8_t *out = cli_alloc((size_t)width * 2 * (size_t)height * 2);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t here = in[y * width + x];
            uint8_t up = y > 0 ? in[(y - 1) * width + x] : 0;
            uint8_t down = y + 1 < height ? in[(y + 1) * width + x] : 0;
            uint8_t left = x > 0 ? in[y * width + x - 1] : 0;
            uint8_t right = x + 1 < width ? in[y * width + x + 1] : 0;
            bool bend = up != down && left != right;
            uint8_t *at = out + (size_t)y * 2 * (size_t)width * 2 + (size_t)x * 2;
            at[0] = bend && left == up ? left : here;
            at[1] = bend && up == right ? right : here;
            at[width * 2] = bend && left == down ? left : here;
            at[width * 2 + 1] = bend && down == right ? right : here;
        }
    free(in);
    return out;
}

static QbStatus scale_mask(QbImage **out, const uint8_t *mask, int width, int height, int new_width,
                           int new_height)
{
    QbImage *large = NULL;
    size_t n = (size_t)width * (size_t)height;
    uint8_t *rgb = cli_alloc(n * 3);
    for (size_t i = 0; i < n; i++)
        memset(rgb + 3 * i, mask[i], 3);
    QbStatus status = qb_image_new_rgb(&large, rgb, width, height, (size_t)width * 3);
    free(rgb);
    if (status == QB_OK)
        status = qb_image_resize(out, large, new_width, new_height);
    qb_image_free(&large);
    return status;
}

static void lay_color(Pixels *canvas, int x0, int y0, const QbImage *mask, const uint8_t color[3])
{
    int width = qb_image_width(mask), height = qb_image_height(mask);
    const uint8_t *coverage = qb_image_pixels(mask);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int at_x = x0 + x, at_y = y0 + y;
            if (at_x < 0 || at_y < 0 || at_x >= canvas->width || at_y >= canvas->height)
                continue;
            int a = coverage[3 * ((size_t)y * (size_t)width + (size_t)x)];
            uint8_t *pixel =
                canvas->rgb + 3 * ((size_t)at_y * (size_t)canvas->width + (size_t)at_x);
            for (int c = 0; c < 3; c++)
                pixel[c] = (uint8_t)((pixel[c] * (255 - a) + color[c] * a + 127) / 255);
        }
}

int font_width(int n_characters, int height)
{
    return (n_characters * CELL_WIDTH * height + CELL_HEIGHT - 1) / CELL_HEIGHT;
}

QbStatus font_draw(Pixels *canvas, int x, int y, int height, const uint8_t color[3],
                   const char *text)
{
    int n = 0;
    QbImage *scaled = NULL;
    uint8_t *mask = set_text(text, &n);
    int width = n * CELL_WIDTH, rows = CELL_HEIGHT;
    QbStatus status = QB_OK;
    if (n > 0) {
        for (int times = ENLARGE; times > 1; times /= 2, width *= 2, rows *= 2)
            mask = enlarge(mask, width, rows);
        status = scale_mask(&scaled, mask, width, rows, font_width(n, height), height);
    }
    if (scaled)
        lay_color(canvas, x, y, scaled, color);
    qb_image_free(&scaled);
    free(mask);
    return status;
}
