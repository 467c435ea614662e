/* canvas_pixels.c: drawings as pixels. A shape is first a mask of how much of each pixel it covers,
 * through which its ink is laid: so a line that crosses itself is as opaque there as elsewhere.
 * Coverage follows from the distance of the pixel's middle to the shape's edge, which is what
 * supersampling without end would give where edges are straight. */
// SPDX-License-Identifier: Apache-2.0
#include "output/canvas_backend.h"

#include "base/text.h"
#include "output/font.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS_A_UNIT = 2 };

typedef struct Box {
    int left, top, right, bottom; /* the last two are outside */
} Box;

typedef struct Drawing {
    const char *file;
    Pixels pixels;
    uint8_t *mask; /* [height][width], zero between shapes */
    Box dirty;     /* of the mask */
} Drawing;

/* The pixels within radius of x .. x2, y .. y2, as far as there are any. */
static Box box_around(const Drawing *d, double x, double y, double x2, double y2, double radius)
{
    double left = fmin(x, x2) - radius, right = fmax(x, x2) + radius;
    double top = fmin(y, y2) - radius, bottom = fmax(y, y2) + radius;
    double width = d->pixels.width, height = d->pixels.height;
    return (Box){(int)floor(fmin(fmax(left, 0), width)), (int)floor(fmin(fmax(top, 0), height)),
                 (int)ceil(fmin(fmax(right, 0), width)), (int)ceil(fmin(fmax(bottom, 0), height))};
}

/* Remembers that the mask may have been touched there. */
static void spoil(Drawing *d, Box box)
{
    Box *dirty = &d->dirty;
    if (dirty->left == dirty->right || dirty->top == dirty->bottom) {
        *dirty = box;
        return;
    }
    dirty->left = box.left < dirty->left ? box.left : dirty->left;
    dirty->top = box.top < dirty->top ? box.top : dirty->top;
    dirty->right = box.right > dirty->right ? box.right : dirty->right;
    dirty->bottom = box.bottom > dirty->bottom ? box.bottom : dirty->bottom;
}

static void cover(Drawing *d, int x, int y, double coverage)
{
    uint8_t *at = &d->mask[(size_t)y * (size_t)d->pixels.width + (size_t)x];
    uint8_t value = (uint8_t)(fmin(fmax(coverage, 0), 1) * 255 + 0.5);
    if (value > *at)
        *at = value;
}

/* Lays ink through the mask and clears it. */
static void lay(Drawing *d, Ink ink)
{
    const uint8_t color[3] = {ink.red, ink.green, ink.blue};
    for (int y = d->dirty.top; y < d->dirty.bottom; y++)
        for (int x = d->dirty.left; x < d->dirty.right; x++) {
            size_t at = (size_t)y * (size_t)d->pixels.width + (size_t)x;
            double share = d->mask[at] / 255.0 * ink.opacity;
            uint8_t *pixel = d->pixels.rgb + 3 * at;
            for (int c = 0; c < 3; c++)
                pixel[c] = (uint8_t)(pixel[c] + share * (color[c] - pixel[c]) + 0.5);
            d->mask[at] = 0;
        }
    d->dirty = (Box){0};
}

/* All points within radius of the line from a to b. */
static void cover_segment(Drawing *d, const double a[2], const double b[2], double radius)
{
    double dx = b[0] - a[0], dy = b[1] - a[1], length2 = dx * dx + dy * dy;
    Box box = box_around(d, a[0], a[1], b[0], b[1], radius + 1);
    for (int y = box.top; y < box.bottom; y++)
        for (int x = box.left; x < box.right; x++) {
            double px = x + 0.5 - a[0], py = y + 0.5 - a[1];
            double t = length2 > 0 ? (px * dx + py * dy) / length2 : 0;
            t = fmin(fmax(t, 0), 1);
            cover(d, x, y, radius + 0.5 - hypot(px - t * dx, py - t * dy));
        }
    spoil(d, box);
}

static void polyline(void *state, const double (*xy)[2], int n, double thickness, Ink ink)
{
    Drawing *d = state;
    for (int i = 0; i < n; i++) {
        const double *from = xy[i > 0 ? i - 1 : 0];
        const double a[2] = {from[0] * PIXELS_A_UNIT, from[1] * PIXELS_A_UNIT};
        const double b[2] = {xy[i][0] * PIXELS_A_UNIT, xy[i][1] * PIXELS_A_UNIT};
        if (i > 0 || n == 1)
            cover_segment(d, a, b, thickness * PIXELS_A_UNIT / 2);
    }
    lay(d, ink);
}

static void circle(void *state, double x, double y, double radius, Ink ink)
{
    Drawing *d = state;
    const double middle[2] = {x * PIXELS_A_UNIT, y * PIXELS_A_UNIT};
    cover_segment(d, middle, middle, radius * PIXELS_A_UNIT);
    lay(d, ink);
}

/* How much of from .. to is in pixel .. pixel + 1. */
static double overlap(double from, double to, int pixel)
{
    return fmin(to, pixel + 1) - fmax(from, pixel);
}

