/* man.c: manual pages in mdoc(7), from the command table. */
// SPDX-License-Identifier: Apache-2.0
#include "options/help.h"

#include "options/options.h"

#include <ctype.h>
#include <qboost/qboost.h>
#include <stdlib.h>
#include <string.h>

/* Text on a line of its own: a leading dot or quote would be a macro, a backslash an escape. */
static void add_line(Text *out, const char *bytes)
{
    if (*bytes == '.' || *bytes == '\'')
        text_add(out, "\\&");
    for (; *bytes; bytes++) {
        if (*bytes == '\\')
            text_add(out, "\\e");
        else if (strncmp(bytes, "…", 3) == 0) {
            text_add(out, "...");
            bytes += 2;
        } else
            text_add_char(out, *bytes);
    }
    text_add_char(out, '\n');
}

/* Each sentence on a line of its own, each paragraph after .Pp. */
static void add_prose(Text *out, const char *paragraphs)
{
    Text line = {0};
    for (const char *c = paragraphs; *c; c++) {
        bool sentence_ends =
            (*c == '.' || *c == ':') && c[1] == ' ' && isupper((unsigned char)c[2]);
        if (*c != '\n')
            text_add_char(&line, *c);
        if (*c == '\n' || sentence_ends) {
            add_line(out, line.data);
            text_clear(&line);
            c += sentence_ends;
        }
        if (*c == '\n')
            text_add(out, ".Pp\n");
    }
    if (line.length > 0)
        add_line(out, line.data);
    text_free(&line);
}

/* Words that are macros must not be called from a macro's line. */
static void add_macro_argument(Text *out, const char *word)
{
    text_add(out, " \\&");
    text_add(out, word);
}

static void add_option(Text *out, const Option *option)
{
    text_add(out, ".It");
    if (option->letter)
        text_addf(out, " Fl %c ,", option->letter);
    text_addf(out, " Fl \\-%s", option->name);
    if (option->metavar) {
        text_add(out, " Ar");
        add_macro_argument(out, option->metavar);
    }
    text_add_char(out, '\n');
    add_prose(out, option->help);
}

static void add_head(Text *out, const char *suffix, const char *summary)
{
    text_add(out, ".\\\" SPDX-License-Identifier: Apache-2.0\n.Dd November 23, 2026\n.Dt QBOOST");
    for (const char *c = suffix; *c; c++)
        text_add_char(out, (char)toupper((unsigned char)*c));
    text_addf(out, " 1\n.Os qboost %s\n.Sh NAME\n.Nm qboost%s\n.Nd %s\n", qb_version(), suffix,
              summary);
}

static void add_exit_status(Text *out)
{
    text_add(out, ".Sh EXIT STATUS\n.Bl -tag -width 999 -compact\n");
    for (const ExitCode *code = exit_codes; code->meaning; code++) {
        text_addf(out, ".It %d\n", code->code);
        add_line(out, code->meaning);
    }
    text_add(out, ".El\n");
}

static void add_environment(Text *out)
{
    text_add(
        out,
        ".Sh ENVIRONMENT\n"
        "Each option that is not given several times can be set by a variable:\n"
        "its name in capitals after QBOOST_,\n"
        "for instance QBOOST_MAX_PIXELS for\n.Fl \\-max-pixels .\n"
        "Options without an argument take 1 or 0.\nThe command line wins.\n"
        ".Bl -tag -width QBOOST_MODEL_PATH\n"
        ".It Ev QBOOST_MODEL_PATH\nfolders, separated by colons, in which models are looked for "
        "by name.\n"
        ".It Ev XDG_DATA_HOME , XDG_DATA_DIRS\nfolders whose\n.Pa qboost/models\n"
        "is looked into after those.\n"
        ".It Ev NO_COLOR , FORCE_COLOR\nnever or always colour, when not empty.\n.El\n");
}

static void add_command_man(Text *out, const Command *command)
{
    char *page = command_page_name(command);
    Text suffix = {0};
    text_addf(&suffix, "-%s", page);
    add_head(out, suffix.data, command->summary);
    text_free(&suffix);
    free(page);
    text_addf(out, ".Sh SYNOPSIS\n.Nm qboost %s\n.Ar", command->name);
    Text operands = {0};
    for (const char *c = command->operands; *c; c++)
        if (strncmp(c, "…", 3) == 0) {
            text_add(&operands, "...");
            c += 2;
        } else
            text_add_char(&operands, *c);
    text_addf(out, " %s\n", operands.data);
    text_free(&operands);
    text_add(out, ".Sh DESCRIPTION\n");
    add_prose(out, command->description);
    text_add(out, ".Pp\nOptions:\n.Bl -tag -width Ds\n");
    for (const Option *option = command->options; option->name; option++)
        add_option(out, option);
    text_add(out, ".El\n");
    add_environment(out);
    add_exit_status(out);
    text_add(out, ".Sh EXAMPLES\n");
    for (const Example *example = command->examples; example->what; example++) {
        text_add(out, example == command->examples ? "" : ".Pp\n");
        add_line(out, example->what);
        text_add(out, ".Dl");
        text_add(out, " ");
        add_line(out, example->line);
    }
    text_add(out, ".Sh SEE ALSO\n.Xr qboost 1\n");
}

/* The command that follows after (NULL: the first) in the alphabet; NULL past the last. */
static const Command *next_command(const Command *after)
{
    const Command *nearest = NULL;
    for (const Command *const *command = command_list; *command; command++)
        if ((!after || strcmp((*command)->name, after->name) > 0) &&
            (!nearest || strcmp((*command)->name, nearest->name) < 0))
            nearest = *command;
    return nearest;
}

static void add_program_man(Text *out)
{
    add_head(out, "", "score how good pictures look");
    text_add(out,
             ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar option ...\n.Sh DESCRIPTION\n"
             "Scores pictures as a person would see them, by asking a multimodal language model, "
             "on the CPU.\nA small model is part of the program; larger ones are read from GGUF "
             "files.\n.Pp\nCommands:\n.Bl -tag -width completion\n");
    for (const Command *const *command = command_list; *command; command++)
        text_addf(out, ".It Cm %s\n%s\n", (*command)->name, (*command)->summary);
    text_add(out, ".El\n");
    add_environment(out);
    add_exit_status(out);
    text_add(out, ".Sh EXAMPLES\n.Dl qboost score photo.jpg\n.Dl qboost score --json photos/ > "
                  "scores.jsonl\n.Sh SEE ALSO\n");
    for (const Command *command = next_command(NULL); command; command = next_command(command)) {
        char *page = command_page_name(command);
        text_addf(out, ".Xr qboost-%s 1%s\n", page, next_command(command) ? " ," : "");
        free(page);
    }
}

void man_add(Text *out, const Command *command)
{
    if (command)
        add_command_man(out, command);
    else
        add_program_man(out);
}
