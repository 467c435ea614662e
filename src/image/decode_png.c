/* decode_png.c: PNG by libpng: every colour type and depth, interlaced or not. Palettes are looked
 * up here, because Pillow's rule for missing colours differs from libpng's. Of an animated PNG the
 * default picture is read. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

typedef struct {
    png_structp png;
    png_infop info;
    const QbDecodeJob *job;
    size_t position;
    int passes;
    bool rows_done; /* what comes after the pixels may be damaged */
    uint8_t *line;  /* [row bytes of libpng] for palettes, owned */
    QbStatus status;
    jmp_buf escape;
} Png;

static bool probe(const uint8_t *data, size_t size)
{
    return size >= 8 && !memcmp(data, "\x89PNG\r\n\x1a\n", 8);
}

static void on_error(png_structp png, png_const_charp text)
{
    Png *p = png_get_error_ptr(png);
    if (p->status != QB_ERR_NOMEM)
        p->status = qb_fail(QB_ERR_FORMAT, "%s: %s", p->job->name, text);
    longjmp(p->escape, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    void *block = qb_alloc(size);
    if (!block)
        ((Png *)png_get_mem_ptr(png))->status = QB_ERR_NOMEM;
    return block;
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    qb_free(block);
}

static void read_data(png_structp png, png_bytep out, size_t size)
{
    Png *p = png_get_io_ptr(png);
    if (size > p->job->size - p->position)
        png_error(png, "the PNG is truncated");
    memcpy(out, p->job->data + p->position, size);
    p->position += size;
}

/* Sets libpng's transformations and makes the raster for what they give. */
static QbStatus start(Png *p, QbRaster *out)
{
    bool managed = qb_decode_is_managed(p->job);
    int type = png_get_color_type(p->png, p->info);
    int depth = png_get_bit_depth(p->png, p->info);
    bool transparent = managed && png_get_valid(p->png, p->info, PNG_INFO_tRNS);
    bool alpha = type & PNG_COLOR_MASK_ALPHA || transparent;
    QbColor color =
        type & (PNG_COLOR_MASK_COLOR | PNG_COLOR_MASK_PALETTE) ? QB_COLOR_RGB : QB_COLOR_GRAY;
    if (type == PNG_COLOR_TYPE_PALETTE) {
        png_set_packing(p->png);
    } else {
        if (depth < 8)
            png_set_expand_gray_1_2_4_to_8(p->png);
        if (transparent)
            png_set_tRNS_to_alpha(p->png);
        if (depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            png_set_swap(p->png);
    }
    p->passes = png_set_interlace_handling(p->png);
    png_read_update_info(p->png, p->info);
    QbStatus status =
        qb_raster_new(out, p->job, png_get_image_width(p->png, p->info),
                      png_get_image_height(p->png, p->info), color, alpha, depth == 16 ? 16 : 8,
                      type == PNG_COLOR_TYPE_PALETTE && p->passes > 1 ? 1 : 0);
    return status;
}

static void read_palette(const Png *p, QbPalette *palette)
{
    qb_palette_init(palette);
    png_colorp colors = NULL;
    int n_colors = 0;
    png_get_PLTE(p->png, p->info, &colors, &n_colors);
    for (int i = 0; i < n_colors && i < 256; i++)
        memcpy(palette->color[i], (uint8_t[3]){colors[i].red, colors[i].green, colors[i].blue}, 3);
    png_bytep alpha = NULL;
    int n_alpha = 0;
    png_get_tRNS(p->png, p->info, &alpha, &n_alpha, NULL);
    for (int i = 0; alpha && i < n_alpha && i < 256; i++)
        palette->color[i][3] = alpha[i];
}

static QbStatus read_indices(Png *p, QbRaster *out)
{
    QbPalette palette;
    read_palette(p, &palette);
    size_t width = (size_t)out->width;
    size_t n_lines = p->passes > 1 ? (size_t)out->height : 1;
    p->line = qb_calloc(n_lines, width);
    if (!p->line)
        return QB_ERR_NOMEM;
    for (int pass = 0; pass < p->passes; pass++) {
        for (int y = 0; y < out->height; y++) {
            uint8_t *line = p->line + (n_lines > 1 ? (size_t)y * width : 0);
            png_read_row(p->png, line, NULL);
            if (pass == p->passes - 1)
                qb_raster_put_indices(out, y, line, &palette);
        }
    }
    return QB_OK;
}

static void read_rows(Png *p, QbRaster *out)
{
    size_t row_bytes = qb_raster_row_bytes(out);
    for (int pass = 0; pass < p->passes; pass++)
        for (int y = 0; y < out->height; y++)
            png_read_row(p->png, out->pixels + (size_t)y * row_bytes, NULL);
}

/* A profile counts before sRGB, and that before gamma (PNG specification, section 11.3.2). */
static QbStatus read_colors(const Png *p, QbRaster *out)
{
    png_charp name;
    png_bytep icc;
    int method, intent;
    png_uint_32 size;
    if (png_get_iCCP(p->png, p->info, &name, &method, &icc, &size))
        return qb_raster_set_icc(out, icc, size);
    double gamma, xy[8];
    if (png_get_sRGB(p->png, p->info, &intent) || !png_get_gAMA(p->png, p->info, &gamma))
        return QB_OK;
    bool chroma = png_get_cHRM(p->png, p->info, &xy[0], &xy[1], &xy[2], &xy[3], &xy[4], &xy[5],
                               &xy[6], &xy[7]);
    return qb_colour_icc_from_gamma(out, gamma, chroma ? xy : NULL);
}

static QbStatus read_metadata(const Png *p, QbRaster *out)
{
    png_bytep exif;
    png_uint_32 size;
    if (png_get_eXIf_1(p->png, p->info, &size, &exif))
        out->orientation = qb_exif_orientation(exif, size);
    return read_colors(p, out);
}

static QbStatus run(Png *p, QbRaster *out)
{
    if (setjmp(p->escape)) {
        if (!p->rows_done)
            return p->status;
        return read_metadata(p, out);
    }
    p->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, p, on_error, on_warning, p, allocate,
                                      release);
    p->info = p->png ? png_create_info_struct(p->png) : NULL;
    if (!p->info)
        return QB_ERR_NOMEM;
    png_set_read_fn(p->png, p, read_data);
    png_set_user_limits(p->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(p->png, p->info);
    QbStatus status = start(p, out);
    if (status)
        return status;
    bool palette = png_get_color_type(p->png, p->info) == PNG_COLOR_TYPE_PALETTE;
    if (palette)
        status = read_indices(p, out);
    else
        read_rows(p, out);
    if (status || !qb_decode_is_managed(p->job))
        return status;
    p->rows_done = true;
    png_read_end(p->png, p->info); /* EXIF may stand behind the pixels */
    return read_metadata(p, out);
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    Png *p = qb_calloc(1, sizeof *p);
    if (!p)
        return QB_ERR_NOMEM;
    p->job = job;
    QbStatus status = run(p, out);
    png_destroy_read_struct(&p->png, &p->info, NULL);
    qb_free(p->line);
    qb_free(p);
    return status;
}

const QbImageCodec qb_codec_png = {
    .name = "png", .extensions = "png,apng", .probe = probe, .decode = decode};
