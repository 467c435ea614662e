/* ffmpeg.c: the module that reads videos (video/module.h) by FFmpeg: its table, and what a video is
 * like. The work is in ffmpeg/: input.c opens the container and the decoder, packets.c brings
 * packets and leaves out those that no wanted frame needs, decode.c turns them into counted frames,
 * picture.c frames into RGB. */
// LIBS: libavformat libavcodec libavfilter libavutil libswscale
// SPDX-License-Identifier: Apache-2.0
#include "video/modules/ffmpeg/stream.h"

#include <math.h>

static void close_stream(QbVideoStream *s)
{
    if (!s)
        return;
    qbv_input_close(s);
    qbv_picture_deinit(s);
    av_frame_free(&s->frame);
    av_frame_free(&s->previous);
    av_frame_free(&s->decoded);
    av_free(s);
}

static QbStatus open_stream(QbVideoStream **out, const QbVideoHost *host)
{
    *out = NULL;
    /* Only FFmpeg's own printing is turned off; a program that takes the messages still gets them.
     */
    av_log_set_level(AV_LOG_QUIET);
    QbVideoStream *s = av_mallocz(sizeof *s);
    if (!s)
        return host->fail(host->user, QB_ERR_NOMEM, "out of memory");
    s->host = *host;
    s->frame = av_frame_alloc();
    s->previous = av_frame_alloc();
    s->decoded = av_frame_alloc();
    QbStatus status = s->frame && s->previous && s->decoded
                          ? qbv_input_open(s)
                          : qbv_fail(s, QB_ERR_NOMEM, "out of memory");
    if (status)
        close_stream(s);
    else
        *out = s;
    return status;
}

static void get_info(QbVideoInfo *out, const QbVideoStream *s)
{
    const AVCodecParameters *parameters = s->stream->codecpar;
    const char *pixel_format = av_get_pix_fmt_name(parameters->format);
    QbvTurn turn = qbv_turn_of(s, NULL);
    *out = (QbVideoInfo){
        .width = turn.transposes ? parameters->height : parameters->width,
        .height = turn.transposes ? parameters->width : parameters->height,
        .container = s->container,
        .codec = avcodec_get_name(parameters->codec_id),
        .pixel_format = pixel_format ? pixel_format : "unknown",
        .fps = s->fps,
        .duration_s = s->duration_s,
        .n_frames = s->n_frames_stated,
        .n_wanted = -1,
        .rotation = turn.degrees,
    };
}

const QbVideoModule qb_video_module = {
    .head = {QB_VIDEO_MODULE_ABI, "ffmpeg"},
    .open = open_stream,
    .close = close_stream,
    .info = get_info,
    .count = qbv_input_count,
    .advance = qbv_advance,
    .pixels = qbv_picture_pixels,
    .damage = qbv_damage,
};
