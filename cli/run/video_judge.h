/* video_judge.h: one video, from its name to its record. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_VIDEO_JUDGE_H
#define QBOOST_CLI_VIDEO_JUDGE_H

#include "input/inputs.h"
#include "output/timeline.h"
#include "run/scorers.h"

enum { JUDGED_MOST_NOTES = 15 };

typedef struct VideoJudge {
    const Scorers *scorers;
    const RunInfo *run; /* with its part about videos */
    bool with_timeline;

    /* The video is open; then each frame in order, score NULL when frames are not judged one by
     * one. false ends the video with QB_ERR_CANCELLED. */
    void (*on_open)(const Input *input, const QbVideoInfo *info, void *user);
    bool (*on_frame)(const Input *input, const QbFrame *frame, const QbScore *score, void *user);
    void *user;
} VideoJudge;

/* Texts of the record are borrowed from here and from input. */
typedef struct Judged {
    Record record;
    VideoResult result;
    QbVideoScore score;
    const char *notes[JUDGED_MOST_NOTES + 1];
    QbVideo *video;
    Timeline *timeline; /* NULL without, or without a frame */
    char *error;
} Judged;

/* Always to be freed. The status is also in the record, as an error. */
QbStatus video_judge(Judged *out, const VideoJudge *judge, const Input *input);
void judged_free(Judged *judged);

#endif
