/* command.h: what a subcommand is. One const table a command states its name, help, examples and
 * options; parsing, --help, suggestions, environment names, man pages and shell completions are all
 * made from it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_COMMAND_H
#define QBOOST_CLI_COMMAND_H

#include "base/exit_code.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum OptionType {
    OPTION_FLAG,   /* bool */
    OPTION_STRING, /* const char *; NULL until given */
    OPTION_LIST,   /* StringList: may be given several times; not from the environment */
    OPTION_CHOICE, /* const char *, one of choices */
    OPTION_INT,    /* int in min .. max */
    OPTION_COUNT,  /* int64_t >= min; suffixes k M G = 1000, 1000^2, 1000^3 */
    OPTION_BYTES,  /* int64_t >= min; suffixes k M G = 1024, 1024^2, 1024^3 */
    OPTION_NUMBER, /* double in min .. max; NAN until given */
    OPTION_PRESET, /* no field: stands for --<preset_name> preset_value */
    OPTION_HELP    /* shows the help */
} OptionType;

typedef struct Option {
    const char *name; /* without dashes; NULL ends the table */
    char letter;      /* 0 = none */
    OptionType type;
    size_t offset;       /* of the field in the command's args */
    const char *metavar; /* "FILE"; NULL when the option takes no argument */
    const char *help;
    const char *standard;       /* default, parsed like an argument; NULL = none */
    const char *const *choices; /* NULL-terminated */
    double min, max;
    const char *preset_name, *preset_value;
} Option;

typedef struct StringList {
    const char **items; /* n of them and a NULL */
    int n;
} StringList;

typedef struct Example {
    const char *what, *line; /* what NULL ends the list */
} Example;

typedef enum OperandKind { OPERAND_FILES, OPERAND_SHELL, OPERAND_COMMAND } OperandKind;

typedef struct Command {
    const char *name; /* "score"; of two words, "noise watch", for a part of the first's subject */
    const char *summary;
    const char *operands;    /* as in the usage line */
    const char *description; /* paragraphs separated by '\n' */
    const Example *examples;
    const Option *options;
    size_t args_size; /* of the struct that options fill */
    int min_operands, max_operands;
    OperandKind operand_kind;                                      /* for completion */
    int (*run)(const void *args, char **operands, int n_operands); /* returns the exit code */
} Command;

extern const Command *const command_list[]; /* NULL-terminated; in main.c */
extern const Command cmd_score, cmd_video, cmd_eval, cmd_compare, cmd_ask, cmd_mcq, cmd_info,
    cmd_convert, cmd_noise, cmd_noise_watch, cmd_noise_train, cmd_completion, cmd_help;

/* The command that words[n] begin with: of two words if there is one, else of one. *n_used: how
 * many of them are its name. NULL when there is none. */
const Command *command_find(char *const *words, int n, int *n_used);

/* The command's name as one word, which its manual page has: "noise-watch". Freed by free(). */
char *command_page_name(const Command *command);

/* What follows group's name, "watch" for "noise", in the name of a command of two words; NULL when
 * command is none of group's. */
const char *command_part(const Command *command, const char *group);

/* The name, or the part of a name if there is one, that word was probably meant to be; NULL when
 * none is near. group: NULL for all commands. */
const char *command_suggest(const char *word, const char *group);

#define HELP_OPTION                                                                           \
    {                                                                                         \
        .name = "help", .letter = 'h', .type = OPTION_HELP, .help = "show this help and exit" \
    }

#endif
