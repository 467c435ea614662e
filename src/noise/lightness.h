/* lightness.h: CIE L* of 8-bit sRGB by tables: equal steps of it look equally large, whether the
 * picture is light or dark there. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_NOISE_LIGHTNESS_H
#define QB_NOISE_LIGHTNESS_H

#include <stdint.h>

enum { QB_LIGHTNESS_TABLE_STEPS = 4096 };

typedef struct QbLightnessTable {
    float luminance[3][256];                   /* weighted, of R, G, B; in steps */
    float value[QB_LIGHTNESS_TABLE_STEPS + 2]; /* L* of a luminance in steps */
} QbLightnessTable;

void qb_lightness_table_init(QbLightnessTable *table);

/* 0 … 100, within 0.001 of the formula. */
static inline float qb_lightness_of(const QbLightnessTable *table, const uint8_t rgb[3])
{
    float y =
        table->luminance[0][rgb[0]] + table->luminance[1][rgb[1]] + table->luminance[2][rgb[2]];
    int step = (int)y;
    float part = y - (float)step;
    return table->value[step] + part * (table->value[step + 1] - table->value[step]);
}

#endif
