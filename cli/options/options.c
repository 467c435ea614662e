/* options.c: the option parser. Long options take "--name value" or "--name=value", short ones
 * "-x value" or "-xvalue", flags may be bundled; operands and options mix; "--" ends options. */
// SPDX-License-Identifier: Apache-2.0
#include "options/options.h"

#include "base/report.h"
#include "options/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool option_set(const Command *command, const Option *option, void *args, const char *value,
                       const char *origin);

int usage_error(const Command *command, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (command) {
        report("%s: %s", command->name, message);
        report("try 'qboost %s --help'", command->name);
    } else {
        report("%s", message);
        report("try 'qboost --help'");
    }
    return CLI_USAGE;
}

const Option *option_find(const Command *command, const char *name)
{
    for (const Option *option = command->options; option->name; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

bool option_takes_argument(const Option *option)
{
    return option->metavar != NULL;
}

void option_add_environment_name(Text *text, const Option *option)
{
    text_add(text, "QBOOST_");
    for (const char *c = option->name; *c; c++)
        text_add_char(text, *c == '-' ? '_' : (char)toupper((unsigned char)*c));
}

static bool parse_flag(bool *out, const char *value)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off", ""};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (strcasecmp(value, yes[i]) == 0)
            return *out = true;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (strcasecmp(value, no[i]) == 0) {
            *out = false;
            return true;
        }
    return false;
}

/* "12", "64k", "1.5G", "2GiB": a number, a suffix, and nothing else. */
static bool parse_scaled(int64_t *out, const char *value, double base, double min)
{
    char *end;
    errno = 0;
    double number = strtod(value, &end);
    if (end == value || errno || !isfinite(number))
        return false;
    if (*end) {
        const char *const letters = "kmg";
        const char *at = strchr(letters, tolower((unsigned char)*end));
        if (!at)
            return false;
        number *= pow(base, (double)(at - letters + 1));
        end++;
    }
    if (base == 1024 && (strcasecmp(end, "b") == 0 || strcasecmp(end, "ib") == 0))
        end += strlen(end);
    if (*end || number < min || number > 9e18)
        return false;
    *out = (int64_t)number;
    return true;
}

static bool parse_int(int *out, const char *value, double min, double max)
{
    char *end;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (end == value || *end || errno || (double)number < min || (double)number > max)
        return false;
    *out = (int)number;
    return true;
}

static bool parse_number(double *out, const char *value, double min, double max)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end || !isfinite(number) || number < min || number > max)
        return false;
    *out = number;
    return true;
}

static bool parse_choice(const char **out, const Option *option, const char *value,
                         const char *origin)
{
    for (const char *const *choice = option->choices; *choice; choice++)
        if (strcmp(*choice, value) == 0) {
            *out = *choice;
            return true;
        }
    Text message = {0};
    text_addf(&message, "%s: '%s' is none of", origin, value);
    for (const char *const *choice = option->choices; *choice; choice++)
        text_addf(&message, "%s %s", choice == option->choices ? "" : ",", *choice);
    const char *near = suggest(value, option->choices);
    if (near)
        text_addf(&message, "; did you mean %s?", near);
    report("%s", message.data);
    text_free(&message);
    return false;
}

static bool wrong_value(const Option *option, const char *value, const char *origin)
{
    switch (option->type) {
    case OPTION_FLAG:
        report("%s: '%s' is neither 1 nor 0", origin, value);
        break;
    case OPTION_INT:
        report("%s: '%s' is not a whole number from %.0f to %.0f", origin, value, option->min,
               option->max);
        break;
    case OPTION_COUNT:
    case OPTION_BYTES:
        report("%s: '%s' is not a number of at least %.0f (k, M and G may follow)", origin, value,
               option->min);
        break;
    default:
        report("%s: '%s' is not a number from %g to %g", origin, value, option->min, option->max);
    }
    return false;
}

static void list_add(StringList *list, const char *value)
{
    list->items = cli_realloc(list->items, (size_t)list->n + 2, sizeof *list->items);
    list->items[list->n++] = value;
    list->items[list->n] = NULL;
}

static bool option_set(const Command *command, const Option *option, void *args, const char *value,
                       const char *origin)
{
    void *field = (char *)args + option->offset;
    bool good = true;
    switch (option->type) {
    case OPTION_FLAG:
        good = parse_flag(field, value);
        break;
    case OPTION_STRING:
        *(const char **)field = value;
        break;
    case OPTION_LIST:
        list_add(field, value);
        break;
    case OPTION_CHOICE:
        return parse_choice(field, option, value, origin);
    case OPTION_INT:
        good = parse_int(field, value, option->min, option->max);
        break;
    case OPTION_COUNT:
        good = parse_scaled(field, value, 1000, option->min);
        break;
    case OPTION_BYTES:
        good = parse_scaled(field, value, 1024, option->min);
        break;
    case OPTION_NUMBER:
        good = parse_number(field, value, option->min, option->max);
        break;
    case OPTION_PRESET: {
        bool on = false;
        good = parse_flag(&on, value);
        if (on)
            return option_set(command, option_find(command, option->preset_name), args,
                              option->preset_value, origin);
        break;
    }
    case OPTION_HELP:
        break;
    }
    return good || wrong_value(option, value, origin);
}

