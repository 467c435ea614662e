/* decode_exr.c: OpenEXR by OpenEXRCore: half, float and unsigned samples of scan lines or tiles
 * (the largest level), as linear light. The library finds and unpacks the chunks; where a chunk's
 * samples lie is computed here and held against what the library says. The data window is the
 * picture.
 *
 * A chunk table is never reconstructed: a file that a renderer is still writing must be an error,
 * not a picture with holes. */
// SPDX-License-Identifier: Apache-2.0
#include "image/exr.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/half.h"
#include "image/primaries.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_COORDINATE = 1 << 29, /* keeps the library's sums of coordinates within an int */
    CHUNK_BUFFERS = 4         /* packed, unpacked and two scratch buffers, each a chunk at most */
};

static bool probe(const uint8_t *data, size_t size)
{
    return size >= 8 && !memcmp(data, "\x76\x2f\x31\x01", 4);
}

/* ---- The library's view of a file in memory ----------------------------------------------------
 */

static int64_t read_data(exr_const_context_t context, void *user, void *out, uint64_t size,
                         uint64_t offset, exr_stream_error_func_ptr_t fail)
{
    const QbExr *exr = user;
    (void)context;
    (void)fail;
    size_t left = offset < exr->job->size ? exr->job->size - (size_t)offset : 0;
    size_t n =
        size < left ? (size_t)size : left; /* the library reads ahead; less is no error yet */
    if (n)
        memcpy(out, exr->job->data + offset, n);
    return (int64_t)n;
}

static int64_t data_size(exr_const_context_t context, void *user)
{
    (void)context;
    return (int64_t)((const QbExr *)user)->job->size;
}

static void on_error(exr_const_context_t context, exr_result_t code, const char *message)
{
    (void)code;
    void *user = NULL;
    if (!context || exr_get_user_data(context, &user) || !user)
        return;
    QbExr *exr = user;
    if (!exr->message[0])
        snprintf(exr->message, sizeof exr->message, "%s", message);
}

/* The library reports some failed allocations as damage of the file. */
static _Thread_local bool out_of_memory;

/* Zeroed: what a damaged chunk leaves unset is not somebody's old data. */
static void *take_memory(size_t size)
{
    void *memory = qb_calloc(1, size);
    out_of_memory |= !memory;
    return memory;
}

static QbStatus library_failed(const QbExr *exr, exr_result_t result, const char *what)
{
    if (out_of_memory)
        return qb_fail(QB_ERR_NOMEM, "%s: out of memory", exr->job->name);
    const char *why = exr->message[0]             ? exr->message
                      : result == EXR_ERR_READ_IO ? "the file ends early"
                                                  : exr_get_default_error_message(result);
    return qb_fail(result == EXR_ERR_FEATURE_NOT_IMPLEMENTED ? QB_ERR_UNSUPPORTED : QB_ERR_FORMAT,
                   "%s: %s: %s", exr->job->name, what, why);
}

static QbStatus open_exr(QbExr *exr)
{
    exr_context_initializer_t setup = EXR_DEFAULT_CONTEXT_INITIALIZER;
    setup.error_handler_fn = on_error;
    setup.alloc_fn = take_memory;
    setup.free_fn = qb_free;
    setup.user_data = exr;
    setup.read_fn = read_data;
    setup.size_fn = data_size;
    setup.flags = EXR_CONTEXT_FLAG_DISABLE_CHUNK_RECONSTRUCTION;
    exr_result_t result = exr_start_read(&exr->context, "exr", &setup);
    return result ? library_failed(exr, result, "a damaged EXR header") : QB_OK;
}

/* ---- Samples ------------------------------------------------------------------------------------
 */

static uint32_t get_u32(const uint8_t *data)
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static size_t sample_bytes(const exr_attr_chlist_entry_t *channel)
{
    return channel->pixel_type == EXR_PIXEL_HALF ? 2 : 4;
}

