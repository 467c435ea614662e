/* decode_hdr.c: Radiance pictures (RGBE): linear light, plain, old and new run lengths, every order
 * of the resolution line. Format: Ward, "Real pixels", Graphics Gems II, and Radiance's
 * src/common/color.c. A mantissa m with exponent e is m * 2^(e - 136), as most programs read it
 * (Radiance itself adds half a step to m).
 *
 * EXPOSURE and COLORCORR lines are undone, PRIMARIES converted to sRGB's. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include "image/primaries.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_LINE = 512,
    MIN_RUN_WIDTH = 8, /* new run lengths are for scan lines of 8 … 32767 pixels */
    MAX_RUN_WIDTH = 0x7fff
};

typedef struct {
    const QbDecodeJob *job;
    size_t position;
    double gain[3]; /* what the stored values are multiplied by */
    bool converts;  /* by matrix */
    double matrix[9];
    /* Scan lines run along the second axis of the resolution line. */
    int64_t n_lines, length;
    bool by_columns, lines_reversed, pixels_reversed;
    uint8_t *line; /* [length][4], owned */
} Hdr;

static bool probe(const uint8_t *data, size_t size)
{
    return (size >= 10 && !memcmp(data, "#?RADIANCE", 10)) ||
           (size >= 6 && !memcmp(data, "#?RGBE", 6));
}

static QbStatus truncated(const Hdr *h)
{
    return qb_fail(QB_ERR_FORMAT, "%s: the HDR is truncated", h->job->name);
}

/* ---- Header -------------------------------------------------------------------------------------
 */

/* The next line without its end into text[MAX_LINE], cut off where that is full. */
static bool read_line(Hdr *h, char *text)
{
    const uint8_t *start = h->job->data + h->position;
    const uint8_t *end = memchr(start, '\n', h->job->size - h->position);
    if (!end)
        return false;
    size_t length = (size_t)(end - start);
    h->position += length + 1;
    if (length && start[length - 1] == '\r')
        length--;
    if (length > MAX_LINE - 1)
        length = MAX_LINE - 1;
    memcpy(text, start, length);
    text[length] = 0;
    return true;
}

/* What follows "key=" and spaces; NULL = another line. */
static const char *value_of(const char *line, const char *key)
{
    size_t length = strlen(key);
    if (strncmp(line, key, length) || line[length] != '=')
        return NULL;
    const char *value = line + length + 1;
    return value + strspn(value, " \t");
}

/* Exactly n numbers. */
static bool parse_numbers(double *out, int n, const char *text)
{
    for (int i = 0; i < n; i++) {
        char *end;
        out[i] = qb_parse_double(text, &end);
        if (end == text || !isfinite(out[i]))
            return false;
        text = end;
    }
    return true;
}

static QbStatus read_variable(Hdr *h, const char *line)
{
    double v[8];
    const char *value;
    if ((value = value_of(line, "FORMAT"))) {
        if (strncmp(value, "32-bit_rle_rgbe", 15))
            return qb_fail(QB_ERR_UNSUPPORTED,
                           "%s: an HDR in the format %.40s, only "
                           "32-bit_rle_rgbe is read",
                           h->job->name, value);
    } else if ((value = value_of(line, "EXPOSURE"))) {
        if (!parse_numbers(v, 1, value) || !(v[0] > 0))
            return qb_fail(QB_ERR_FORMAT, "%s: an HDR with the exposure %.40s", h->job->name,
                           value);
        for (int c = 0; c < 3; c++)
            h->gain[c] /= v[0];
    } else if ((value = value_of(line, "COLORCORR"))) {
        if (!parse_numbers(v, 3, value) || !(v[0] > 0 && v[1] > 0 && v[2] > 0))
            return qb_fail(QB_ERR_FORMAT, "%s: an HDR with the colour correction %.40s",
                           h->job->name, value);
        for (int c = 0; c < 3; c++)
            h->gain[c] /= v[c];
    } else if ((value = value_of(line, "PRIMARIES"))) {
        if (!parse_numbers(v, 8, value))
            return qb_fail(QB_ERR_FORMAT, "%s: an HDR with the primaries %.40s", h->job->name,
                           value);
        h->converts = qb_primaries_to_srgb(h->matrix, v);
    }
    return QB_OK;
}

/* "-Y 480 +X 640": the axis from line to line, then the one within a line; Y counts upwards. */
static bool parse_resolution(Hdr *h, const char *text)
{
    char axis[2] = "", sign[2] = "";
    int64_t size[2];
    for (int i = 0; i < 2; i++) {
        text += strspn(text, " \t");
        if ((text[0] != '-' && text[0] != '+') || (text[1] != 'X' && text[1] != 'Y'))
            return false;
        sign[i] = text[0];
        axis[i] = text[1];
        char *end;
        size[i] = strtoll(text + 2, &end, 10);
        if (end == text + 2 || size[i] < 1)
            return false;
        text = end;
    }
    if (axis[0] == axis[1])
        return false;
    h->by_columns = axis[0] == 'X';
    h->lines_reversed = sign[0] == (h->by_columns ? '-' : '+');
    h->pixels_reversed = sign[1] == (h->by_columns ? '+' : '-');
    h->n_lines = size[0];
    h->length = size[1];
    return true;
}

