/* progress.h: the line on a terminal's stderr that says how far a run is. One for the program. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_PROGRESS_H
#define QBOOST_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shows nothing unless wanted and stderr is a terminal that can move its cursor (TERM not dumb). */
void progress_start(bool wanted, bool utf8);
bool progress_is_shown(void);

/* total: < 0 when not known (yet). Redraws at most ten times a second. done counts every input,
 * scored those that took time in this run. */
void progress_update(int64_t done, int64_t scored, int64_t total);

/* The same for work that is counted in bytes; what: the part at hand, shown if there is room. */
void progress_update_bytes(int64_t done, int64_t total, const char *what);

/* The same for work that is told in words: parts[n], the more important first, of which so many are
 * shown as there is room for. fraction: done so far, < 0 = not known. */
void progress_update_parts(double fraction, const char *const *parts, int n);

/* "1.23 GB" (10^9), "45.6 MB" …, into text[n]. */
void progress_format_bytes(char *text, size_t n, int64_t bytes);

/* Takes the line away, so that something else can be printed; the next update draws it again. Does
 * nothing when there is none. Any thread may call it. */
void progress_erase(void);

void progress_finish(void);

/* Seconds since progress_start. */
double progress_seconds(void);

/* Milliseconds of a clock that only goes forward. */
double clock_ms(void);

#endif