static float get_sample(const uint8_t *data, exr_pixel_type_t type)
{
    if (type == EXR_PIXEL_HALF)
        return qb_float_from_half((uint16_t)(data[0] | data[1] << 8));
    uint32_t bits = get_u32(data);
    float value;
    memcpy(&value, &bits, 4);
    return type == EXR_PIXEL_UINT ? (float)bits : value;
}

/* A chunk's samples lie row by row, within a row channel by channel. x, y: of its first pixel. */
static void put_chunk(const QbExr *exr, QbRaster *out, int64_t x, int64_t y,
                      const exr_chunk_info_t *chunk, const uint8_t *data)
{
    float *pixels = (float *)(void *)out->pixels;
    int n_colors = (int)out->color;
    for (int row = 0; row < chunk->height; row++)
        for (int c = 0; c < exr->channels->num_channels; c++) {
            const exr_attr_chlist_entry_t *channel = &exr->channels->entries[c];
            size_t step = sample_bytes(channel);
            for (int color = 0; color < n_colors; color++) {
                if (exr->source[color] != c)
                    continue;
                float *to = pixels +
                            ((size_t)(y + row) * (size_t)out->width + (size_t)x) * (size_t)n_colors;
                for (int i = 0; i < chunk->width; i++)
                    to[i * n_colors + color] =
                        get_sample(data + (size_t)i * step, channel->pixel_type);
            }
            data += (size_t)chunk->width * step;
        }
}

/* ---- Chunks -------------------------------------------------------------------------------------
 */

/* Bytes of width x height pixels of all channels; false = more than the limit on memory allows. */
static bool chunk_bytes(uint64_t *out, const QbExr *exr, int64_t width, int64_t height)
{
    uint64_t pixel_bytes = 0;
    for (int c = 0; c < exr->channels->num_channels; c++)
        pixel_bytes += sample_bytes(&exr->channels->entries[c]);
    return !__builtin_mul_overflow((uint64_t)width * (uint64_t)height, pixel_bytes, out) &&
           *out <= (uint64_t)exr->job->options->max_bytes / CHUNK_BUFFERS;
}

/* Where this project unpacks a chunk instead of the library. */
static QbStatus unpack_dwa(const uint8_t **out_samples, QbExr *exr, const exr_chunk_info_t *chunk,
                           size_t wanted)
{
    if (exr->unpacked_size < wanted) {
        qb_free(exr->unpacked);
        exr->unpacked_size = 0;
        exr->unpacked = qb_alloc(wanted);
        if (!exr->unpacked)
            return QB_ERR_NOMEM;
        exr->unpacked_size = wanted;
    }
    *out_samples = exr->unpacked;
    return qb_exr_dwa_unpack(exr, exr->unpacked, exr->job->data + chunk->data_offset,
                             (size_t)chunk->packed_size, chunk->width, chunk->height);
}

/* Finds one chunk's samples, unpacked. width, height: what it must have. *out_samples: borrowed
 * from the file or from pipeline, until the next chunk. */
