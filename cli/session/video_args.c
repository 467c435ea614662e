/* video_args.c: from the options about videos to the library's, and to the hash of settings. */
// SPDX-License-Identifier: Apache-2.0
#include "session/video_args.h"

#include "base/hash.h"
#include "options/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *pool_choices[17];
char pool_help[2048];
const char *const way_choices[] = {"auto", "frames", "clip", NULL};

void video_args_init(void)
{
    size_t used =
        (size_t)snprintf(pool_help, sizeof pool_help,
                         "how the frames become one score (default: %s)", qb_pool_name(0));
    for (int i = 0; i < 16 && qb_pool_name(i); i++) {
        pool_choices[i] = qb_pool_name(i);
        if (used < sizeof pool_help)
            used += (size_t)snprintf(pool_help + used, sizeof pool_help - used, "\n%s: %s",
                                     qb_pool_name(i), qb_pool_help(i));
    }
}

int session_check_frames(const Command *command, const FramesArgs *args)
{
    int n = !isnan(args->fps) + (args->frames > 0) + (args->every > 0);
    if (n > 1)
        return usage_error(command, "--fps, --frames and --every exclude each other");
    return CLI_OK;
}

void session_video_options(QbVideoOptions *out, const FramesArgs *args, const QbModel *model,
                           int threads)
{
    qb_video_options_init(out);
    if (args->frames > 0) {
        out->sampling = QB_SAMPLE_COUNT;
        out->count = args->frames;
    } else if (args->every > 0) {
        out->sampling = QB_SAMPLE_EVERY;
        out->every = args->every;
    } else if (!isnan(args->fps)) {
        out->rate = args->fps;
    }
    out->decode = session_decode(args->decode, model);
    out->threads = threads;
    out->max_pixels = args->max_pixels;
}

void session_describe_video(RunInfo *run, const VideoRun *video)
{
    const QbVideoOptions *options = video->options;
    double amount = options->sampling == QB_SAMPLE_RATE    ? options->rate
                    : options->sampling == QB_SAMPLE_COUNT ? (double)options->count
                                                           : (double)options->every;
    Hash128 hash = hash128_add_text(hash128_start, run->settings);
    hash = hash128_add_text(hash, video->pool);
    hash = hash128_add_text(hash, qb_scorer_video(run->scorer));
    hash = hash128_add_number(hash, options->sampling);
    hash = hash128_add_number(hash, amount);
    run->video = video;
    hash128_format(run->settings, hash);
}
