/* exr_dwa.c: unpacks DWAA and DWAB chunks of OpenEXR, for which OpenEXRCore 3.1 has no decoder. The
 * format has no other description than OpenEXR's sources (ImfDwaCompressor.cpp); versions 0 to 2.
 *
 * A chunk is: sizes; rules that say by the channels' names how each is packed; then, one behind the
 * other, the bytes of channels packed as they are (zlib), the AC coefficients (Huffman or zlib) and
 * the DC coefficients (zlib) of the lossy ones, and the bytes of those packed in runs (zlib).
 *
 * The lossy ones are in exr_dct.c's blocks of 8 x 8. */
// SPDX-License-Identifier: Apache-2.0
#include "image/exr.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/exr_dct.h"
#include "image/half.h"

#include <string.h>
#include <strings.h>

#include <zlib.h>

enum {
    N_SIZES = 11,
    MAX_RULES = 64, /* an encoder writes 15 */
    MAX_SUFFIX = 128,
    BLOCK = QB_EXR_BLOCK,
    BLOCK_SAMPLES = QB_EXR_BLOCK_SAMPLES,
    END_OF_BLOCK = 0xff00,
    RUN_MARK = 0xff /* high byte of a run of zeros, whose length is the low one */
};

typedef enum { SCHEME_PLAIN, SCHEME_LOSSY, SCHEME_RUNS, N_SCHEMES } Scheme;
typedef enum { AC_HUFFMAN, AC_DEFLATE } AcPacking;

typedef struct {
    uint64_t version, plain_raw, plain_packed, ac_packed, dc_packed, runs_packed, runs_unpacked,
        runs_raw, n_ac, n_dc, ac_packing;
} Sizes;
_Static_assert(sizeof(Sizes) == N_SIZES * 8, "the sizes as they are in the file");

typedef struct {
    const char *suffix; /* of the channel's name behind its layer; borrowed */
    bool any_case;
    int type; /* exr_pixel_type_t */
    Scheme scheme;
    int color;
} Rule;

typedef struct {
    Scheme scheme;
    int color;     /* 0 … 2: R, G, B of a set that may go together; else -1 */
    size_t offset; /* of its samples in a row of the unpacked chunk */
    bool done;
    int set[3]; /* of the first channel of a layer: its R, G and B; -1 = there is none */
} Channel;

typedef struct {
    const QbExr *exr;
    const QbExrDct *tables;
    const exr_attr_chlist_entry_t *entries;
    int n_channels, width, height;
    uint8_t *out; /* borrowed, rows of row_bytes */
    size_t row_bytes;
    const uint8_t *data; /* what is not read yet */
    size_t left;
    Sizes sizes;
    Channel *channels;         /* owned */
    uint8_t *plain, *runs;     /* unpacked bytes of the two schemes, owned */
    uint16_t *ac, *dc;         /* owned */
    uint64_t next_ac, next_dc; /* what is not used yet */
    size_t next_plain, next_runs;
} Dwa;

static QbStatus damaged(const Dwa *d)
{
    return qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: a DWA chunk", d->exr->job->name);
}

static size_t sample_bytes(const Dwa *d, int channel)
{
    return d->entries[channel].pixel_type == EXR_PIXEL_HALF ? 2 : 4;
}

/* ---- What is packed how -------------------------------------------------------------------------
 */

static uint64_t get_u64(const uint8_t *data)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | data[i];
    return value;
}

static bool skip(Dwa *d, uint64_t n)
{
    if (n > d->left)
        return false;
    d->data += n;
    d->left -= (size_t)n;
    return true;
}

/* The last rule that fits says how a channel is packed. */
static void apply_rules(Dwa *d, const Rule *rules, int n)
{
    for (int c = 0; c < d->n_channels; c++) {
        const char *name = qb_exr_own_name(d->entries[c].name.str);
        for (int r = n - 1; r >= 0; r--) {
            if ((int)d->entries[c].pixel_type != rules[r].type ||
                (rules[r].any_case ? strcasecmp(name, rules[r].suffix)
                                   : strcmp(name, rules[r].suffix)) != 0)
                continue;
            d->channels[c].scheme = rules[r].scheme;
            d->channels[c].color = rules[r].color;
            break;
        }
    }
}