static QbStatus read_chunk(const uint8_t **out_samples, QbExr *exr, exr_decode_pipeline_t *pipeline,
                           const exr_chunk_info_t *chunk, int64_t width, int64_t height)
{
    uint64_t wanted = 0, size = exr->job->size;
    if (chunk->width != width || chunk->height != height ||
        !chunk_bytes(&wanted, exr, width, height) || chunk->unpacked_size != wanted ||
        chunk->packed_size > wanted || chunk->packed_size > size ||
        chunk->data_offset > size - chunk->packed_size)
        return qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: a chunk of the wrong size", exr->job->name);
    /* What packing would not have made smaller is stored as it is. */
    if (chunk->packed_size == wanted) {
        *out_samples = exr->job->data + chunk->data_offset;
        return QB_OK;
    }
    if (chunk->compression == EXR_COMPRESSION_DWAA || chunk->compression == EXR_COMPRESSION_DWAB)
        return unpack_dwa(out_samples, exr, chunk, (size_t)wanted);
    if (chunk->compression == EXR_COMPRESSION_PIZ &&
        !qb_exr_piz_is_sane(exr->job->data + chunk->data_offset, (size_t)chunk->packed_size,
                            wanted))
        return qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: a chunk with codes that no encoder makes",
                       exr->job->name);
    exr_result_t result;
    if (pipeline->channels) {
        result = exr_decoding_update(exr->context, exr->part, chunk, pipeline);
    } else {
        result = exr_decoding_initialize(exr->context, exr->part, chunk, pipeline);
        if (!result)
            result = exr_decoding_choose_default_routines(exr->context, exr->part, pipeline);
        pipeline->unpack_and_convert_fn = NULL; /* put_chunk does that */
    }
    if (!result)
        result = exr_decoding_run(exr->context, exr->part, pipeline);
    if (result)
        return library_failed(exr, result, "damaged EXR");
    *out_samples = pipeline->unpacked_buffer;
    return *out_samples && pipeline->unpacked_alloc_size >= wanted && pipeline->decompress_fn
               ? QB_OK
               : qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: a chunk of the wrong size",
                         exr->job->name);
}

static QbStatus chunk_is_missing(const QbExr *exr, exr_result_t result)
{
    return library_failed(exr, result, "the EXR is truncated, half written or damaged");
}

static QbStatus read_scan_lines(QbExr *exr, QbRaster *out, const exr_attr_box2i_t *window,
                                exr_decode_pipeline_t *pipeline)
{
    int32_t lines = 0;
    if (exr_get_scanlines_per_chunk(exr->context, exr->part, &lines) || lines < 1)
        return qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: no scan lines", exr->job->name);
    QbStatus status = QB_OK;
    for (int64_t y = 0; y < out->height && !status; y += lines) {
        exr_chunk_info_t chunk = {0};
        exr_result_t result =
            exr_read_scanline_chunk_info(exr->context, exr->part, (int)(window->min.y + y), &chunk);
        if (result)
            return chunk_is_missing(exr, result);
        int64_t height = out->height - y < lines ? out->height - y : lines;
        const uint8_t *samples = NULL;
        status = read_chunk(&samples, exr, pipeline, &chunk, out->width, height);
        if (!status)
            put_chunk(exr, out, 0, y, &chunk, samples);
    }
    return status;
}

static QbStatus read_tiles(QbExr *exr, QbRaster *out, exr_decode_pipeline_t *pipeline)
{
    int32_t tile_width = 0, tile_height = 0;
    if (exr_get_tile_sizes(exr->context, exr->part, 0, 0, &tile_width, &tile_height) ||
        tile_width < 1 || tile_height < 1)
        return qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: tiles without a size", exr->job->name);
    QbStatus status = QB_OK;
    for (int64_t y = 0; y < out->height; y += tile_height)
        for (int64_t x = 0; x < out->width && !status; x += tile_width) {
            exr_chunk_info_t chunk = {0};
            exr_result_t result =
                exr_read_tile_chunk_info(exr->context, exr->part, (int)(x / tile_width),
                                         (int)(y / tile_height), 0, 0, &chunk);
            if (result)
                return chunk_is_missing(exr, result);
            int64_t width = out->width - x < tile_width ? out->width - x : tile_width;
            int64_t height = out->height - y < tile_height ? out->height - y : tile_height;
            const uint8_t *samples = NULL;
            status = read_chunk(&samples, exr, pipeline, &chunk, width, height);
            if (!status)
                put_chunk(exr, out, x, y, &chunk, samples);
        }
    return status;
}

/* ---- All of it ----------------------------------------------------------------------------------
 */

