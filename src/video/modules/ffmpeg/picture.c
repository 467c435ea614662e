/* picture.c: a decoded frame as RGB, by the frame's own matrix and range, turned as the container
 * says. Frames keep their stored size: non-square pixels stay as they are, as in what the models
 * were trained on.
 *
 * Upstream is what decord does: the conversion FFmpeg makes by default, with chroma repeated
 * instead of interpolated; BT.601 where the stream does not say; quarter turns, but no mirroring.
 */
// SPDX-License-Identifier: Apache-2.0
#include "video/modules/ffmpeg/stream.h"

#include <math.h>

#include <libavutil/display.h>

/* Where a stream does not name its matrix: BT.709 from so many lines on, else BT.601. */
enum { HD_LINES = 720 };

/* ---- turning --------------------------------------------------------------------------------- */

static const int32_t *display_matrix(const QbVideoStream *s, const AVFrame *frame)
{
    const int32_t *matrix =
        (const int32_t *)av_stream_get_side_data(s->stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
    const AVFrameSideData *side =
        matrix || !frame ? NULL : av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    return side ? (const int32_t *)side->data : matrix;
}

QbvTurn qbv_turn_of(const QbVideoStream *s, const AVFrame *frame)
{
    const int32_t *m = display_matrix(s, frame);
    if (!m)
        return (QbvTurn){0};
    double angle = -av_display_rotation_get(m); /* clockwise */
    if (!isfinite(angle))
        return (QbvTurn){0};
    int quarters = (int)lround(angle / 90) & 3;
    QbvTurn turn = {.degrees = 90 * quarters,
                    .transposes = quarters & 1,
                    .flips_x = quarters == 1 || quarters == 2,
                    .flips_y = quarters == 2 || quarters == 3};
    /* x' = m0 x + m3 y, y' = m1 x + m4 y: a negative determinant mirrors. */
    bool mirrors = (double)m[0] * m[4] - (double)m[1] * m[3] < 0;
    if (s->host.managed && mirrors) {
        bool swaps =
            fabs((double)m[1]) + fabs((double)m[3]) > fabs((double)m[0]) + fabs((double)m[4]);
        turn.transposes = swaps;
        turn.flips_x = swaps ? m[3] < 0 : m[0] < 0;
        turn.flips_y = swaps ? m[1] < 0 : m[4] < 0;
    }
    return turn;
}

/* Pixels in[height][stride] of a frame, turned into out without gaps. */
static void put_turned(uint8_t *out, const uint8_t *in, int stride, int width, int height,
                       QbvTurn turn)
{
    int out_width = turn.transposes ? height : width, out_height = turn.transposes ? width : height;
    for (int y = 0; y < out_height; y++) {
        int v = turn.flips_y ? out_height - 1 - y : y;
        for (int x = 0; x < out_width; x++, out += 3) {
            int u = turn.flips_x ? out_width - 1 - x : x;
            int column = turn.transposes ? v : u, row = turn.transposes ? u : v;
            const uint8_t *p = in + (ptrdiff_t)row * stride + 3 * (ptrdiff_t)column;
            out[0] = p[0], out[1] = p[1], out[2] = p[2];
        }
    }
}

/* ---- colour ---------------------------------------------------------------------------------- */

/* A name of FFmpeg's for the matrix that samples are read by. */
static int matrix_of(QbVideoStream *s, const AVFrame *frame)
{
    bool is_wide = qbv_is_hdr(frame) || frame->color_primaries == AVCOL_PRI_BT2020;
    bool is_rgb = av_pix_fmt_desc_get(frame->format)->flags & AV_PIX_FMT_FLAG_RGB;
    int usual = is_wide && qbv_needs_tone(s, frame)            ? SWS_CS_BT2020
                : s->host.managed && frame->height >= HD_LINES ? SWS_CS_ITU709
                                                               : SWS_CS_ITU601;
    switch (frame->colorspace) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return frame->colorspace;
    case AVCOL_SPC_UNSPECIFIED:
        return usual;
    default:
        if (!is_rgb)
            qbv_note(s, "colours may be wrong: their matrix (%s) is not known here",
                     av_color_space_name(frame->colorspace) ? av_color_space_name(frame->colorspace)
                                                            : "of an unknown number");
        return usual;
    }
}

/* Whether black is 0. What does not say is limited, but for the "J" formats and, as everywhere in
 * FFmpeg, grey of codecs that are not made for video. */