/* Of versions 0 and 1, whose chunks do not name them. */
static void apply_old_rules(Dwa *d)
{
    static const struct {
        const char *suffix;
        int color;
    } lossy[] = {{"r", 0},   {"red", 0},  {"g", 1},  {"grn", 1}, {"green", 1}, {"b", 2},
                 {"blu", 2}, {"blue", 2}, {"y", -1}, {"by", -1}, {"ry", -1}};
    Rule rules[MAX_RULES];
    int n = 0;
    for (size_t i = 0; i < sizeof lossy / sizeof *lossy; i++)
        for (int type = EXR_PIXEL_HALF; type <= EXR_PIXEL_FLOAT; type++)
            rules[n++] = (Rule){lossy[i].suffix, true, type, SCHEME_LOSSY, lossy[i].color};
    for (int type = EXR_PIXEL_UINT; type <= EXR_PIXEL_FLOAT; type++)
        rules[n++] = (Rule){"a", true, type, SCHEME_RUNS, -1};
    apply_rules(d, rules, n);
}

/* Bytes of them all (16 bits), then suffix, NUL, a byte of color + 1 and scheme and case, type. */
static QbStatus read_rules(Dwa *d)
{
    size_t size = d->left >= 2 ? (size_t)(d->data[0] | d->data[1] << 8) : 0;
    const uint8_t *at = d->data + 2, *end = d->data + size;
    Rule rules[MAX_RULES];
    int n = 0;
    if (size < 2 || !skip(d, size))
        return damaged(d);
    while (at < end) {
        const uint8_t *text_end = memchr(at, 0, (size_t)(end - at));
        if (n == MAX_RULES || !text_end || text_end - at > MAX_SUFFIX || end - text_end < 3)
            return damaged(d);
        int color = (text_end[1] >> 4) - 1, scheme = text_end[1] >> 2 & 3, type = text_end[2];
        if (color > 2 || scheme >= N_SCHEMES || type >= EXR_PIXEL_LAST_TYPE ||
            (scheme == SCHEME_LOSSY && type == EXR_PIXEL_UINT))
            return damaged(d);
        rules[n++] = (Rule){(const char *)at, text_end[1] & 1, type, (Scheme)scheme, color};
        at = text_end + 3;
    }
    apply_rules(d, rules, n);
    return QB_OK;
}

/* Sizes, rules, and the sum of what the channels of each scheme take against the sizes. */
static QbStatus read_head(Dwa *d)
{
    uint64_t values[N_SIZES];
    if (d->left < sizeof values)
        return damaged(d);
    for (int i = 0; i < N_SIZES; i++)
        values[i] = get_u64(d->data + i * 8);
    memcpy(&d->sizes, values, sizeof values);
    skip(d, sizeof values);
    if (d->sizes.version > 2)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: EXR: version %llu of DWA", d->exr->job->name,
                       (unsigned long long)d->sizes.version);
    for (int c = 0; c < d->n_channels; c++) {
        d->channels[c] = (Channel){.color = -1, .offset = d->row_bytes};
        d->row_bytes += (size_t)d->width * sample_bytes(d, c);
    }
    QbStatus status = QB_OK;
    if (d->sizes.version < 2)
        apply_old_rules(d);
    else
        status = read_rules(d);
    if (status)
        return status;
    uint64_t n_pixels = (uint64_t)d->width * (uint64_t)d->height, raw[N_SCHEMES] = {0}, n_lossy = 0;
    for (int c = 0; c < d->n_channels; c++) {
        raw[d->channels[c].scheme] += n_pixels * sample_bytes(d, c);
        n_lossy += d->channels[c].scheme == SCHEME_LOSSY;
    }
    uint64_t n_blocks = (((uint64_t)d->width + BLOCK - 1) / BLOCK) *
                        (((uint64_t)d->height + BLOCK - 1) / BLOCK) * n_lossy;
    const Sizes *s = &d->sizes;
    if (s->plain_raw != raw[SCHEME_PLAIN] || s->runs_raw != raw[SCHEME_RUNS] ||
        s->n_dc != n_blocks || s->n_ac > n_blocks * (BLOCK_SAMPLES - 1) ||
        s->runs_unpacked > 2 * raw[SCHEME_RUNS])
        return damaged(d);
    if (s->n_ac + s->n_dc + s->plain_raw + s->runs_raw + s->runs_unpacked >
        (uint64_t)d->exr->job->options->max_bytes / 4)
        return qb_fail(QB_ERR_LIMIT,
                       "%s: EXR: a DWA chunk takes more memory than the limit, %lld "
                       "bytes (max_bytes)",
                       d->exr->job->name, (long long)d->exr->job->options->max_bytes);
    return QB_OK;
}

