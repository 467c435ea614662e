/* video_progress.c: "2/7 clip.mp4  frame 12/60  score 0.532  0:12/1:00  3.1/s  ETA 0:15". The score
 * is the mean of the frames so far. */
// SPDX-License-Identifier: Apache-2.0
#include "run/video_progress.h"

#include "base/progress.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void video_progress_init(VideoProgress *progress)
{
    *progress = (VideoProgress){0};
    pthread_mutex_init(&progress->mutex, NULL);
}

void video_progress_begin(VideoProgress *progress, int64_t number, const char *path,
                          const QbVideoInfo *info)
{
    const char *slash = strrchr(path, '/');
    VideoNow now = {.number = number,
                    .n_wanted = info->n_wanted,
                    .duration_s = info->duration_s,
                    .start_ms = clock_ms()};
    snprintf(now.name, sizeof now.name, "%s", slash ? slash + 1 : path);
    pthread_mutex_lock(&progress->mutex);
    progress->now = now;
    pthread_mutex_unlock(&progress->mutex);
}

void video_progress_add(VideoProgress *progress, const QbFrame *frame, const QbScore *score)
{
    pthread_mutex_lock(&progress->mutex);
    VideoNow *now = &progress->now;
    now->n_frames++;
    now->time_s = frame->time_s;
    now->has_scores = score != NULL;
    now->score_sum += score ? score->score : 0;
    pthread_mutex_unlock(&progress->mutex);
}

static void add_counts(Text *text, const VideoNow *now)
{
    text_addf(text, "frame %lld", (long long)now->n_frames);
    if (now->n_wanted >= now->n_frames)
        text_addf(text, "/%lld", (long long)now->n_wanted);
}

static void add_times(Text *text, const VideoNow *now)
{
    text_add_duration(text, now->time_s);
    if (now->duration_s >= now->time_s) {
        text_add(text, "/");
        text_add_duration(text, now->duration_s);
    }
}

static void add_speed(Text *text, const VideoNow *now)
{
    double seconds = (clock_ms() - now->start_ms) / 1e3;
    double rate = seconds > 0 ? (double)now->n_frames / seconds : 0;
    text_addf(text, rate >= 0.1 || now->n_frames == 0 ? "%.1f/s" : "%.3f/s", rate);
    if (now->n_wanted >= now->n_frames && now->n_frames > 0) {
        text_add(text, "  ETA ");
        text_add_duration(text, (double)(now->n_wanted - now->n_frames) / rate);
    }
}

void video_progress_draw(VideoProgress *progress, const Scale *scale, int64_t n_videos)
{
    enum { NAME, COUNTS, SCORE, TIMES, SPEED, N_PARTS };
    Text texts[N_PARTS] = {{0}};
    const char *parts[N_PARTS];
    int n = 0;
    pthread_mutex_lock(&progress->mutex);
    const VideoNow now = progress->now;
    pthread_mutex_unlock(&progress->mutex);
    if (!*now.name)
        return;
    text_addf(&texts[NAME], "%lld", (long long)now.number);
    if (n_videos >= now.number)
        text_addf(&texts[NAME], "/%lld", (long long)n_videos);
    text_addf(&texts[NAME], " %s", now.name);
    add_counts(&texts[COUNTS], &now);
    if (now.has_scores)
        text_addf(&texts[SCORE], "score %.3f",
                  scale_apply(scale, now.score_sum / (double)now.n_frames));
    add_times(&texts[TIMES], &now);
    add_speed(&texts[SPEED], &now);
    for (int i = 0; i < N_PARTS; i++)
        if (texts[i].data)
            parts[n++] = texts[i].data;
    double fraction = now.n_wanted > 0 ? (double)now.n_frames / (double)now.n_wanted : -1;
    progress_update_parts(fraction, parts, n);
    for (int i = 0; i < N_PARTS; i++)
        text_free(&texts[i]);
}
