/* watch_samples.h: how many samples a pixel the successive pictures of a render have, from their
 * headers, from their names or by counting them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_WATCH_SAMPLES_H
#define QBOOST_CLI_WATCH_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

extern const char *const samples_choices[]; /* "auto", "header", "name", "count", "none" */

/* The pointer among samples_choices; name must be one of them. */
const char *watch_samples_choice(const char *name);

typedef struct WatchSamples {
    const char
        *from; /* a pointer of samples_choices; auto becomes another once two pictures are known */
    double step;     /* count: samples of each */
    bool names_tell; /* as asked; not once auto has become none */
    int64_t n_pictures;
    double first_header, first_name, first; /* of the first picture */
    double last;                            /* highest so far; 0 = none */
    double last_header, last_name;          /* of the last picture */
} WatchSamples;

void watch_samples_init(WatchSamples *out, const char *from, double step);

typedef struct WatchCount {
    double samples;     /* of this picture; 0 = not known */
    bool restarted;     /* fewer than before: another render */
    bool first_changed; /* the first picture's count is now known to be first */
    double first;
} WatchCount;

/* header: what the file's header says, 0 = nothing. */
WatchCount watch_samples_add(WatchSamples *samples, const char *path, int64_t header);

/* Whether it is known that the picture has more samples than the last one that was added: its
 * header says so, or its name does and names are believed. */
bool watch_samples_have_risen(const WatchSamples *samples, const char *path, int64_t header);

/* The last number in the file's name, without its ending: 64 for "a/r2_0064.exr". 0 when there is
 * none or none that samples can be. */
double watch_samples_in_name(const char *path);

#endif