/* ---- Unpacking ----------------------------------------------------------------------------------
 */

/* The next packed bytes, which must become size bytes. *out: owned by the caller; NULL for none. */
static QbStatus inflate_next(uint8_t **out, Dwa *d, uint64_t packed, uint64_t size)
{
    const uint8_t *from = d->data;
    if (!skip(d, packed))
        return damaged(d);
    if (!size)
        return QB_OK;
    uLongf n = (uLongf)size;
    *out = qb_alloc((size_t)size);
    if (!*out)
        return QB_ERR_NOMEM;
    if (uncompress(*out, &n, from, (uLong)packed) != Z_OK || n != size)
        return damaged(d);
    return QB_OK;
}

/* Signed counts: -n: n bytes follow; n: the next byte n + 1 times. */
static bool expand_runs(uint8_t *out, size_t size, const uint8_t *data, size_t n_data)
{
    size_t at = 0, done = 0;
    while (at < n_data) {
        int code = (int8_t)data[at++];
        size_t n = (size_t)(code < 0 ? -code : code + 1), stored = code < 0 ? n : 1;
        if (n > size - done || stored > n_data - at)
            return false;
        if (code < 0)
            memcpy(out + done, data + at, n);
        else
            memset(out + done, data[at], n);
        at += stored;
        done += n;
    }
    return done == size;
}

static QbStatus unpack_runs(Dwa *d)
{
    uint8_t *coded = NULL;
    QbStatus status = inflate_next(&coded, d, d->sizes.runs_packed, d->sizes.runs_unpacked);
    if (!status && d->sizes.runs_raw) {
        d->runs = qb_alloc((size_t)d->sizes.runs_raw);
        if (!d->runs)
            status = QB_ERR_NOMEM;
        else if (!expand_runs(d->runs, (size_t)d->sizes.runs_raw, coded,
                              (size_t)d->sizes.runs_unpacked))
            status = damaged(d);
    }
    qb_free(coded);
    return status;
}

static QbStatus unpack_ac(Dwa *d)
{
    const Sizes *s = &d->sizes;
    const uint8_t *from = d->data;
    if (s->ac_packing == AC_DEFLATE) {
        uint8_t *bytes = NULL;
        QbStatus status = inflate_next(&bytes, d, s->ac_packed, s->n_ac * 2);
        d->ac = (uint16_t *)(void *)bytes; /* aligned, as all of qb_alloc's */
        return status;
    }
    if (s->ac_packing != AC_HUFFMAN || !skip(d, s->ac_packed))
        return damaged(d);
    if (!s->n_ac)
        return QB_OK;
    d->ac = qb_alloc((size_t)s->n_ac * 2);
    if (!d->ac)
        return QB_ERR_NOMEM;
    return qb_exr_huffman_decode(d->ac, (size_t)s->n_ac, from, (size_t)s->ac_packed,
                                 d->exr->job->name);
}

