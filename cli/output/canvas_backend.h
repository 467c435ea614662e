/* canvas_backend.h: the two ways of drawing behind canvas.h. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_CANVAS_BACKEND_H
#define QBOOST_CLI_CANVAS_BACKEND_H

#include "output/canvas.h"

typedef struct CanvasText {
    double x, y, size;
    TextAnchor anchor;
    bool upward;
    const char *text;
} CanvasText;

/* state is the backend's own. What can fail returns NULL or, owned by the caller, why it did. */
typedef struct CanvasBackend {
    const char *ending; /* ".svg" */
    void *(*begin)(const char *file, int width, int height, Ink ground);
    void (*polyline)(void *state, const double (*xy)[2], int n, double thickness, Ink ink);
    void (*circle)(void *state, double x, double y, double radius, Ink ink);
    void (*rect)(void *state, double x, double y, double width, double height, Ink ink);
    char *(*image)(void *state, double x, double y, double width, double height,
                   const QbImage *image);
    char *(*text)(void *state, const CanvasText *text, Ink ink);
    char *(*write)(void *state);
    void (*end)(void *state);
} CanvasBackend;

extern const CanvasBackend canvas_svg, canvas_pixels;

#endif
