/* options.h: from argv and the environment to a command's args struct. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_OPTIONS_H
#define QBOOST_CLI_OPTIONS_H

#include "base/text.h"
#include "options/command.h"

typedef enum ParseResult { PARSE_OK, PARSE_HELP, PARSE_ERROR } ParseResult;

/* Fills args (args_size bytes) from defaults, then QBOOST_<NAME> variables, then argv[0 .. argc-1];
 * the later wins. operands: room for argc pointers. A mistake is explained on stderr. */
ParseResult options_parse(const Command *command, void *args, int argc, char **argv,
                          char **operands, int *n_operands);

/* Frees what args own. */
void options_free(const Command *command, void *args);

const Option *option_find(const Command *command, const char *name);
bool option_takes_argument(const Option *option);

/* Adds "QBOOST_MAX_PIXELS". */
void option_add_environment_name(Text *text, const Option *option);

/* "qboost score: <message>" and a pointer to the help on stderr; returns CLI_USAGE. */
int usage_error(const Command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* CLI_OK, or CLI_USAGE, explained on stderr, when standard input ("-") is named more than once
 * among the operands and files_from (may be NULL), or is the terminal. */
int usage_check_stdin(const Command *command, const char *files_from, char *const *operands,
                      int n_operands);

#endif
