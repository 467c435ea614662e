/* exit_code.h: what the program's exit status says. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_EXIT_CODE_H
#define QBOOST_CLI_EXIT_CODE_H

/* Exit codes; their texts are in exit_codes. Signals add 128 + n. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NO_INPUT = 3,
    CLI_MODEL = 4,
    CLI_LIMIT = 5,
    CLI_THRESHOLD = 6,
    CLI_NOT_CONVERGED = 7,
    CLI_SIGNAL = 128
};

typedef struct ExitCode {
    int code;
    const char *meaning; /* NULL ends the list */
} ExitCode;

extern const ExitCode exit_codes[];

#endif
