/* settings.c: resolves options and prompt files; see settings.h and docs/prompts.md.
 *
 * A prompt file is lines of "key = value"; empty lines and lines that begin with # are skipped.
 * Keys: method, prompt, tones, weights, temperature. */
// SPDX-License-Identifier: Apache-2.0
#include "score/settings.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 65536 };

/* The texts that decide; NULL = nobody has said. */
typedef struct {
    const char *method, *prompt, *tones, *weights;
    double temperature;
    const char *weights_file; /* the prompt file that the weights are from, and the line; or NULL */
    int weights_line;
} Wishes;

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = 0;
    return text;
}

static QbStatus parse_temperature(double *out, const char *text)
{
    char *end;
    double value = qb_parse_double(text, &end);
    if (end == text || *end || !(value > 0) || !isfinite(value))
        return qb_fail(QB_ERR_ARG, "temperature \"%s\": a number above 0 is expected", text);
    *out = value;
    return QB_OK;
}

static QbStatus find_method(const QbScoreMethod **out, const char *name)
{
    *out = qb_score_method_find(name);
    if (*out)
        return QB_OK;
    char known[256] = "";
    for (int i = 0; qb_method_name(i); i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", qb_method_name(i));
    }
    return qb_fail(QB_ERR_ARG, "unknown method \"%s\" (%s)", name, known);
}

/* What can be told of a value while its line is known; whether weights fit the tones comes later.
 */
static QbStatus check_value(const char *key, const char *value)
{
    const QbScoreMethod *method;
    QbTones tones = {0};
    QbStatus status = QB_OK;
    if (!strcmp(key, "method"))
        status = find_method(&method, value);
    else if (!strcmp(key, "tones"))
        status = qb_tones_parse(&tones, value, NULL);
    qb_tones_deinit(&tones);
    return status;
}

static QbStatus parse_line(Wishes *wishes, char *line, const char *path, int number)
{
    char *key = trim(line), *equals = strchr(key, '=');
    if (!*key || *key == '#')
        return QB_OK;
    if (!equals)
        return qb_fail(QB_ERR_FORMAT, "%s:%d: expected key = value, got \"%s\"", path, number, key);
    *equals = 0;
    char *value = trim(equals + 1);
    key = trim(key);
    struct {
        const char *name, **target;
    } texts[] = {{"method", &wishes->method},
                 {"prompt", &wishes->prompt},
                 {"tones", &wishes->tones},
                 {"weights", &wishes->weights}};
    if (!*value)
        return qb_fail(QB_ERR_FORMAT, "%s:%d: %s has no value", path, number, key);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(key, texts[i].name)) {
            *texts[i].target = value;
            if (texts[i].target == &wishes->weights) {
                wishes->weights_file = path;
                wishes->weights_line = number;
            }
            QbStatus status = check_value(key, value);
            return status ? qb_fail_prefix(status, "%s:%d", path, number) : QB_OK;
        }
    if (!strcmp(key, "temperature")) {
        QbStatus status = parse_temperature(&wishes->temperature, value);
        return status ? qb_fail_prefix(status, "%s:%d", path, number) : QB_OK;
    }
    return qb_fail(QB_ERR_FORMAT,
                   "%s:%d: unknown key \"%s\" (method, prompt, tones, weights, temperature)", path,
                   number, key);
}

/* The wishes' texts point into *out_text. */
static QbStatus read_prompt_file(Wishes *wishes, char **out_text, const char *path)
{
    uint8_t *data;
    size_t size;
    QbStatus status = qb_file_read(&data, &size, path, MAX_FILE_BYTES);
    if (status)
        return status;
    char *text = *out_text = qb_strndup((const char *)data, size);
    qb_free(data);
    if (!text)
        return QB_ERR_NOMEM;
    if (strlen(text) != size)
        return qb_fail(QB_ERR_FORMAT, "%s: is not a text file", path);
    static const char byte_order_mark[] = "\xef\xbb\xbf"; /* some editors begin a file with it */
    char *first = strncmp(text, byte_order_mark, 3) ? text : text + 3;
    int number = 1;
    for (char *line = first; line && !status; number++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        status = parse_line(wishes, line, path, number);
        line = end ? end + 1 : NULL;
    }
    return status;
}

static void override(Wishes *wishes, const QbScorerOptions *options)
{
    if (options->method) {
        /* another method than the file's: its words, weights and temperature go with it */
        const char *prompt = wishes->prompt;
        *wishes = (Wishes){.method = options->method, .prompt = prompt};
    }
    if (options->prompt)
        wishes->prompt = options->prompt;
    if (options->tones) {
        wishes->tones = options->tones;
        wishes->weights = NULL; /* those of a file belong to the file's tones */
    }
    if (options->weights) {
        wishes->weights = options->weights;
        wishes->weights_file = NULL;
    }
    if (options->temperature > 0)
        wishes->temperature = options->temperature;
}

static QbStatus resolve(QbSettings *out, Wishes *wishes, const QbModel *model)
{
    QbStatus status = find_method(&out->method, wishes->method ? wishes->method : model->method);
    if (status)
        return status;
    const QbScoreMethod *method = out->method;
    out->temperature = wishes->temperature > 0 ? wishes->temperature : method->temperature;
    if (wishes->prompt && !wishes->prompt[strspn(wishes->prompt, " \t\r\n")])
        return qb_fail(QB_ERR_ARG, "the prompt is empty");
    out->prompt = qb_strdup(wishes->prompt ? wishes->prompt : model->rate_prompt);
    if (!out->prompt)
        return QB_ERR_NOMEM;
    bool own_tones = out->own_tones = wishes->tones != NULL;
    status = qb_tones_parse(&out->tones, own_tones ? wishes->tones : method->tones,
                            wishes->weights ? wishes->weights
                            : own_tones     ? NULL
                                            : method->weights);
    if (status && wishes->weights && wishes->weights_file)
        return qb_fail_prefix(status, "%s:%d", wishes->weights_file, wishes->weights_line);
    return status;
}

QbStatus qb_settings_init(QbSettings *out, const QbScorerOptions *options, const QbModel *model)
{
    *out = (QbSettings){0};
    if (!(options->temperature >= 0) || !isfinite(options->temperature))
        return qb_fail(QB_ERR_ARG, "temperature %g: a number above 0 is expected",
                       options->temperature);
    Wishes wishes = {0};
    char *text = NULL;
    QbStatus status = QB_OK;
    if (options->prompt_file)
        status = read_prompt_file(&wishes, &text, options->prompt_file);
    if (!status) {
        override(&wishes, options);
        status = resolve(out, &wishes, model);
    }
    qb_free(text);
    if (status)
        qb_settings_deinit(out);
    return status;
}

void qb_settings_deinit(QbSettings *settings)
{
    qb_free(settings->prompt);
    qb_tones_deinit(&settings->tones);
    *settings = (QbSettings){0};
}
