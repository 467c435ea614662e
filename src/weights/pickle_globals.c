/* pickle_globals.c: every name that a pickle may mention, in one table. A name stands for itself:
 * nothing is looked up and nothing is called. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/pickle_vm.h"

#include <string.h>

// clang-format off
static const PickleGlobal globals[] = {
    {"collections",         "OrderedDict",        PICKLE_ORDERED_DICT,      0},
    {"collections",         "Counter",            PICKLE_HARMLESS_CALL,     0},
    {"torch._utils",        "_rebuild_tensor_v2", PICKLE_REBUILD_TENSOR,    0},
    {"torch._utils",        "_rebuild_parameter", PICKLE_REBUILD_PARAMETER, 0},
    {"torch.nn.parameter",  "Parameter",          PICKLE_PARAMETER,         0},
    {"torch.serialization", "_get_layout",        PICKLE_HARMLESS_CALL,     0},
    {"torch",               "Size",               PICKLE_SIZE,              0},
    {"torch",               "Tensor",             PICKLE_HARMLESS,          0},
    {"torch",               "HalfStorage",        PICKLE_STORAGE_CLASS,     QB_DTYPE_F16},
    {"torch",               "BFloat16Storage",    PICKLE_STORAGE_CLASS,     QB_DTYPE_BF16},
    {"torch",               "FloatStorage",       PICKLE_STORAGE_CLASS,     QB_DTYPE_F32},
    {"torch",               "DoubleStorage",      PICKLE_STORAGE_CLASS,     QB_DTYPE_F64},
    {"torch",               "LongStorage",        PICKLE_STORAGE_CLASS,     QB_DTYPE_I64},
    {"torch",               "IntStorage",         PICKLE_STORAGE_CLASS,     QB_DTYPE_I32},
    {"torch",               "ShortStorage",       PICKLE_STORAGE_CLASS,     QB_DTYPE_I16},
    {"torch",               "CharStorage",        PICKLE_STORAGE_CLASS,     QB_DTYPE_I8},
    {"torch",               "ByteStorage",        PICKLE_STORAGE_CLASS,     QB_DTYPE_U8},
    {"torch",               "BoolStorage",        PICKLE_STORAGE_CLASS,     QB_DTYPE_BOOL},
    {"torch.storage",       "UntypedStorage",     PICKLE_STORAGE_CLASS,     QB_DTYPE_U8},
    {"torch",               "float16",            PICKLE_HARMLESS,          0},
    {"torch",               "bfloat16",           PICKLE_HARMLESS,          0},
    {"torch",               "float32",            PICKLE_HARMLESS,          0},
    {"torch",               "float64",            PICKLE_HARMLESS,          0},
    {"torch",               "int64",              PICKLE_HARMLESS,          0},
    {"torch",               "int32",              PICKLE_HARMLESS,          0},
    {"torch",               "int16",              PICKLE_HARMLESS,          0},
    {"torch",               "int8",               PICKLE_HARMLESS,          0},
    {"torch",               "uint8",              PICKLE_HARMLESS,          0},
    {"torch",               "bool",               PICKLE_HARMLESS,          0},
};
// clang-format on

static bool equals(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

const PickleGlobal *qb_pickle_find_global(const char *module, size_t module_length,
                                          const char *name, size_t name_length)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (equals(globals[i].module, module, module_length) &&
            equals(globals[i].name, name, name_length))
            return &globals[i];
    return NULL;
}
