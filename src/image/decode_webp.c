/* decode_webp.c: WebP by libwebp, lossy and lossless; ICC and EXIF through libwebpdemux. Of an
 * animation the first frame is read, on the whole canvas. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

enum {
    STILL_EXTRA_BYTES = 4,     /* of a pixel: libwebp's own ARGB of lossless pictures */
    ANIMATION_EXTRA_BYTES = 12 /* two canvases of the animation decoder and the frame */
};

static bool probe(const uint8_t *data, size_t size)
{
    return size >= 12 && !memcmp(data, "RIFF", 4) && !memcmp(data + 8, "WEBP", 4);
}

static QbStatus fail_code(const QbDecodeJob *job, VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return qb_fail(QB_ERR_NOMEM, "%s: out of memory", job->name);
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return qb_fail(QB_ERR_FORMAT, "%s: the WebP is truncated", job->name);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: a WebP feature that libwebp lacks", job->name);
    default:
        return qb_fail(QB_ERR_FORMAT, "%s: the WebP is damaged", job->name);
    }
}

static QbStatus decode_still(QbRaster *out, const QbDecodeJob *job,
                             const WebPBitstreamFeatures *features)
{
    QbStatus status = qb_raster_new(out, job, features->width, features->height, QB_COLOR_RGB,
                                    features->has_alpha, 8, STILL_EXTRA_BYTES);
    if (status)
        return status;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: libwebp is of another version", job->name);
    config.output.colorspace = features->has_alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){
        .rgba = out->pixels,
        .stride = (int)qb_raster_row_bytes(out),
        .size = qb_raster_row_bytes(out) * (size_t)out->height,
    };
    VP8StatusCode code = WebPDecode(job->data, job->size, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? QB_OK : fail_code(job, code);
}

static QbStatus decode_animation(QbRaster *out, const QbDecodeJob *job)
{
    WebPData data = {job->data, job->size};
    WebPAnimDecoderOptions options;
    /* The canvas size is checked before the decoder takes its memory. */
    WebPDemuxer *demuxer = WebPDemux(&data);
    if (!demuxer)
        return fail_code(job, VP8_STATUS_BITSTREAM_ERROR);
    QbStatus status = qb_raster_new(out, job, WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH),
                                    WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT), QB_COLOR_RGB,
                                    true, 8, ANIMATION_EXTRA_BYTES);
    WebPDemuxDelete(demuxer);
    if (status)
        return status;
    if (!WebPAnimDecoderOptionsInit(&options))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: libwebp is of another version", job->name);
    options.color_mode = MODE_RGBA;
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
    uint8_t *canvas;
    int timestamp;
    if (decoder && WebPAnimDecoderGetNext(decoder, &canvas, &timestamp))
        memcpy(out->pixels, canvas, qb_raster_row_bytes(out) * (size_t)out->height);
    else
        status = fail_code(job, VP8_STATUS_BITSTREAM_ERROR);
    WebPAnimDecoderDelete(decoder);
    return status;
}

static QbStatus read_metadata(QbRaster *out, const QbDecodeJob *job)
{
    WebPData data = {job->data, job->size};
    WebPDemuxer *demuxer = WebPDemux(&data);
    QbStatus status = QB_OK;
    WebPChunkIterator chunk;
    if (!demuxer)
        return QB_OK;
    if (WebPDemuxGetChunk(demuxer, "ICCP", 1, &chunk)) {
        status = qb_raster_set_icc(out, chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        out->orientation = qb_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(demuxer);
    return status;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(job->data, job->size, &features);
    if (code != VP8_STATUS_OK)
        return fail_code(job, code);
    QbStatus status =
        features.has_animation ? decode_animation(out, job) : decode_still(out, job, &features);
    return status || !qb_decode_is_managed(job) ? status : read_metadata(out, job);
}

const QbImageCodec qb_codec_webp = {
    .name = "webp", .extensions = "webp", .probe = probe, .decode = decode};
