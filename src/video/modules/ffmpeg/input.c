/* input.c: opens a video: bytes from the host alone, a known container, its best video stream, a
 * decoder. Containers that name other files (playlists, concatenations, picture sequences) are not
 * on the list, and FFmpeg is given no way to open one. */
// SPDX-License-Identifier: Apache-2.0
#include "video/modules/ffmpeg/stream.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/avstring.h>

enum { IO_BUFFER_BYTES = 1 << 16, PROBE_BYTES = 1 << 20 };

static const char containers[] =
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,flv,live_flv,asf,ogg,h264,hevc,av1,obu,ivf,"
    "yuv4mpegpipe,nut,mxf,rm,wtv,dv,mjpeg,dirac,vc1,vc1test,h263,h261,gxf,3gp,mp4";

QbStatus qbv_fail(QbVideoStream *s, QbStatus status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return s->host.fail(s->host.user, status, text);
}

void qbv_note(QbVideoStream *s, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->host.note(s->host.user, text);
}

static QbStatus fail_by_code(QbVideoStream *s, int code, const char *what)
{
    char why[AV_ERROR_MAX_STRING_SIZE] = "unknown reason";
    av_strerror(code, why, sizeof why);
    return qbv_fail(s, code == AVERROR(ENOMEM) ? QB_ERR_NOMEM : QB_ERR_FORMAT, "%s: %s", what, why);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static int read_bytes(void *user, uint8_t *out, int size)
{
    const QbVideoHost *host = user;
    int n = host->read(host->user, out, size);
    return n > 0 ? n : n == 0 ? AVERROR_EOF : AVERROR(EIO);
}

static int64_t seek_bytes(void *user, int64_t offset, int whence)
{
    const QbVideoHost *host = user;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE)
        return host->size >= 0 ? host->size : AVERROR(ENOSYS);
    if (whence == SEEK_END && host->size >= 0)
        offset += host->size;
    else if (whence != SEEK_SET) /* aviobuf.c turns SEEK_CUR into SEEK_SET */
        return AVERROR(ENOSYS);
    if (offset < 0 || !host->seek(host->user, offset))
        return AVERROR(EIO);
    return offset;
}

/* Nothing but the one file is ever opened. */
static int refuse_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags,
                       AVDictionary **options)
{
    (void)format, (void)io, (void)url, (void)flags, (void)options;
    return AVERROR(EPERM);
}

static QbStatus open_io(QbVideoStream *s)
{
    uint8_t *buffer = av_malloc(IO_BUFFER_BYTES);
    if (buffer)
        s->io = avio_alloc_context(buffer, IO_BUFFER_BYTES, 0, &s->host, read_bytes, NULL,
                                   s->host.seek ? seek_bytes : NULL);
    if (s->io)
        return QB_OK;
    av_free(buffer);
    return qbv_fail(s, QB_ERR_NOMEM, "out of memory");
}

/* ---- container ------------------------------------------------------------------------------- */

static QbStatus probe(QbVideoStream *s, const AVInputFormat **out)
{
    int code = av_probe_input_buffer2(s->io, out, "", NULL, 0, PROBE_BYTES);
    if (code == AVERROR_INVALIDDATA || code == AVERROR_EOF)
        return qbv_fail(s, QB_ERR_FORMAT, "not a video in a format that is known here");
    if (code < 0)
        return fail_by_code(s, code, "cannot be read");
    const char *name = (*out)->name;
    size_t length = strlen(name);
    if (length > 5 && !strcmp(name + length - 5, "_pipe"))
        return qbv_fail(s, QB_ERR_UNSUPPORTED, "is a picture (%.*s); qboost score rates pictures",
                        (int)length - 5, name);
    if (!av_match_list(name, containers, ','))
        return qbv_fail(s, QB_ERR_UNSUPPORTED, "its format, %s, is not one that is read here",
                        name);
    return QB_OK;
}

