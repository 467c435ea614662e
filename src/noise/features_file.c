/* features_file.c: features of a reference as a small file. Little-endian:
 *
 *     8 bytes   "QBNOISEF"
 *     7 x u32   version, width, height, columns and rows of zones, columns and rows of a zone's
 *               places
 *     halves    [places] the picture's band, in the order of reduced.h
 *     bytes     [places] the gain's code
 *     u32       CRC-32 (IEEE 802.3) of everything before
 *
 * The size follows from the header and is checked before anything is read. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "noise/reduced.h"
#include "weights/encode.h"

#include <math.h>
#include <string.h>

enum {
    MAGIC_BYTES = 8,
    VERSION = 1, /* of the file and of what its values mean (band, threshold, places) */
    N_WORDS = 7,
    HEAD_BYTES = MAGIC_BYTES + 4 * N_WORDS,
    SUM_BYTES = 4,
    MAX_BYTES = QB_NOISE_MAX_ZONES * QB_NOISE_FEATURE_BYTES
};

static const char MAGIC[MAGIC_BYTES + 1] = "QBNOISEF";

_Static_assert(HEAD_BYTES + SUM_BYTES + QB_PLACES_SIDE * QB_PLACES_SIDE * QB_PLACE_BYTES <=
                   QB_NOISE_FEATURE_BYTES,
               "a file of one zone is within the promised size");

static uint32_t crc32(const uint8_t *data, size_t n)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void put_32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static size_t file_bytes(const QbNoiseFeatures *f)
{
    return HEAD_BYTES + f->n_places * QB_PLACE_BYTES + SUM_BYTES;
}

static void describe(uint32_t words[N_WORDS], const QbNoiseFeatures *f)
{
    const uint32_t values[N_WORDS] = {
        VERSION,
        (uint32_t)f->width,
        (uint32_t)f->height,
        (uint32_t)f->grid.columns,
        (uint32_t)f->grid.rows,
        (uint32_t)f->places.columns,
        (uint32_t)f->places.rows,
    };
    memcpy(words, values, sizeof values);
}

QbStatus qb_noise_features_save(const QbNoiseFeatures *features, const char *path)
{
    if (!features || !path)
        return qb_fail(QB_ERR_ARG, "qb_noise_features_save: no %s given",
                       features ? "path" : "features");
    size_t n = file_bytes(features), codes_at = HEAD_BYTES + 2 * features->n_places;
    uint8_t *data = qb_calloc(n, 1);
    if (!data)
        return QB_ERR_NOMEM;
    uint32_t words[N_WORDS];
    describe(words, features);
    memcpy(data, MAGIC, MAGIC_BYTES);
    for (int i = 0; i < N_WORDS; i++)
        put_32(data + MAGIC_BYTES + 4 * i, words[i]);
    qb_type_encode(data + HEAD_BYTES, QB_TYPE_F16, features->band, features->n_places);
    memcpy(data + codes_at, features->code, features->n_places);
    put_32(data + n - SUM_BYTES, crc32(data, n - SUM_BYTES));
    QbAtomicFile file;
    QbStatus status = qb_atomic_file_open(&file, path);
    if (!status && fwrite(data, 1, n, file.stream) != n) {
        qb_atomic_file_abandon(&file);
        status = qb_fail(QB_ERR_IO, "%s: cannot write %zu bytes", path, n);
    }
    if (!status)
        status = qb_atomic_file_commit(&file);
    qb_free(data);
    return status;
}

/* The header's sizes, each as far as it can be told by itself. */
static QbStatus read_head(uint32_t words[N_WORDS], const uint8_t *data, size_t n, const char *path)
{
    if (n < HEAD_BYTES + SUM_BYTES || memcmp(data, MAGIC, MAGIC_BYTES))
        return qb_fail(QB_ERR_FORMAT, "%s: not a file of noise features", path);
    for (int i = 0; i < N_WORDS; i++)
        words[i] = get_32(data + MAGIC_BYTES + 4 * i);
    if (words[0] != VERSION)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: noise features of version %u, expected %d", path,
                       words[0], VERSION);
    for (int i = 1; i < N_WORDS; i++)
        if (words[i] > INT32_MAX)
            return qb_fail(QB_ERR_FORMAT, "%s: damaged noise features: a size of %u", path,
                           words[i]);
    return QB_OK;
}

static QbStatus read_values(QbNoiseFeatures *f, const uint32_t words[N_WORDS], const uint8_t *data,
                            size_t n, const char *path)
{
    uint32_t expected[N_WORDS];
    describe(expected, f);
    if (memcmp(words, expected, sizeof expected))
        return qb_fail(QB_ERR_FORMAT,
                       "%s: damaged noise features: %u x %u places a zone, expected "
                       "%u x %u",
                       path, words[5], words[6], expected[5], expected[6]);
    if (n != file_bytes(f))
        return qb_fail(QB_ERR_FORMAT, "%s: damaged noise features: %zu bytes, expected %zu", path,
                       n, file_bytes(f));
    if (get_32(data + n - SUM_BYTES) != crc32(data, n - SUM_BYTES))
        return qb_fail(QB_ERR_FORMAT, "%s: damaged noise features: the checksum differs", path);
    qb_type_decode(f->band, QB_TYPE_F16, data + HEAD_BYTES, f->n_places);
    memcpy(f->code, data + HEAD_BYTES + 2 * f->n_places, f->n_places);
    for (size_t i = 0; i < f->n_places; i++)
        if (!isfinite(f->band[i]))
            return qb_fail(QB_ERR_FORMAT, "%s: damaged noise features: place %zu is not a number",
                           path, i);
    return QB_OK;
}

QbStatus qb_noise_features_read(QbNoiseFeatures **out, const uint8_t *data, size_t n,
                                const char *name)
{
    uint32_t words[N_WORDS];
    *out = NULL;
    QbStatus status = read_head(words, data, n, name);
    if (status)
        return status;
    int width = (int)words[1], height = (int)words[2];
    QbNoiseGrid grid = {(int)words[3], (int)words[4]};
    if (qb_noise_grid_check(grid, width, height, QB_NOISE_MIN_ZONE_SIDE))
        return qb_fail_prefix(QB_ERR_FORMAT, "%s: damaged noise features", name);
    status = qb_noise_features_alloc(out, grid, width, height);
    if (!status && (status = read_values(*out, words, data, n, name)))
        qb_noise_features_free(out);
    return status;
}

QbStatus qb_noise_features_open(QbNoiseFeatures **out, const char *path)
{
    uint8_t *data = NULL;
    size_t n = 0;
    if (!out || !path)
        return qb_fail(QB_ERR_ARG, "qb_noise_features_open: no %s given",
                       out ? "path" : "place for the result");
    *out = NULL;
    QbStatus status = qb_file_read_regular(&data, &n, path, MAX_BYTES);
    if (!status)
        status = qb_noise_features_read(out, data, n, path);
    qb_free(data);
    return status;
}
