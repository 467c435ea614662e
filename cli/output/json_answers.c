/* json_answers.c: answers to questions about pictures as JSON. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json.h"
#include "output/json_parts.h"

#include <math.h>

/* One picture: "path"; several: "paths", a list of objects with that key. */
static void put_paths(json_t *object, char *const *paths, int n)
{
    if (n == 1) {
        json_put_path(object, paths[0]);
        return;
    }
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        json_t *entry = json_object();
        json_put_path(entry, paths[i]);
        json_array_append_new(list, entry);
    }
    json_put(object, "pictures", list);
}

static json_t *begin(const char *schema, const Asked *asked)
{
    json_t *object = json_object();
    json_put(object, "schema", json_string(schema));
    put_paths(object, asked->paths, asked->n_paths);
    json_put(object, "question", json_text(asked->question));
    return object;
}

static void finish(Text *out, json_t *object, const RunInfo *run, double ms)
{
    json_put(object, "ms", json_milliseconds(ms));
    json_put_run(object, run);
    json_add_object(out, object);
    text_add_char(out, '\n');
}

void json_add_answer(Text *out, const RunInfo *run, const Asked *asked, const char *answer)
{
    json_t *object = begin("qboost.answer/1", asked);
    json_put(object, "answer", json_text(answer));
    finish(out, object, run, asked->ms);
}

void json_add_comparison(Text *out, const RunInfo *run, char *const *paths,
                         const QbComparison *comparison)
{
    const QbComparison *c = comparison;
    json_t *object = json_object(), *list = json_array();
    json_put(object, "schema", json_string("qboost.comparison/1"));
    for (int i = 0; i < 2; i++) {
        json_t *entry = json_object();
        json_put_path(entry, paths[i]);
        json_put(entry, "score", json_finite(c->score[i]));
        json_put(entry, "deviation", json_finite(c->deviation[i]));
        json_array_append_new(list, entry);
    }
    json_put(object, "pictures", list);
    json_put(object, "by", json_string(isnan(c->score[0]) ? "pair" : "scores"));
    json_put(object, "better", c->p_first == 0.5 ? json_null() : json_integer(c->p_first < 0.5));
    json_put(object, "p_first", json_finite(c->p_first));
    json_put(object, "p_first_in_front", json_finite(c->p_first_in_front));
    json_put(object, "p_first_behind", json_finite(c->p_first_behind));
    finish(out, object, run, c->total_ms);
}

static void put_odds(json_t *entry, double log_probability, int token)
{
    json_put(entry, "log_probability", json_finite(log_probability));
    json_put(entry, "token", json_integer(token));
}

void json_add_candidates(Text *out, const RunInfo *run, const Asked *asked,
                         const char *const *words, const QbCandidate *candidates, int n_words)
{
    json_t *object = begin("qboost.candidates/1", asked), *list = json_array();
    for (int i = 0; i < n_words; i++) {
        json_t *entry = json_object();
        json_put(entry, "word", json_text(words[i]));
        json_put(entry, "probability", json_finite(exp(candidates[i].log_probability)));
        put_odds(entry, candidates[i].log_probability, candidates[i].token);
        json_put(entry, "pieces", json_integer(candidates[i].pieces));
        json_array_append_new(list, entry);
    }
    json_put(object, "candidates", list);
    finish(out, object, run, asked->ms);
}

static json_t *letter(int option)
{
    const char text[] = {(char)('A' + option), 0};
    return json_string(text);
}

static void put_choice(json_t *object, const McqItem *item, const QbMcq *answer)
{
    json_t *list = json_array();
    json_put(object, "answer", letter(answer->best));
    json_put(object, "answer_text", json_text(item->options[answer->best]));
    if (item->correct >= 0)
        json_put(object, "is_correct", json_boolean(answer->best == item->correct));
    for (int i = 0; i < item->n_options; i++) {
        json_t *entry = json_object();
        json_put(entry, "letter", letter(i));
        json_put(entry, "text", json_text(item->options[i]));
        json_put(entry, "probability", json_finite(answer->probability[i]));
        put_odds(entry, answer->log_probability[i], answer->token[i]);
        json_array_append_new(list, entry);
    }
    json_put(object, "options", list);
}

void json_add_mcq(Text *out, const RunInfo *run, const McqItem *item, int64_t index,
                  const QbMcq *answer, const char *error, double ms)
{
    Asked asked = {item->paths, item->n_paths, item->question, ms};
    json_t *object = begin("qboost.mcq/1", &asked);
    if (index >= 0)
        json_put(object, "index", json_integer(index));
    if (item->correct >= 0)
        json_put(object, "correct", letter(item->correct));
    if (error)
        json_put(object, "error", json_text(error));
    else
        put_choice(object, item, answer);
    json_put(object, "layout", json_text(qb_scorer_mcq_layout(run->scorer)));
    finish(out, object, run, ms);
}

void json_add_mcq_summary(Text *out, const RunInfo *run, int64_t n, int64_t n_failed,
                          int64_t n_judged, int64_t n_right)
{
    json_t *object = json_object();
    json_put(object, "schema", json_string("qboost.mcq-summary/1"));
    json_put(object, "questions", json_integer(n));
    json_put(object, "failed", json_integer(n_failed));
    json_put(object, "judged", json_integer(n_judged));
    json_put(object, "right", json_integer(n_right));
    json_put(object, "accuracy",
             json_finite(n_judged > 0 ? (double)n_right / (double)n_judged : NAN));
    json_put(object, "layout", json_text(qb_scorer_mcq_layout(run->scorer)));
    json_put_run(object, run);
    json_add_object(out, object);
    text_add_char(out, '\n');
}
