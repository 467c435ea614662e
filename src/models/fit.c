/* fit.c: see fit.h. */
// SPDX-License-Identifier: Apache-2.0
#include "models/fit.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    QbFit fit;
} names[] = {{"crop", QB_FIT_CROP}, {"pad", QB_FIT_PAD}, {"view", QB_FIT_VIEW}};

enum { N_NAMES = sizeof names / sizeof *names };

const char *qb_fit_name(QbFit fit)
{
    for (int i = 0; i < N_NAMES; i++)
        if (names[i].fit == fit)
            return names[i].name;
    return NULL;
}

bool qb_fit_find(QbFit *out, const char *name)
{
    for (int i = 0; i < N_NAMES; i++)
        if (!strcmp(names[i].name, name)) {
            *out = names[i].fit;
            return true;
        }
    return false;
}

void qb_fit_list(char *out, size_t n, unsigned fits)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < N_NAMES && used < n; i++)
        if (fits & 1u << names[i].fit)
            used += (size_t)snprintf(out + used, n - used, "%s%s", used ? ", " : "", names[i].name);
}
