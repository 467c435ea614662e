/* canvas.c: chooses the backend by the file's ending and hands everything on to it. A failure is
 * kept until the end: callers draw without looking, and ask canvas_write. */
// SPDX-License-Identifier: Apache-2.0
#include "output/canvas_backend.h"

#include "base/exit_code.h"
#include "base/report.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct Canvas {
    const CanvasBackend *backend;
    void *state;
    const char *file;
    char *error; /* owned; the first one */
};

static const CanvasBackend *const backends[] = {&canvas_svg, &canvas_pixels};

/* NULL when there is none. */
static const CanvasBackend *find(const char *file)
{
    size_t length = strlen(file);
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        size_t n = strlen(backends[i]->ending);
        if (length > n && strcasecmp(file + length - n, backends[i]->ending) == 0)
            return backends[i];
    }
    return NULL;
}

bool canvas_takes(const char *file)
{
    return find(file) != NULL;
}

Canvas *canvas_new(const char *file, int width, int height, Ink ground)
{
    Canvas *canvas = cli_calloc(1, sizeof *canvas);
    canvas->backend = find(file);
    canvas->file = file;
    canvas->state = canvas->backend->begin(file, width, height, ground);
    return canvas;
}

void canvas_free(Canvas **canvas)
{
    if (!*canvas)
        return;
    (*canvas)->backend->end((*canvas)->state);
    free((*canvas)->error);
    free(*canvas);
    *canvas = NULL;
}

static void keep(Canvas *canvas, char *error)
{
    if (canvas->error)
        free(error);
    else
        canvas->error = error;
}

void canvas_line(Canvas *canvas, double x1, double y1, double x2, double y2, double thickness,
                 Ink ink)
{
    const double xy[2][2] = {{x1, y1}, {x2, y2}};
    canvas_polyline(canvas, xy, 2, thickness, ink);
}

void canvas_polyline(Canvas *canvas, const double (*xy)[2], int n, double thickness, Ink ink)
{
    if (n > 0)
        canvas->backend->polyline(canvas->state, xy, n, thickness, ink);
}

void canvas_circle(Canvas *canvas, double x, double y, double radius, Ink ink)
{
    canvas->backend->circle(canvas->state, x, y, radius, ink);
}

void canvas_rect(Canvas *canvas, double x, double y, double width, double height, Ink ink)
{
    canvas->backend->rect(canvas->state, x, y, width, height, ink);
}

void canvas_image(Canvas *canvas, double x, double y, double width, double height,
                  const QbImage *image)
{
    keep(canvas, canvas->backend->image(canvas->state, x, y, width, height, image));
}

void canvas_text(Canvas *canvas, double x, double y, double size, TextAnchor anchor, Ink ink,
                 const char *text)
{
    CanvasText what = {.x = x, .y = y, .size = size, .anchor = anchor, .text = text};
    keep(canvas, canvas->backend->text(canvas->state, &what, ink));
}

void canvas_text_upward(Canvas *canvas, double x, double y, double size, TextAnchor anchor, Ink ink,
                        const char *text)
{
    CanvasText what = {
        .x = x, .y = y, .size = size, .anchor = anchor, .upward = true, .text = text};
    keep(canvas, canvas->backend->text(canvas->state, &what, ink));
}

double canvas_text_width(double size, const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return 0.6 * size * n; /* font.h's; the sans serif letters of an SVG are narrower */
}

int canvas_write(Canvas *canvas)
{
    if (!canvas->error)
        canvas->error = canvas->backend->write(canvas->state);
    if (!canvas->error)
        return CLI_OK;
    bool named = strncmp(canvas->error, canvas->file, strlen(canvas->file)) == 0;
    report("%s%s%s", named ? "" : canvas->file, named ? "" : ": ", canvas->error);
    return CLI_FAILED;
}
