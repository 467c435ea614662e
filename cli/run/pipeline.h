/* pipeline.h: pictures in, records out, many at a time, in the order they came in.
 *
 * One thread fetches inputs, workers decode and score (each with a scorer of its own on the shared
 * model, or taking turns), the caller's thread gets the records. At most a few pictures a worker
 * are in flight, however long the list: memory does not grow. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_PIPELINE_H
#define QBOOST_CLI_PIPELINE_H

#include "input/inputs.h"
#include "output/output.h"

typedef struct PipelineSpec {
    QbScorer **scorers; /* borrowed */
    int n_scorers;      /* fewer than workers: while one scores, the others decode ahead */
    int n_workers;
    const QbImageOptions *image_options;
    int thumbnail_width, thumbnail_height; /* box for thumbnails; 0 = none */

    /* The next input, false at the end. Called by one thread. */
    bool (*next)(Input *out, void *user);
    /* A record, in input order, on the caller's thread. *thumbnail: NULL or taken by setting it to
     * NULL. false ends the run. */
    bool (*take)(const Record *record, QbImage **thumbnail, void *user);
    /* Called a few times a second and after each record, on the caller's thread. */
    void (*tick)(void *user);
    void *user;
} PipelineSpec;

/* true when everything was taken. false: a signal or take() ended it; the other threads may still
 * be running then, so nothing they use may be freed: print what there is and _exit. */
bool pipeline_run(const PipelineSpec *spec);

#endif
