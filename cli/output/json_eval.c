/* json_eval.c: an evaluation as one JSON object, and the lines that it is read back from. */
// SPDX-License-Identifier: Apache-2.0
#include "output/eval_report.h"
#include "output/json.h"
#include "output/json_parts.h"

#include <stdio.h>
#include <string.h>

static void put_value(json_t *object, const char *name, const QbEvalValue *value)
{
    char key[40];
    json_put(object, name, json_finite(value->value));
    snprintf(key, sizeof key, "%s_low", name);
    json_put(object, key, json_finite(value->low));
    snprintf(key, sizeof key, "%s_high", name);
    json_put(object, key, json_finite(value->high));
}

static void put_mapping(json_t *object, const char *name, const QbLogistic *mapping, bool converged)
{
    json_t *list = json_array(), *entry = json_object();
    if (!mapping->n_params) {
        json_decref(list);
        json_decref(entry);
        json_put(object, name, NULL);
        return;
    }
    for (int i = 0; i < mapping->n_params; i++)
        json_array_append_new(list, json_finite(mapping->b[i]));
    json_put(entry, "b", list);
    json_put(entry, "converged", json_boolean(converged));
    json_put(object, name, entry);
}

static json_t *row_object(const EvalRow *row)
{
    const QbEvalResult *v = &row->value;
    json_t *object = json_object();
    json_put(object, "dataset", json_text(row->dataset));
    json_put(object, "source", json_text(row->source));
    json_put(object, "method", json_text(row->method));
    if (row->n_means)
        json_put(object, "mean_of", json_integer(row->n_means));
    json_put(object, "n", json_integer(v->n));
    json_put(object, "n_failed", json_integer(row->n_failed));
    json_put(object, "n_unrated", json_integer(row->n_unrated));
    json_put(object, "n_left_out", json_integer(row->n_left_out));
    json_put(object, "parts", json_integer(v->n_parts));
    put_value(object, "srcc", &v->srcc);
    put_value(object, "plcc", &v->plcc);
    put_value(object, "plcc_logistic4", &v->plcc_logistic4);
    put_value(object, "plcc_logistic5", &v->plcc_logistic5);
    put_value(object, "krcc", &v->krcc);
    put_value(object, "rmse", &v->rmse);
    put_value(object, "rmse_logistic5", &v->rmse_logistic5);
    if (!row->n_means) {
        put_mapping(object, "logistic4", &v->logistic4, v->converged4);
        put_mapping(object, "logistic5", &v->logistic5, v->converged5);
    }
    return object;
}

void json_add_evaluation(Text *out, const EvalReport *report)
{
    json_t *object = json_object(), *results = json_array(), *means = json_array();
    json_put(object, "schema", json_string("qboost.eval/1"));
    for (int i = 0; i < report->n; i++)
        json_array_append_new(report->rows[i].n_means ? means : results,
                              row_object(&report->rows[i]));
    json_put(object, "results", results);
    json_put(object, "means", means);
    json_put(object, "resamples", json_integer(report->resamples));
    json_put(object, "seed", json_integer(report->seed));
    json_put(object, "part_size",
             report->part_size ? json_integer(report->part_size) : json_null());
    json_put(object, "qbench_compat", json_boolean(report->qbench_compat));
    json_put(object, "model", report->model ? json_text(report->model) : NULL);
    json_put(object, "model_hash", report->model_hash ? json_text(report->model_hash) : NULL);
    json_put(object, "version", json_string(qb_version()));
    json_add_object_digits(out, object, 15);
    text_add_char(out, '\n');
}

void json_add_renamed(Text *out, const char *line, size_t length, const char *path)
{
    json_t *object = json_loadb(line, length, 0, NULL);
    if (!object)
        return;
    json_object_del(object, "path_b64");
    json_put_path(object, path);
    json_add_object(out, object);
    text_add_char(out, '\n');
}
