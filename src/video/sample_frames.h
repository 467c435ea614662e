/* sample_frames.h: which frames of a video are taken (the rules of <qboost/video.h>). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_VIDEO_SAMPLE_FRAMES_H
#define QB_VIDEO_SAMPLE_FRAMES_H

#include <qboost/video.h>

typedef struct QbSampler {
    QbSampling sampling;
    double step;      /* RATE: frames from one that is taken to the next, >= 1 */
    int64_t count;    /* COUNT */
    int64_t n_frames; /* COUNT: of the video */
    int64_t every;    /* EVERY */
} QbSampler;

/* Past the last index there can be. */
#define QB_SAMPLE_NONE INT64_MAX

/* options are valid; fps: > 0 where RATE is asked for; n_frames: >= 1 for COUNT. */
void qb_sampler_init(QbSampler *out, const QbVideoOptions *options, double fps, int64_t n_frames);

/* Index of the i-th frame that is taken, QB_SAMPLE_NONE past the last one. Grows with i. RATE and
 * EVERY do not know the last one. */
int64_t qb_sampler_index(const QbSampler *sampler, int64_t i);

/* How many frames the video must have for the i-th to be taken: at most index(i + 1) + 1. */
int64_t qb_sampler_needs(const QbSampler *sampler, int64_t i);

/* How many are taken of a video of n_frames; at least 1 where there is a frame at all. */
int64_t qb_sampler_total(const QbSampler *sampler, int64_t n_frames);

#endif
