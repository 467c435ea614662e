/* decode.c: frames out of packets, counted in the order of display.
 *
 * A frame's index is the number of frames that were shown before it. Frames that could not be
 * decoded count: when a frame comes out while packets that should have been shown before it are
 * still waiting for theirs, and the decoder has complained, those frames are lost. Packets that
 * vanish without a complaint were never to be shown (pictures before the first key frame, second
 * fields) and do not count. */
// SPDX-License-Identifier: Apache-2.0
#include "video/modules/ffmpeg/stream.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DRAIN_FAILURES = 256 };

void qbv_decode_restart(QbVideoStream *s, int64_t n_frames)
{
    /* A new decoder instead of avcodec_flush_buffers: with threads, H.264's calls sound frames
     * corrupt after that (5.1). */
    if (!qbv_decoder_renew(s))
        avcodec_flush_buffers(s->codec);
    av_frame_unref(s->frame);
    av_frame_unref(s->previous);
    av_frame_unref(s->decoded);
    s->has_decoded = false;
    s->n_pending = 0;
    s->n_failed = 0;
    s->n_frames = n_frames;
    s->just_skipped = true;
}

/* ---- counting -------------------------------------------------------------------------------- */

static void add_pending(QbVideoStream *s, const AVPacket *packet)
{
    if (packet->pts == AV_NOPTS_VALUE) {
        s->irregular = true;
        return;
    }
    if (s->n_pending == QBV_MAX_PENDING) /* a decoder that swallows packets: the oldest is gone */
        memmove(s->pending, s->pending + 1, --s->n_pending * sizeof *s->pending);
    s->pending[s->n_pending++] = (QbvPending){
        .pts = packet->pts,
        .hidden = packet->flags & AV_PKT_FLAG_DISCARD,
        .corrupt = packet->flags & AV_PKT_FLAG_CORRUPT,
    };
}

/* Counts n packets without a frame of their own: lost, or never to be shown. */
static void count_missing(QbVideoStream *s, int64_t n)
{
    int64_t lost = s->just_skipped ? n : n < s->n_failed ? n : s->n_failed;
    if (!s->just_skipped) {
        s->n_failed -= lost;
        s->irregular = s->irregular || (n > lost && s->n_frames);
        s->n_vanished += n - lost;
    }
    s->n_frames += lost;
}

