/* json_parts.c: see json_parts.h. Keys keep the order in which they are put. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void json_put(json_t *object, const char *key, json_t *value)
{
    if (!object || json_object_set_new_nocheck(object, key, value ? value : json_null()))
        cli_out_of_memory(); /* jansson fails here for nothing else */
}

json_t *json_finite(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_milliseconds(double value)
{
    return json_finite(round(value * 1000) / 1000);
}

/* Any bytes as UTF-8: U+FFFD stands for each byte that is not. */
json_t *json_text(const char *bytes)
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
    Text text = {0};
    text_add_base64(&text, bytes, strlen(bytes));
    json_t *value = json_string(text.data);
    text_free(&text);
    return value;
}

void json_put_path(json_t *object, const char *path)
{
    json_put(object, "path", json_text(path));
    if (!utf8_valid(path))
        json_put(object, "path_b64", base64(path));
}

void json_put_tones(json_t *object, const RunInfo *run, const QbScore *score)
{
    for (const char *const *name = output_fixed_tones; *name; name++) {
        int tone = output_tone(run, *name);
        Text key = {0};
        text_addf(&key, "p_%s", *name);
        json_put(object, key.data, tone < 0 ? json_null() : json_finite(score->probability[tone]));
        text_free(&key);
    }
    for (int tone = 0; tone < run->n_tones; tone++) {
        Text key = {0};
        text_addf(&key, "p_%s", qb_scorer_tone_name(run->scorer, tone));
        json_put(object, key.data, json_finite(score->probability[tone]));
        text_free(&key);
    }
}

json_t *json_logits(const RunInfo *run, const QbScore *score)
{
    json_t *object = json_object();
    for (int word = 0; word < run->n_words; word++)
        json_put(object, qb_scorer_word(run->scorer, word),
                 json_finite((double)score->logit[word]));
    return object;
}

void json_put_run(json_t *object, const RunInfo *run)
{
    json_put(object, "model", json_text(run->model));
    json_put(object, "model_hash", json_text(run->model_hash ? run->model_hash : ""));
    json_put(object, "method", json_text(run->method));
    json_put(object, "settings", json_string(run->settings));
    if (*run->variant)
        json_put(object, "variant", json_text(run->variant));
    json_put(object, "fit", json_text(run->fit));
    json_put(object, "cpu", json_string(run->cpu));
    json_put(object, "version", json_string(qb_version()));
}

void json_add_object_digits(Text *out, json_t *object, int digits)
{
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION((size_t)digits));
    json_decref(object);
    if (!line)
        cli_out_of_memory();
    text_add(out, line);
    free(line);
}

void json_add_object(Text *out, json_t *object)
{
    json_add_object_digits(out, object, 9);
}
