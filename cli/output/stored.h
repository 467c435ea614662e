/* stored.h: records kept until the end, for --sort. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_STORED_H
#define QBOOST_CLI_STORED_H

#include "output/output.h"

typedef struct Stored Stored;

Stored *stored_new(void);
void stored_free(Stored **stored);
void stored_add(Stored *stored, const Record *record); /* copies */

/* Calls each in the order "score", "-score" or "path" (bytewise); records with an error come last,
 * equal ones in the order they were added. Ends when each returns false. */
void stored_each(Stored *stored, const char *order, bool (*each)(const Record *, void *user),
                 void *user);

#endif
