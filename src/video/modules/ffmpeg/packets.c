/* packets.c: the packets of the video, read some way ahead, and which of them need no decoding.
 *
 * When a frame far ahead is wanted and a packet from which decoding can start lies between here and
 * there, what is in front of that packet is dropped. This takes the place of seeking: it works for
 * every container and for pipes, and the index of the frame after the jump is known from counting
 * the packets that were dropped, not from the container's word. It is done only where packets and
 * frames have matched one to one so far, and only for codecs whose key frames forget everything
 * before them. */
// SPDX-License-Identifier: Apache-2.0
#include "video/modules/ffmpeg/stream.h"

#include <math.h>

enum {
    MAX_QUEUED_BYTES = 64 << 20,
    MAX_FAILURES = 64, /* of reading, one after the other, before that is the end */
    MIN_SKIPPED = 4    /* frames: starting the decoder anew costs about as much */
};

static AVPacket *packet_at(const QbvQueue *q, int i)
{
    return q->packets[(q->first + i) % QBV_MAX_QUEUED];
}

static bool is_shown(const AVPacket *packet)
{
    return !(packet->flags & AV_PKT_FLAG_DISCARD);
}

/* Sound ends the file as well as pictures do. */
static void note_end(QbVideoStream *s, const AVPacket *packet)
{
    int64_t at = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (at == AV_NOPTS_VALUE)
        return;
    int64_t start = s->format->start_time;
    AVRational base = s->format->streams[packet->stream_index]->time_base;
    double end = ((double)at + (double)packet->duration) * av_q2d(base) -
                 (start != AV_NOPTS_VALUE ? (double)start / AV_TIME_BASE : 0);
    if (!(s->last_end_s >= end))
        s->last_end_s = end;
}

