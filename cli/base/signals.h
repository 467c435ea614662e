/* signals.h: Ctrl-C and SIGTERM end a run between two lines, not within one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_SIGNALS_H
#define QBOOST_CLI_SIGNALS_H

/* From here on SIGINT and SIGTERM reach a thread of their own. Call it before other threads are
 * started. Until signals_on_stop the first signal ends the program. */
void signals_start(void);

/* The first signal calls stop (on the signal thread), a second one ends the program at once.
 * NULL: as before. */
void signals_on_stop(void (*stop)(void *user), void *user);

/* 0, or the signal that arrived. */
int signals_received(void);

#endif
