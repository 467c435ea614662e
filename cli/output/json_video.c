/* json_video.c: what JSON says of videos and of their frames beyond what it says of pictures. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json.h"
#include "output/json_parts.h"

const char *json_record_schema(const RunInfo *run)
{
    return run->video ? JSON_VIDEO_SCHEMA : JSON_SCORE_SCHEMA;
}

void json_put_video(json_t *object, const Record *record)
{
    const VideoResult *video = record->video;
    json_t *notes = json_array();
    for (const char *const *note = video->notes; *note; note++)
        json_array_append_new(notes, json_text(*note));
    json_put(object, "container", json_text(record->format));
    json_put(object, "codec", json_text(video->codec));
    json_put(object, "fps", json_finite(video->fps));
    json_put(object, "duration_s", json_finite(video->duration_s));
    json_put(object, "rotation", json_integer(video->rotation));
    json_put(object, "frames", json_integer(video->n_frames));
    json_put(object, "partial", json_boolean(video->partial));
    if (video->damage)
        json_put(object, "damage", json_text(video->damage));
    json_put(object, "notes", notes);
    if (video->timeline)
        json_put(object, "timeline", json_text(video->timeline));
}

/* {"fps": 1}, {"frames": 8} or {"every": 30}: the option that asks for it. */
static json_t *sampling(const QbVideoOptions *options)
{
    json_t *object = json_object();
    switch (options->sampling) {
    case QB_SAMPLE_RATE:
        json_put(object, "fps", json_finite(options->rate));
        break;
    case QB_SAMPLE_COUNT:
        json_put(object, "frames", json_integer(options->count));
        break;
    case QB_SAMPLE_EVERY:
        json_put(object, "every", json_integer(options->every));
        break;
    }
    return object;
}

void json_put_video_run(json_t *object, const RunInfo *run)
{
    json_put(object, "pool", json_text(run->video->pool));
    json_put(object, "way", json_text(qb_scorer_video(run->scorer)));
    json_put(object, "sampling", sampling(run->video->options));
}

void json_add_frame(Text *out, const RunInfo *run, const char *path, const QbFrame *frame,
                    const QbScore *score)
{
    json_t *object = json_object();
    json_put(object, "schema", json_string("qboost.frame/1"));
    json_put_path(object, path);
    json_put(object, "index", json_integer(frame->index));
    json_put(object, "time_s", json_finite(frame->time_s));
    if (score) {
        json_put(object, "score", json_finite(scale_apply(run->scale, score->score)));
        json_put(object, "scale", json_string(run->scale->name));
        json_put_tones(object, run, score);
        json_put(object, "entropy", json_finite(score->entropy));
        json_put(object, "logits", json_logits(run, score));
    }
    json_add_object(out, object);
    text_add_char(out, '\n');
}
