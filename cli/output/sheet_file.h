/* sheet_file.h: whether a name may become a contact sheet, asked before the work begins. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_SHEET_FILE_H
#define QBOOST_CLI_SHEET_FILE_H

#include "options/command.h"

/* A forgotten name makes --contact-sheet take the first picture: only an earlier sheet that
 * is none of the operands is ever written over. Returns CLI_OK or, explained on stderr, CLI_USAGE;
 * CLI_FAILED when the folder cannot be written to. */
int sheet_file_check(const Command *command, const char *file, char **operands, int n_operands);

#endif