/* Defaults first, then the environment: presets after what they stand for, as they are listed. */
static bool set_defaults(const Command *command, void *args)
{
    memset(args, 0, command->args_size);
    for (const Option *option = command->options; option->name; option++) {
        if (option->type == OPTION_NUMBER)
            *(double *)((char *)args + option->offset) = NAN;
        if (option->standard && !option_set(command, option, args, option->standard, option->name))
            return false;
    }
    bool good = true;
    for (const Option *option = command->options; option->name && good; option++) {
        if (option->type == OPTION_HELP || option->type == OPTION_LIST)
            continue;
        Text name = {0};
        option_add_environment_name(&name, option);
        const char *value = getenv(name.data);
        if (value && *value)
            good = option_set(command, option, args, value, name.data);
        text_free(&name);
    }
    return good;
}

static int unknown_option(const Command *command, const char *name, size_t length)
{
    size_t n = 0;
    while (command->options[n].name)
        n++;
    const char **names = cli_calloc(n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = command->options[i].name;
    char *wrong = strndup(name, length);
    const char *near = wrong ? suggest(wrong, names) : NULL;
    if (near)
        usage_error(command, "unknown option --%s; did you mean --%s?", wrong, near);
    else
        usage_error(command, "unknown option --%s", wrong ? wrong : name);
    free(wrong);
    free(names);
    return CLI_USAGE;
}

typedef struct Parser {
    const Command *command;
    void *args;
    char **argv;
    int argc, at;
} Parser;

static ParseResult apply(Parser *p, const Option *option, const char *attached)
{
    char origin[64];
    snprintf(origin, sizeof origin, "%s: --%s", p->command->name, option->name);
    if (option->type == OPTION_HELP)
        return PARSE_HELP;
    const char *value = attached;
    if (!option_takes_argument(option)) {
        if (attached) {
            usage_error(p->command, "--%s takes no argument", option->name);
            return PARSE_ERROR;
        }
        value = "1";
    } else if (!value) {
        if (p->at >= p->argc) {
            usage_error(p->command, "--%s needs an argument: %s", option->name, option->metavar);
            return PARSE_ERROR;
        }
        value = p->argv[p->at++];
    }
    return option_set(p->command, option, p->args, value, origin) ? PARSE_OK : PARSE_ERROR;
}

static ParseResult parse_long(Parser *p, const char *word)
{
    size_t length = strcspn(word, "=");
    for (const Option *option = p->command->options; option->name; option++)
        if (strlen(option->name) == length && memcmp(option->name, word, length) == 0)
            return apply(p, option, word[length] ? word + length + 1 : NULL);
    unknown_option(p->command, word, length);
    return PARSE_ERROR;
}

static ParseResult parse_short(Parser *p, const char *letters)
{
    ParseResult result = PARSE_OK;
    for (; *letters && result == PARSE_OK; letters++) {
        const Option *option = p->command->options;
        while (option->name && option->letter != *letters)
            option++;
        if (!option->name) {
            usage_error(p->command, "unknown option -%c", *letters);
            return PARSE_ERROR;
        }
        if (option_takes_argument(option) && letters[1])
            return apply(p, option, letters + 1);
        result = apply(p, option, NULL);
    }
    return result;
}

ParseResult options_parse(const Command *command, void *args, int argc, char **argv,
                          char **operands, int *n_operands)
{
    Parser p = {command, args, argv, argc, 0};
    bool options_end = false;
    *n_operands = 0;
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
        if (strcmp(argv[i], "--help") == 0) /* even beside a mistake or a bad variable */
            return PARSE_HELP;
    if (!set_defaults(command, args))
        return PARSE_ERROR;
    while (p.at < argc) {
        char *word = argv[p.at++];
        ParseResult result = PARSE_OK;
        if (options_end || word[0] != '-' || word[1] == 0)
            operands[(*n_operands)++] = word;
        else if (strcmp(word, "--") == 0)
            options_end = true;
        else
            result = word[1] == '-' ? parse_long(&p, word + 2) : parse_short(&p, word + 1);
        if (result != PARSE_OK)
            return result;
    }
    if (*n_operands < command->min_operands)
        usage_error(command, "something is missing: qboost %s %s", command->name,
                    command->operands);
    else if (*n_operands > command->max_operands)
        usage_error(command, "'%s' is one too many: qboost %s %s", operands[command->max_operands],
                    command->name, command->operands);
    else
        return PARSE_OK;
    return PARSE_ERROR;
}

void options_free(const Command *command, void *args)
{
    for (const Option *option = command->options; option->name; option++)
        if (option->type == OPTION_LIST)
            free(((StringList *)((char *)args + option->offset))->items);
}

int usage_check_stdin(const Command *command, const char *files_from, char *const *operands,
                      int n_operands)
{
    int n_uses = files_from && strcmp(files_from, "-") == 0;
    for (int i = 0; i < n_operands; i++)
        n_uses += strcmp(operands[i], "-") == 0;
    if (n_uses > 1)
        return usage_error(command, "standard input can be read only once");
    if (n_uses == 1 && isatty(STDIN_FILENO))
        return usage_error(command, "'-' reads from standard input, which is the terminal");
    return CLI_OK;
}
