/* stream.h: one video inside the FFmpeg module, and what its files offer each other. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_VIDEO_MODULES_FFMPEG_STREAM_H
#define QB_VIDEO_MODULES_FFMPEG_STREAM_H

#include "video/module.h"

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

enum {
    QBV_MAX_QUEUED = 1024, /* packets read ahead */
    QBV_MAX_PENDING = 256, /* packets that the decoder has and whose frame is to come */
    QBV_MAX_REORDER = 32   /* frames that may be displayed before one decoded earlier: H.264 and
                              HEVC allow 16 */
};

/* A packet of the video whose frame has not come out of the decoder. */
typedef struct QbvPending {
    int64_t pts;
    bool hidden;  /* the container says not to show it (edit lists) */
    bool corrupt; /* the demuxer says it is damaged */
} QbvPending;

/* packets.c: packets read ahead, in the order of decoding. */
typedef struct QbvQueue {
    AVPacket *packets[QBV_MAX_QUEUED]; /* a ring, owned */
    int first, n;
    int64_t n_bytes;
    bool at_end;
    int64_t n_before; /* shown packets read before packets[first] */
    int64_t last_pts; /* the largest of those */
    int n_failures;   /* of reading, one after the other */
    bool failed;      /* reading ended by a failure */
} QbvQueue;

/* The turn that a video's display matrix asks for: first transposed, then flipped. */
typedef struct QbvTurn {
    bool transposes, flips_x, flips_y;
    int degrees; /* clockwise */
} QbvTurn;

typedef struct QbvTone QbvTone; /* hdr.c */

struct QbVideoStream {
    QbVideoHost host;
    /* input.c */
    AVIOContext *io;
    AVFormatContext *format;
    AVStream *stream; /* borrowed from format */
    AVCodecContext *codec;
    char container[24];      /* one short name */
    double fps;              /* NAN = not known */
    double duration_s;       /* NAN = not known */
    int64_t n_frames_stated; /* by the container; -1 = not at all */
    /* packets.c */
    QbvQueue queue;
    bool irregular; /* packets and frames do not match one to one: nothing may be skipped */
    /* decode.c */
    QbvPending pending[QBV_MAX_PENDING];
    int n_pending;
    AVFrame *frame;    /* the current one; unreferenced = none */
    AVFrame *previous; /* the one shown before it */
    AVFrame *decoded;  /* the next one, when it was needed already */
    bool has_decoded;
    int64_t index, decoded_index; /* of frame and of decoded */
    int64_t n_frames;             /* shown so far, damaged ones included */
    int64_t first_pts;
    bool just_skipped; /* no frame came out since */
    bool draining, at_end;
    int64_t n_failed;   /* packets that the decoder refused and no frame is missed for yet */
    int64_t n_vanished; /* packets that became no frame, without a failure */
    int64_t n_bad;      /* packets and frames that were damaged */
    double last_end_s;  /* where the packets so far end; NAN = not known */
    char damage[160];
    /* picture.c */
    struct SwsContext *scaler;
    AVFrame *rgb;
    /* deinterlace.c */
    AVFrame *progressive;
    /* hdr.c */
    QbvTone *tone; /* owned; NULL until it is needed */
    double peak;   /* cd/m2, where PQ content ends */
};

QbStatus qbv_fail(QbVideoStream *s, QbStatus status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Tells the viewer what was done to frames. */
void qbv_note(QbVideoStream *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* input.c */
QbStatus qbv_input_open(QbVideoStream *s);
void qbv_input_close(QbVideoStream *s);
QbStatus qbv_input_count(int64_t *out, QbVideoStream *s);
/* A decoder that knows nothing of the past; false: the old one is left. */
bool qbv_decoder_renew(QbVideoStream *s);

/* packets.c */

/* The next packet of the video, owned by the caller; NULL at the end or when memory ran out. */
AVPacket *qbv_packets_next(QbVideoStream *s);
/* Leaves out packets that no frame from wanted on needs, if that saves work. */
void qbv_packets_skip_to(QbVideoStream *s, int64_t wanted);
void qbv_packets_clear(QbVideoStream *s);

/* decode.c */
QbStatus qbv_advance(QbVideoFound *out, QbVideoStream *s, int64_t wanted);
const char *qbv_damage(QbVideoStream *s);
/* Whether there is a frame behind the current one, which is then in decoded. */
bool qbv_peek(QbVideoStream *s);
/* Forgets what the decoder has; n_frames were passed by. */
void qbv_decode_restart(QbVideoStream *s, int64_t n_frames);

/* picture.c; frame: may have a matrix of its own, or NULL */
QbvTurn qbv_turn_of(const QbVideoStream *s, const AVFrame *frame);
bool qbv_is_full_range(const QbVideoStream *s, const AVFrame *frame);
QbStatus qbv_picture_pixels(uint8_t *rgb, QbVideoStream *s);
void qbv_picture_deinit(QbVideoStream *s);

/* deinterlace.c */
bool qbv_needs_deinterlacing(const QbVideoStream *s, const AVFrame *frame);
/* The current frame into progressive. */
QbStatus qbv_deinterlace(QbVideoStream *s);

/* hdr.c */
bool qbv_is_hdr(const AVFrame *frame);
/* Whether frame has to be brought to SDR BT.709. */
bool qbv_needs_tone(const QbVideoStream *s, const AVFrame *frame);
/* From the video's first frame, so that the others do not depend on where reading went on. */
void qbv_learn_peak(QbVideoStream *s, const AVFrame *frame);
/* s->rgb, 16-bit RGB made from frame, to 8 bits in its place. */
QbStatus qbv_tone_apply(QbVideoStream *s, const AVFrame *frame);

#endif
