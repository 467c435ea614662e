/* noise_record.c: the formats by name, and what all of them ask of a report. */
// SPDX-License-Identifier: Apache-2.0
#include "output/noise_record.h"

#include <math.h>
#include <string.h>

const NoiseFormat *noise_format_find(const char *name)
{
    static const NoiseFormat *const formats[] = {&noise_table, &noise_csv, &noise_tsv, &noise_json,
                                                 &noise_jsonl};
    size_t i = 0;
    while (strcmp(formats[i]->name, name))
        i++;
    return formats[i];
}

int noise_worst_zone(const QbNoiseReport *report)
{
    int worst = -1;
    for (int z = 0; z < report->grid.columns * report->grid.rows; z++) {
        double v = report->zones[z].visibility;
        if (!isnan(v) && (worst < 0 || v > report->zones[worst].visibility))
            worst = z;
    }
    return worst;
}

int noise_worst_measure(const QbNoiseMetricInfo *metric, const double *zones, int n_zones)
{
    int worst = -1;
    for (int z = 0; z < n_zones; z++) {
        bool worse = worst < 0 ||
                     (metric->higher_is_better ? zones[z] < zones[worst] : zones[z] > zones[worst]);
        if (!isnan(zones[z]) && worse)
            worst = z;
    }
    return worst;
}

static int edge(int size, int index, int n)
{
    return (int)((int64_t)size * index / n);
}

NoiseRect noise_zone_rect(QbNoiseGrid grid, int width, int height, int zone)
{
    int column = zone % grid.columns, row = zone / grid.columns;
    int x = edge(width, column, grid.columns), y = edge(height, row, grid.rows);
    return (NoiseRect){x, y, edge(width, column + 1, grid.columns) - x,
                       edge(height, row + 1, grid.rows) - y};
}

bool noise_is_light(const NoiseRecord *record)
{
    return record->info.is_light || (record->other_info.width > 0 && record->other_info.is_light);
}
