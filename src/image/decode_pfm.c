/* decode_pfm.c: portable float maps ("PF" colour, "Pf" grey): linear light, rows from the bottom.
 * The size of the scale in the header is not used, its sign is the byte order. Pillow 9.4 does not
 * read the format, so both decode modes do the same. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool probe(const uint8_t *data, size_t size)
{
    return size >= 3 && data[0] == 'P' && (data[1] == 'F' || data[1] == 'f') && is_space(data[2]);
}

/* The next word into text (at least 2 bytes) and the one byte behind it. */
static bool read_word(const QbDecodeJob *job, size_t *position, char *text, size_t capacity)
{
    while (*position < job->size && is_space(job->data[*position]))
        ++*position;
    size_t n = 0;
    while (*position < job->size && !is_space(job->data[*position]) && n < capacity - 1)
        text[n++] = (char)job->data[(*position)++];
    text[n] = 0;
    return n > 0 && *position < job->size && is_space(job->data[(*position)++]);
}

static int64_t read_side(const QbDecodeJob *job, size_t *position)
{
    char text[12], *end;
    if (!read_word(job, position, text, sizeof text))
        return 0;
    long long value = strtoll(text, &end, 10);
    return *end ? 0 : value;
}

static float get_float(const uint8_t *data, bool big_endian)
{
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits |= (uint32_t)data[i] << 8 * (big_endian ? 3 - i : i);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    size_t position = 2;
    char scale[32];
    int64_t width = read_side(job, &position), height = read_side(job, &position);
    if (width < 1 || height < 1 || !read_word(job, &position, scale, sizeof scale))
        return qb_fail(QB_ERR_FORMAT, "%s: a damaged PFM header", job->name);
    bool big_endian = scale[0] != '-';
    QbColor color = job->data[1] == 'F' ? QB_COLOR_RGB : QB_COLOR_GRAY;
    QbStatus status = qb_raster_new(out, job, width, height, color, false, 32, 0);
    if (status)
        return status;
    size_t row_samples = (size_t)width * (size_t)color;
    if ((job->size - position) / 4 / row_samples < (size_t)height)
        return qb_fail(QB_ERR_FORMAT, "%s: the PFM is truncated", job->name);
    const uint8_t *in = job->data + position;
    for (int64_t y = height - 1; y >= 0; y--)
        for (size_t i = 0; i < row_samples; i++, in += 4) {
            float value = get_float(in, big_endian);
            memcpy(out->pixels + ((size_t)y * row_samples + i) * 4, &value, 4);
        }
    return QB_OK;
}

const QbImageCodec qb_codec_pfm = {
    .name = "pfm", .extensions = "pfm", .probe = probe, .decode = decode};
