/* timeline.h: a picture of a video's score over time, its worst frames below.
 *
 * Memory does not grow with the video: neighbouring frames are merged to spans of time when there
 * are more than a picture can show, and of the pictures only the worst ones are kept, small. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TIMELINE_H
#define QBOOST_CLI_TIMELINE_H

#include "output/output.h"

enum { TIMELINE_WORST = 5, TIMELINE_SPANS = 1024 };

/* Frames that follow each other: one, or 2, 4, 8 … merged. */
typedef struct TimelineSpan {
    double time_s; /* mean of the frames' */
    double lowest, highest, mean;
    int64_t n;
} TimelineSpan;

typedef struct TimelineFrame {
    double time_s, score;
    QbImage *thumbnail; /* owned */
} TimelineFrame;

typedef struct Timeline {
    TimelineSpan spans[TIMELINE_SPANS];
    int n_spans;
    int64_t span_frames;                 /* that make a full span */
    double end_s;                        /* time of the last frame */
    TimelineFrame worst[TIMELINE_WORST]; /* by time */
    int n_worst;
} Timeline;

Timeline *timeline_new(void);
void timeline_free(Timeline **timeline);

/* The next frame in order of display and its score, 0..1. Returns the library's status. */
QbStatus timeline_add(Timeline *timeline, const QbFrame *frame, double score, const QbImage *image);

/* Draws at least one frame; file: a name that canvas_takes. Returns an exit code; failures are
 * reported. */
int timeline_write(const Timeline *timeline, const RunInfo *run, const Record *record,
                   const char *file);

#endif