static void rect(void *state, double x, double y, double width, double height, Ink ink)
{
    Drawing *d = state;
    double left = x * PIXELS_A_UNIT, right = (x + width) * PIXELS_A_UNIT;
    double top = y * PIXELS_A_UNIT, bottom = (y + height) * PIXELS_A_UNIT;
    Box box = box_around(d, left, top, right, bottom, 0);
    for (int at_y = box.top; at_y < box.bottom; at_y++)
        for (int at_x = box.left; at_x < box.right; at_x++)
            cover(d, at_x, at_y, overlap(left, right, at_x) * overlap(top, bottom, at_y));
    spoil(d, box);
    lay(d, ink);
}

static char *image(void *state, double x, double y, double width, double height,
                   const QbImage *picture)
{
    Drawing *d = state;
    QbImage *scaled = NULL;
    int x0 = (int)lround(x * PIXELS_A_UNIT), y0 = (int)lround(y * PIXELS_A_UNIT);
    int w = (int)lround(width * PIXELS_A_UNIT), h = (int)lround(height * PIXELS_A_UNIT);
    if (qb_image_resize(&scaled, picture, w > 0 ? w : 1, h > 0 ? h : 1) != QB_OK)
        return cli_strdup(qb_last_error());
    const uint8_t *from = qb_image_pixels(scaled);
    for (int row = 0; row < h; row++)
        for (int column = 0; column < w; column++) {
            int at_x = x0 + column, at_y = y0 + row;
            if (at_x >= 0 && at_y >= 0 && at_x < d->pixels.width && at_y < d->pixels.height)
                memcpy(d->pixels.rgb + 3 * ((size_t)at_y * (size_t)d->pixels.width + (size_t)at_x),
                       from + 3 * ((size_t)row * (size_t)w + (size_t)column), 3);
        }
    qb_image_free(&scaled);
    return NULL;
}

/* White letters on black, wide enough for text that does not end before the canvas does. */
static QbStatus set_text(Pixels *out, const char *text, int height)
{
    static const uint8_t white[3] = {255, 255, 255};
    int n = 0;
    for (const char *c = text; *c && n < 200; c++)
        n += ((unsigned char)*c & 0xc0) != 0x80;
    *out = (Pixels){.width = font_width(n, height), .height = height};
    out->rgb = cli_calloc((size_t)out->width * (size_t)height * 3, 1);
    return font_draw(out, 0, 0, height, white, text);
}

/* Where the letters at x, y of letters belong. */
static void cover_letters(Drawing *d, const Pixels *letters, const CanvasText *what)
{
    double part = what->anchor == TEXT_START ? 0 : what->anchor == TEXT_MIDDLE ? 0.5 : 1;
    int x0 = (int)lround(what->x * PIXELS_A_UNIT), y0 = (int)lround(what->y * PIXELS_A_UNIT);
    int before = (int)lround(part * letters->width), above = letters->height * 7 / 10;
    for (int y = 0; y < letters->height; y++)
        for (int x = 0; x < letters->width; x++) {
            int at_x = what->upward ? x0 + y - above : x0 + x - before;
            int at_y = what->upward ? y0 - x + before : y0 + y - above;
            uint8_t value = letters->rgb[3 * ((size_t)y * (size_t)letters->width + (size_t)x)];
            if (at_x >= 0 && at_y >= 0 && at_x < d->pixels.width && at_y < d->pixels.height)
                cover(d, at_x, at_y, value / 255.0);
        }
}

static char *text(void *state, const CanvasText *what, Ink ink)
{
    Drawing *d = state;
    Pixels letters = {0};
    int height = (int)lround(what->size * PIXELS_A_UNIT);
    QbStatus status = set_text(&letters, what->text, height);
    if (status == QB_OK) {
        cover_letters(d, &letters, what);
        spoil(d, (Box){0, 0, d->pixels.width, d->pixels.height});
        lay(d, ink);
    }
    free(letters.rgb);
    return status == QB_OK ? NULL : cli_strdup(qb_last_error());
}

static void *begin(const char *file, int width, int height, Ink ground)
{
    Drawing *d = cli_calloc(1, sizeof *d);
    d->file = file;
    d->pixels.width = width * PIXELS_A_UNIT;
    d->pixels.height = height * PIXELS_A_UNIT;
    size_t n = (size_t)d->pixels.width * (size_t)d->pixels.height;
    d->pixels.rgb = cli_calloc(n, 3);
    d->mask = cli_calloc(n, 1);
    rect(d, 0, 0, width, height, ground);
    return d;
}

static char *write_png(void *state)
{
    const Drawing *d = state;
    QbImage *picture = NULL;
    QbStatus status = qb_image_new_rgb(&picture, d->pixels.rgb, d->pixels.width, d->pixels.height,
                                       (size_t)d->pixels.width * 3);
    if (status == QB_OK)
        status = qb_image_save_png(picture, d->file);
    qb_image_free(&picture);
    return status == QB_OK ? NULL : cli_strdup(qb_last_error());
}

static void end(void *state)
{
    Drawing *d = state;
    free(d->pixels.rgb);
    free(d->mask);
    free(d);
}

const CanvasBackend canvas_pixels = {.ending = ".png",
                                     .begin = begin,
                                     .polyline = polyline,
                                     .circle = circle,
                                     .rect = rect,
                                     .image = image,
                                     .text = text,
                                     .write = write_png,
                                     .end = end};
