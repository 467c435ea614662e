/* terminal.h: what the streams can show. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_TERMINAL_H
#define QBOOST_CLI_TERMINAL_H

#include <stdbool.h>

extern const char *const color_choices[]; /* "auto", "always", "never" */

/* Whether to colour what goes to fd: choice, then NO_COLOR, FORCE_COLOR, TERM=dumb, then whether it
 * is a terminal. */
bool terminal_colors(int fd, const char *choice);

/* The locale's characters are UTF-8. Needs setlocale. */
bool terminal_utf8(void);

/* Columns of the terminal behind fd, 0 when it is none or does not say. */
int terminal_columns(int fd);

/* Columns of the terminal behind fd, 80 when it does not say. */
int terminal_width(int fd);

#endif
