/* cmd_help.c: `qboost help`, for people and, as manual pages, for man. */
// SPDX-License-Identifier: Apache-2.0
#include "options/help.h"
#include "options/options.h"
#include "options/suggest.h"

#include <string.h>
#include <unistd.h>

typedef struct HelpArgs {
    bool man, list;
} HelpArgs;

static const Option options[] = {{.name = "man",
                                  .type = OPTION_FLAG,
                                  .offset = offsetof(HelpArgs, man),
                                  .help = "print the manual page's source (mdoc)"},
                                 {.name = "list",
                                  .type = OPTION_FLAG,
                                  .offset = offsetof(HelpArgs, list),
                                  .help = "print the commands' names, one a line"},
                                 HELP_OPTION,
                                 {0}};

static const Example examples[] = {{"What score can do", "qboost help score"},
                                   {"Its manual page", "qboost help --man score | man -l -"},
                                   {0}};

static int run(const void *args_given, char **operands, int n_operands)
{
    const HelpArgs *args = args_given;
    const Command *command = n_operands > 0 ? command_find(operands[0]) : NULL;
    if (n_operands > 0 && !command) {
        const char *names[16] = {0};
        for (size_t i = 0; command_list[i] && i + 1 < sizeof names / sizeof *names; i++)
            names[i] = command_list[i]->name;
        const char *near = suggest(operands[0], names);
        return usage_error(&cmd_help, "no command '%s'%s%s%s", operands[0],
                           near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    Text text = {0};
    if (args->list)
        for (size_t i = 0; command_list[i]; i++)
            text_addf(&text, "%s\n", command_list[i]->name);
    else
        (args->man ? man_add : help_add)(&text, command);
    bool good = write_all(STDOUT_FILENO, text.data, text.length);
    text_free(&text);
    return good ? CLI_OK : CLI_FAILED;
}

const Command cmd_help = {
    .name = "help",
    .summary = "show help for a command",
    .operands = "[OPTION]… [COMMAND]",
    .description = "Prints the help of COMMAND, or of the program.",
    .examples = examples,
    .options = options,
    .args_size = sizeof(HelpArgs),
    .max_operands = 1,
    .operand_kind = OPERAND_COMMAND,
    .run = run,
};
