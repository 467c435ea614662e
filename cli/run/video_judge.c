/* video_judge.c: opens a video, has it scored, and collects what is known of it. */
// SPDX-License-Identifier: Apache-2.0
#include "run/video_judge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What on_frame needs. */
typedef struct Watch {
    const VideoJudge *judge;
    const Input *input;
    Timeline *timeline; /* or NULL */
    QbStatus status;    /* of the timeline */
    char *error;        /* why it failed; owned */
} Watch;

static bool on_frame(const QbFrame *frame, const QbScore *score, const QbImage *image, void *user)
{
    Watch *watch = user;
    if (watch->timeline && score)
        watch->status = timeline_add(watch->timeline, frame, score->score, image);
    if (watch->status != QB_OK) {
        watch->error = cli_strdup(qb_last_error());
        return false;
    }
    return watch->judge->on_frame(watch->input, frame, score, watch->judge->user);
}

static QbStatus open_video(QbVideo **out, const Input *input, const QbVideoOptions *options)
{
    if (input->is_stdin)
        return qb_video_open_fd(out, STDIN_FILENO, "standard input", options);
    return qb_video_open(out, input->path, options);
}

static QbStatus score(Judged *out, const VideoJudge *judge, const Input *input)
{
    Watch watch = {.judge = judge, .input = input, .timeline = out->timeline};
    QbVideoInfo info;
    QbVideoScoreOptions options;
    qb_video_score_options_init(&options);
    options.pool = judge->run->video->pool;
    options.on_frame = on_frame;
    options.user = &watch;
    qb_video_info(&info, out->video);
    judge->on_open(input, &info, judge->user);
    QbStatus status =
        qb_video_score(&out->score, out->video, judge->scorers->items, judge->scorers->n, &options);
    out->error = watch.error;
    return watch.error ? watch.status : status;
}

static void describe(Judged *out)
{
    QbVideoInfo info;
    int n = 0;
    qb_video_info(&info, out->video);
    for (; n < JUDGED_MOST_NOTES && qb_video_note(out->video, n); n++)
        out->notes[n] = qb_video_note(out->video, n);
    out->notes[n] = NULL;
    out->record.width = info.width;
    out->record.height = info.height;
    out->record.format = info.container;
    out->record.decode_ms = out->score.decode_ms;
    out->record.score = out->score.score;
    out->record.video = &out->result;
    out->result = (VideoResult){.codec = info.codec,
                                .fps = info.fps,
                                .duration_s = info.duration_s,
                                .rotation = info.rotation,
                                .n_frames = out->score.n_frames,
                                .partial = out->score.partial,
                                .damage = out->score.partial ? out->score.problem : NULL,
                                .notes = out->notes};
}

/* The library names its own fields. */
static char *with_option(const char *why, QbStatus status)
{
    Text text = {0};
    text_add(&text, why);
    if (status == QB_ERR_LIMIT && strstr(why, "max_pixels"))
        text_add(&text, "; raise it with --max-pixels");
    return text.data;
}

QbStatus video_judge(Judged *out, const VideoJudge *judge, const Input *input)
{
    QbStatus status = QB_ERR_IO;
    *out = (Judged){.record = {.path = input->path}};
    if (judge->with_timeline)
        out->timeline = timeline_new();
    if (input->error) {
        out->error = cli_strdup(input->error);
    } else {
        status = open_video(&out->video, input, judge->run->video->options);
        if (status == QB_OK)
            status = score(out, judge, input);
        if (status == QB_OK)
            describe(out);
        else if (!out->error)
            out->error = with_option(qb_last_error(), status);
    }
    if (status != QB_OK)
        out->record.error_kind = qb_status_name(status);
    out->record.error = out->error;
    return status;
}

void judged_free(Judged *judged)
{
    timeline_free(&judged->timeline);
    qb_video_close(&judged->video);
    free(judged->error);
    *judged = (Judged){0};
}