static QbStatus read_header(Hdr *h)
{
    char line[MAX_LINE];
    do {
        if (!read_line(h, line))
            return truncated(h);
        QbStatus status = read_variable(h, line);
        if (status)
            return status;
    } while (*line);
    if (!read_line(h, line))
        return truncated(h);
    for (int c = 0; c < 3; c++)
        if (!(h->gain[c] > 0 && isfinite(h->gain[c])))
            return qb_fail(QB_ERR_FORMAT, "%s: an HDR whose exposures leave nothing", h->job->name);
    if (!parse_resolution(h, line))
        return qb_fail(QB_ERR_FORMAT, "%s: a damaged HDR header, no size", h->job->name);
    return QB_OK;
}

/* ---- Scan lines ---------------------------------------------------------------------------------
 */

/* The four components one behind the other, each in runs. */
static QbStatus read_new_runs(Hdr *h)
{
    const uint8_t *data = h->job->data;
    for (int c = 0; c < 4; c++)
        for (int64_t x = 0; x < h->length;) {
            if (h->job->size - h->position < 2)
                return truncated(h);
            int code = data[h->position++];
            bool run = code > 128;
            int n = run ? code - 128 : code;
            if (!n || n > h->length - x)
                return qb_fail(QB_ERR_FORMAT, "%s: a damaged HDR, a run past the end of its line",
                               h->job->name);
            size_t stored = run ? 1 : (size_t)n;
            if (h->job->size - h->position < stored)
                return truncated(h);
            for (int i = 0; i < n; i++, x++)
                h->line[x * 4 + c] = data[h->position + (run ? 0 : (size_t)i)];
            h->position += stored;
        }
    return QB_OK;
}

/* Pixel by pixel; 1 1 1 n repeats the one before n times, and the next such one n * 256 times. */
static QbStatus read_old_runs(Hdr *h)
{
    int shift = 0;
    for (int64_t x = 0; x < h->length;) {
        if (h->job->size - h->position < 4)
            return truncated(h);
        const uint8_t *pixel = h->job->data + h->position;
        h->position += 4;
        if (pixel[0] != 1 || pixel[1] != 1 || pixel[2] != 1) {
            memcpy(h->line + x++ * 4, pixel, 4);
            shift = 0;
            continue;
        }
        int64_t n = shift < 32 ? (int64_t)pixel[3] << shift : INT64_MAX;
        if (!x || n > h->length - x)
            return qb_fail(QB_ERR_FORMAT, "%s: a damaged HDR, a run past the end of its line",
                           h->job->name);
        for (; n > 0; n--, x++)
            memcpy(h->line + x * 4, h->line + (x - 1) * 4, 4);
        shift += 8;
    }
    return QB_OK;
}

static QbStatus read_scan_line(Hdr *h)
{
    if (h->job->size - h->position < 4)
        return truncated(h);
    const uint8_t *head = h->job->data + h->position;
    if (h->length < MIN_RUN_WIDTH || h->length > MAX_RUN_WIDTH || head[0] != 2 || head[1] != 2 ||
        head[2] & 0x80)
        return read_old_runs(h);
    if ((head[2] << 8 | head[3]) != h->length)
        return qb_fail(QB_ERR_FORMAT, "%s: a damaged HDR, a scan line of the wrong length",
                       h->job->name);
    h->position += 4;
    return read_new_runs(h);
}

static void put_scan_line(const Hdr *h, QbRaster *out, int64_t index)
{
    float *pixels = (float *)(void *)out->pixels;
    int64_t line = h->lines_reversed ? h->n_lines - 1 - index : index;
    for (int64_t i = 0; i < h->length; i++) {
        int64_t along = h->pixels_reversed ? h->length - 1 - i : i;
        int64_t x = h->by_columns ? line : along, y = h->by_columns ? along : line;
        float *to = pixels + ((size_t)y * (size_t)out->width + (size_t)x) * 3;
        const uint8_t *rgbe = h->line + i * 4;
        double step = rgbe[3] ? ldexp(1.0, rgbe[3] - 136) : 0.0;
        for (int c = 0; c < 3; c++)
            to[c] = (float)(rgbe[c] * step * h->gain[c]);
    }
}

static QbStatus read_pixels(Hdr *h, QbRaster *out)
{
    int64_t width = h->by_columns ? h->n_lines : h->length;
    int64_t height = h->by_columns ? h->length : h->n_lines;
    QbStatus status = qb_raster_new(out, h->job, width, height, QB_COLOR_RGB, false, 32, 0);
    if (status)
        return status;
    h->line = qb_calloc((size_t)h->length, 4);
    if (!h->line)
        return QB_ERR_NOMEM;
    for (int64_t i = 0; i < h->n_lines && !status; i++) {
        status = read_scan_line(h);
        if (!status)
            put_scan_line(h, out, i);
    }
    if (!status && h->converts)
        qb_primaries_convert((float *)(void *)out->pixels, (size_t)width * (size_t)height,
                             h->matrix);
    return status;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    Hdr h = {.job = job, .gain = {1, 1, 1}};
    QbStatus status = read_header(&h);
    if (!status)
        status = read_pixels(&h, out);
    qb_free(h.line);
    return status;
}

const QbImageCodec qb_codec_hdr = {
    .name = "hdr", .extensions = "hdr", .probe = probe, .decode = decode};
