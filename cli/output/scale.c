/* scale.c: the table of score ranges. */
// SPDX-License-Identifier: Apache-2.0
#include "output/scale.h"

#include <stddef.h>
#include <string.h>

static const Scale scales[] = {{"0-1", 0, 1, NULL}, {"1-5", 1, 5, NULL}, {"0-100", 0, 100, NULL}};

const char *const scale_names[] = {"0-1", "1-5", "0-100", NULL};

const Scale *scale_find(const char *name)
{
    size_t i = 0;
    while (strcmp(scales[i].name, name))
        i++;
    return &scales[i];
}

double scale_apply(const Scale *scale, double score)
{
    if (scale->calibration)
        return qb_calibration_apply(scale->calibration, score);
    return scale->low + (scale->high - scale->low) * score;
}
