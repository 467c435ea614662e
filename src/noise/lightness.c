/* lightness.c: the tables of lightness.h. sRGB's curve and luminance weights: IEC 61966-2-1; L*:
 * CIE 15:2004, 8.2.1.1, with white = 1. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/lightness.h"

#include <math.h>

void qb_lightness_table_init(QbLightnessTable *table)
{
    static const double weight[3] = {0.2126, 0.7152, 0.0722};
    for (int i = 0; i < 256; i++) {
        double v = i / 255.0;
        double linear = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
        for (int c = 0; c < 3; c++)
            table->luminance[c][i] = (float)(weight[c] * linear * QB_LIGHTNESS_TABLE_STEPS);
    }
    for (int i = 0; i < QB_LIGHTNESS_TABLE_STEPS + 2; i++) {
        double y = (double)i / QB_LIGHTNESS_TABLE_STEPS;
        table->value[i] = (float)(y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27);
    }
}
