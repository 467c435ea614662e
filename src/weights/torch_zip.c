/* torch_zip.c: lists the tensors of a file that torch.save wrote: a zip archive (PKWARE's APPNOTE,
 * with the ZIP64 records) of stored entries in one folder: data.pkl describes the tensors,
 * data/<key> are the storages that they view (caffe2/serialize/inline_container.h). The central
 * directory says where entries are; where their bytes begin, only the local headers do. Checksums
 * are not checked: that would read every byte twice, and protects from accidents only. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/pickle.h"

#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    END_BYTES = 22, /* end of central directory record */
    END_MAX_COMMENT = 65535,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1,
    KEY_MAX_BYTES = 255
};

typedef struct ZipEntry {
    const char *name; /* in the directory */
    size_t name_length;
    uint64_t size;   /* of its bytes as they are stored */
    uint64_t header; /* where its local header is */
    bool stored;     /* neither compressed nor encrypted */
} ZipEntry;

typedef struct Zip {
    QbCheckpoint *checkpoint;
    const CheckpointFile *file;
    uint8_t *directory; /* owned */
    size_t directory_size;
    ZipEntry *entries; /* sorted by name; owned */
    size_t n_entries, entries_capacity;
    const char *folder; /* name of the folder of data.pkl with its slash, in the directory */
    size_t folder_length;
    char *path; /* room for the folder's name, "data/" and a key; owned */
} Zip;

static uint64_t load(const uint8_t *data, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)data[i] << (8 * i);
    return value;
}

/* ---- the directory --------------------------------------------------------------------------- */

/* Where the directory is, and how many entries it has. */
typedef struct ZipEnd {
    uint64_t offset, size, count;
} ZipEnd;

static QbStatus read_end64(ZipEnd *end, const CheckpointFile *file, const uint8_t *locator)
{
    uint8_t record[END64_BYTES];
    uint64_t at = load(locator + 8, 8);
    if (file->size < sizeof record || at > file->size - sizeof record)
        return qb_fail(QB_ERR_FORMAT, "%s: the zip directory's record lies past the end",
                       file->path);
    QbStatus status = qb_checkpoint_file_read(record, file, at, sizeof record);
    if (status)
        return status;
    if (memcmp(record, "PK\6\6", 4))
        return qb_fail(QB_ERR_FORMAT, "%s: the zip directory's record is damaged", file->path);
    *end = (ZipEnd){.count = load(record + 32, 8),
                    .size = load(record + 40, 8),
                    .offset = load(record + 48, 8)};
    return QB_OK;
}

/* The end record is the last one whose comment reaches to the end of the file. */
static QbStatus read_end(ZipEnd *end, const CheckpointFile *file)
{
    const size_t most = LOCATOR64_BYTES + END_BYTES + END_MAX_COMMENT;
    const size_t size = file->size < most ? (size_t)file->size : most;
    uint8_t *tail = qb_alloc(size);
    if (!tail)
        return QB_ERR_NOMEM;
    QbStatus status = qb_checkpoint_file_read(tail, file, file->size - size, size);
    const uint8_t *record = NULL;
    for (size_t i = END_BYTES; i <= size && !record && !status; i++) {
        const uint8_t *at = tail + size - i;
        if (memcmp(at, "PK\5\6", 4) == 0 && load(at + 20, 2) == i - END_BYTES)
            record = at;
    }
    if (!status && !record)
        status = qb_fail(QB_ERR_FORMAT, "%s: the zip archive has no end: the file was cut short",
                         file->path);
    if (!status) {
        bool has64 =
            record - tail >= LOCATOR64_BYTES && memcmp(record - LOCATOR64_BYTES, "PK\6\7", 4) == 0;
        *end = (ZipEnd){.count = load(record + 10, 2),
                        .size = load(record + 12, 4),
                        .offset = load(record + 16, 4)};
        if (has64)
            status = read_end64(end, file, record - LOCATOR64_BYTES);
    }
    qb_free(tail);
    return status;
}

