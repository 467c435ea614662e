/* torch_build.h: archives as torch.save writes them, and pickles byte by byte, for tests. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_TORCH_BUILD_H
#define QB_TESTS_TORCH_BUILD_H

#include "tests/unit/weights/checkpoint_check.h"

/* ---- pickles --------------------------------------------------------------------------------- */

typedef struct Pickle {
    uint8_t bytes[10240];
    size_t n;
} Pickle;

static inline void pickle_add(Pickle *pickle, const void *bytes, size_t n)
{
    assert_true(n <= sizeof pickle->bytes - pickle->n);
    memcpy(pickle->bytes + pickle->n, bytes, n);
    pickle->n += n;
}

/* Opcodes as a string literal, which may have NULs inside. */
#define PICKLE_ADD(pickle, literal) pickle_add(pickle, literal, sizeof(literal) - 1)

static inline void pickle_text(Pickle *pickle, const char *text)
{
    const uint32_t length = (uint32_t)strlen(text);
    PICKLE_ADD(pickle, "X");
    pickle_add(pickle, &length, 4);
    pickle_add(pickle, text, length);
}

static inline void pickle_int(Pickle *pickle, int64_t value)
{
    PICKLE_ADD(pickle, "\x8a\x08"); /* LONG1 */
    pickle_add(pickle, &value, 8);
}

static inline void pickle_ints(Pickle *pickle, int n, const int64_t *values)
{
    PICKLE_ADD(pickle, "(");
    for (int i = 0; i < n; i++)
        pickle_int(pickle, values[i]);
    PICKLE_ADD(pickle, "t");
}

typedef struct TensorSpec {
    const char *storage; /* "FloatStorage" */
    const char *key;
    int64_t storage_values, offset;
    int n_dims, n_strides;
    int64_t shape[12], stride[12];
} TensorSpec;

/* What makes one tensor, left on the stack. */
static inline void pickle_tensor(Pickle *pickle, const TensorSpec *spec)
{
    PICKLE_ADD(pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
    pickle_text(pickle, "storage");
    PICKLE_ADD(pickle, "ctorch\n");
    pickle_add(pickle, spec->storage, strlen(spec->storage));
    PICKLE_ADD(pickle, "\n");
    pickle_text(pickle, spec->key);
    pickle_text(pickle, "cpu");
    pickle_int(pickle, spec->storage_values);
    PICKLE_ADD(pickle, "tQ");
    pickle_int(pickle, spec->offset);
    pickle_ints(pickle, spec->n_dims, spec->shape);
    pickle_ints(pickle, spec->n_strides, spec->stride);
    PICKLE_ADD(pickle, "\x89"
                       "ccollections\nOrderedDict\n)RtR");
}

/* ---- zip archives ---------------------------------------------------------------------------- */

enum { ZIP_32 = 1, ZIP_64_SIZES = 2, ZIP_COMMENT = 4 };

typedef struct ZipBuildEntry {
    char name[64];
    const void *data;
    size_t size;
    uint16_t method, flags;
} ZipBuildEntry;

typedef struct ZipBuild {
    uint8_t bytes[16384];
    size_t n;
    ZipBuildEntry entries[16];
    int n_entries;
    int how; /* ZIP_… */
} ZipBuild;

static inline void zip_bytes(ZipBuild *zip, const void *bytes, size_t n)
{
    assert_true(n <= sizeof zip->bytes - zip->n);
    memcpy(zip->bytes + zip->n, bytes, n);
    zip->n += n;
}

static inline void zip_number(ZipBuild *zip, uint64_t value, size_t n)
{
    zip_bytes(zip, &value, n);
}

/* data: borrowed until zip_finish. */
static inline ZipBuildEntry *zip_add(ZipBuild *zip, const char *name, const void *data, size_t size)
{
    assert_true(zip->n_entries < 16);
    ZipBuildEntry *entry = &zip->entries[zip->n_entries++];
    *entry = (ZipBuildEntry){.data = data, .size = size};
    snprintf(entry->name, sizeof entry->name, "%s", name);
    return entry;
}

/* Local headers have no sizes, as PyTorch's, and extra bytes that the directory has not. */
static inline void zip_local(ZipBuild *zip, const ZipBuildEntry *entry)
{
    zip_bytes(zip, "PK\3\4\0\0", 6);
    zip_number(zip, entry->flags, 2);
    zip_number(zip, entry->method, 2);
    zip_number(zip, 0, 8);
    zip_number(zip, 0, 8);
    zip_number(zip, strlen(entry->name), 2);
    zip_number(zip, 7, 2);
    zip_bytes(zip, entry->name, strlen(entry->name));
    zip_bytes(zip, "FB\3\0ZZZ", 7);
    if (entry->size)
        zip_bytes(zip, entry->data, entry->size);
}

static inline void zip_central(ZipBuild *zip, const ZipBuildEntry *entry, size_t header)
{
    const bool wide = zip->how & ZIP_64_SIZES;
    zip_bytes(zip, "PK\1\2\0\0\0\0", 8);
    zip_number(zip, entry->flags, 2);
    zip_number(zip, entry->method, 2);
    zip_number(zip, 0, 8);
    zip_number(zip, wide ? UINT32_MAX : entry->size, 4);
    zip_number(zip, wide ? UINT32_MAX : entry->size, 4);
    zip_number(zip, strlen(entry->name), 2);
    zip_number(zip, wide ? 5 + 4 + 24 : 0, 2);
    zip_number(zip, 3, 2); /* of comment */
    zip_number(zip, 0, 8);
    zip_number(zip, wide ? UINT32_MAX : header, 4);
    zip_bytes(zip, entry->name, strlen(entry->name));
    if (wide) { /* behind a field of another kind */
        zip_bytes(zip, "\x99\x99\1\0x\1\0\x18\0", 9);
        zip_number(zip, entry->size, 8);
        zip_number(zip, entry->size, 8);
        zip_number(zip, header, 8);
    }
    zip_bytes(zip, "abc", 3);
}

static inline void zip_finish(ZipBuild *zip)
{
    size_t headers[16];
    for (int i = 0; i < zip->n_entries; i++) {
        headers[i] = zip->n;
        zip_local(zip, &zip->entries[i]);
    }
    const size_t start = zip->n;
    for (int i = 0; i < zip->n_entries; i++)
        zip_central(zip, &zip->entries[i], headers[i]);
    const size_t end = zip->n;
    const bool wide = !(zip->how & ZIP_32);
    const uint64_t count = (uint64_t)zip->n_entries;
    if (wide) {
        zip_bytes(zip, "PK\6\6", 4);
        zip_number(zip, 44, 8);
        zip_number(zip, 0, 8);
        zip_number(zip, 0, 4);
        zip_number(zip, count, 8);
        zip_number(zip, count, 8);
        zip_number(zip, end - start, 8);
        zip_number(zip, start, 8);
        zip_bytes(zip, "PK\6\7\0\0\0\0", 8);
        zip_number(zip, end, 8);
        zip_number(zip, 1, 4);
    }
    zip_bytes(zip, "PK\5\6\0\0\0\0", 8);
    zip_number(zip, wide ? UINT16_MAX : count, 2);
    zip_number(zip, wide ? UINT16_MAX : count, 2);
    zip_number(zip, wide ? UINT32_MAX : end - start, 4);
    zip_number(zip, wide ? UINT32_MAX : start, 4);
    /* with something like an end inside */
    static const char comment[] = "a comment PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0 and a rest";
    const size_t length = zip->how & ZIP_COMMENT ? sizeof comment - 1 : 0;
    zip_number(zip, length, 2);
    zip_bytes(zip, comment, length);
}

#endif
