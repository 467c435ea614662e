/* watch_report.h: what is told of a render while it is followed: a record for each picture. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_WATCH_REPORT_H
#define QBOOST_CLI_WATCH_REPORT_H

#include "base/text.h"

#include <qboost/noise.h>

/* What all checks of a run have in common. Texts are borrowed. */
typedef struct WatchRun {
    const char *way;                /* "learned", "halves" or "features" */
    const char *model, *classifier; /* NULL where no model judges */
    const char *features;           /* the reference's file, or NULL */
    QbNoiseGrid grid;
    QbToneMapping tone; /* of light */
    int n_checks;       /* in a row that a zone needs */
    bool colors;
    int columns; /* of the terminal; 0 = no limit */
} WatchRun;

/* One picture. Texts are borrowed. */
typedef struct WatchCheck {
    const char *path, *other; /* other: the second half, or NULL */
    const char *error;        /* why it was not counted, or NULL; then nothing below is set */
    const char *error_kind;
    const char *note;  /* what was odd about the file, or NULL */
    int64_t index;     /* of the checks of this render, from 1 */
    double samples;    /* a pixel; 0 = not known */
    const char *light; /* its format where the file held light, else NULL */
    int width, height;
    bool restarted; /* a new render began */
    const QbNoiseReport *report;
    const QbNoiseStop *stop; /* after the report */
    double ms;
} WatchCheck;

/* For people: a line and the zones' states. */
void watch_add_check(Text *out, const WatchRun *run, const WatchCheck *check);

/* One object and a newline. */
void json_add_watch(Text *out, const WatchRun *run, const WatchCheck *check);

/* How many zones are done. */
int watch_n_done(const WatchRun *run, const QbNoiseStop *stop);

/* "done", "below" or "visible". */
const char *watch_zone_state(const QbNoiseZoneState *state);

/* "about 700 more samples", or nothing when that cannot be told or none are needed. */
void watch_add_samples_left(Text *out, const QbNoiseStop *stop);

#endif
