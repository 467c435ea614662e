/* output.c: the list of output formats and what they share. */
// SPDX-License-Identifier: Apache-2.0
#include "output/output.h"

#include <string.h>

static const OutputFormat *const formats[] = {&output_table, &output_csv, &output_tsv, &output_json,
                                              &output_jsonl};

const char *const output_format_names[] = {"table", "csv", "tsv", "json", "jsonl", NULL};

const char *const output_fixed_tones[] = {"good", "average", "poor", NULL};

const OutputFormat *output_find(const char *name)
{
    size_t i = 0;
    while (strcmp(formats[i]->name, name))
        i++;
    return formats[i];
}

int output_tone(const RunInfo *run, const char *name)
{
    for (int tone = 0; tone < run->n_tones; tone++)
        if (strcmp(qb_scorer_tone_name(run->scorer, tone), name) == 0)
            return tone;
    return -1;
}
