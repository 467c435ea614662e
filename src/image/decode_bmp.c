/* decode_bmp.c: Windows and OS/2 bitmaps: 1, 4, 8, 16, 24 and 32 bits, RLE4, RLE8 and bit fields,
 * rows from the bottom or from the top, alpha and an embedded profile where the header has them.
 * Layout: the Windows SDK's BITMAPFILEHEADER, BITMAPCOREHEADER and BITMAPINFOHEADER to
 * BITMAPV5HEADER. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

enum { FILE_HEADER = 14, CORE_HEADER = 12, INFO_HEADER = 40, V4_HEADER = 108, V5_HEADER = 124 };
enum { PLAIN = 0, RLE8 = 1, RLE4 = 2, BIT_FIELDS = 3, ALPHA_BIT_FIELDS = 6 };

typedef struct {
    const QbDecodeJob *job;
    uint32_t header_size;
    int64_t width, height; /* height > 0 */
    bool top_down;
    unsigned bits, compression;
    uint32_t mask[4]; /* R G B A, for 16 and 32 bits */
    uint64_t n_colors;
    size_t palette, pixels; /* offsets in the file */
    QbPalette colors;
} Bmp;

static bool probe(const uint8_t *data, size_t size)
{
    return size >= FILE_HEADER + 4 && data[0] == 'B' && data[1] == 'M' && data[15] == 0 &&
           data[16] == 0 && data[17] == 0;
}

/* n_bytes (2 or 4), low byte first; 0 outside the file. */
static uint32_t get(const Bmp *b, size_t offset, int n_bytes)
{
    uint32_t value = 0;
    if (offset > b->job->size || b->job->size - offset < (size_t)n_bytes)
        return 0;
    for (int i = 0; i < n_bytes; i++)
        value |= (uint32_t)b->job->data[offset + (size_t)i] << 8 * i;
    return value;
}

static void read_masks(Bmp *b)
{
    static const uint32_t usual[2][3] = {{0x7c00, 0x3e0, 0x1f}, {0xff0000, 0xff00, 0xff}};
    if (b->compression == PLAIN) {
        memcpy(b->mask, usual[b->bits == 32], sizeof usual[0]);
        return;
    }
    /* Behind a header of 40 bytes there are three masks, in longer ones four. */
    int n_masks = b->header_size > INFO_HEADER + 12 || b->compression == ALPHA_BIT_FIELDS ? 4 : 3;
    for (int i = 0; i < n_masks; i++)
        b->mask[i] = get(b, FILE_HEADER + INFO_HEADER + 4 * (size_t)i, 4);
    if (b->header_size == INFO_HEADER)
        b->palette += 4 * (size_t)n_masks;
}

static QbStatus read_header(Bmp *b)
{
    const char *name = b->job->name;
    b->header_size = get(b, FILE_HEADER, 4);
    b->pixels = get(b, 10, 4);
    b->palette = FILE_HEADER + (size_t)b->header_size;
    if (b->header_size > b->job->size - FILE_HEADER)
        return qb_fail(QB_ERR_FORMAT, "%s: the BMP is truncated", name);
    if (b->header_size == CORE_HEADER) {
        b->width = get(b, 18, 2);
        b->height = get(b, 20, 2);
        b->bits = get(b, 24, 2);
    } else if (b->header_size >= INFO_HEADER && b->header_size <= V5_HEADER) {
        b->width = (int32_t)get(b, 18, 4);
        b->height = (int32_t)get(b, 22, 4);
        b->bits = get(b, 28, 2);
        b->compression = get(b, 30, 4);
        b->n_colors = get(b, 46, 4);
    } else {
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: a BMP header of %u bytes", name, b->header_size);
    }
    b->top_down = b->height < 0;
    b->height = b->top_down ? -b->height : b->height;
    bool rle = (b->compression == RLE8 && b->bits == 8) || (b->compression == RLE4 && b->bits == 4);
    bool indexed = b->bits == 1 || b->bits == 2 || b->bits == 4 || b->bits == 8;
    bool fields = (b->bits == 16 || b->bits == 32) &&
                  (b->compression == BIT_FIELDS || b->compression == ALPHA_BIT_FIELDS);
    bool plain =
        b->compression == PLAIN && (indexed || b->bits == 16 || b->bits == 24 || b->bits == 32);
    if (!(rle || fields || plain || (b->compression == BIT_FIELDS && b->bits == 24)))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: a BMP of %u bits with compression %u", name,
                       b->bits, b->compression);
    if (b->bits == 16 || b->bits == 32)
        read_masks(b);
    return QB_OK;
}

