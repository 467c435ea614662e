/* json.h: JSON without its library: only json_*.c include jansson. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_JSON_H
#define QBOOST_CLI_JSON_H

#include "output/output.h"

#include <stdbool.h>

#define JSON_SCORE_SCHEMA "qboost.score/1"

/* What a resumed run needs of a record's line. Freed by json_line_free. */
typedef struct JsonLine {
    char *path; /* the bytes that the path had */
    char *model_hash, *settings;
    bool failed;
    double score; /* on the record's scale */
} JsonLine;

/* false: the line is no record of JSON_SCORE_SCHEMA. */
bool json_read_line(JsonLine *out, const char *line, size_t length);
void json_line_free(JsonLine *line);

/* Adds one object and a newline. */
void json_add_answer(Text *out, const RunInfo *run, const char *path, const char *question,
                     const char *answer, double ms);

typedef struct InfoEntry {
    const char *key, *value;
} InfoEntry;

/* The object that `qboost info --json` prints: entries in order, then the scorer's settings and
 * words and the picture formats. */
void json_add_info(Text *out, const RunInfo *run, const char *decode, const InfoEntry *entries,
                   int n_entries);

#endif
