/* names.c: see names.h. */
// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"

#include <stdio.h>

void qb_names_join(char *out, size_t size, const char *(*name_at)(int index))
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; name_at(i) && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", name_at(i));
}
