/* cmd_completion.c: `qboost completion`: scripts for bash, zsh and fish from the command table. */
// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "options/command.h"
#include "options/options.h"

#include <string.h>
#include <unistd.h>

typedef struct CompletionArgs {
    char unused;
} CompletionArgs;

static const Option completion_options[] = {HELP_OPTION, {0}};

static const Example examples[] = {
    {"For this shell only", "source <(qboost completion bash)"},
    {"For good", "qboost completion bash > ~/.local/share/bash-completion/completions/qboost"},
    {"zsh, in a folder of $fpath", "qboost completion zsh > _qboost"},
    {"fish", "qboost completion fish > ~/.config/fish/completions/qboost.fish"},
    {0}};

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

/* The first sentence, without what the shell's own syntax would trip over. */
static void add_short_help(Text *out, const char *help, const char *escaped)
{
    for (;
         *help && !strchr(";\n", *help) && strncmp(help, " (default", 9) && strncmp(help, ". ", 2);
         help++) {
        if (*help == '\'')
            text_add(out, "'\\''");
        else if (strchr(escaped, *help))
            text_addf(out, "\\%c", *help);
        else
            text_add_char(out, *help);
    }
}

static void add_words(Text *out, const char *const *words)
{
    for (const char *const *word = words; *word; word++)
        text_addf(out, "%s%s", word == words ? "" : " ", *word);
}

static bool has_two_words(const Command *command)
{
    return strchr(command->name, ' ') != NULL;
}

/* Names of one word. */
static void add_command_names(Text *out)
{
    for (const Command *const *command = command_list; *command; command++)
        if (!has_two_words(*command))
            text_addf(out, "%s%s", command == command_list ? "" : " ", (*command)->name);
}

/* The second words of the commands whose first is command's name. */
static void add_parts(Text *out, const Command *command)
{
    const char *separator = "";
    for (const Command *const *other = command_list; *other; other++) {
        const char *part = command_part(*other, command->name);
        if (part)
            text_addf(out, "%s%s", separator, part);
        separator = part ? " " : separator;
    }
}

static bool has_parts(const Command *command)
{
    for (const Command *const *other = command_list; *other; other++)
        if (command_part(*other, command->name))
            return true;
    return false;
}

/* What an operand may be, other than a file: NULL when files it is. */
static void add_operand_words(Text *out, const Command *command)
{
    if (command->operand_kind == OPERAND_SHELL)
        add_words(out, shells);
    else if (command->operand_kind == OPERAND_COMMAND)
        add_command_names(out);
}

/* bash */

static void add_bash_case(Text *out, const Option *option)
{
    if (!option_takes_argument(option))
        return;
    text_addf(out, "        --%s", option->name);
    if (option->letter)
        text_addf(out, " | -%c", option->letter);
    if (option->choices) {
        text_add(out, ") COMPREPLY=($(compgen -W '");
        add_words(out, option->choices);
        text_add(out, "' -- \"$cur\")); return ;;\n");
    } else {
        text_add(out, ") return ;;\n");
    }
}

/* Where a command is an operand, and the word before is the first of two. */
static void add_bash_second_words(Text *out)
{
    for (const Command *const *command = command_list; *command; command++) {
        if (!has_parts(*command))
            continue;
        text_addf(out, "        %s) COMPREPLY=($(compgen -W '", (*command)->name);
        add_parts(out, *command);
        text_add(out, "' -- \"$cur\")); return ;;\n");
    }
}

static void add_bash_command(Text *out, const Command *command)
{
    text_addf(out, "    '%s')\n        case $prev in\n", command->name);
    if (command->operand_kind == OPERAND_COMMAND)
        add_bash_second_words(out);
    for (const Option *option = command->options; option->name; option++)
        add_bash_case(out, option);
    text_add(out, "        esac\n        case $cur in\n        -*) COMPREPLY=($(compgen -W '");
    for (const Option *option = command->options; option->name; option++)
        text_addf(out, "%s--%s", option == command->options ? "" : " ", option->name);
    text_add(out, "' -- \"$cur\")) ;;\n");
    if (command->operand_kind != OPERAND_FILES) {
        text_add(out, "        *) COMPREPLY=($(compgen -W '");
        add_operand_words(out, command);
        text_add(out, "' -- \"$cur\")) ;;\n");
    } else if (has_parts(command)) {
        text_add(out, "        *) (( COMP_CWORD == i + 1 )) && COMPREPLY=($(compgen -W '");
        add_parts(out, command);
        text_add(out, "' -- \"$cur\")) ;;\n");
    }
    text_add(out, "        esac ;;\n");
}

