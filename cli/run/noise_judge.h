/* noise_judge.h: one picture judged, in any of the ways that there are. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_JUDGE_H
#define QBOOST_CLI_NOISE_JUDGE_H

#include "output/noise_record.h"
#include "run/noise_run.h"
#include "session/noise_picture.h"

typedef struct NoiseJudge NoiseJudge;

/* A picture and all that was opened and found out about it. */
typedef struct NoiseJudged {
    NoiseRecord record;                /* what it points to is owned by this struct */
    NoisePicture picture, other, mean; /* other: a reference of its own, a second half */
    const NoisePicture *reference;     /* borrowed: other, or one for all pictures */
    const QbImage *shown;              /* borrowed: what was judged */
    QbNoiseReport report;
    NoiseMeasure measures[NOISE_MOST_METRICS];
    float *map; /* [height][width] of the map's metric, or NULL */
    char *error, *warning, *other_path;
    Text note;
} NoiseJudged;

/* Opens what the way of args needs and fills run, which is borrowed. Returns an exit code; failures
 * are reported. */
int noise_judge_open(NoiseJudge **out, NoiseRun *run, const Command *command,
                     const NoiseRunArgs *args);
void noise_judge_close(NoiseJudge **judge);

/* Index of the run's metric whose error is mapped, -1 = none. */
int noise_judge_mapped(const NoiseJudge *judge);

/* second: the other half where the way is by halves, else NULL. input must live as long as out,
 * which is freed also after a failure, whose reason is in its record. */
QbStatus noise_judge(NoiseJudged *out, const NoiseJudge *judge, const Input *input,
                     const Input *second);
void noise_judged_free(NoiseJudged *judged);

#endif
