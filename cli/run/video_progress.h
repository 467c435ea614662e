/* video_progress.h: how far a run over videos is, for the line on the terminal. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_VIDEO_PROGRESS_H
#define QBOOST_CLI_VIDEO_PROGRESS_H

#include "output/scale.h"

#include <pthread.h>
#include <qboost/video.h>

/* The video at hand. */
typedef struct VideoNow {
    char name[256]; /* without folders, cut; "" = none yet */
    int64_t number; /* of the video in the run, from 1 */
    int64_t n_frames, n_wanted;
    double time_s, duration_s;
    double score_sum;
    bool has_scores;
    double start_ms;
} VideoNow;

/* One thread tells, another one draws. */
typedef struct VideoProgress {
    pthread_mutex_t mutex;
    VideoNow now;
} VideoProgress;

void video_progress_init(VideoProgress *progress);
void video_progress_begin(VideoProgress *progress, int64_t number, const char *path,
                          const QbVideoInfo *info);
void video_progress_add(VideoProgress *progress, const QbFrame *frame, const QbScore *score);

/* n_videos: of the run, < 0 = not known. */
void video_progress_draw(VideoProgress *progress, const Scale *scale, int64_t n_videos);

#endif
