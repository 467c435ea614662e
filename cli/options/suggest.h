/* suggest.h: "did you mean …?" */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_SUGGEST_H
#define QBOOST_CLI_SUGGEST_H

/* The name of the NULL-terminated list that word was probably meant to be; NULL when none is near.
 * Borrowed from names. */
const char *suggest(const char *word, const char *const *names);

#endif
