/* video.h: frames out of videos, and a score for a video.
 *
 * Containers and codecs are FFmpeg's, in a module that is loaded when the first video is opened. A
 * QbVideo is read once, front to back, in memory that does not grow with its length; one thread at
 * a time may use it. Files come from strangers: nothing but the one file is ever opened. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_VIDEO_H
#define QBOOST_VIDEO_H

#include <qboost/scorer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QbVideo QbVideo;

/* Which frames are taken. N: frames of the video, fps: the container's average rate. */
typedef enum QbSampling {
    /* rate frames a second: index int(fps / rate * i) for i < int(N * rate / fps); where that is
     * none, frame 0. With rate 1 these are the frames of Q-Instruct's and Q-Align's evaluation. */
    QB_SAMPLE_RATE = 0,
    QB_SAMPLE_COUNT, /* the middle of each of count equal parts: int((2 i + 1) N / (2 count)) */
    QB_SAMPLE_EVERY  /* 0, every, 2 every, … */
} QbSampling;

typedef struct QbVideoOptions {
    size_t size; /* set by qb_video_options_init */
    QbSampling sampling;
    double rate;        /* > 0; default 1 */
    int64_t count;      /* >= 1; all frames when the video has fewer. Not for a pipe */
    int64_t every;      /* >= 1 */
    QbDecode decode;    /* default QB_DECODE_AUTO = managed; docs/formats.md has the difference */
    int threads;        /* of the decoder; 0 = all CPUs. Frames do not depend on it */
    int64_t max_pixels; /* of a frame; default as for pictures */
} QbVideoOptions;

QB_API void qb_video_options_init(QbVideoOptions *options);

/* *out: owned by the caller, closed by qb_video_close; NULL on failure. A file without a video that
 * can be decoded is QB_ERR_FORMAT or QB_ERR_UNSUPPORTED. */
QB_API QbStatus qb_video_open(QbVideo **out, const char *path, const QbVideoOptions *options);

/* From a file descriptor, which may be a pipe; borrowed until the video is closed. name: for error
 * texts. A pipe is read as it comes, but for MP4 and MOV with their index at the end: those go into
 * a temporary file first (in TMPDIR, else /tmp). */
QB_API QbStatus qb_video_open_fd(QbVideo **out, int fd, const char *name,
                                 const QbVideoOptions *options);

/* Accepts NULL and pointers to NULL; sets *video to NULL. */
QB_API void qb_video_close(QbVideo **video);

typedef struct QbFrame {
    int64_t index; /* counted from 0 in the order of display */
    double time_s; /* its presentation time, from the first frame's */
} QbFrame;

/* The next frame that is taken. At the end *out is NULL and QB_OK comes back. *out: owned by the
 * caller, freed by qb_image_free. Damage on the way is skipped and remembered (qb_video_damage); a
 * failure here is one that leaves nothing to go on with. */
QB_API QbStatus qb_video_next(QbImage **out, QbFrame *frame, QbVideo *video);

typedef struct QbVideoInfo {
    int width, height; /* as shown: after rotation and with square pixels ignored */
    const char *container, *codec, *pixel_format; /* FFmpeg's short names */
    double fps;                                   /* the container's average */
    double duration_s;                            /* NAN = not known */
    int64_t n_frames;                             /* -1 = not known (yet) */
    int64_t n_wanted; /* frames that will be taken; -1 = not known. An estimate for progress */
    int rotation;     /* applied, degrees clockwise: 0, 90, 180, 270 */
} QbVideoInfo;

/* Texts are borrowed from video. */
QB_API void qb_video_info(QbVideoInfo *out, const QbVideo *video);

/* What was done to the frames that a viewer should know ("HDR (PQ) tone-mapped …", "deinterlaced"),
 * a sentence each; NULL past the last one. Complete once the first frame is there. Borrowed. */
QB_API const char *qb_video_note(const QbVideo *video, int index);

/* NULL, or a sentence about what could not be read or decoded so far. Borrowed until the next call
 * on video. */
QB_API const char *qb_video_damage(const QbVideo *video);

/* ---- a score for a video --------------------------------------------------------------------- */

/* How frames become one score; NULL past the last one. "logits", the published way and the first of
 * the list, averages each word's logit over the frames and scores the means; the others pool the
 * scores of the frames (src/score/pool_list.c has the formulas). */
QB_API const char *qb_pool_name(int index);
QB_API const char *qb_pool_help(int index);

/* Pools scores[n_frames] (n_frames >= 1, each 0..1); pool: a name but "logits". */
QB_API QbStatus qb_pool_scores(double *out, const char *pool, const double *scores,
                               int64_t n_frames);

typedef struct QbFrameScore {
    QbFrame frame;
    QbScore score;
} QbFrameScore;

typedef struct QbVideoScoreOptions {
    size_t size;      /* set by qb_video_score_options_init */
    const char *pool; /* a name of qb_pool_name; default "logits". "clip" scorers take no other */
    /* Called for each frame in order, on the calling thread, as soon as it and those before it are
     * scored; score is NULL for a "clip" scorer, which judges all frames together. image is
     * borrowed for the call, and the video may not be used in it. False ends the run with
     * QB_ERR_CANCELLED. */
    bool (*on_frame)(const QbFrame *frame, const QbScore *score, const QbImage *image, void *user);
    void *user;
} QbVideoScoreOptions;

QB_API void qb_video_score_options_init(QbVideoScoreOptions *options);

typedef struct QbVideoScore {
    /* score: pooled. Of the mean logits: logit, probability and entropy, with "logits" the score as
     * well. Times are sums over the frames. */
    QbScore score;
    int64_t n_frames;
    bool partial; /* the stream broke: the score is of the frames before and after the damage */
    char problem[512]; /* what broke, a sentence; "" unless partial */
    double decode_ms;  /* of the thread that decodes, beside the scoring */
} QbVideoScore;

/* Reads video to its end. scorers[n_scorers] were made alike with options.video; each works on
 * frames of its own while the next ones are decoded, and the score does not depend on how many
 * there are. A video that breaks before its first frame is an error, later on it is partial. */
QB_API QbStatus qb_video_score(QbVideoScore *out, QbVideo *video, QbScorer *const *scorers,
                               int n_scorers, const QbVideoScoreOptions *options);

#ifdef __cplusplus
}
#endif
#endif
