/* watch_judge.h: the picture, or the two halves of one, that is judged next. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_WATCH_JUDGE_H
#define QBOOST_CLI_WATCH_JUDGE_H

#include "base/hash.h"
#include "input/follow.h"
#include "output/watch_report.h"
#include "run/watch_args.h"
#include "session/noise_picture.h"

/* What judges. */
typedef struct WatchJudge {
    const WatchArgs *args;
    WatchRun run;
    QbNoiseModel *model;       /* owned; NULL unless the way is "learned" */
    QbNoiseFeatures *features; /* owned; NULL unless it is "features" */
    int feature_width, feature_height;
    int threads;
} WatchJudge;

/* Opens what args name. Returns an exit code; failures are reported. */
int watch_judge_open(WatchJudge *out, const Command *command, const WatchArgs *args);
void watch_judge_close(WatchJudge *judge);

/* A picture that was read. */
typedef struct Watched {
    NoisePicture shown; /* what is judged: the picture, or the halves' mean */
    NoisePicture halves[2];
    int64_t samples;  /* by the headers, 0 = not told */
    Hash128 identity; /* of the pixels */
} Watched;

/* On failure *error is why: owned. */
QbStatus watch_read(Watched *out, char **error, const WatchJudge *judge, const Followed *files);
void watched_free(Watched *watched);

QbStatus watch_judge(QbNoiseReport *out, const WatchJudge *judge, const Watched *watched);

#endif
