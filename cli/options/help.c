/* help.c: what --help prints. */
// SPDX-License-Identifier: Apache-2.0
#include "options/help.h"

#include "options/options.h"

#include <stdio.h>

enum { WIDTH = 80, OPTION_COLUMN = 26 };

const ExitCode exit_codes[] = {
    {CLI_OK, "everything was done"},
    {CLI_FAILED,
     "at least one input failed (the others were done), or results could not be written"},
    {CLI_USAGE, "wrong usage"},
    {CLI_NO_INPUT, "there was nothing to score, or the list of files or questions cannot be read"},
    {CLI_MODEL, "the model or checkpoint is missing, damaged or not supported"},
    {CLI_LIMIT, "out of memory, or over a limit"},
    {CLI_THRESHOLD,
     "a score is below --fail-under, or noise above --fail-over (and no input failed)"},
    {CLI_NOT_CONVERGED, "noise can still be seen (noise watch --once)"},
    {CLI_SIGNAL + 2, "stopped by Ctrl-C (SIGINT); results that were complete are kept"},
    {CLI_SIGNAL + 15, "stopped by SIGTERM; results that were complete are kept"},
    {0, NULL}};

static void add_option(Text *out, const Option *option)
{
    Text left = {0};
    if (option->letter)
        text_addf(&left, "  -%c, --%s", option->letter, option->name);
    else
        text_addf(&left, "      --%s", option->name);
    if (option->metavar)
        text_addf(&left, " %s", option->metavar);
    text_add(out, left.data);
    int column = (int)left.length;
    if (column > OPTION_COLUMN - 2) {
        text_add_char(out, '\n');
        column = 0;
    }
    text_add_wrapped(out, option->help, column, OPTION_COLUMN, WIDTH);
    text_free(&left);
}

static void add_exit_codes(Text *out)
{
    text_add(out, "\nExit codes:\n");
    for (const ExitCode *code = exit_codes; code->meaning; code++) {
        text_addf(out, "  %3d  ", code->code);
        text_add_wrapped(out, code->meaning, 7, 7, WIDTH);
    }
}

/* Options that may be given several times have no place in the environment. */
static void add_lists(Text *out, const Command *command)
{
    Text names = {0};
    for (const Option *option = command->options; option->name; option++)
        if (option->type == OPTION_LIST)
            text_addf(&names, "%s--%s", names.length ? ", " : "", option->name);
    if (names.length) {
        text_add(&names, " cannot: they may be given several times.");
        text_add_wrapped(out, names.data, 0, 0, WIDTH);
    }
    text_free(&names);
}

static void add_command_help(Text *out, const Command *command)
{
    text_addf(out, "qboost %s: %s\n\nUsage: qboost %s %s\n", command->name, command->summary,
              command->name, command->operands);
    text_add(out, "\nExamples:\n");
    for (const Example *example = command->examples; example->what; example++)
        text_addf(out, "  # %s\n  %s\n", example->what, example->line);
    text_add_char(out, '\n');
    text_add_wrapped(out, command->description, 0, 0, WIDTH);
    text_add(out, "\nOptions:\n");
    for (const Option *option = command->options; option->name; option++)
        add_option(out, option);
    text_add(out, "\nEach option can be set in the environment as well: --max-pixels as\n"
                  "QBOOST_MAX_PIXELS, those without an argument as QBOOST_<NAME>=1.\n");
    add_lists(out, command);
    add_exit_codes(out);
}

static void add_program_help(Text *out)
{
    text_add(out, "qboost: how good does this picture or video look to a person?\n\n"
                  "Usage: qboost COMMAND [OPTION]…\n\nExamples:\n"
                  "  qboost score photo.jpg\n"
                  "  qboost score --sort -score --contact-sheet sheet.png photos/\n"
                  "  qboost score --json photos/ > scores.jsonl\n"
                  "  qboost video --timeline when.png clip.mp4\n"
                  "  qboost eval --labels mos.csv --images photos/\n"
                  "  qboost ask photo.jpg \"Is this photo sharp?\"\n\nCommands:\n");
    for (const Command *const *command = command_list; *command; command++)
        text_addf(out, "  %-12s %s\n", (*command)->name, (*command)->summary);
    text_add(out, "\n'qboost COMMAND --help' tells more; 'qboost --version' tells the version.\n");
}

void help_add(Text *out, const Command *command)
{
    if (command)
        add_command_help(out, command);
    else
        add_program_help(out);
}