/* Values that do not fit in 32 bits are in an extra field, in this order. */
static bool read_extra64(ZipEntry *entry, uint64_t *packed, const uint8_t *extra, size_t length)
{
    while (length >= 4) {
        const uint64_t id = load(extra, 2), size = load(extra + 2, 2);
        extra += 4;
        length -= 4;
        if (size > length)
            return false;
        if (id == EXTRA_ZIP64) {
            uint64_t *const values[] = {&entry->size, packed, &entry->header};
            size_t at = 0;
            for (int i = 0; i < 3; i++) {
                if (*values[i] != UINT32_MAX)
                    continue;
                if (size - at < 8)
                    return false;
                *values[i] = load(extra + at, 8);
                at += 8;
            }
            return true;
        }
        extra += size;
        length -= (size_t)size;
    }
    return true;
}

/* The entry at *at of the directory; *at goes on behind it. */
static QbStatus take_entry(Zip *zip, size_t *at)
{
    const uint8_t *data = zip->directory + *at;
    const size_t left = zip->directory_size - *at;
    if (left < CENTRAL_BYTES || memcmp(data, "PK\1\2", 4))
        return qb_fail(QB_ERR_FORMAT, "%s: the zip directory is damaged", zip->file->path);
    const size_t name = (size_t)load(data + 28, 2), extra = (size_t)load(data + 30, 2);
    const size_t comment = (size_t)load(data + 32, 2);
    if (name + extra + comment > left - CENTRAL_BYTES)
        return qb_fail(QB_ERR_FORMAT, "%s: the zip directory is damaged", zip->file->path);
    QbStatus status = qb_checkpoint_grow((void **)&zip->entries, &zip->entries_capacity,
                                         zip->n_entries, sizeof *zip->entries);
    if (status)
        return status;
    ZipEntry *entry = &zip->entries[zip->n_entries++];
    uint64_t packed = load(data + 20, 4);
    *entry = (ZipEntry){.name = (const char *)data + CENTRAL_BYTES,
                        .name_length = name,
                        .size = load(data + 24, 4),
                        .header = load(data + 42, 4)};
    if (!read_extra64(entry, &packed, data + CENTRAL_BYTES + name, extra))
        return qb_fail(QB_ERR_FORMAT, "%s: the zip directory is damaged", zip->file->path);
    entry->stored =
        load(data + 10, 2) == 0 && !(load(data + 8, 2) & FLAG_ENCRYPTED) && packed == entry->size;
    *at += CENTRAL_BYTES + name + extra + comment;
    return QB_OK;
}

static int compare_names(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : a_length < b_length ? -1 : a_length > b_length;
}

static int compare_entries(const void *a, const void *b)
{
    const ZipEntry *x = a, *y = b;
    return compare_names(x->name, x->name_length, y->name, y->name_length);
}