static void read_palette(Bmp *b)
{
    size_t entry_bytes = b->header_size == CORE_HEADER ? 3 : 4;
    qb_palette_init(&b->colors);
    if (b->bits > 8)
        return;
    if (!b->n_colors)
        b->n_colors = UINT64_C(1) << b->bits;
    for (size_t i = 0; i < b->n_colors && i < 256; i++) {
        size_t at = b->palette + i * entry_bytes;
        if (at > b->job->size || b->job->size - at < 3)
            break;
        const uint8_t *bgr = b->job->data + at;
        memcpy(b->colors.color[i], (uint8_t[3]){bgr[2], bgr[1], bgr[0]}, 3);
    }
    /* Some writers give the palette's offset for the pixels' (Pillow knows them too). */
    if (b->pixels == FILE_HEADER + b->header_size || !b->pixels) {
        uint64_t n_bytes = b->n_colors * entry_bytes;
        b->pixels = b->palette + (size_t)(n_bytes < b->job->size ? n_bytes : b->job->size);
    }
}

/* The bits under mask, stretched to 0 … 255 and rounded down. */
static uint8_t field(uint32_t pixel, uint32_t mask)
{
    if (!mask)
        return 0;
    int shift = __builtin_ctz(mask);
    return (uint8_t)((uint64_t)((pixel & mask) >> shift) * 255 / (mask >> shift));
}