static QbStatus check_channels(const QbExr *exr)
{
    for (int c = 0; c < exr->channels->num_channels; c++) {
        const exr_attr_chlist_entry_t *channel = &exr->channels->entries[c];
        if (channel->pixel_type >= EXR_PIXEL_LAST_TYPE)
            return qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: samples of type %d", exr->job->name,
                           (int)channel->pixel_type);
        if (channel->x_sampling != 1 || channel->y_sampling != 1)
            return qb_fail(QB_ERR_UNSUPPORTED,
                           "%s: an EXR with subsampled channels, such as luminance and "
                           "chroma, is not read",
                           exr->job->name);
    }
    return QB_OK;
}

/* Memory for one chunk's buffers, of a size that the header makes up. */
static QbStatus check_chunk_memory(const QbExr *exr, const QbRaster *raster, bool tiled)
{
    int32_t lines = 0, tile_width = 0;
    if (tiled)
        exr_get_tile_sizes(exr->context, exr->part, 0, 0, &tile_width, &lines);
    else
        exr_get_scanlines_per_chunk(exr->context, exr->part, &lines);
    uint64_t bytes;
    int64_t width = tiled && tile_width < raster->width ? tile_width : raster->width;
    int64_t height = lines < raster->height ? lines : raster->height;
    if (width < 1 || height < 1 || chunk_bytes(&bytes, exr, width, height))
        return QB_OK; /* what is too small is told where it is read */
    return qb_fail(QB_ERR_LIMIT,
                   "%s: EXR chunks of %lld x %lld pixels of %d channels take more memory than the "
                   "limit, %lld bytes (max_bytes)",
                   exr->job->name, (long long)width, (long long)height, exr->channels->num_channels,
                   (long long)exr->job->options->max_bytes);
}

static QbStatus read_part(QbExr *exr, QbRaster *out)
{
    exr_attr_box2i_t window = {0};
    exr_storage_t storage = EXR_STORAGE_SCANLINE;
    if (exr_get_data_window(exr->context, exr->part, &window) ||
        exr_get_storage(exr->context, exr->part, &storage) || window.min.x < -MAX_COORDINATE ||
        window.min.y < -MAX_COORDINATE || window.max.x > MAX_COORDINATE ||
        window.max.y > MAX_COORDINATE)
        return qb_fail(QB_ERR_FORMAT, "%s: damaged EXR: no data window that can be",
                       exr->job->name);
    QbStatus status = check_channels(exr);
    if (!status)
        status = qb_raster_new(out, exr->job, (int64_t)window.max.x - window.min.x + 1,
                               (int64_t)window.max.y - window.min.y + 1, exr->color, false, 32, 0);
    if (!status)
        status = check_chunk_memory(exr, out, storage == EXR_STORAGE_TILED);
    if (status)
        return status;
    if (exr->missing)
        memset(out->pixels, 0, qb_raster_row_bytes(out) * (size_t)out->height);
    out->missing = exr->missing;
    out->samples = qb_exr_samples(exr);
    exr_decode_pipeline_t pipeline = EXR_DECODE_PIPELINE_INITIALIZER;
    status = storage == EXR_STORAGE_TILED ? read_tiles(exr, out, &pipeline)
                                          : read_scan_lines(exr, out, &window, &pipeline);
    exr_decoding_destroy(exr->context, &pipeline);
    double xy[8], matrix[9];
    if (!status && out->color == QB_COLOR_RGB && qb_exr_primaries(xy, exr) &&
        qb_primaries_to_srgb(matrix, xy))
        qb_primaries_convert((float *)(void *)out->pixels, (size_t)out->width * (size_t)out->height,
                             matrix);
    return status;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    QbExr exr = {.job = job};
    out_of_memory = false;
    QbStatus status = qb_exr_scan_header(job);
    if (!status)
        status = open_exr(&exr);
    if (!status)
        status = qb_exr_choose(&exr);
    if (!status)
        status = read_part(&exr, out);
    if (exr.context)
        exr_finish(&exr.context);
    qb_free(exr.dct);
    qb_free(exr.first_of_layer);
    qb_free(exr.unpacked);
    return status;
}

const QbImageCodec qb_codec_exr = {
    .name = "exr", .extensions = "exr", .probe = probe, .decode = decode};
