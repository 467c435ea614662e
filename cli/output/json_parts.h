/* json_parts.h: what all our JSON is made of. Included by json_*.c only.
 *
 * Numbers carry 9 significant digits, which give every float back exactly; what is no number is
 * null. A path that is not UTF-8 is there twice: readable (U+FFFD for the bad bytes) and as
 * path_b64. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_JSON_PARTS_H
#define QBOOST_CLI_JSON_PARTS_H

#include "output/output.h"

#include <jansson.h>
#include <qboost/noise.h>

/* Takes value. */
void json_put(json_t *object, const char *key, json_t *value);

json_t *json_finite(double value);
json_t *json_milliseconds(double value);
json_t *json_text(const char *bytes); /* U+FFFD stands for each byte that is not UTF-8 */

/* "path" and, when needed, "path_b64". */
void json_put_path(json_t *object, const char *path);

/* A zone of a picture of width x height: where it is, its noise and visibility. */
json_t *json_noise_zone(const QbNoiseReport *report, int width, int height, int zone);

/* "p_good", "p_average", "p_poor" (null where there is no such tone) and the method's other tones.
 */
void json_put_tones(json_t *object, const RunInfo *run, const QbScore *score);

/* word -> logit */
json_t *json_logits(const RunInfo *run, const QbScore *score);

/* What a record says of a video's file: "container" to "timeline". */
void json_put_video(json_t *object, const Record *record);
/* "pool", "way" and "sampling". */
void json_put_video_run(json_t *object, const RunInfo *run);

/* model, model_hash, method, settings, variant (if any), fit, cpu, version. */
void json_put_run(json_t *object, const RunInfo *run);

/* Adds the object on one line and gives it up. digits: significant ones of numbers. */
void json_add_object_digits(Text *out, json_t *object, int digits);
void json_add_object(Text *out, json_t *object); /* with 9 */

#endif