/* Bytes as differences, the low bytes of all values before the high ones. */
static QbStatus unpack_dc(Dwa *d)
{
    uint8_t *bytes = NULL;
    size_t n = (size_t)d->sizes.n_dc;
    QbStatus status = inflate_next(&bytes, d, d->sizes.dc_packed, n * 2);
    if (!status && n) {
        d->dc = qb_alloc(n * 2);
        status = d->dc ? QB_OK : QB_ERR_NOMEM;
    }
    for (size_t i = 1; i < n * 2 && !status; i++)
        bytes[i] = (uint8_t)(bytes[i] + bytes[i - 1] - 128);
    for (size_t i = 0; i < n && !status; i++)
        d->dc[i] = (uint16_t)(bytes[i] | bytes[n + i] << 8);
    qb_free(bytes);
    return status;
}

/* ---- Lossy channels -----------------------------------------------------------------------------
 */

/* Coefficients of the next block into natural order; false: the AC data ends. */
static bool take_block(float *block, Dwa *d, uint16_t dc)
{
    memset(block, 0, BLOCK_SAMPLES * sizeof *block);
    block[0] = qb_float_from_half(dc);
    for (int i = 1; i < BLOCK_SAMPLES;) {
        if (d->next_ac >= d->sizes.n_ac)
            return false;
        uint16_t value = d->ac[d->next_ac++];
        if (value == END_OF_BLOCK)
            break;
        if (value >> 8 == RUN_MARK)
            i += value & 255;
        else
            block[qb_exr_dct_order[i++]] = qb_float_from_half(value);
    }
    return true;
}

static void put_bits(uint8_t *to, uint32_t bits, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        to[i] = (uint8_t)(bits >> 8 * i);
}

/* The part of a block at x, y that lies in the chunk. */
static void put_block(const Dwa *d, int channel, const float *block, int x, int y, bool linear)
{
    size_t step = sample_bytes(d, channel);
    for (int row = 0; row < BLOCK && y + row < d->height; row++) {
        uint8_t *to = d->out + (size_t)(y + row) * d->row_bytes + d->channels[channel].offset +
                      (size_t)x * step;
        for (int i = 0; i < BLOCK && x + i < d->width; i++, to += step) {
            uint16_t half = qb_half_from_float(block[row * BLOCK + i]);
            if (!linear)
                half = d->tables->to_linear[half];
            float value = qb_float_from_half(half);
            uint32_t bits = half;
            if (step == 4)
                memcpy(&bits, &value, 4);
            put_bits(to, bits, step);
        }
    }
}

/* One channel, or three that belong together: of each all DC values, then block by block. */
static QbStatus unpack_lossy(Dwa *d, const int *channels, int n)
{
    uint64_t n_blocks =
        (((uint64_t)d->width + BLOCK - 1) / BLOCK) * (((uint64_t)d->height + BLOCK - 1) / BLOCK);
    if (d->sizes.n_dc - d->next_dc < n_blocks * (uint64_t)n)
        return damaged(d);
    const uint16_t *dc = d->dc + d->next_dc;
    d->next_dc += n_blocks * (uint64_t)n;
    bool linear = n == 1 && d->entries[channels[0]].p_linear;
    float block[3][BLOCK_SAMPLES];
    for (int y = 0; y < d->height; y += BLOCK)
        for (int x = 0; x < d->width; x += BLOCK, dc++) {
            for (int c = 0; c < n; c++) {
                if (!take_block(block[c], d, dc[n_blocks * (uint64_t)c]))
                    return damaged(d);
                qb_exr_dct_back(d->tables, block[c]);
            }
            if (n == 3)
                qb_exr_dct_colors(block);
            for (int c = 0; c < n; c++)
                put_block(d, channels[c], block[c], x, y, linear);
        }
    for (int c = 0; c < n; c++)
        d->channels[channels[c]].done = true;
    return QB_OK;
}

/* ---- All of it ----------------------------------------------------------------------------------
 */

