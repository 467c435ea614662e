/* storage_list.c: the table of storage types; a new one is a line here. With a coarse type the
 * parts that are few and sensitive (embedding, head, tower) stay at 8 bits. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/storage.h"

#include <qboost/convert.h>
#include <string.h>

#define ALL(t)                  \
    {                           \
        t, t, t, t, QB_TYPE_F32 \
    }
#define COARSE(t)                                                \
    {                                                            \
        t, QB_TYPE_Q8_0, QB_TYPE_Q8_0, QB_TYPE_Q8_0, QB_TYPE_F32 \
    }

// clang-format off
static const QbStorage list[] = {
    {"f16",  "16 bits a weight, as most checkpoints have it: exact", ALL(QB_TYPE_F16)},
    {"bf16", "16 bits, for checkpoints that have bfloat16: exact for those", ALL(QB_TYPE_BF16)},
    {"q8_0", "8.5 bits: half of f16, scores nearly the same", ALL(QB_TYPE_Q8_0)},
    {"q6_k", "6.6 bits; embedding, head and vision tower at 8.5", COARSE(QB_TYPE_Q6_K)},
    {"q4_k", "4.5 bits, the best of the small ones; the rest as q6_k", COARSE(QB_TYPE_Q4_K)},
    {"q4_0", "4.5 bits, simpler and coarser; the rest as q6_k", COARSE(QB_TYPE_Q4_0)},
    {"f32",  "32 bits: twice f16, for comparisons", ALL(QB_TYPE_F32)},
};
// clang-format on

const QbStorage *qb_storage_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? &list[index] : NULL;
}

const QbStorage *qb_storage_find(const char *name)
{
    for (int i = 0; qb_storage_at(i); i++)
        if (!strcmp(list[i].name, name))
            return &list[i];
    return NULL;
}

QbType qb_storage_type(const QbStorage *storage, QbRole role, int64_t columns)
{
    QbType type = storage->type[role];
    if (columns % qb_type_block_values(type))
        type = QB_TYPE_Q8_0;
    if (columns % qb_type_block_values(type))
        type = QB_TYPE_F16;
    return type;
}

const char *qb_convert_type_name(int index)
{
    const QbStorage *storage = qb_storage_at(index);
    return storage ? storage->name : NULL;
}

const char *qb_convert_type_help(int index)
{
    const QbStorage *storage = qb_storage_at(index);
    return storage ? storage->help : NULL;
}
