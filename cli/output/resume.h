/* resume.h: a results file that an interrupted run goes on with.
 *
 * The file is the JSON lines output itself. A picture counts as done when the file has a line with
 * its path, this model's hash and these settings. Memory: 48 to 96 bytes a line, no paths. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_RESUME_H
#define QBOOST_CLI_RESUME_H

#include "output/output.h"

#include <stdbool.h>

typedef struct Resume Resume;

typedef enum ResumeVerdict { RESUME_NEW, RESUME_SCORED, RESUME_FAILED } ResumeVerdict;

/* Opens or makes the file, cuts off a last line without its end, and remembers what is done.
 * retry_failed: lines with an error, or of a video that broke, do not count. Returns an exit code;
 * failures are reported. */
int resume_open(Resume **out, const char *file, const RunInfo *run, bool retry_failed);
void resume_close(Resume **resume);

/* Where records are appended, each by one write(). */
int resume_descriptor(const Resume *resume);

/* Whether path is done; when it is new it is marked, so that the same path is not scored again
 * later. *score: of a scored one, on the run's scale. */
ResumeVerdict resume_take(Resume *resume, const char *path, double *score);

#endif