static void put_row(const Bmp *b, QbRaster *out, int y, const uint8_t *row)
{
    int n = qb_raster_channels(out);
    uint8_t *to = out->pixels + (size_t)y * qb_raster_row_bytes(out);
    for (int x = 0; x < out->width; x++, to += n) {
        if (b->bits <= 8) {
            int at = x * (int)b->bits;
            int shift = 8 - (int)b->bits - at % 8;
            unsigned index = row[at / 8] >> shift & ((1u << b->bits) - 1);
            memcpy(to, b->colors.color[index], 3);
        } else if (b->bits == 24) {
            memcpy(to, (uint8_t[3]){row[x * 3 + 2], row[x * 3 + 1], row[x * 3]}, 3);
        } else {
            const uint8_t *p = row + (size_t)x * (b->bits / 8);
            uint32_t pixel = p[0] | (uint32_t)p[1] << 8;
            if (b->bits == 32)
                pixel |= (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
            for (int c = 0; c < n; c++)
                to[c] = field(pixel, b->mask[c]);
        }
    }
}

static QbStatus truncated(const Bmp *b)
{
    return qb_fail(QB_ERR_FORMAT, "%s: the BMP is truncated", b->job->name);
}

static int row_of(const Bmp *b, int64_t y)
{
    return (int)(b->top_down ? y : b->height - 1 - y);
}

static QbStatus read_plain(const Bmp *b, QbRaster *out)
{
    size_t row_bytes = ((size_t)b->width * b->bits + 31) / 32 * 4;
    size_t used_bytes = ((size_t)b->width * b->bits + 7) / 8;
    size_t at = b->pixels;
    for (int64_t y = 0; y < b->height; y++, at += row_bytes) {
        if (at > b->job->size || b->job->size - at < used_bytes)
            return truncated(b);
        put_row(b, out, row_of(b, y), b->job->data + at);
    }
    return QB_OK;
}

/* indices[height][width], rows as in the file. */
static QbStatus expand_rle(const Bmp *b, uint8_t *indices)
{
    const uint8_t *in = b->job->data + b->pixels, *end = b->job->data + b->job->size;
    int64_t x = 0, y = 0;
    bool rle4 = b->compression == RLE4;
    while (end - in >= 2) {
        unsigned count = in[0], value = in[1];
        in += 2;
        bool absolute = count == 0 && value >= 3;
        if (count == 0 && value == 0) {
            x = 0;
            y++;
        } else if (count == 0 && value == 1) {
            return QB_OK;
        } else if (count == 0 && value == 2) {
            if (end - in < 2)
                break;
            x += in[0];
            y += in[1];
            in += 2;
        } else {
            unsigned n = absolute ? value : count;
            unsigned n_bytes = rle4 ? (n + 1) / 2 : n;
            if (absolute && end - in < (ptrdiff_t)n_bytes)
                break;
            for (unsigned i = 0; i < n; i++, x++) {
                unsigned byte = absolute ? in[rle4 ? i / 2 : i] : value;
                unsigned index = !rle4 ? byte : i % 2 ? byte & 15 : byte >> 4;
                if (x < b->width && y < b->height)
                    indices[(size_t)y * (size_t)b->width + (size_t)x] = (uint8_t)index;
            }
            if (absolute)
                in += (n_bytes + 1) / 2 * 2 < (size_t)(end - in) ? (n_bytes + 1) / 2 * 2
                                                                 : (size_t)(end - in);
        }
    }
    /* The end mark may be missing when all rows are there. */
    return y >= b->height - 1 ? QB_OK : truncated(b);
}

static QbStatus read_rle(const Bmp *b, QbRaster *out)
{
    if (b->pixels > b->job->size)
        return truncated(b);
    uint8_t *indices = qb_calloc((size_t)b->height, (size_t)b->width);
    if (!indices)
        return QB_ERR_NOMEM;
    QbStatus status = expand_rle(b, indices);
    for (int64_t y = 0; y < b->height && !status; y++)
        qb_raster_put_indices(out, row_of(b, y), indices + (size_t)y * (size_t)b->width,
                              &b->colors);
    qb_free(indices);
    return status;
}

static QbStatus read_icc(const Bmp *b, QbRaster *out)
{
    enum { COLOR_SPACE = 56, PROFILE_DATA = 112, PROFILE_SIZE = 116 }; /* in the header */
    const uint32_t embedded = 0x4d424544;                              /* 'MBED' */
    if (b->header_size < V5_HEADER || get(b, FILE_HEADER + COLOR_SPACE, 4) != embedded)
        return QB_OK;
    size_t at = FILE_HEADER + (size_t)get(b, FILE_HEADER + PROFILE_DATA, 4);
    size_t size = get(b, FILE_HEADER + PROFILE_SIZE, 4);
    if (at > b->job->size || b->job->size - at < size)
        return QB_OK;
    return qb_raster_set_icc(out, b->job->data + at, size);
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    Bmp b = {.job = job};
    QbStatus status = read_header(&b);
    if (status)
        return status;
    read_palette(&b);
    if (b.bits > 8 && !b.pixels)
        b.pixels = b.palette;
    bool alpha = (b.bits == 16 || b.bits == 32) && b.mask[3];
    bool rle = b.compression == RLE8 || b.compression == RLE4;
    status = qb_raster_new(out, job, b.width, b.height, QB_COLOR_RGB, alpha, 8, rle ? 1 : 0);
    if (!status)
        status = rle ? read_rle(&b, out) : read_plain(&b, out);
    return status || !qb_decode_is_managed(job) ? status : read_icc(&b, out);
}

const QbImageCodec qb_codec_bmp = {
    .name = "bmp", .extensions = "bmp,dib", .probe = probe, .decode = decode};