bool qbv_is_full_range(const QbVideoStream *s, const AVFrame *frame)
{
    switch (frame->format) {
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ444P:
        return true;
    default:
        break;
    }
    if (frame->color_range != AVCOL_RANGE_UNSPECIFIED)
        return frame->color_range == AVCOL_RANGE_JPEG;
    bool is_grey = av_pix_fmt_desc_get(frame->format)->nb_components < 3;
    int props = s->codec->codec_descriptor->props;
    bool is_for_video = props & AV_CODEC_PROP_LOSSY && !(props & AV_CODEC_PROP_INTRA_ONLY);
    return is_grey && !(s->host.managed && is_for_video);
}

/* The scaler for frames like this one; NULL when there is none. */
static struct SwsContext *scaler_for(QbVideoStream *s, const AVFrame *frame,
                                     enum AVPixelFormat format)
{
    int flags = s->host.managed || format != AV_PIX_FMT_RGB24
                    ? SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP |
                          SWS_BITEXACT
                    : SWS_BICUBIC;
    s->scaler = sws_getCachedContext(s->scaler, frame->width, frame->height, frame->format,
                                     frame->width, frame->height, format, flags, NULL, NULL, NULL);
    if (!s->scaler)
        return NULL;
    const int *matrix = sws_getCoefficients(matrix_of(s, frame));
    sws_setColorspaceDetails(s->scaler, matrix, qbv_is_full_range(s, frame), matrix, 1, 0, 1 << 16,
                             1 << 16);
    return s->scaler;
}

/* s->rgb becomes frame in format, which is one of RGB. */
static QbStatus convert(QbVideoStream *s, const AVFrame *frame, enum AVPixelFormat format)
{
    struct SwsContext *scaler = scaler_for(s, frame, format);
    if (!scaler)
        return qbv_fail(s, QB_ERR_UNSUPPORTED, "frames of the pixel format %s cannot be converted",
                        av_get_pix_fmt_name(frame->format) ? av_get_pix_fmt_name(frame->format)
                                                           : "unknown");
    if (!s->rgb || s->rgb->width != frame->width || s->rgb->height != frame->height ||
        s->rgb->format != (int)format) {
        av_frame_free(&s->rgb);
        s->rgb = av_frame_alloc();
        if (s->rgb) {
            s->rgb->width = frame->width;
            s->rgb->height = frame->height;
            s->rgb->format = format;
        }
        if (!s->rgb || av_frame_get_buffer(s->rgb, 0) < 0)
            return qbv_fail(s, QB_ERR_NOMEM, "out of memory");
    }
    if (sws_scale(scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height,
                  s->rgb->data, s->rgb->linesize) != frame->height)
        return qbv_fail(s, QB_ERR_NOMEM, "a frame cannot be converted");
    return QB_OK;
}

/* swscale takes 8-bit grey for full range, whatever it is told. */
static void widen_grey(AVFrame *rgb)
{
    uint8_t full[256];
    for (int i = 0; i < 256; i++)
        full[i] = (uint8_t)(i < 16 ? 0 : i > 235 ? 255 : ((i - 16) * 255 + 109) / 219);
    for (int y = 0; y < rgb->height; y++) {
        uint8_t *row = rgb->data[0] + (ptrdiff_t)y * rgb->linesize[0];
        for (int x = 0; x < 3 * rgb->width; x++)
            row[x] = full[row[x]];
    }
}

QbStatus qbv_picture_pixels(uint8_t *rgb, QbVideoStream *s)
{
    const AVFrame *frame = s->frame;
    QbStatus status = QB_OK;
    if (qbv_needs_deinterlacing(s, frame)) {
        status = qbv_deinterlace(s);
        frame = s->progressive;
    }
    bool needs_tone = !status && qbv_needs_tone(s, frame);
    if (!status)
        status = convert(s, frame, needs_tone ? AV_PIX_FMT_RGB48 : AV_PIX_FMT_RGB24);
    if (s->host.managed && !status && !needs_tone && frame->format == AV_PIX_FMT_GRAY8 &&
        !qbv_is_full_range(s, frame))
        widen_grey(s->rgb);
    if (needs_tone && !status)
        status = qbv_tone_apply(s, frame);
    if (!status)
        put_turned(rgb, s->rgb->data[0], s->rgb->linesize[0], frame->width, frame->height,
                   qbv_turn_of(s, s->frame));
    return status;
}

void qbv_picture_deinit(QbVideoStream *s)
{
    sws_freeContext(s->scaler);
    s->scaler = NULL;
    av_frame_free(&s->rgb);
    av_frame_free(&s->progressive);
    av_freep(&s->tone);
}