/* The word behind the command's, once it is whole, may be a part of its name. */
static void add_bash_pairs(Text *out)
{
    text_add(out, "    if (( COMP_CWORD > i + 1 )); then\n"
                  "        case \"$command ${COMP_WORDS[i + 1]}\" in\n");
    for (const Command *const *command = command_list; *command; command++)
        if (has_two_words(*command))
            text_addf(out, "        '%s') command='%s' ;;\n", (*command)->name, (*command)->name);
    text_add(out, "        esac\n    fi\n");
}

static void add_bash(Text *out)
{
    text_add(out, "# bash completion for qboost, made by `qboost completion bash`\n"
                  "_qboost()\n{\n    local cur prev command= i\n    COMPREPLY=()\n"
                  "    cur=${COMP_WORDS[COMP_CWORD]}\n    prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                  "    if [[ $cur == = ]]; then\n        cur=\n"
                  "    elif [[ $prev == = && $COMP_CWORD -gt 2 ]]; then\n"
                  "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n"
                  "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                  "        case ${COMP_WORDS[i]} in\n        -*) ;;\n"
                  "        *)\n            command=${COMP_WORDS[i]}\n            break ;;\n"
                  "        esac\n    done\n");
    add_bash_pairs(out);
    text_add(out, "    case $command in\n"
                  "    '') COMPREPLY=($(compgen -W '");
    add_command_names(out);
    text_add(out, " --help --version' -- \"$cur\")) ;;\n");
    for (const Command *const *command = command_list; *command; command++)
        add_bash_command(out, *command);
    text_add(out, "    esac\n}\n"
                  "# no words of our own: file names\n"
                  "complete -o bashdefault -o default -F _qboost qboost\n");
}

/* zsh */

static void add_zsh_option(Text *out, const Option *option)
{
    const char *value = option_takes_argument(option) ? "=" : "";
    text_add(out, "            '");
    if (option->letter)
        text_addf(out, "(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name, option->letter,
                  *value ? "+" : "", option->name, value);
    else
        text_addf(out, "--%s%s[", option->name, value);
    add_short_help(out, option->help, "[]:\\");
    text_add(out, "]");
    if (option->choices) {
        text_addf(out, ":%s:(", option->metavar);
        add_words(out, option->choices);
        text_add(out, ")");
    } else if (option_takes_argument(option)) {
        bool file =
            strncmp(option->metavar, "FILE", 4) == 0 || strcmp(option->metavar, "MODEL") == 0;
        bool folder = strcmp(option->metavar, "DIR") == 0;
        text_addf(out, ":%s:%s", option->metavar, folder ? "_files -/" : file ? "_files" : " ");
    }
    text_add(out, "' \\\n");
}

static void add_zsh_pairs(Text *out)
{
    text_add(out, "    if (( CURRENT > 2 )); then\n        case \"$command $words[2]\" in\n");
    for (const Command *const *command = command_list; *command; command++)
        if (has_two_words(*command))
            text_addf(out, "        '%s') command='%s'; shift words; (( CURRENT-- )) ;;\n",
                      (*command)->name, (*command)->name);
    text_add(out, "        esac\n    fi\n");
}

static void add_zsh_operands(Text *out, const Command *command)
{
    if (command->operand_kind != OPERAND_FILES) {
        text_add(out, "            '1:word:(");
        add_operand_words(out, command);
        text_add(out, ")' ;;\n");
        return;
    }
    if (has_parts(command)) {
        text_add(out, "            '1: :{_alternative \"words:command:(");
        add_parts(out, command);
        text_add(out, ")\" \"files:file:_files\"}' \\\n");
    }
    text_add(out, "            '*:file:_files' ;;\n");
}