/* Takes what is shown up to pts off the list; own: the entry of pts itself. */
static void settle(QbVideoStream *s, int64_t pts, QbvPending *own, int64_t *n_missing)
{
    int n_kept = 0;
    *own = (QbvPending){.pts = AV_NOPTS_VALUE};
    *n_missing = 0;
    for (int i = 0; i < s->n_pending; i++) {
        const QbvPending *p = &s->pending[i];
        if (p->pts == pts && own->pts == AV_NOPTS_VALUE)
            *own = *p;
        else if (p->pts < pts)
            *n_missing += !p->hidden;
        else
            s->pending[n_kept++] = *p;
    }
    s->n_pending = n_kept;
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* Gives the decoder the next packet, or the news that there is none. */
static void feed(QbVideoStream *s)
{
    AVPacket *packet = qbv_packets_next(s);
    if (!packet) {
        avcodec_send_packet(s->codec, NULL);
        s->draining = true;
        return;
    }
    add_pending(s, packet);
    int code = avcodec_send_packet(s->codec, packet);
    if (code < 0 && code != AVERROR(EAGAIN)) {
        s->n_failed++;
        s->n_bad++;
    }
    av_packet_free(&packet);
}

/* The next frame that comes out, of whatever sort; false at the end. */
static bool receive(QbVideoStream *s, AVFrame *frame)
{
    int n_failures = 0;
    for (;;) {
        int code = avcodec_receive_frame(s->codec, frame);
        if (code >= 0)
            return true;
        if (code == AVERROR_EOF || (s->draining && code == AVERROR(EAGAIN)))
            return false;
        if (code == AVERROR(EAGAIN)) {
            feed(s);
            continue;
        }
        s->n_failed++;
        s->n_bad++;
        if (s->draining && ++n_failures > MAX_DRAIN_FAILURES)
            return false;
    }
}

/* The next shown frame into frame, with its index; false at the end. */
static bool next_shown(QbVideoStream *s, AVFrame *frame, int64_t *index)
{
    QbvPending own;
    int64_t n_missing;
    do {
        if (!receive(s, frame)) {
            settle(s, INT64_MAX, &own, &n_missing);
            count_missing(s, n_missing);
            return false;
        }
        int64_t pts = frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp;
        settle(s, pts, &own, &n_missing);
        s->irregular = s->irregular || own.pts == AV_NOPTS_VALUE;
        count_missing(s, n_missing);
    } while (own.hidden || frame->flags & AV_FRAME_FLAG_DISCARD);
    s->just_skipped = false;
    if (own.corrupt)
        frame->flags |= AV_FRAME_FLAG_CORRUPT;
    if (frame->flags & AV_FRAME_FLAG_CORRUPT || frame->decode_error_flags) {
        frame->flags |= AV_FRAME_FLAG_CORRUPT;
        s->n_bad++;
    }
    if (s->first_pts == AV_NOPTS_VALUE)
        s->first_pts = frame->best_effort_timestamp;
    if (!s->peak)
        qbv_learn_peak(s, frame);
    *index = s->n_frames++;
    return true;
}

bool qbv_peek(QbVideoStream *s)
{
    if (!s->has_decoded && !s->at_end) {
        s->has_decoded = next_shown(s, s->decoded, &s->decoded_index);
        s->at_end = !s->has_decoded;
    }
    return s->has_decoded;
}

/* Moves one frame on: frame becomes previous, the next one frame. */
static void step(QbVideoStream *s)
{
    av_frame_unref(s->previous);
    av_frame_move_ref(s->previous, s->frame);
    if (s->has_decoded) {
        av_frame_move_ref(s->frame, s->decoded);
        s->index = s->decoded_index;
        s->has_decoded = false;
    } else if (!s->at_end) {
        s->at_end = !next_shown(s, s->frame, &s->index);
    }
}

static QbStatus check_frame(QbVideoStream *s)
{
    const AVFrame *f = s->frame;
    if (f->width < 1 || f->height < 1 || (int64_t)f->width * f->height > s->host.max_pixels)
        return qbv_fail(s, QB_ERR_LIMIT,
                        "a frame of %d x %d pixels, the limit is %lld pixels (max_pixels)",
                        f->width, f->height, (long long)s->host.max_pixels);
    return QB_OK;
}

QbStatus qbv_advance(QbVideoFound *out, QbVideoStream *s, int64_t wanted)
{
    const int64_t farthest = INT64_MAX / 4; /* no video is longer, and sums stay within range */
    wanted = wanted < farthest ? wanted : farthest;
    bool is_there = s->frame->buf[0] && s->index >= wanted;
    while (!is_there && !(s->at_end && !s->has_decoded)) {
        qbv_packets_skip_to(s, wanted);
        step(s);
        is_there =
            s->frame->buf[0] && s->index >= wanted && !(s->frame->flags & AV_FRAME_FLAG_CORRUPT);
    }
    *out = (QbVideoFound){.at_end = !is_there, .n_frames = s->n_frames};
    if (!is_there)
        return QB_OK;
    QbvTurn turn = qbv_turn_of(s, s->frame);
    out->index = s->index;
    out->width = turn.transposes ? s->frame->height : s->frame->width;
    out->height = turn.transposes ? s->frame->width : s->frame->height;
    int64_t pts = s->frame->best_effort_timestamp;
    out->time_s = pts != AV_NOPTS_VALUE && s->first_pts != AV_NOPTS_VALUE
                      ? ((double)pts - (double)s->first_pts) * av_q2d(s->stream->time_base)
                      : (double)s->index / s->fps;
    return check_frame(s);
}

/* ---- damage ---------------------------------------------------------------------------------- */

const char *qbv_damage(QbVideoStream *s)
{
    double stated = s->format->duration > 0 ? (double)s->format->duration / AV_TIME_BASE : NAN;
    /* The last frame's duration may be missing, and stated ones are rounded. */
    double tolerance = fmin(1, 0.05 * stated + 2 / s->fps);
    bool is_short = s->queue.at_end && s->last_end_s + tolerance < stated &&
                    s->format->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE;
    int n = 0;
    s->damage[0] = 0;
    if (is_short)
        n = snprintf(s->damage, sizeof s->damage, "ends at %.1f s of %.1f s", s->last_end_s,
                     stated);
    else if (s->queue.failed)
        n = snprintf(s->damage, sizeof s->damage, "parts of it cannot be read");
    if (s->n_bad)
        snprintf(s->damage + n, sizeof s->damage - (size_t)n, "%s%lld damaged packet%s",
                 n ? "; " : "", (long long)s->n_bad, s->n_bad == 1 ? "" : "s");
    return s->damage[0] ? s->damage : NULL;
}