/* Reads one packet of the video into the queue, which has room; false at the end. */
static bool fill(QbVideoStream *s)
{
    QbvQueue *q = &s->queue;
    AVPacket *packet = q->at_end ? NULL : av_packet_alloc();
    while (packet) {
        int code = av_read_frame(s->format, packet);
        if (code < 0) {
            bool ends = code == AVERROR_EOF || avio_feof(s->io) || ++q->n_failures >= MAX_FAILURES;
            q->failed = q->failed || code != AVERROR_EOF;
            if (ends)
                break;
            continue;
        }
        q->n_failures = 0;
        note_end(s, packet);
        if (packet->stream_index == s->stream->index) {
            q->packets[(q->first + q->n++) % QBV_MAX_QUEUED] = packet;
            q->n_bytes += packet->size;
            return true;
        }
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    q->at_end = true;
    return false;
}

AVPacket *qbv_packets_next(QbVideoStream *s)
{
    QbvQueue *q = &s->queue;
    if (!q->n && !fill(s))
        return NULL;
    AVPacket *packet = q->packets[q->first];
    q->first = (q->first + 1) % QBV_MAX_QUEUED;
    q->n--;
    q->n_bytes -= packet->size;
    q->n_before += is_shown(packet);
    q->last_pts = packet->pts > q->last_pts ? packet->pts : q->last_pts;
    return packet;
}

void qbv_packets_clear(QbVideoStream *s)
{
    while (s->queue.n) {
        AVPacket *packet = qbv_packets_next(s);
        av_packet_free(&packet);
    }
}

/* ---- where decoding can start ---------------------------------------------------------------- */

/* Whether an H.264 packet holds a slice of an IDR picture (NAL type 5). Recovery points are key
 * frames to the demuxer as well, but pictures behind them may need more than they say. */
static bool has_idr(const QbVideoStream *s, const AVPacket *packet)
{
    const AVCodecParameters *parameters = s->stream->codecpar;
    const uint8_t *data = packet->data, *end = data + packet->size;
    bool has_lengths = parameters->extradata_size > 6 && parameters->extradata[0] == 1;
    if (!has_lengths) { /* start codes 00 00 01 */
        for (; end - data > 3; data++)
            if (!data[0] && !data[1] && data[2] == 1 && (data[3] & 31) == 5)
                return true;
        return false;
    }
    int n_length_bytes = 1 + (parameters->extradata[4] & 3);
    while (end - data > n_length_bytes) {
        int64_t length = 0;
        for (int i = 0; i < n_length_bytes; i++)
            length = length << 8 | *data++;
        if ((*data & 31) == 5)
            return true;
        if (length >= end - data)
            return false;
        data += length;
    }
    return false;
}

/* Nothing from this packet on, but pictures shown before it, needs anything in front of it. */
static bool can_start_at(const QbVideoStream *s, const AVPacket *packet)
{
    if (!(packet->flags & AV_PKT_FLAG_KEY) || (packet->flags & AV_PKT_FLAG_CORRUPT))
        return false;
    enum AVCodecID codec = s->stream->codecpar->codec_id;
    /* What x264 wrote wrongly in 4:4:4 before its build 151, FFmpeg reads rightly because the very
     * first packet names the build. */
    if (codec == AV_CODEC_ID_H264 &&
        s->stream->codecpar->profile == FF_PROFILE_H264_HIGH_444_PREDICTIVE)
        return false;
    return codec == AV_CODEC_ID_H264
               ? has_idr(s, packet)
               : codec == AV_CODEC_ID_HEVC || codec == AV_CODEC_ID_VP8 ||
                     codec == AV_CODEC_ID_VP9 || codec == AV_CODEC_ID_AV1 ||
                     s->codec->codec_descriptor->props & AV_CODEC_PROP_INTRA_ONLY;
}

/* The i-th queued packet's place in the order of display, when rank shown packets were read before
 * it; -1 when too little was read to tell. */
static int64_t display_index(const QbvQueue *q, int i, int64_t rank)
{
    int last = i + QBV_MAX_REORDER;
    if (last >= q->n && !q->at_end)
        return -1;
    int64_t pts = packet_at(q, i)->pts;
    for (int k = i + 1; k <= last && k < q->n; k++)
        rank += is_shown(packet_at(q, k)) && packet_at(q, k)->pts < pts;
    return rank;
}

/* The last queued packet from which the frame of this rank can be decoded; 0: none but the first.
 */
static int find_start(QbVideoStream *s, int64_t wanted_rank)
{
    const QbvQueue *q = &s->queue;
    int found = 0;
    int64_t rank = q->n_before, last_pts = q->last_pts;
    for (int i = 0; i < q->n && rank <= wanted_rank; i++) {
        const AVPacket *packet = packet_at(q, i);
        if (packet->pts == AV_NOPTS_VALUE) {
            s->irregular = true;
            return 0;
        }
        if (av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, NULL))
            return found;
        if (is_shown(packet) && packet->pts > last_pts && can_start_at(s, packet)) {
            int64_t display = display_index(q, i, rank);
            if (display >= 0 && display <= wanted_rank)
                found = i;
        }
        rank += is_shown(packet);
        last_pts = packet->pts > last_pts ? packet->pts : last_pts;
    }
    return found;
}

void qbv_packets_skip_to(QbVideoStream *s, int64_t wanted)
{
    QbvQueue *q = &s->queue;
    /* The first frame is always decoded: times are counted from it. The frame in front of the
     * wanted one may be needed for deinterlacing. */
    if (!s->host.may_skip || s->irregular || !s->n_frames || wanted - s->n_frames < MIN_SKIPPED)
        return;
    int64_t wanted_rank = wanted - 1 + s->n_vanished;
    int64_t n_shown = 0;
    for (int i = 0; i < q->n; i++)
        n_shown += is_shown(packet_at(q, i));
    while (q->n < QBV_MAX_QUEUED && q->n_bytes < MAX_QUEUED_BYTES &&
           q->n_before + n_shown <= wanted_rank + QBV_MAX_REORDER && fill(s))
        n_shown += is_shown(packet_at(q, q->n - 1));
    int n_dropped = find_start(s, wanted_rank);
    int64_t rank = q->n_before;
    for (int i = 0; i < n_dropped; i++)
        rank += is_shown(packet_at(q, i));
    if (!n_dropped || rank - s->n_vanished - s->n_frames < MIN_SKIPPED)
        return;
    while (n_dropped--) {
        AVPacket *packet = qbv_packets_next(s);
        av_packet_free(&packet);
    }
    qbv_decode_restart(s, rank - s->n_vanished);
}
