/* terminal.c: colour, character set and width of the terminal (no-color.org, clig.dev). */
// SPDX-License-Identifier: Apache-2.0
#include "base/terminal.h"

#include <langinfo.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *const color_choices[] = {"auto", "always", "never", NULL};

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

bool terminal_colors(int fd, const char *choice)
{
    if (strcmp(choice, "auto"))
        return strcmp(choice, "always") == 0;
    if (is_set("NO_COLOR"))
        return false;
    if (is_set("FORCE_COLOR"))
        return true;
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb");
}

bool terminal_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int terminal_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int terminal_width(int fd)
{
    int columns = terminal_columns(fd);
    return columns > 0 ? columns : 80;
}
