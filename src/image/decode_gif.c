/* decode_gif.c: the first frame of a GIF by giflib, on the whole screen. What the frame leaves open
 * is transparent (managed), or has Pillow's colour: that of the transparent index, else of index 0.
 */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

#include <gif_lib.h>

typedef struct {
    const QbDecodeJob *job;
    size_t position;
    GifFileType *gif;
    int transparent;  /* index, or -1 */
    uint8_t *indices; /* one row of the frame, owned */
} Gif;

static bool probe(const uint8_t *data, size_t size)
{
    return size >= 6 && (!memcmp(data, "GIF87a", 6) || !memcmp(data, "GIF89a", 6));
}

static int read_data(GifFileType *gif, GifByteType *out, int n_bytes)
{
    Gif *g = gif->UserData;
    size_t left = g->job->size - g->position;
    size_t n = n_bytes < 0 ? 0 : (size_t)n_bytes < left ? (size_t)n_bytes : left;
    memcpy(out, g->job->data + g->position, n);
    g->position += n;
    return (int)n;
}

static QbStatus fail_code(const Gif *g, int code)
{
    const char *text = GifErrorString(code);
    return qb_fail(code == D_GIF_ERR_NOT_ENOUGH_MEM ? QB_ERR_NOMEM : QB_ERR_FORMAT, "%s: %s",
                   g->job->name, text ? text : "the GIF is damaged");
}

/* An extension's blocks; keeps the transparent index of a graphic control extension. */
static bool read_extension(Gif *g)
{
    int kind;
    GifByteType *block;
    if (DGifGetExtension(g->gif, &kind, &block) == GIF_ERROR)
        return false;
    GraphicsControlBlock control;
    if (block && kind == GRAPHICS_EXT_FUNC_CODE &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        g->transparent = control.TransparentColor;
    while (block)
        if (DGifGetExtensionNext(g->gif, &block) == GIF_ERROR)
            return false;
    return true;
}

/* Up to the first frame's descriptor. */
static QbStatus find_frame(Gif *g)
{
    for (;;) {
        GifRecordType record;
        if (DGifGetRecordType(g->gif, &record) == GIF_ERROR)
            return fail_code(g, g->gif->Error);
        if (record == TERMINATE_RECORD_TYPE)
            return qb_fail(QB_ERR_FORMAT, "%s: a GIF without a picture", g->job->name);
        if (record == EXTENSION_RECORD_TYPE && !read_extension(g))
            return fail_code(g, g->gif->Error);
        if (record == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(g->gif) == GIF_ERROR ? fail_code(g, g->gif->Error) : QB_OK;
    }
}

static void read_palette(const Gif *g, QbPalette *palette)
{
    qb_palette_init(palette);
    const ColorMapObject *map = g->gif->Image.ColorMap ? g->gif->Image.ColorMap : g->gif->SColorMap;
    for (int i = 0; map && i < map->ColorCount && i < 256; i++) {
        const GifColorType *c = &map->Colors[i];
        memcpy(palette->color[i], (uint8_t[3]){c->Red, c->Green, c->Blue}, 3);
    }
    if (g->transparent >= 0 && g->transparent < 256)
        palette->color[g->transparent][3] = 0;
}

static void fill(QbRaster *out, const uint8_t color[4])
{
    size_t n_pixels = (size_t)out->width * (size_t)out->height;
    for (size_t i = 0; i < n_pixels; i++)
        memcpy(out->pixels + i * 4, color, 4);
}

/* Rows in the order of the file: GIF89a appendix E. */
static QbStatus read_rows(Gif *g, QbRaster *out, const QbPalette *palette)
{
    static const int first[] = {0, 4, 2, 1, 0}, step[] = {8, 8, 4, 2, 1};
    const GifImageDesc *frame = &g->gif->Image;
    for (int pass = frame->Interlace ? 0 : 4; pass < (frame->Interlace ? 4 : 5); pass++) {
        for (int y = first[pass]; y < frame->Height; y += step[pass]) {
            if (DGifGetLine(g->gif, g->indices, frame->Width) == GIF_ERROR)
                return fail_code(g, g->gif->Error);
            uint8_t *row =
                out->pixels +
                ((size_t)(frame->Top + y) * (size_t)out->width + (size_t)frame->Left) * 4;
            for (int x = 0; x < frame->Width; x++)
                memcpy(row + (size_t)x * 4, palette->color[g->indices[x]], 4);
        }
    }
    return QB_OK;
}

static QbStatus run(Gif *g, QbRaster *out)
{
    QbStatus status = find_frame(g);
    if (status)
        return status;
    const GifImageDesc *frame = &g->gif->Image;
    if (frame->Left < 0 || frame->Top < 0 || frame->Width < 1 || frame->Height < 1)
        return qb_fail(QB_ERR_FORMAT, "%s: a frame of %d x %d pixels", g->job->name, frame->Width,
                       frame->Height);
    /* Frames that stick out make the screen larger, as in Pillow. */
    int right = frame->Left + frame->Width, bottom = frame->Top + frame->Height;
    int width = right > g->gif->SWidth ? right : g->gif->SWidth;
    int height = bottom > g->gif->SHeight ? bottom : g->gif->SHeight;
    status = qb_raster_new(out, g->job, width, height, QB_COLOR_RGB, true, 8, 0);
    if (status)
        return status;
    QbPalette palette;
    read_palette(g, &palette);
    uint8_t open[4] = {0};
    if (!qb_decode_is_managed(g->job))
        memcpy(open, palette.color[g->transparent >= 0 ? g->transparent & 255 : 0], 4);
    fill(out, open);
    g->indices = qb_alloc((size_t)frame->Width);
    return g->indices ? read_rows(g, out, &palette) : QB_ERR_NOMEM;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    Gif g = {.job = job, .transparent = -1};
    int code = 0;
    g.gif = DGifOpen(&g, read_data, &code);
    if (!g.gif)
        return fail_code(&g, code);
    QbStatus status = run(&g, out);
    qb_free(g.indices);
    DGifCloseFile(g.gif, NULL);
    return status;
}

const QbImageCodec qb_codec_gif = {
    .name = "gif", .extensions = "gif", .probe = probe, .decode = decode};
