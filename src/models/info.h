/* info.h: what a model says of itself, as an ordered list of texts. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_INFO_H
#define QB_MODELS_INFO_H

#include "engine/store.h"

enum { QB_INFO_MAX = 64 };

typedef struct QbInfo {
    QbStore *store; /* borrowed: the texts live there */
    const char *key[QB_INFO_MAX];
    const char *value[QB_INFO_MAX];
    int count;
    int failed; /* memory ran out or the list is full */
} QbInfo;

/* key: a literal. */
void qb_info_add(QbInfo *info, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
