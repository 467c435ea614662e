/* help.h: help texts and man pages from the command table. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_HELP_H
#define QBOOST_CLI_HELP_H

#include "base/text.h"
#include "options/command.h"

/* command: NULL for the program as a whole. */
void help_add(Text *out, const Command *command);
void man_add(Text *out, const Command *command);

#endif
