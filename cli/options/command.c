/* command.c: finds commands in the list by their names, which may be of two words. */
// SPDX-License-Identifier: Apache-2.0
#include "options/command.h"

#include "base/text.h"
#include "options/suggest.h"

#include <stdlib.h>
#include <string.h>

const char *command_part(const Command *command, const char *group)
{
    size_t length = strlen(group);
    bool within = strncmp(command->name, group, length) == 0 && command->name[length] == ' ';
    return within ? command->name + length + 1 : NULL;
}

const Command *command_find(char *const *words, int n, int *n_used)
{
    const Command *found = NULL;
    *n_used = 0;
    for (const Command *const *command = command_list; n > 0 && *command; command++) {
        const char *part = command_part(*command, words[0]);
        int n_words = part ? 2 : 1;
        bool named =
            part ? n > 1 && strcmp(part, words[1]) == 0 : strcmp((*command)->name, words[0]) == 0;
        if (named && n_words > *n_used) {
            found = *command;
            *n_used = n_words;
        }
    }
    return found;
}

char *command_page_name(const Command *command)
{
    char *name = cli_strdup(command->name), *space = strchr(name, ' ');
    if (space)
        *space = '-';
    return name;
}

const char *command_suggest(const char *word, const char *group)
{
    size_t n = 0;
    while (command_list[n])
        n++;
    const char **names = cli_calloc(n + 1, sizeof *names);
    n = 0;
    for (const Command *const *command = command_list; *command; command++) {
        const char *name = group ? command_part(*command, group) : (*command)->name;
        if (name)
            names[n++] = name;
    }
    const char *near = suggest(word, names);
    free(names);
    return near;
}