/* FFmpeg's readers have the names of all they read: "matroska,webm". */
static void name_container(QbVideoStream *s)
{
    const char *names = s->format->iformat->name;
    if (av_match_list("mp4", names, ','))
        names = "mp4";
    snprintf(s->container, sizeof s->container, "%.*s", (int)strcspn(names, ","), names);
}

static QbStatus open_container(QbVideoStream *s)
{
    const AVInputFormat *input = NULL;
    QbStatus status = probe(s, &input);
    if (status)
        return status;
    s->format = avformat_alloc_context();
    if (!s->format)
        return qbv_fail(s, QB_ERR_NOMEM, "out of memory");
    s->format->pb = s->io;
    s->format->io_open = refuse_open;
    s->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    AVDictionary *options = NULL;
    av_dict_set(&options, "protocol_whitelist", "", 0);
    av_dict_set(&options, "format_whitelist", containers, 0);
    int code = avformat_open_input(&s->format, "", input, &options);
    av_dict_free(&options);
    if (code < 0) /* format was freed */
        return code == AVERROR_INVALIDDATA && av_match_list(input->name, "mov", ',')
                   ? qbv_fail(s, QB_ERR_FORMAT,
                              "the MP4 file is damaged, or cut off before its index (moov)")
                   : fail_by_code(s, code, "cannot be opened as a video");
    name_container(s);
    code = avformat_find_stream_info(s->format, NULL);
    return code < 0 ? fail_by_code(s, code, "what is in the video cannot be told") : QB_OK;
}

/* ---- stream ---------------------------------------------------------------------------------- */

static bool is_cover(const AVStream *stream)
{
    return stream->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS);
}

static QbStatus choose_stream(QbVideoStream *s, const AVCodec **decoder)
{
    int best = av_find_best_stream(s->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    bool has_cover = false;
    if (best >= 0 && is_cover(s->format->streams[best])) {
        has_cover = true;
        best = -1;
        for (unsigned i = 0; i < s->format->nb_streams && best < 0; i++) {
            const AVStream *stream = s->format->streams[i];
            if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_cover(stream))
                best = (int)i;
        }
    }
    if (best < 0)
        return qbv_fail(s, QB_ERR_UNSUPPORTED, "has no video%s",
                        has_cover ? ", only a cover picture" : "");
    s->stream = s->format->streams[best];
    const AVCodecParameters *parameters = s->stream->codecpar;
    *decoder = avcodec_find_decoder(parameters->codec_id);
    if (!*decoder)
        return qbv_fail(s, QB_ERR_UNSUPPORTED, "nothing here decodes its codec, %s",
                        avcodec_get_name(parameters->codec_id));
    if (parameters->width < 1 || parameters->height < 1)
        return qbv_fail(s, QB_ERR_FORMAT, "the size of its frames cannot be told");
    if ((int64_t)parameters->width * parameters->height > s->host.max_pixels)
        return qbv_fail(s, QB_ERR_LIMIT,
                        "frames of %d x %d pixels, the limit is %lld pixels (max_pixels)",
                        parameters->width, parameters->height, (long long)s->host.max_pixels);
    /* Other pictures are not read; sound is, for where the file ends. */
    for (unsigned i = 0; i < s->format->nb_streams; i++)
        if (i != (unsigned)best &&
            s->format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
            s->format->streams[i]->discard = AVDISCARD_ALL;
    return QB_OK;
}

static int start_decoder(AVCodecContext **out, const QbVideoStream *s, const AVCodec *decoder)
{
    AVCodecContext *codec = avcodec_alloc_context3(decoder);
    int code = codec ? avcodec_parameters_to_context(codec, s->stream->codecpar) : AVERROR(ENOMEM);
    if (code >= 0) {
        codec->pkt_timebase = s->stream->time_base;
        /* What is made up for damaged parts must not depend on the threads: a frame that is decoded
         * beside the one it refers to would, and in H.264 a slice as well. */
        codec->thread_type = FF_THREAD_SLICE;
        codec->thread_count = decoder->id == AV_CODEC_ID_H264 ? 1 : s->host.threads;
        codec->max_pixels = s->host.max_pixels;
        /* Frames it holds for damaged come out marked, so that they can be counted. */
        codec->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
        if (s->host.managed) /* the same on every CPU */
            codec->flags |= AV_CODEC_FLAG_BITEXACT;
        code = avcodec_open2(codec, decoder, NULL);
    }
    if (code < 0)
        avcodec_free_context(&codec);
    *out = codec;
    return code;
}

static QbStatus open_decoder(QbVideoStream *s, const AVCodec *decoder)
{
    int code = start_decoder(&s->codec, s, decoder);
    return code < 0 ? fail_by_code(s, code, "its decoder cannot be started") : QB_OK;
}

bool qbv_decoder_renew(QbVideoStream *s)
{
    AVCodecContext *codec;
    if (start_decoder(&codec, s, s->codec->codec) < 0)
        return false;
    avcodec_free_context(&s->codec);
    s->codec = codec;
    return true;
}

/* Counts and times that the container states. */
static void learn_facts(QbVideoStream *s)
{
    const AVStream *stream = s->stream;
    AVRational rate = stream->avg_frame_rate;
    if (rate.num <= 0 || rate.den <= 0)
        rate = stream->r_frame_rate;
    s->n_frames_stated = stream->nb_frames > 0 ? stream->nb_frames : -1;
    s->duration_s = NAN;
    if (stream->duration > 0)
        s->duration_s = (double)stream->duration * av_q2d(stream->time_base);
    else if (s->format->duration > 0)
        s->duration_s = (double)s->format->duration / AV_TIME_BASE;
    s->fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate)
             : s->n_frames_stated > 0     ? (double)s->n_frames_stated / s->duration_s
                                          : NAN;
    if (!(s->fps > 0) || !isfinite(s->fps))
        s->fps = NAN;
}

