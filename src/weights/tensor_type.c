/* tensor_type.c: the element types that tensors may have, in one table. Block sizes are those of
 * the GGUF format; a type that is not here is refused when a file is opened. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/gguf_read.h"

typedef struct TypeInfo {
    QbType type;
    const char *name;
    int block_values, block_bytes;
} TypeInfo;

// clang-format off
static const TypeInfo types[] = {
    {QB_TYPE_F32,  "f32",    1,   4},
    {QB_TYPE_F16,  "f16",    1,   2},
    {QB_TYPE_BF16, "bf16",   1,   2},
    {QB_TYPE_Q4_0, "q4_0",  32,  18}, /* f16 d; u8 qs[16] */
    {QB_TYPE_Q8_0, "q8_0",  32,  34}, /* f16 d; i8 q[32] */
    {QB_TYPE_Q4_K, "q4_k", 256, 144}, /* f16 d, dmin; u8 scales[12]; u8 qs[128] */
    {QB_TYPE_Q5_K, "q5_k", 256, 176}, /* f16 d, dmin; u8 scales[12]; u8 qh[32]; u8 qs[128] */
    {QB_TYPE_Q6_K, "q6_k", 256, 210}, /* u8 ql[128]; u8 qh[64]; i8 scales[16]; f16 d */
};
// clang-format on

static const TypeInfo *find_type(QbType type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return &types[i];
    return NULL;
}

const char *qb_type_name(QbType type)
{
    const TypeInfo *info = find_type(type);
    return info ? info->name : NULL;
}

int qb_type_block_values(QbType type)
{
    const TypeInfo *info = find_type(type);
    return info ? info->block_values : 0;
}

int qb_type_block_bytes(QbType type)
{
    const TypeInfo *info = find_type(type);
    return info ? info->block_bytes : 0;
}
