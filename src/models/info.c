/* info.c: see info.h. */
// SPDX-License-Identifier: Apache-2.0
#include "models/info.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void qb_info_add(QbInfo *info, const char *key, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t length = strlen(text) + 1;
    char *copy = info->count < QB_INFO_MAX ? qb_store_take(info->store, length, 1) : NULL;
    if (!copy) {
        info->failed = 1;
        return;
    }
    memcpy(copy, text, length);
    info->key[info->count] = key;
    info->value[info->count++] = copy;
}
