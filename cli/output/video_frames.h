/* video_frames.h: a file with a row for each frame, written as frames are judged. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_VIDEO_FRAMES_H
#define QBOOST_CLI_VIDEO_FRAMES_H

#include "options/command.h"
#include "output/output.h"

typedef struct VideoFrames VideoFrames;

/* true when the name ends in .csv or .jsonl. */
bool video_frames_takes(const char *file);

/* Empties or makes the file, and heads it. Returns an exit code; failures are reported. file and
 * run: borrowed. */
int video_frames_open(VideoFrames **out, const char *file, const RunInfo *run);
void video_frames_close(VideoFrames **frames);

/* Writes a whole row at once. score: NULL when frames are not judged one by one. false: reported.
 */
bool video_frames_add(VideoFrames *frames, const char *path, const QbFrame *frame,
                      const QbScore *score);

#endif
