/* main.c: the list of subcommands, and the way to them. */
// SPDX-License-Identifier: Apache-2.0
#include "base/report.h"
#include "options/command.h"
#include "options/help.h"
#include "options/options.h"
#include "session/model_args.h"
#include "session/noise_args.h"
#include "session/train_args.h"
#include "session/video_args.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <qboost/qboost.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const Command *const command_list[] = {
    &cmd_score,       &cmd_video,      &cmd_eval,    &cmd_compare, &cmd_ask,
    &cmd_mcq,         &cmd_info,       &cmd_convert, &cmd_noise,   &cmd_noise_watch,
    &cmd_noise_train, &cmd_completion, &cmd_help,    NULL};

static int show_help(const Command *command, int fd)
{
    Text text = {0};
    help_add(&text, command);
    bool good = write_all(fd, text.data, text.length);
    text_free(&text);
    return good ? CLI_OK : CLI_FAILED;
}

static int unknown_command(const char *name)
{
    const char *near = command_suggest(name, NULL);
    for (const Command *const *command = command_list; *command && !near; command++) {
        const char *space = strchr((*command)->name, ' ');
        if (space && strcmp(space + 1, name) == 0)
            near = (*command)->name;
    }
    if (near)
        return usage_error(NULL, "unknown command '%s'; did you mean '%s'?", name, near);
    if (access(name, F_OK) == 0)
        return usage_error(NULL, "unknown command '%s'; did you mean 'qboost score %s'?", name,
                           name);
    return usage_error(NULL, "unknown command '%s'", name);
}

/* The first operand of a command may have been meant to be the second word of another. */
static const char *meant_part(const Command *command, const char *word)
{
    return access(word, F_OK) == 0 ? NULL : command_suggest(word, command->name);
}

static int run_command(const Command *command, int argc, char **argv)
{
    void *args = cli_calloc(1, command->args_size);
    char **operands = cli_calloc((size_t)argc + 1, sizeof *operands);
    int n_operands = 0, code = CLI_USAGE;
    ParseResult result = options_parse(command, args, argc, argv, operands, &n_operands);
    if (result == PARSE_HELP)
        code = show_help(command, STDOUT_FILENO);
    else if (result == PARSE_OK)
        code = command->run(args, operands, n_operands);
    options_free(command, args);
    free(operands);
    free(args);
    return code;
}

/* A file opened while one of 0 .. 2 is closed would get its number, and with it what is meant for
 * standard output or stderr. They are filled the wrong way round: using one still fails. */
static bool fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (!fill_standard_streams())
        return CLI_FAILED;
    signal(SIGXFSZ, SIG_IGN); /* a file over the size limit is a write that fails, as a full disk */
    setlocale(LC_CTYPE, "");
    model_args_init();
    noise_args_init();
    train_args_init();
    video_args_init();
    if (argc < 2) {
        show_help(NULL, STDERR_FILENO);
        return CLI_USAGE;
    }
    const char *first = argv[1];
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return show_help(NULL, STDOUT_FILENO);
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
        return printf("qboost %s\n", qb_version()) < 0 || fflush(stdout) ? CLI_FAILED : CLI_OK;
    if (first[0] == '-')
        return usage_error(NULL, "a command must come before '%s'", first);
    int n_used;
    const Command *command = command_find(argv + 1, argc - 1, &n_used);
    if (!command)
        return unknown_command(first);
    const char *word = argv[1 + n_used], *part = word ? meant_part(command, word) : NULL;
    if (part)
        return usage_error(command, "'%s' is no file; did you mean 'qboost %s %s'?", word,
                           command->name, part);
    return run_command(command, argc - 1 - n_used, argv + 1 + n_used);
}
