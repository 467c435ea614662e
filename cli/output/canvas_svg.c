/* canvas_svg.c: drawings as SVG 1.1 text. Coordinates have two decimals, hundredths of a unit;
 * pictures are embedded as PNG, so the file stands alone. */
// SPDX-License-Identifier: Apache-2.0
#include "output/canvas_backend.h"

#include "base/text.h"
#include "base/whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Svg {
    const char *file;
    Text text;
} Svg;

/* 12.5, 3, -0.07: no zeros at the end, no point in front of nothing. */
static void add_number(Text *text, double value)
{
    char number[48];
    snprintf(number, sizeof number, "%.2f", value);
    char *end = number + strlen(number);
    while (end[-1] == '0')
        *--end = 0;
    if (end[-1] == '.')
        *--end = 0;
    text_add(text, strcmp(number, "-0") ? number : "0");
}

static void add_attribute(Text *text, const char *name, double value)
{
    text_addf(text, " %s=\"", name);
    add_number(text, value);
    text_add_char(text, '"');
}

/* property: "fill" or "stroke" */
static void add_ink(Text *text, const char *property, Ink ink)
{
    text_addf(text, " %s=\"#%02x%02x%02x\"", property, ink.red, ink.green, ink.blue);
    if (ink.opacity < 1) {
        text_addf(text, " %s-opacity=\"", property);
        add_number(text, ink.opacity);
        text_add_char(text, '"');
    }
}

static void rect(void *state, double x, double y, double width, double height, Ink ink)
{
    Text *text = &((Svg *)state)->text;
    text_add(text, "<rect");
    add_attribute(text, "x", x);
    add_attribute(text, "y", y);
    add_attribute(text, "width", width);
    add_attribute(text, "height", height);
    add_ink(text, "fill", ink);
    text_add(text, "/>\n");
}

static void *begin(const char *file, int width, int height, Ink ground)
{
    Svg *svg = cli_calloc(1, sizeof *svg);
    svg->file = file;
    text_addf(&svg->text,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" "
              "xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" width=\"%d\" "
              "height=\"%d\" viewBox=\"0 0 %d %d\" "
              "font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\">\n",
              width, height, width, height);
    rect(svg, 0, 0, width, height, ground);
    return svg;
}

static void polyline(void *state, const double (*xy)[2], int n, double thickness, Ink ink)
{
    Text *text = &((Svg *)state)->text;
    text_add(text, "<polyline points=\"");
    for (int i = 0; i < n; i++) {
        if (i > 0)
            text_add_char(text, ' ');
        add_number(text, xy[i][0]);
        text_add_char(text, ',');
        add_number(text, xy[i][1]);
    }
    text_add(text, "\" fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\"");
    add_ink(text, "stroke", ink);
    add_attribute(text, "stroke-width", thickness);
    text_add(text, "/>\n");
}

static void circle(void *state, double x, double y, double radius, Ink ink)
{
    Text *text = &((Svg *)state)->text;
    text_add(text, "<circle");
    add_attribute(text, "cx", x);
    add_attribute(text, "cy", y);
    add_attribute(text, "r", radius);
    add_ink(text, "fill", ink);
    text_add(text, "/>\n");
}

/* What XML cannot hold, also escaped, is made visible; the rest is escaped. */
static void add_escaped(Text *text, const char *raw)
{
    Text printable = {0};
    text_add_printable(&printable, raw);
    for (const char *c = printable.data ? printable.data : ""; *c; c++) {
        if (*c == '<' || *c == '>' || *c == '&')
            text_add(text, *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : "&amp;");
        else
            text_add_char(text, *c);
    }
    text_free(&printable);
}

static char *add_text(void *state, const CanvasText *what, Ink ink)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    Text *text = &((Svg *)state)->text;
    text_add(text, "<text");
    if (what->upward) {
        text_add(text, " transform=\"translate(");
        add_number(text, what->x);
        text_add_char(text, ' ');
        add_number(text, what->y);
        text_add(text, ") rotate(-90)\"");
    } else {
        add_attribute(text, "x", what->x);
        add_attribute(text, "y", what->y);
    }
    add_attribute(text, "font-size", what->size);
    text_addf(text, " text-anchor=\"%s\"", anchors[what->anchor]);
    add_ink(text, "fill", ink);
    text_add_char(text, '>');
    add_escaped(text, what->text);
    text_add(text, "</text>\n");
    return NULL;
}

/* "FILE: why" of the operation that failed last. */
static char *failure(const char *file)
{
    Text text = {0};
    text_addf(&text, "%s: %s", file, strerror(errno));
    return text.data;
}

/* The bytes of a whole file; false: errno says why. */
static bool read_all(Text *out, const char *file)
{
    char buffer[65536];
    FILE *in = fopen(file, "re");
    size_t n;
    if (!in)
        return false;
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0)
        text_add_bytes(out, buffer, n);
    bool good = !ferror(in);
    fclose(in);
    return good;
}

/* The library writes PNGs to files only: one beside the drawing, whose folder must be good for
 * writing anyway. */
static char *picture_bytes(Text *out, const char *file, const QbImage *image)
{
    Text name = {0};
    char *error = NULL;
    text_addf(&name, "%s.XXXXXX.png", file);
    int fd = mkstemps(name.data, (int)strlen(".png"));
    if (fd < 0)
        error = failure(file);
    else if (qb_image_save_png(image, name.data) != QB_OK)
        error = cli_strdup(qb_last_error());
    else if (!read_all(out, name.data))
        error = failure(name.data);
    if (fd >= 0) {
        unlink(name.data);
        close(fd);
    }
    text_free(&name);
    return error;
}

static char *add_image(void *state, double x, double y, double width, double height,
                       const QbImage *image)
{
    Svg *svg = state;
    Text bytes = {0}, *text = &svg->text;
    char *error = picture_bytes(&bytes, svg->file, image);
    if (!error) {
        text_add(text, "<image");
        add_attribute(text, "x", x);
        add_attribute(text, "y", y);
        add_attribute(text, "width", width);
        add_attribute(text, "height", height);
        text_add(text, " preserveAspectRatio=\"none\" xlink:href=\"data:image/png;base64,");
        text_add_base64(text, bytes.data, bytes.length);
        text_add(text, "\"/>\n");
    }
    text_free(&bytes);
    return error;
}

static char *write_svg(void *state)
{
    Svg *svg = state;
    text_add(&svg->text, "</svg>\n");
    return whole_file_write(svg->file, svg->text.data, svg->text.length) ? NULL
                                                                         : failure(svg->file);
}

static void end(void *state)
{
    Svg *svg = state;
    text_free(&svg->text);
    free(svg);
}

const CanvasBackend canvas_svg = {.ending = ".svg",
                                  .begin = begin,
                                  .polyline = polyline,
                                  .circle = circle,
                                  .rect = rect,
                                  .image = add_image,
                                  .text = add_text,
                                  .write = write_svg,
                                  .end = end};
