/* json_write.c: records, answers and model descriptions as JSON.
 *
 * Numbers carry 9 significant digits, which give every float back exactly; what is no number is
 * null. A path that is not UTF-8 is there twice: readable (U+FFFD for the bad bytes) and as
 * path_b64. Keys keep the order in which they are set. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void set(json_t *object, const char *key, json_t *value)
{
    if (!object || json_object_set_new_nocheck(object, key, value ? value : json_null()))
        cli_out_of_memory(); /* jansson fails here for nothing else */
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *milliseconds(double value)
{
    return number(round(value * 1000) / 1000);
}

/* Any bytes as UTF-8: U+FFFD stands for each byte that is not. */
static json_t *string(const char *bytes)
{
    Text clean = {0};
    while (*bytes) {
        int n = utf8_sequence(bytes, NULL);
        if (n > 0)
            text_add_bytes(&clean, bytes, (size_t)n);
        else
            text_add(&clean, "\xef\xbf\xbd");
        bytes += n > 0 ? n : 1;
    }
    json_t *value = json_string(clean.data ? clean.data : "");
    text_free(&clean);
    return value;
}

static json_t *base64(const char *bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(bytes);
    Text text = {0};
    text_add(&text, "");
    for (size_t i = 0; i < length; i += 3) {
        const unsigned char *b = (const unsigned char *)bytes + i;
        size_t n = length - i < 3 ? length - i : 3;
        unsigned bits =
            (unsigned)b[0] << 16 | (n > 1 ? (unsigned)b[1] << 8 : 0) | (n > 2 ? b[2] : 0);
        for (size_t k = 0; k < 4; k++)
            text_add_char(&text, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
    json_t *value = json_string(text.data);
    text_free(&text);
    return value;
}

static void set_path(json_t *object, const char *path)
{
    set(object, "path", string(path));
    if (!utf8_valid(path))
        set(object, "path_b64", base64(path));
}

static void set_probabilities(json_t *object, const RunInfo *run, const QbScore *score)
{
    for (const char *const *name = output_fixed_tones; *name; name++) {
        int tone = output_tone(run, *name);
        Text key = {0};
        text_addf(&key, "p_%s", *name);
        set(object, key.data, tone < 0 ? json_null() : number(score->probability[tone]));
        text_free(&key);
    }
    for (int tone = 0; tone < run->n_tones; tone++) {
        Text key = {0};
        text_addf(&key, "p_%s", qb_scorer_tone_name(run->scorer, tone));
        set(object, key.data, number(score->probability[tone]));
        text_free(&key);
    }
}

static json_t *logits(const RunInfo *run, const QbScore *score)
{
    json_t *object = json_object();
    for (int word = 0; word < run->n_words; word++)
        set(object, qb_scorer_word(run->scorer, word), number((double)score->logit[word]));
    return object;
}

static json_t *phases(const Record *record)
{
    json_t *ms = json_object();
    set(ms, "decode", milliseconds(record->decode_ms));
    set(ms, "preprocess", milliseconds(record->score.preprocess_ms));
    set(ms, "vision", milliseconds(record->score.vision_ms));
    set(ms, "prefill", milliseconds(record->score.prefill_ms));
    set(ms, "total", milliseconds(record->decode_ms + record->score.total_ms));
    return ms;
}

static void set_run(json_t *object, const RunInfo *run)
{
    set(object, "model", string(run->model));
    set(object, "model_hash", string(run->model_hash ? run->model_hash : ""));
    set(object, "method", string(run->method));
    set(object, "settings", json_string(run->settings));
    set(object, "cpu", json_string(run->cpu));
    set(object, "version", json_string(qb_version()));
}

static json_t *record_object(const RunInfo *run, const Record *record)
{
    json_t *object = json_object();
    set(object, "schema", json_string(JSON_SCORE_SCHEMA));
    set_path(object, record->path);
    if (record->error) {
        set(object, "error", string(record->error));
        set(object, "error_kind", string(record->error_kind));
    } else {
        set(object, "width", json_integer(record->width));
        set(object, "height", json_integer(record->height));
        set(object, "format", string(record->format));
        set(object, "score", number(scale_apply(run->scale, record->score.score)));
        set(object, "scale", json_string(run->scale->name));
        set_probabilities(object, run, &record->score);
        set(object, "entropy", number(record->score.entropy));
        set(object, "logits", logits(run, &record->score));
        set(object, "ms", phases(record));
    }
    set_run(object, run);
    return object;
}

/* Adds the object on one line and gives it up. */
static void add_object(Text *out, json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    if (!line)
        cli_out_of_memory();
    text_add(out, line);
    free(line);
}

static void record_line(Text *out, const RunInfo *run, const Record *record, int64_t index)
{
    (void)index;
    add_object(out, record_object(run, record));
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
    add_object(out, record_object(run, record));
}

static void end_array(Text *out, const RunInfo *run, int64_t n_records)
{
    (void)run;
    text_add(out, n_records > 0 ? "\n]\n" : "]\n");
}

void json_add_answer(Text *out, const RunInfo *run, const char *path, const char *question,
                     const char *answer, double ms)
{
    json_t *object = json_object();
    set(object, "schema", json_string("qboost.answer/1"));
    set_path(object, path);
    set(object, "question", string(question));
    set(object, "answer", string(answer));
    set(object, "ms", milliseconds(ms));
    set(object, "model", string(run->model));
    set(object, "model_hash", string(run->model_hash ? run->model_hash : ""));
    set(object, "cpu", json_string(run->cpu));
    set(object, "version", json_string(qb_version()));
    add_object(out, object);
    text_add_char(out, '\n');
}

static json_t *tones(const QbScorer *scorer)
{
    json_t *list = json_array();
    for (int tone = 0; tone < qb_scorer_tone_count(scorer); tone++) {
        json_t *object = json_object(), *words = json_array();
        set(object, "name", string(qb_scorer_tone_name(scorer, tone)));
        set(object, "weight", number(qb_scorer_tone_weight(scorer, tone)));
        for (int word = 0; word < qb_scorer_word_count(scorer); word++) {
            if (qb_scorer_word_tone(scorer, word) != tone)
                continue;
            json_t *entry = json_object();
            set(entry, "word", string(qb_scorer_word(scorer, word)));
            set(entry, "token", json_integer(qb_scorer_word_token(scorer, word)));
            set(entry, "pieces", json_integer(qb_scorer_word_pieces(scorer, word)));
            json_array_append_new(words, entry);
        }
        set(object, "words", words);
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *picture_formats(void)
{
    json_t *object = json_object();
    for (int i = 0; qb_image_format_name(i); i++)
        set(object, qb_image_format_name(i), string(qb_image_format_extensions(i)));
    return object;
}

void json_add_info(Text *out, const RunInfo *run, const char *decode, const InfoEntry *entries,
                   int n_entries)
{
    json_t *object = json_object(), *details = json_object();
    set(object, "schema", json_string("qboost.info/1"));
    set(object, "model", string(run->model));
    set(object, "model_hash", string(run->model_hash ? run->model_hash : ""));
    for (int i = 0; i < n_entries; i++)
        set(details, entries[i].key, string(entries[i].value));
    set(object, "info", details);
    set(object, "decode", json_string(decode));
    set(object, "method", string(run->method));
    set(object, "prompt", string(qb_scorer_prompt(run->scorer)));
    set(object, "temperature", number(qb_scorer_temperature(run->scorer)));
    set(object, "tones", tones(run->scorer));
    set(object, "settings", json_string(run->settings));
    set(object, "cpu", json_string(run->cpu));
    set(object, "cpus", json_integer(qb_cpu_count()));
    set(object, "formats", picture_formats());
    set(object, "version", json_string(qb_version()));
    add_object(out, object);
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