static QbStatus read_directory(Zip *zip)
{
    const CheckpointFile *file = zip->file;
    ZipEnd end;
    QbStatus status = read_end(&end, file);
    if (status)
        return status;
    if (end.offset > file->size || end.size > file->size - end.offset)
        return qb_fail(QB_ERR_FORMAT, "%s: the zip directory lies past the end", file->path);
    if (end.size > CHECKPOINT_MAX_HEADER)
        return qb_fail(QB_ERR_LIMIT, "%s: the zip directory has %" PRIu64 " bytes, the limit is %d",
                       file->path, end.size, CHECKPOINT_MAX_HEADER);
    zip->directory_size = (size_t)end.size;
    zip->directory = qb_alloc(zip->directory_size);
    if (!zip->directory)
        return QB_ERR_NOMEM;
    status = qb_checkpoint_file_read(zip->directory, file, end.offset, zip->directory_size);
    for (size_t at = 0; !status && at < zip->directory_size;)
        status = take_entry(zip, &at);
    if (!status && zip->n_entries != end.count)
        status = qb_fail(QB_ERR_FORMAT, "%s: the zip directory has %zu entries, expected %" PRIu64,
                         file->path, zip->n_entries, end.count);
    if (status || zip->n_entries == 0)
        return status;
    qsort(zip->entries, zip->n_entries, sizeof *zip->entries, compare_entries);
    for (size_t i = 1; i < zip->n_entries; i++)
        if (compare_entries(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return qb_fail(QB_ERR_FORMAT, "%s: entry %.*s is there twice", file->path,
                           (int)zip->entries[i].name_length, zip->entries[i].name);
    return QB_OK;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* folder/data/<key> or, with data NULL, folder/<key>; NULL if absent. key_length <= KEY_MAX_BYTES.
 */
static const ZipEntry *find_entry(const Zip *zip, const char *data, const char *key,
                                  size_t key_length)
{
    size_t length = zip->folder_length, n = data ? strlen(data) : 0;
    memcpy(zip->path, zip->folder, length);
    if (n)
        memcpy(zip->path + length, data, n);
    memcpy(zip->path + length + n, key, key_length);
    const ZipEntry wanted = {.name = zip->path, .name_length = length + n + key_length};
    return bsearch(&wanted, zip->entries, zip->n_entries, sizeof *zip->entries, compare_entries);
}

/* Where an entry's bytes begin; they are inside the file. */
static QbStatus locate(uint64_t *out, const Zip *zip, const ZipEntry *entry)
{
    const CheckpointFile *file = zip->file;
    const int shown = (int)entry->name_length;
    uint8_t header[LOCAL_BYTES];
    if (!entry->stored)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: %.*s is compressed or encrypted; torch.save writes neither", file->path,
                       shown, entry->name);
    if (entry->header > file->size || file->size - entry->header < sizeof header)
        return qb_fail(QB_ERR_FORMAT, "%s: %.*s lies past the end", file->path, shown, entry->name);
    QbStatus status = qb_checkpoint_file_read(header, file, entry->header, sizeof header);
    if (status)
        return status;
    const uint64_t start = sizeof header + load(header + 26, 2) + load(header + 28, 2);
    const uint64_t left = file->size - entry->header;
    if (memcmp(header, "PK\3\4", 4))
        return qb_fail(QB_ERR_FORMAT, "%s: the header of %.*s is damaged", file->path, shown,
                       entry->name);
    if (start > left || entry->size > left - start)
        return qb_fail(QB_ERR_FORMAT, "%s: %.*s lies past the end", file->path, shown, entry->name);
    *out = entry->header + start;
    return QB_OK;
}

/* The one data.pkl that is in a folder at the top. */
static QbStatus find_folder(Zip *zip)
{
    static const char wanted[] = "data.pkl";
    const size_t n = sizeof wanted - 1;
    for (size_t i = 0; i < zip->n_entries; i++) {
        const ZipEntry *entry = &zip->entries[i];
        const char *slash = memchr(entry->name, '/', entry->name_length);
        size_t length = slash ? (size_t)(slash + 1 - entry->name) : 0;
        if (!slash || entry->name_length - length != n || memcmp(slash + 1, wanted, n))
            continue;
        if (zip->folder)
            return qb_fail(QB_ERR_FORMAT, "%s: has several data.pkl", zip->file->path);
        zip->folder = entry->name;
        zip->folder_length = length;
    }
    if (!zip->folder)
        return qb_fail(QB_ERR_FORMAT, "%s: is a zip archive, but not one of torch.save",
                       zip->file->path);
    zip->path = qb_alloc(zip->folder_length + sizeof "data/" + KEY_MAX_BYTES);
    return zip->path ? QB_OK : QB_ERR_NOMEM;
}

static QbStatus check_byte_order(const Zip *zip)
{
    const ZipEntry *entry = find_entry(zip, NULL, "byteorder", 9);
    uint64_t at;
    char text[6];
    if (!entry) /* older files have none, and are little-endian */
        return QB_OK;
    QbStatus status = locate(&at, zip, entry);
    if (status)
        return status;
    if (entry->size == sizeof text)
        status = qb_checkpoint_file_read(text, zip->file, at, sizeof text);
    if (!status && (entry->size != sizeof text || memcmp(text, "little", sizeof text)))
        status = qb_fail(QB_ERR_UNSUPPORTED, "%s: was not written on a little-endian machine",
                         zip->file->path);
    return status;
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* Sets stride; whether the values lie packed in row-major order, and all in the storage. */
static QbStatus take_strides(CheckpointEntry *entry, const PickleTensor *from)
{
    const QbCheckpointTensor *tensor = &entry->tensor;
    int64_t packed = 1, last = from->offset;
    bool fits = from->offset >= 0;
    for (int d = tensor->n_dims - 1; d >= 0 && tensor->n_values; d--) {
        int64_t reach;
        if (tensor->shape[d] == 1)
            continue;
        entry->stride[d] = from->stride[d];
        entry->strided = entry->strided || from->stride[d] != packed;
        packed *= tensor->shape[d]; /* <= n_values */
        fits = fits && from->stride[d] >= 0 &&
               !__builtin_mul_overflow(tensor->shape[d] - 1, from->stride[d], &reach) &&
               !__builtin_add_overflow(last, reach, &last);
    }
    if (!fits || (tensor->n_values ? last >= from->storage_values : last > from->storage_values))
        return qb_fail(QB_ERR_FORMAT,
                       "%s: tensor %s reaches beyond its storage of %" PRId64 " values",
                       tensor->file, tensor->name, from->storage_values);
    entry->tensor.repeats = tensor->n_values > from->storage_values;
    return QB_OK;
}

static QbStatus take_tensor(const PickleTensor *from, void *user)
{
    Zip *zip = user;
    CheckpointEntry *entry;
    QbStatus status =
        qb_checkpoint_add_tensor(&entry, zip->checkpoint, zip->file, from->name, from->name_length);
    if (status)
        return status;
    QbCheckpointTensor *tensor = &entry->tensor;
    uint64_t bytes, data;
    tensor->dtype = from->dtype;
    tensor->n_dims = from->n_dims;
    memcpy(tensor->shape, from->shape, sizeof tensor->shape);
    status = qb_checkpoint_measure(&bytes, entry);
    if (!status)
        status = take_strides(entry, from);
    if (status)
        return status;
    const ZipEntry *storage = from->key_length <= KEY_MAX_BYTES
                                  ? find_entry(zip, "data/", from->key, from->key_length)
                                  : NULL;
    const int shown = from->key_length <= KEY_MAX_BYTES ? (int)from->key_length : KEY_MAX_BYTES;
    if (!storage)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s: its storage data/%.*s is missing",
                       tensor->file, tensor->name, shown, from->key);
    const uint64_t size = (uint64_t)qb_dtype_bytes(from->dtype);
    if (storage->size % size || storage->size / size != (uint64_t)from->storage_values)
        return qb_fail(QB_ERR_FORMAT,
                       "%s: tensor %s: its storage data/%.*s has %" PRIu64
                       " bytes, expected %" PRId64 " values of %" PRIu64,
                       tensor->file, tensor->name, shown, from->key, storage->size,
                       from->storage_values, size);
    status = locate(&data, zip, storage);
    if (!status)
        entry->offset = data + (uint64_t)from->offset * size; /* offset <= storage_values */
    return status;
}

static QbStatus read_pickle(Zip *zip)
{
    const ZipEntry *entry = find_entry(zip, NULL, "data.pkl", 8);
    uint64_t at;
    QbStatus status = locate(&at, zip, entry);
    if (status)
        return status;
    if (entry->size > CHECKPOINT_MAX_HEADER)
        return qb_fail(QB_ERR_LIMIT, "%s: data.pkl has %" PRIu64 " bytes, the limit is %d",
                       zip->file->path, entry->size, CHECKPOINT_MAX_HEADER);
    uint8_t *data = qb_alloc((size_t)entry->size);
    if (!data)
        return QB_ERR_NOMEM;
    status = qb_checkpoint_file_read(data, zip->file, at, (size_t)entry->size);
    if (!status)
        status = qb_pickle_read(data, (size_t)entry->size, zip->file->path, take_tensor, zip);
    qb_free(data);
    return status;
}

QbStatus qb_torch_list(QbCheckpoint *checkpoint, const CheckpointFile *file)
{
    Zip zip = {.checkpoint = checkpoint, .file = file};
    QbStatus status = read_directory(&zip);
    if (!status)
        status = find_folder(&zip);
    if (!status)
        status = check_byte_order(&zip);
    if (!status)
        status = read_pickle(&zip);
    qb_free(zip.path);
    qb_free(zip.entries);
    qb_free(zip.directory);
    return status;
}
