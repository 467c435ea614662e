/* video_args.h: the options about videos: which frames are taken, how they become one score. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_VIDEO_ARGS_H
#define QBOOST_CLI_VIDEO_ARGS_H

#include "session/model_args.h"

typedef struct FramesArgs {
    double fps;            /* NAN = not given */
    int64_t frames, every; /* 0 = not given */
    const char *decode;
    int64_t max_pixels;
} FramesArgs;

extern const char *pool_choices[]; /* NULL-terminated */
extern char pool_help[];
extern const char *const way_choices[];

/* Asks the library what there is; before options are parsed or shown. */
void video_args_init(void);

// clang-format off
#define FRAMES_OPTIONS(Args, member) \
    {.name = "fps", .type = OPTION_NUMBER, .metavar = "R", .min = 1e-6, .max = 1e6, \
     .offset = offsetof(Args, member.fps), \
     .help = "take R frames a second of video (default: 1)"}, \
    {.name = "frames", .type = OPTION_COUNT, .metavar = "N", .min = 1, \
     .offset = offsetof(Args, member.frames), \
     .help = "take N frames in all, from the middle of N equal parts; not from a pipe"}, \
    {.name = "every", .type = OPTION_COUNT, .metavar = "N", .min = 1, \
     .offset = offsetof(Args, member.every), \
     .help = "take every Nth frame; 1 = all of them"}, \
    {.name = "decode", .type = OPTION_CHOICE, .metavar = "MODE", .choices = decode_choices, \
     .offset = offsetof(Args, member.decode), .standard = "auto", \
     .help = "managed: as a player shows it; upstream: as the models' authors read it, without turning or " \
             "deinterlacing; auto: what the model asks for (default: auto)"}, \
    {.name = "max-pixels", .type = OPTION_COUNT, .metavar = "N", .min = 1, \
     .offset = offsetof(Args, member.max_pixels), .standard = "268435456", \
     .help = "refuse videos whose frames have more pixels; k, M, G may follow (default: 268435456)"}
// clang-format on

/* CLI_OK or, explained on stderr, CLI_USAGE: --fps, --frames and --every exclude each other. */
int session_check_frames(const Command *command, const FramesArgs *args);

/* Options for videos that go to model and are decoded by so many threads. */
void session_video_options(QbVideoOptions *out, const FramesArgs *args, const QbModel *model,
                           int threads);

/* After session_describe: video is borrowed, and run->settings covers it from here on. */
void session_describe_video(RunInfo *run, const VideoRun *video);

#endif