static void add_zsh(Text *out)
{
    text_add(out, "#compdef qboost\n# zsh completion for qboost, made by `qboost completion zsh`\n"
                  "_qboost() {\n    local -a commands\n    commands=(\n");
    for (const Command *const *command = command_list; *command; command++) {
        if (has_two_words(*command))
            continue;
        text_addf(out, "        '%s:", (*command)->name);
        add_short_help(out, (*command)->summary, "");
        text_add(out, "'\n");
    }
    text_add(out, "    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
                  "        return\n    fi\n    local command=$words[2]\n    shift words\n"
                  "    (( CURRENT-- ))\n");
    add_zsh_pairs(out);
    text_add(out, "    case $command in\n");
    for (const Command *const *command = command_list; *command; command++) {
        text_addf(out, "    '%s')\n        _arguments -s \\\n", (*command)->name);
        for (const Option *option = (*command)->options; option->name; option++)
            add_zsh_option(out, option);
        add_zsh_operands(out, *command);
    }
    text_add(out, "    esac\n}\nif [[ $funcstack[1] == _qboost ]]; then\n    _qboost \"$@\"\nelse\n"
                  "    compdef _qboost qboost\nfi\n");
}

/* fish */

/* complete -c qboost -n 'the command line has the command' */
static void add_fish_condition(Text *out, const Command *command)
{
    size_t length = strcspn(command->name, " ");
    text_add(out, "complete -c qboost -n '__fish_seen_subcommand_from ");
    text_add_bytes(out, command->name, length);
    if (has_two_words(command)) {
        text_addf(out, "; and __fish_seen_subcommand_from%s", command->name + length);
    } else if (has_parts(command)) {
        text_add(out, "; and not __fish_seen_subcommand_from ");
        add_parts(out, command);
    }
    text_add(out, "'");
}

static void add_fish_option(Text *out, const Command *command, const Option *option)
{
    add_fish_condition(out, command);
    text_addf(out, " -l %s", option->name);
    if (option->letter)
        text_addf(out, " -s %c", option->letter);
    if (option->choices) {
        text_add(out, " -x -a '");
        add_words(out, option->choices);
        text_add(out, "'");
    } else if (option_takes_argument(option)) {
        text_add(out, " -r");
    }
    text_add(out, " -d '");
    for (const char *c = option->help; *c && !strchr(";\n", *c) && strncmp(c, " (default", 9); c++)
        text_addf(out, *c == '\'' || *c == '\\' ? "\\%c" : "%c", *c);
    text_add(out, "'\n");
}

static void add_fish(Text *out)
{
    text_add(out, "# fish completion for qboost, made by `qboost completion fish`\n");
    for (const Command *const *command = command_list; *command; command++) {
        if (has_two_words(*command))
            continue;
        text_addf(out, "complete -c qboost -n __fish_use_subcommand -f -a %s -d '",
                  (*command)->name);
        add_short_help(out, (*command)->summary, "");
        text_add(out, "'\n");
    }
    text_add(out,
             "complete -c qboost -n __fish_use_subcommand -f -l version -d 'print the version'\n");
    for (const Command *const *command = command_list; *command; command++) {
        for (const Option *option = (*command)->options; option->name; option++)
            add_fish_option(out, *command, option);
        bool files = (*command)->operand_kind == OPERAND_FILES;
        if (files && !has_parts(*command))
            continue;
        add_fish_condition(out, *command);
        text_add(out, files ? " -a '" : " -f -a '");
        (files ? add_parts : add_operand_words)(out, *command);
        text_add(out, "'\n");
    }
}

static int run(const void *args, char **operands, int n_operands)
{
    (void)args, (void)n_operands;
    static void (*const add[])(Text *) = {add_bash, add_zsh, add_fish};
    for (size_t i = 0; shells[i]; i++) {
        if (strcmp(operands[0], shells[i]))
            continue;
        Text text = {0};
        add[i](&text);
        bool good = write_all(STDOUT_FILENO, text.data, text.length);
        text_free(&text);
        return good ? CLI_OK : CLI_FAILED;
    }
    Text known = {0};
    add_words(&known, shells);
    int code = usage_error(&cmd_completion, "no completion for '%s', only for: %s", operands[0],
                           known.data);
    text_free(&known);
    return code;
}

const Command cmd_completion = {
    .name = "completion",
    .summary = "print a completion script for a shell",
    .operands = "[OPTION]… bash|zsh|fish",
    .description =
        "Prints a script that lets the shell complete commands, options and their values.",
    .examples = examples,
    .options = completion_options,
    .args_size = sizeof(CompletionArgs),
    .min_operands = 1,
    .max_operands = 1,
    .operand_kind = OPERAND_SHELL,
    .run = run,
};
