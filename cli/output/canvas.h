/* canvas.h: drawings of lines, dots, boxes, lettering and pictures, written as SVG or PNG.
 *
 * Lengths are in units, the origin is the upper left corner. A unit is an SVG user unit, or two
 * pixels of a PNG. What is drawn later covers what was drawn before; what lies outside is cut. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_CANVAS_H
#define QBOOST_CLI_CANVAS_H

#include <qboost/image.h>
#include <stdbool.h>

typedef struct Canvas Canvas;

typedef struct Ink {
    uint8_t red, green, blue;
    double opacity; /* 0 .. 1 */
} Ink;

typedef enum TextAnchor { TEXT_START, TEXT_MIDDLE, TEXT_END } TextAnchor;

/* true when the name ends in .svg or .png, in any case: what canvas_new can write. */
bool canvas_takes(const char *file);

/* A canvas of one colour; file (borrowed) is where canvas_write will write. Never NULL. */
Canvas *canvas_new(const char *file, int width, int height, Ink ground);
void canvas_free(Canvas **canvas);

void canvas_line(Canvas *canvas, double x1, double y1, double x2, double y2, double thickness,
                 Ink ink);
/* Through points xy[n][2]; ends and corners are round. */
void canvas_polyline(Canvas *canvas, const double (*xy)[2], int n, double thickness, Ink ink);
void canvas_circle(Canvas *canvas, double x, double y, double radius, Ink ink); /* filled */
void canvas_rect(Canvas *canvas, double x, double y, double width, double height, Ink ink);
/* Fills it with the picture, whose proportions are the caller's affair. */
void canvas_image(Canvas *canvas, double x, double y, double width, double height,
                  const QbImage *image);

/* UTF-8 text; its letters stand on y, capitals are about 0.7 size high. In a PNG what is not ASCII
 * becomes '?'. */
void canvas_text(Canvas *canvas, double x, double y, double size, TextAnchor anchor, Ink ink,
                 const char *text);
/* Turned to be read from the right: x is the line on which letters stand, it runs upwards from y.
 */
void canvas_text_upward(Canvas *canvas, double x, double y, double size, TextAnchor anchor, Ink ink,
                        const char *text);
/* What text of that size takes at most, for the layout. */
double canvas_text_width(double size, const char *text);

/* Writes the whole file or leaves what was there. Returns an exit code; failures, also those of
 * drawing, are reported with the file's name. */
int canvas_write(Canvas *canvas);

#endif