QbStatus qbv_input_open(QbVideoStream *s)
{
    const AVCodec *decoder = NULL;
    s->first_pts = AV_NOPTS_VALUE;
    s->queue.last_pts = INT64_MIN;
    s->last_end_s = NAN;
    QbStatus status = open_io(s);
    if (!status)
        status = open_container(s);
    if (!status)
        status = choose_stream(s, &decoder);
    if (!status)
        status = open_decoder(s, decoder);
    if (!status)
        learn_facts(s);
    return status;
}

void qbv_input_close(QbVideoStream *s)
{
    qbv_packets_clear(s);
    avcodec_free_context(&s->codec);
    avformat_close_input(&s->format);
    s->stream = NULL;
    if (s->io)
        av_freep(&s->io->buffer);
    avio_context_free(&s->io);
}

/* ---- counting -------------------------------------------------------------------------------- */

/* The index of a MOV or MP4 file whose header lists every frame. */
static int64_t count_index(const QbVideoStream *s)
{
    int n = avformat_index_get_entries_count(s->stream);
    if (!av_match_list(s->format->iformat->name, "mov", ',') || s->stream->nb_frames < 1 || n < 1)
        return 0;
    int64_t shown = 0;
    for (int i = 0; i < n; i++)
        shown += !(avformat_index_get_entry(s->stream, i)->flags & AVINDEX_DISCARD_FRAME);
    return shown;
}

QbStatus qbv_input_count(int64_t *out, QbVideoStream *s)
{
    *out = count_index(s);
    if (*out > 0)
        return QB_OK;
    for (AVPacket *packet = qbv_packets_next(s); packet; packet = qbv_packets_next(s)) {
        *out += !(packet->flags & AV_PKT_FLAG_DISCARD);
        av_packet_free(&packet);
    }
    qbv_input_close(s);
    s->queue = (QbvQueue){0};
    if (!s->host.seek(s->host.user, 0))
        return qbv_fail(s, QB_ERR_IO, "cannot be read a second time");
    return qbv_input_open(s);
}
