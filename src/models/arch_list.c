/* arch_list.c: the architectures, one line each. */
// SPDX-License-Identifier: Apache-2.0
#include "models/arch.h"

#include <string.h>

extern const QbModelArch qb_arch_compact;
extern const QbModelArch qb_arch_llava;
extern const QbModelArch qb_arch_mplug_owl2;

static const QbModelArch *const list[] = {
    &qb_arch_compact,
    &qb_arch_llava,
    &qb_arch_mplug_owl2,
};

const QbModelArch *qb_model_arch_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? list[index] : NULL;
}

const QbModelArch *qb_model_arch_find(const char *name)
{
    for (int i = 0; qb_model_arch_at(i); i++)
        if (!strcmp(list[i]->name, name))
            return list[i];
    return NULL;
}

const QbModelArch *qb_model_arch_find_decoder(const char *name)
{
    for (int i = 0; qb_model_arch_at(i); i++)
        if (list[i]->decoder_name && !strcmp(list[i]->decoder_name, name))
            return list[i];
    return NULL;
}
