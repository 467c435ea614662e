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

/* Takes value. */
void json_put(json_t *object, const char *key, json_t *value);

json_t *json_finite(double value);
json_t *json_milliseconds(double value);
json_t *json_text(const char *bytes); /* U+FFFD stands for each byte that is not UTF-8 */

/* "path" and, when needed, "path_b64". */
void json_put_path(json_t *object, const char *path);

/* model, model_hash, method, settings, variant (if any), fit, cpu, version. */
void json_put_run(json_t *object, const RunInfo *run);

/* Adds the object on one line and gives it up. */
void json_add_object(Text *out, json_t *object);

#endif
