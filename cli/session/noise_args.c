/* noise_args.c: from the options about noise to the library's. */
// SPDX-License-Identifier: Apache-2.0
#include "session/noise_args.h"

#include "base/report.h"
#include "options/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *tone_choices[9];
char metric_help[2048];

static void list_metrics(void)
{
    const QbNoiseMetricInfo *metric;
    size_t used = (size_t)snprintf(metric_help, sizeof metric_help,
                                   "with --reference: measure this; may be given several times "
                                   "(default: all that the pictures allow)");
    for (int i = 0; (metric = qb_noise_metric_info(i)) && used < sizeof metric_help; i++)
        used += (size_t)snprintf(metric_help + used, sizeof metric_help - used, "\n%s: %s",
                                 metric->name, metric->summary);
}

void noise_args_init(void)
{
    list_metrics();
    for (int i = 0; i < 8 && qb_tone_curve_name(i); i++)
        tone_choices[i] = qb_tone_curve_name(i);
}

/* Digits alone, 1 … QB_NOISE_MAX_ZONES; *at moves behind them. */
static bool parse_side(int *out, const char **at)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    long number = strtol(*at, &end, 10);
    if (number < 1 || number > QB_NOISE_MAX_ZONES)
        return false;
    *out = (int)number;
    *at = end;
    return true;
}

static bool parse_grid(QbNoiseGrid *out, const char *text)
{
    const char *at = text;
    return parse_side(&out->columns, &at) && *at++ == 'x' && parse_side(&out->rows, &at) &&
           *at == 0 && out->columns * out->rows <= QB_NOISE_MAX_ZONES;
}

int noise_args_start(QbNoiseGrid *out, const Command *command, const NoiseArgs *args)
{
    const char *grid = args->grid ? args->grid : "4x4";
    if (!parse_grid(out, grid))
        return usage_error(command,
                           "--grid: '%s' is not COLUMNSxROWS, such as 4x4, of at most %d zones",
                           grid, QB_NOISE_MAX_ZONES);
    if (qb_cpu_set_level(args->cpu) != QB_OK) {
        report("--cpu %s: %s", args->cpu, qb_last_error());
        return CLI_USAGE;
    }
    return CLI_OK;
}

int noise_threads(const NoiseArgs *args)
{
    return args->threads > 0 ? args->threads : qb_cpu_count();
}

void noise_tone_mapping(QbToneMapping *out, const NoiseArgs *args)
{
    qb_tone_mapping_init(out);
    out->curve = args->tone;
    out->exposure = args->exposure;
}

int noise_open_model(QbNoiseModel **out, const NoiseArgs *args)
{
    QbStatus status = qb_noise_model_open(out, args->model);
    if (status == QB_OK)
        return CLI_OK;
    report("%s", qb_last_error());
    return status == QB_ERR_NOMEM ? CLI_LIMIT : CLI_MODEL;
}
