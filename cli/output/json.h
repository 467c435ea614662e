/* json.h: JSON without its library: only json_*.c include jansson. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_JSON_H
#define QBOOST_CLI_JSON_H

#include "output/output.h"

#include <stdbool.h>

#define JSON_SCORE_SCHEMA "qboost.score/1"
#define JSON_VIDEO_SCHEMA "qboost.video/1"

/* The one of the run's records. */
const char *json_record_schema(const RunInfo *run);

/* What a resumed run needs of a record's line. Freed by json_line_free. */
typedef struct JsonLine {
    char *path; /* the bytes that the path had */
    char *model_hash, *settings;
    bool failed;  /* or partial, a video that broke */
    double score; /* on the record's scale */
} JsonLine;

/* false: the line is no record of that schema. */
bool json_read_line(JsonLine *out, const char *schema, const char *line, size_t length);
void json_line_free(JsonLine *line);

/* Adds a record's line with another path. */
void json_add_renamed(Text *out, const char *line, size_t length, const char *path);

/* A question about pictures. */
typedef struct Asked {
    char *const *paths;
    int n_paths;
    const char *question;
    double ms; /* that answering took */
} Asked;

/* Each of these adds one object and a newline. */
void json_add_answer(Text *out, const RunInfo *run, const Asked *asked, const char *answer);
void json_add_candidates(Text *out, const RunInfo *run, const Asked *asked,
                         const char *const *words, const QbCandidate *candidates, int n_words);

/* Of the pictures at paths[2]. */
void json_add_comparison(Text *out, const RunInfo *run, char *const *paths,
                         const QbComparison *comparison);

/* A question with options. */
typedef struct McqItem {
    char **paths;
    char *question, **options;
    int n_paths, n_options;
    int correct; /* index of the right option, -1 = not known */
} McqItem;

/* index: of the list, from 0; -1 = of none. error: why there is no answer, or NULL; answer is not
 * looked at then. */
void json_add_mcq(Text *out, const RunInfo *run, const McqItem *item, int64_t index,
                  const QbMcq *answer, const char *error, double ms);
void json_add_mcq_summary(Text *out, const RunInfo *run, int64_t n, int64_t n_failed,
                          int64_t n_judged, int64_t n_right);

typedef struct McqList {
    McqItem *items;
    int64_t n;
} McqList;

/* A list of questions in the form of Q-Bench's (docs/prompts.md). Paths are put into folder. false:
 * reported. */
bool json_read_questions(McqList *out, const char *file, const char *folder);
void mcq_list_free(McqList *list);

typedef struct InfoEntry {
    const char *key, *value;
} InfoEntry;

/* A frame of the video at path; score NULL: frames were not judged one by one. */
void json_add_frame(Text *out, const RunInfo *run, const char *path, const QbFrame *frame,
                    const QbScore *score);

/* The object that `qboost info --json` prints: entries in order, then the scorer's settings and
 * words and the picture formats. */
void json_add_info(Text *out, const RunInfo *run, const char *architecture, const char *decode,
                   const InfoEntry *entries, int n_entries);

#endif
