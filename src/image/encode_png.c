/* encode_png.c: writes a QbImage as an 8-bit RGB PNG, atomically. */
// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include "base/error.h"
#include "base/file.h"

#include <setjmp.h>

#include <png.h>

typedef struct {
    png_structp png;
    png_infop info;
    FILE *stream;
    const char *path;
    jmp_buf escape;
} Writer;

static void on_error(png_structp png, png_const_charp text)
{
    Writer *w = png_get_error_ptr(png);
    qb_fail(QB_ERR_IO, "%s: %s", w->path, text);
    longjmp(w->escape, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void write_data(png_structp png, png_bytep data, size_t size)
{
    Writer *w = png_get_io_ptr(png);
    if (fwrite(data, 1, size, w->stream) != size)
        png_error(png, "cannot write");
}

/* Errors of buffered data are seen when the file is committed. */
static void flush_data(png_structp png)
{
    (void)png;
}

static QbStatus write_png(Writer *w, const QbImage *image)
{
    if (setjmp(w->escape))
        return QB_ERR_IO;
    w->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w, on_error, on_warning);
    w->info = w->png ? png_create_info_struct(w->png) : NULL;
    if (!w->info)
        return qb_fail(QB_ERR_NOMEM, "%s: out of memory", w->path);
    png_set_user_limits(w->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_write_fn(w->png, w, write_data, flush_data);
    png_set_IHDR(w->png, w->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(w->png, w->info);
    for (int y = 0; y < image->height; y++)
        png_write_row(w->png, image->pixels + (size_t)y * (size_t)image->width * 3);
    png_write_end(w->png, NULL);
    return QB_OK;
}

QbStatus qb_image_save_png(const QbImage *image, const char *path)
{
    if (!image || !path)
        return qb_fail(QB_ERR_ARG, "qb_image_save_png: no %s given", image ? "path" : "picture");
    QbAtomicFile file;
    QbStatus status = qb_atomic_file_open(&file, path);
    if (status)
        return status;
    Writer writer = {.stream = file.stream, .path = path};
    status = write_png(&writer, image);
    png_destroy_write_struct(&writer.png, &writer.info);
    if (status) {
        qb_atomic_file_abandon(&file);
        return status;
    }
    return qb_atomic_file_commit(&file);
}
