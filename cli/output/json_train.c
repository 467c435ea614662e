/* json_train.c: a training as one JSON object. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json_parts.h"
#include "output/train_report.h"

#include <qboost/qboost.h>

static json_t *accuracy(const QbNoiseAccuracy *of)
{
    json_t *object = json_object();
    json_put(object, "n", json_integer((json_int_t)of->n));
    json_put(object, "accuracy", json_finite(of->accuracy));
    json_put(object, "balanced_accuracy", json_finite(of->balanced_accuracy));
    json_put(object, "missed", json_finite(of->missed));
    json_put(object, "false_alarm", json_finite(of->false_alarm));
    json_put(object, "octaves", json_finite(of->octaves));
    return object;
}

static json_t *result(const TrainReport *report, const TrainResult *of)
{
    json_t *object = json_object(), *scenes = json_array();
    json_put(object, of->is_baseline ? "baseline" : "classifier", json_text(of->name));
    json_put(object, "all", accuracy(&of->all));
    for (int i = 0; i < report->n_scenes; i++) {
        if (of->scenes[i].n == 0)
            continue;
        json_t *scene = accuracy(&of->scenes[i]);
        json_put(scene, "scene", json_text(report->scenes[i]));
        json_array_append_new(scenes, scene);
    }
    json_put(object, "scenes", scenes);
    json_put(object, "seconds", json_milliseconds(of->seconds));
    return object;
}

void json_add_train(Text *out, const TrainReport *report)
{
    json_t *object = json_object(), *scenes = json_array(), *results = json_array();
    size_t n = 0, n_noisy = 0;
    for (int i = 0; i < report->n_scenes; i++) {
        json_t *scene = json_object();
        json_put(scene, "scene", json_text(report->scenes[i]));
        json_put(scene, "zones", json_integer((json_int_t)report->n_zones[i]));
        json_put(scene, "noisy", json_integer((json_int_t)report->n_noisy[i]));
        json_array_append_new(scenes, scene);
        n += report->n_zones[i];
        n_noisy += report->n_noisy[i];
    }
    for (int r = 0; r < report->n_results; r++)
        json_array_append_new(results, result(report, &report->results[r]));
    json_put(object, "schema", json_string("qboost.noise-train/1"));
    json_put(object, "zones", json_integer((json_int_t)n));
    json_put(object, "noisy", json_integer((json_int_t)n_noisy));
    json_put(object, "scenes", scenes);
    json_put(object, "left_out", results);
    json_put(object, "model", report->model ? json_text(report->model) : NULL);
    json_put(object, "classifier", report->classifier ? json_text(report->classifier) : NULL);
    json_put(object, "seconds", report->model ? json_milliseconds(report->seconds) : NULL);
    json_put(object, "features", report->features ? json_text(report->features) : NULL);
    json_put(object, "seed", json_integer(report->seed));
    json_put(object, "version", json_string(qb_version()));
    json_add_object(out, object);
    text_add_char(out, '\n');
}
