/* json_write.c: records and model descriptions as JSON. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json.h"
#include "output/json_parts.h"

static json_t *phases(const Record *record)
{
    json_t *ms = json_object();
    json_put(ms, "decode", json_milliseconds(record->decode_ms));
    json_put(ms, "preprocess", json_milliseconds(record->score.preprocess_ms));
    json_put(ms, "vision", json_milliseconds(record->score.vision_ms));
    json_put(ms, "prefill", json_milliseconds(record->score.prefill_ms));
    json_put(ms, "total", json_milliseconds(record->decode_ms + record->score.total_ms));
    return ms;
}

static json_t *record_object(const RunInfo *run, const Record *record)
{
    json_t *object = json_object();
    json_put(object, "schema", json_string(json_record_schema(run)));
    json_put_path(object, record->path);
    if (record->error) {
        json_put(object, "error", json_text(record->error));
        json_put(object, "error_kind", json_text(record->error_kind));
    } else {
        json_put(object, "width", json_integer(record->width));
        json_put(object, "height", json_integer(record->height));
        if (record->video)
            json_put_video(object, record);
        else
            json_put(object, "format", json_text(record->format));
        json_put(object, "score", json_finite(scale_apply(run->scale, record->score.score)));
        json_put(object, "scale", json_string(run->scale->name));
        json_put_tones(object, run, &record->score);
        json_put(object, "entropy", json_finite(record->score.entropy));
        json_put(object, "logits", json_logits(run, &record->score));
        json_put(object, "ms", phases(record));
    }
    if (run->video)
        json_put_video_run(object, run);
    json_put_run(object, run);
    return object;
}

static void record_line(Text *out, const RunInfo *run, const Record *record, int64_t index)
{
    (void)index;
    json_add_object(out, record_object(run, record));
    text_add_char(out, '\n');
}

static void nothing(Text *out, const RunInfo *run)
{
    (void)out, (void)run;
}

static void end_lines(Text *out, const RunInfo *run, int64_t n_records)
{
    (void)out, (void)run, (void)n_records;
}

static void begin_array(Text *out, const RunInfo *run)
{
    (void)run;
    text_add(out, "[");
}

static void record_element(Text *out, const RunInfo *run, const Record *record, int64_t index)
{
    text_add(out, index > 0 ? ",\n " : "\n ");
    json_add_object(out, record_object(run, record));
}

static void end_array(Text *out, const RunInfo *run, int64_t n_records)
{
    (void)run;
    text_add(out, n_records > 0 ? "\n]\n" : "]\n");
}

static json_t *tones(const QbScorer *scorer)
{
    json_t *list = json_array();
    for (int tone = 0; tone < qb_scorer_tone_count(scorer); tone++) {
        json_t *object = json_object(), *words = json_array();
        json_put(object, "name", json_text(qb_scorer_tone_name(scorer, tone)));
        json_put(object, "weight", json_finite(qb_scorer_tone_weight(scorer, tone)));
        for (int word = 0; word < qb_scorer_word_count(scorer); word++) {
            if (qb_scorer_word_tone(scorer, word) != tone)
                continue;
            json_t *entry = json_object();
            json_put(entry, "word", json_text(qb_scorer_word(scorer, word)));
            json_put(entry, "token", json_integer(qb_scorer_word_token(scorer, word)));
            json_put(entry, "pieces", json_integer(qb_scorer_word_pieces(scorer, word)));
            json_array_append_new(words, entry);
        }
        json_put(object, "words", words);
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *picture_formats(void)
{
    json_t *object = json_object();
    for (int i = 0; qb_image_format_name(i); i++)
        json_put(object, qb_image_format_name(i), json_text(qb_image_format_extensions(i)));
    return object;
}

/* Those that models of the architecture can be asked by. */
static json_t *variants(const char *architecture)
{
    json_t *list = json_array();
    for (int i = 0; qb_variant_name(i); i++)
        if (qb_variant_is_for(i, architecture))
            json_array_append_new(list, json_text(qb_variant_name(i)));
    return list;
}

void json_add_info(Text *out, const RunInfo *run, const char *architecture, const char *decode,
                   const InfoEntry *entries, int n_entries)
{
    json_t *object = json_object(), *details = json_object();
    json_put(object, "schema", json_string("qboost.info/1"));
    json_put(object, "model", json_text(run->model));
    json_put(object, "model_hash", json_text(run->model_hash ? run->model_hash : ""));
    for (int i = 0; i < n_entries; i++)
        json_put(details, entries[i].key, json_text(entries[i].value));
    json_put(object, "info", details);
    json_put(object, "decode", json_string(decode));
    json_put(object, "variant", *run->variant ? json_text(run->variant) : json_null());
    json_put(object, "variants", variants(architecture));
    json_put(object, "template", json_text(qb_scorer_template(run->scorer)));
    json_put(object, "ask_template", json_text(qb_scorer_ask_template(run->scorer)));
    json_put(object, "ask_image", json_text(qb_scorer_ask_image(run->scorer)));
    json_put(object, "ask_images", json_text(qb_scorer_ask_images(run->scorer)));
    json_put(object, "ask_join", json_text(qb_scorer_ask_join(run->scorer)));
    json_put(object, "mcq_layout", json_text(qb_scorer_mcq_layout(run->scorer)));
    json_put(object, "fit", json_text(run->fit));
    json_put(object, "method", json_text(run->method));
    json_put(object, "prompt", json_text(qb_scorer_prompt(run->scorer)));
    json_put(object, "temperature", json_finite(qb_scorer_temperature(run->scorer)));
    json_put(object, "tones", tones(run->scorer));
    json_put(object, "settings", json_string(run->settings));
    json_put(object, "cpu", json_string(run->cpu));
    json_put(object, "cpus", json_integer(qb_cpu_count()));
    json_put(object, "formats", picture_formats());
    json_put(object, "version", json_string(qb_version()));
    json_add_object(out, object);
    text_add_char(out, '\n');
}

const OutputFormat output_json = {.name = "json",
                                  .needs_model_hash = true,
                                  .begin = begin_array,
                                  .record = record_element,
                                  .end = end_array};

const OutputFormat output_jsonl = {.name = "jsonl",
                                   .needs_model_hash = true,
                                   .begin = nothing,
                                   .record = record_line,
                                   .end = end_lines};
