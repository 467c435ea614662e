/* video_run.h: one run of `qboost video`, from checked command line to exit code. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_VIDEO_RUN_H
#define QBOOST_CLI_VIDEO_RUN_H

#include "input/input_counter.h"
#include "session/video_args.h"

typedef struct VideoArgs {
    ModelArgs model;
    PromptArgs prompt; /* its part about videos is --way */
    FramesArgs frames;
    const char *pool;
    const char *files_from, *format, *scale, *calibration, *color, *resume, *frames_out, *timeline;
    bool nul_separated, not_recursive, retry_failed, quiet;
    double fail_under; /* NAN = not given */
} VideoArgs;

/* Nothing is opened yet. Returns an exit code. */
int video_run(const Command *command, const VideoArgs *args, const InputsSpec *inputs_spec);

#endif
