/* json_watch.c: the checks of a render that is followed, as JSON. */
// SPDX-License-Identifier: Apache-2.0
#include "output/json_parts.h"
#include "output/noise_record.h"
#include "output/watch_report.h"

#include <qboost/qboost.h>

static json_t *zones(const WatchRun *run, const WatchCheck *check)
{
    json_t *list = json_array();
    for (int z = 0; z < run->grid.columns * run->grid.rows; z++) {
        json_t *zone = json_noise_zone(check->report, check->width, check->height, z);
        QbNoiseZoneState state;
        qb_noise_stop_zone(&state, check->stop, z);
        json_put(zone, "state", json_string(watch_zone_state(&state)));
        json_put(zone, "below", json_integer(state.n_below));
        json_put(zone, "samples_needed", json_finite(state.samples_needed));
        json_array_append_new(list, zone);
    }
    return list;
}

static void put_result(json_t *object, const WatchRun *run, const WatchCheck *check)
{
    json_t *tone = NULL;
    if (check->light) {
        tone = json_object();
        json_put(tone, "curve", json_text(run->tone.curve));
        json_put(tone, "exposure", json_finite(run->tone.exposure));
    }
    json_put(object, "check", json_integer(check->index));
    json_put(object, "restarted", json_boolean(check->restarted));
    json_put(object, "samples", check->samples > 0 ? json_finite(check->samples) : json_null());
    json_put(object, "width", json_integer(check->width));
    json_put(object, "height", json_integer(check->height));
    json_put(object, "noise", json_finite(check->report->noise));
    json_put(object, "visibility", json_finite(check->report->visibility));
    json_put(object, "noisy_share", json_finite(check->report->noisy_share));
    json_put(object, "zones", zones(run, check));
    json_put(object, "zones_done", json_integer(watch_n_done(run, check->stop)));
    json_put(object, "done", json_boolean(qb_noise_stop_done(check->stop)));
    json_put(object, "samples_left", json_finite(qb_noise_stop_samples_left(check->stop)));
    json_put(object, "tone", tone);
    if (check->note)
        json_put(object, "note", json_text(check->note));
    json_put(object, "ms", json_milliseconds(check->ms));
}

void json_add_watch(Text *out, const WatchRun *run, const WatchCheck *check)
{
    json_t *object = json_object(), *grid = json_object();
    json_put(object, "schema", json_string("qboost.watch/1"));
    json_put_path(object, check->path);
    if (check->other) {
        json_t *other = json_object();
        json_put_path(other, check->other);
        json_put(object, "other_half", other);
    }
    if (check->error) {
        json_put(object, "error", json_text(check->error));
        json_put(object, "error_kind", json_text(check->error_kind));
    } else {
        put_result(object, run, check);
    }
    json_put(object, "way", json_string(run->way));
    json_put(grid, "columns", json_integer(run->grid.columns));
    json_put(grid, "rows", json_integer(run->grid.rows));
    json_put(object, "grid", grid);
    json_put(object, "checks", json_integer(run->n_checks));
    if (run->model) {
        json_put(object, "model", json_text(run->model));
        json_put(object, "classifier", json_text(run->classifier));
    }
    json_put(object, "features", run->features ? json_text(run->features) : NULL);
    json_put(object, "cpu", json_string(qb_cpu_level()));
    json_put(object, "version", json_string(qb_version()));
    json_add_object(out, object);
    text_add_char(out, '\n');
}