/* Row by row; those of runs have the first bytes of all samples first, then the second ones. */
static void put_bytes(Dwa *d, int channel)
{
    size_t step = sample_bytes(d, channel), n = (size_t)d->width;
    size_t n_pixels = n * (size_t)d->height;
    bool runs = d->channels[channel].scheme == SCHEME_RUNS;
    const uint8_t *from = runs ? d->runs + d->next_runs : d->plain + d->next_plain;
    for (size_t y = 0; y < (size_t)d->height; y++) {
        uint8_t *to = d->out + y * d->row_bytes + d->channels[channel].offset;
        if (!runs)
            memcpy(to, from + y * n * step, n * step);
        else
            for (size_t i = 0; i < n * step; i++)
                to[i] = from[i % step * n_pixels + y * n + i / step];
    }
    *(runs ? &d->next_runs : &d->next_plain) += n_pixels * step;
}

/* R, G and B of a layer go together, in the order in which the layers first appear. */
static QbStatus unpack_sets(Dwa *d)
{
    for (int c = 0; c < d->n_channels; c++)
        memset(d->channels[c].set, -1, sizeof d->channels[c].set);
    for (int c = 0; c < d->n_channels; c++)
        if (d->channels[c].color >= 0)
            d->channels[d->exr->first_of_layer[c]].set[d->channels[c].color] = c;
    QbStatus status = QB_OK;
    for (int c = 0; c < d->n_channels && !status; c++) {
        const int *set = d->channels[c].set;
        if (set[0] < 0 || set[1] < 0 || set[2] < 0)
            continue;
        for (int i = 0; i < 3; i++)
            if (d->channels[set[i]].scheme != SCHEME_LOSSY)
                return damaged(d);
        status = unpack_lossy(d, set, 3);
    }
    return status;
}

static QbStatus unpack_channels(Dwa *d)
{
    QbStatus status = unpack_sets(d);
    for (int c = 0; c < d->n_channels && !status; c++) {
        if (d->channels[c].done)
            continue;
        if (d->channels[c].scheme == SCHEME_LOSSY)
            status = unpack_lossy(d, &c, 1);
        else
            put_bytes(d, c);
    }
    return status;
}

/* What all chunks of a part need: tables, and which channels are of one layer. */
static QbStatus prepare(QbExr *exr)
{
    const exr_attr_chlist_t *list = exr->channels;
    exr->dct = qb_alloc(sizeof *exr->dct);
    exr->first_of_layer = qb_calloc((size_t)list->num_channels, sizeof *exr->first_of_layer);
    if (!exr->dct || !exr->first_of_layer)
        return QB_ERR_NOMEM;
    qb_exr_dct_init(exr->dct);
    for (int c = 0; c < list->num_channels; c++) {
        const char *name = list->entries[c].name.str;
        size_t length = (size_t)(qb_exr_own_name(name) - name);
        int first = 0;
        for (; first < c; first++) {
            const char *other = list->entries[first].name.str;
            if ((size_t)(qb_exr_own_name(other) - other) == length && !memcmp(name, other, length))
                break;
        }
        exr->first_of_layer[c] = first;
    }
    return QB_OK;
}

QbStatus qb_exr_dwa_unpack(QbExr *exr, uint8_t *out, const uint8_t *data, size_t size, int width,
                           int height)
{
    QbStatus status = exr->dct ? QB_OK : prepare(exr);
    if (status)
        return status;
    Dwa d = {.exr = exr,
             .tables = exr->dct,
             .entries = exr->channels->entries,
             .n_channels = exr->channels->num_channels,
             .width = width,
             .height = height,
             .out = out,
             .data = data,
             .left = size};
    d.channels = qb_calloc((size_t)d.n_channels, sizeof *d.channels);
    status = d.channels ? read_head(&d) : QB_ERR_NOMEM;
    if (!status)
        status = inflate_next(&d.plain, &d, d.sizes.plain_packed, d.sizes.plain_raw);
    if (!status)
        status = unpack_ac(&d);
    if (!status)
        status = unpack_dc(&d);
    if (!status)
        status = unpack_runs(&d);
    if (!status)
        status = unpack_channels(&d);
    qb_free(d.channels);
    qb_free(d.plain);
    qb_free(d.runs);
    qb_free(d.ac);
    qb_free(d.dc);
    return status;
}
