/* decode_pnm.c: PBM, PGM and PPM, plain (P1 P2 P3) and raw (P4 P5 P6), 1 to 16 bits; see the netpbm
 * manual pages. Samples are scaled from 0 … maxval to the whole range. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

typedef struct {
    const QbDecodeJob *job;
    size_t position;
    int kind;        /* 1 … 6, the digit behind the P */
    unsigned maxval; /* 1 for bitmaps */
    unsigned full;   /* what maxval becomes: 255 or 65535 */
} Pnm;

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool probe(const uint8_t *data, size_t size)
{
    return size >= 3 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6' &&
           (is_space(data[2]) || data[2] == '#');
}

/* The next byte or -1. */
static int next(Pnm *p)
{
    return p->position < p->job->size ? p->job->data[p->position++] : -1;
}

/* The first byte that is neither white space nor in a comment; -1 at the end. */
static int skip_space(Pnm *p)
{
    for (;;) {
        int c = next(p);
        if (c == '#')
            while (c >= 0 && c != '\n' && c != '\r')
                c = next(p);
        if (c < 0 || !is_space(c))
            return c;
    }
}

/* A decimal number and the one byte behind it; false when there is none or it exceeds limit. */
static bool read_number(Pnm *p, unsigned *out, unsigned limit)
{
    int c = skip_space(p);
    if (c < '0' || c > '9')
        return false;
    unsigned value = 0;
    for (; c >= '0' && c <= '9'; c = next(p)) {
        value = value * 10 + (unsigned)(c - '0');
        if (value > limit)
            return false;
    }
    if (c == '#')
        p->position--;
    *out = value;
    return c < 0 || c == '#' || is_space(c);
}

static QbStatus truncated(const Pnm *p)
{
    return qb_fail(QB_ERR_FORMAT, "%s: the data ends early", p->job->name);
}

static void put_sample(QbRaster *out, const Pnm *p, size_t index, unsigned value)
{
    if (value > p->maxval)
        value = p->maxval;
    if (p->kind == 1 || p->kind == 4)
        value = !value; /* in a bitmap 1 is black */
    unsigned scaled = value;
    if (p->maxval != p->full) /* as Pillow: ties to even */
        scaled = (unsigned)rint((double)value / p->maxval * p->full);
    if (out->depth == 16)
        memcpy(out->pixels + index * 2, &(uint16_t){(uint16_t)scaled}, 2);
    else
        out->pixels[index] = (uint8_t)scaled;
}

static QbStatus read_plain(Pnm *p, QbRaster *out, size_t n_samples)
{
    for (size_t i = 0; i < n_samples; i++) {
        unsigned value;
        if (p->kind == 1) { /* digits need no space between them */
            int c = skip_space(p);
            if (c < 0)
                return truncated(p);
            value = (unsigned)(c - '0');
        } else if (!read_number(p, &value, p->maxval)) {
            return p->position >= p->job->size
                       ? truncated(p)
                       : qb_fail(QB_ERR_FORMAT, "%s: sample %zu is no number up to %u",
                                 p->job->name, i, p->maxval);
        }
        if (value > p->maxval)
            return qb_fail(QB_ERR_FORMAT, "%s: sample %zu is neither 0 nor 1", p->job->name, i);
        put_sample(out, p, i, value);
    }
    return QB_OK;
}

static QbStatus read_bits(Pnm *p, QbRaster *out)
{
    size_t row_bytes = ((size_t)out->width + 7) / 8;
    if ((p->job->size - p->position) / row_bytes < (size_t)out->height)
        return truncated(p);
    size_t index = 0;
    for (int y = 0; y < out->height; y++) {
        const uint8_t *row = p->job->data + p->position + (size_t)y * row_bytes;
        for (int x = 0; x < out->width; x++)
            put_sample(out, p, index++, row[x / 8] >> (7 - x % 8) & 1);
    }
    return QB_OK;
}

static QbStatus read_raw(Pnm *p, QbRaster *out, size_t n_samples)
{
    size_t sample_bytes = p->maxval > 255 ? 2 : 1;
    if ((p->job->size - p->position) / sample_bytes < n_samples)
        return truncated(p);
    const uint8_t *in = p->job->data + p->position;
    for (size_t i = 0; i < n_samples; i++, in += sample_bytes)
        put_sample(out, p, i, sample_bytes == 2 ? (unsigned)(in[0] << 8 | in[1]) : in[0]);
    return QB_OK;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    Pnm p = {.job = job, .position = 2, .kind = job->data[1] - '0', .maxval = 1};
    bool bitmap = p.kind == 1 || p.kind == 4;
    unsigned width, height;
    if (!read_number(&p, &width, INT32_MAX / 16) || !read_number(&p, &height, INT32_MAX / 16) ||
        (!bitmap && !read_number(&p, &p.maxval, 65535)) || !p.maxval)
        return qb_fail(QB_ERR_FORMAT, "%s: a damaged P%d header", job->name, p.kind);
    QbColor color = p.kind % 3 ? QB_COLOR_GRAY : QB_COLOR_RGB;
    /* Pillow makes 16 bits of grey and 8 of colour; see qb_colour_finish for what becomes of 16. */
    bool deep = p.maxval > 255 && (qb_decode_is_managed(job) || color == QB_COLOR_GRAY);
    p.full = deep ? 65535 : 255;
    QbStatus status = qb_raster_new(out, job, width, height, color, false, deep ? 16 : 8, 0);
    if (status)
        return status;
    size_t n_samples = (size_t)width * height * (size_t)color;
    return p.kind <= 3 ? read_plain(&p, out, n_samples)
           : bitmap    ? read_bits(&p, out)
                       : read_raw(&p, out, n_samples);
}

const QbImageCodec qb_codec_pnm = {
    .name = "pnm", .extensions = "ppm,pgm,pbm,pnm", .probe = probe, .decode = decode};
