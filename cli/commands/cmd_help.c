/* cmd_help.c: `qboost help`, for people and, as manual pages, for man. */
// SPDX-License-Identifier: Apache-2.0
#include "options/help.h"
#include "options/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct HelpArgs {
    bool man, list;
} HelpArgs;

static const Option options[] = {
    {.name = "man",
     .type = OPTION_FLAG,
     .offset = offsetof(HelpArgs, man),
     .help = "print the manual page's source (mdoc)"},
    {.name = "list",
     .type = OPTION_FLAG,
     .offset = offsetof(HelpArgs, list),
     .help = "print the commands' names, one a line, as their manual pages have them"},
    HELP_OPTION,
    {0}};

static const Example examples[] = {{"What score can do", "qboost help score"},
                                   {"Its manual page", "qboost help --man score | man -l -"},
                                   {0}};

static void no_command(const char *name, const char *near)
{
    usage_error(&cmd_help, "no command '%s'%s%s%s", name, near ? "; did you mean '" : "",
                near ? near : "", near ? "'?" : "");
}

static const Command *find_page(const char *page)
{
    for (const Command *const *command = command_list; *command; command++) {
        char *name = command_page_name(*command);
        bool found = strcmp(name, page) == 0;
        free(name);
        if (found)
            return *command;
    }
    return NULL;
}

/* false: there is none of that name, explained on stderr. */
static bool find(const Command **out, char **words, int n)
{
    int n_used;
    *out = command_find(words, n, &n_used);
    if (!*out && n == 1)
        *out = find_page(words[0]);
    if (!*out) {
        no_command(words[0], command_suggest(words[0], NULL));
        return false;
    }
    if (n == 1 || n_used == n)
        return true;
    Text name = {0}, near = {0};
    const char *part = command_suggest(words[1], words[0]);
    text_addf(&name, "%s %s", words[0], words[1]);
    text_addf(&near, "%s %s", words[0], part ? part : "");
    no_command(name.data, part ? near.data : NULL);
    text_free(&name);
    text_free(&near);
    return false;
}

static void add_list(Text *out)
{
    for (const Command *const *command = command_list; *command; command++) {
        char *name = command_page_name(*command);
        text_addf(out, "%s\n", name);
        free(name);
    }
}

static int run(const void *args_given, char **operands, int n_operands)
{
    const HelpArgs *args = args_given;
    const Command *command = NULL;
    if (n_operands > 0 && !find(&command, operands, n_operands))
        return CLI_USAGE;
    Text text = {0};
    if (args->list)
        add_list(&text);
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
    .max_operands = 2,
    .operand_kind = OPERAND_COMMAND,
    .run = run,
};
