/* checkpoint_write.h: safetensors and PyTorch .bin files from front to back, for make_checkpoint.
 *
 * A .bin file is laid out as torch.save of version 1.6 and later does it: a ZIP of stored entries,
 * data at multiples of 64 bytes, ZIP64 end records always and ZIP64 offsets where they are needed,
 * and a pickle of protocol 2 that says which entry is which tensor. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BENCH_CHECKPOINT_WRITE_H
#define QB_BENCH_CHECKPOINT_WRITE_H

#include "bench/checkpoint_plan.h"

#include <jansson.h>

typedef struct Bytes {
    uint8_t *data; /* owned */
    size_t n, capacity;
} Bytes;

static inline void bytes_add(Bytes *b, const void *data, size_t n)
{
    if (b->n + n > b->capacity) {
        b->capacity = 2 * (b->n + n) + 256;
        b->data = realloc(b->data, b->capacity);
        if (!b->data)
            abort();
    }
    if (n)
        memcpy(b->data + b->n, data, n);
    b->n += n;
}

static inline void bytes_add_int(Bytes *b, uint64_t value, int width)
{
    for (int i = 0; i < width; i++)
        bytes_add(b, &(uint8_t){(uint8_t)(value >> (8 * i))}, 1);
}

static inline void bytes_add_text(Bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text));
}

static inline int plan_dtype_bytes(PlanDtype dtype)
{
    return dtype == PLAN_I64 ? 8 : dtype == PLAN_F32 ? 4 : 2;
}

static inline int64_t plan_tensor_bytes(const PlanTensor *t)
{
    return t->n_values * plan_dtype_bytes(t->dtype);
}

// ---- safetensors --------------------------------------------------------------------------------
static inline Bytes safetensors_header(const PlanTensor *tensors, int n)
{
    static const char *const names[] = {"F16", "BF16", "F32", "I64"};
    json_t *root = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    int64_t offset = 0;
    for (int i = 0; i < n; i++) {
        const PlanTensor *t = &tensors[i];
        json_t *shape = json_array();
        for (int d = 0; d < t->n_dims; d++)
            json_array_append_new(shape, json_integer(t->shape[d]));
        int64_t end = offset + plan_tensor_bytes(t);
        json_object_set_new(root, t->name,
                            json_pack("{s:s,s:o,s:[I,I]}", "dtype", names[t->dtype], "shape", shape,
                                      "data_offsets", (json_int_t)offset, (json_int_t)end));
        offset = end;
    }
    char *text = json_dumps(root, JSON_COMPACT);
    size_t length = strlen(text), padded = (length + 7) / 8 * 8;
    Bytes b = {0};
    bytes_add_int(&b, padded, 8);
    bytes_add_text(&b, text);
    for (; length < padded; length++)
        bytes_add_text(&b, " ");
    free(text);
    json_decref(root);
    return b;
}

// ---- pickle -------------------------------------------------------------------------------------
/* What has been put into the memo so far: every text and global once, as torch.save does it. */
typedef struct Pickle {
    Bytes out;
    const char *seen[32];
    int seen_at[32], n_seen, n_memo;
} Pickle;

static inline void pickle_put(Pickle *p)
{
    bool small = p->n_memo < 256;
    bytes_add_text(&p->out, small ? "q" : "r");
    bytes_add_int(&p->out, (uint64_t)p->n_memo++, small ? 1 : 4);
}

/* true when text had been written before and is now fetched from the memo. */
static inline bool pickle_get(Pickle *p, const char *text)
{
    for (int i = 0; i < p->n_seen; i++)
        if (!strcmp(p->seen[i], text)) {
            bool small = p->seen_at[i] < 256;
            bytes_add_text(&p->out, small ? "h" : "j");
            bytes_add_int(&p->out, (uint64_t)p->seen_at[i], small ? 1 : 4);
            return true;
        }
    p->seen[p->n_seen] = text;
    p->seen_at[p->n_seen++] = p->n_memo;
    return false;
}

static inline void pickle_text(Pickle *p, const char *text)
{
    bytes_add_text(&p->out, "X");
    bytes_add_int(&p->out, strlen(text), 4);
    bytes_add_text(&p->out, text);
    pickle_put(p);
}

/* text: "module\nname\n", a literal. */
static inline void pickle_global(Pickle *p, const char *text)
{
    if (pickle_get(p, text))
        return;
    bytes_add_text(&p->out, "c");
    bytes_add_text(&p->out, text);
    pickle_put(p);
}

static inline void pickle_int(Pickle *p, int64_t value)
{
    int width = value < 256 ? 1 : value < 65536 ? 2 : value < INT32_MAX ? 4 : 8;
    static const char *const codes[] = {[1] = "K", [2] = "M", [4] = "J", [8] = "\x8a\x08"};
    bytes_add_text(&p->out, codes[width]);
    bytes_add_int(&p->out, (uint64_t)value, width);
}

static inline void pickle_tuple(Pickle *p, const int64_t *value, int n)
{
    static const char *const codes[] = {")", "\x85", "\x86", "\x87", "t"};
    if (n > 3)
        bytes_add_text(&p->out, "(");
    for (int i = 0; i < n; i++)
        pickle_int(p, value[i]);
    bytes_add_text(&p->out, codes[n]);
    if (n)
        pickle_put(p);
}

static inline void pickle_ordered_dict(Pickle *p)
{
    pickle_global(p, "collections\nOrderedDict\n");
    bytes_add_text(&p->out, ")R");
    pickle_put(p);
}

/* name: _rebuild_tensor_v2(('storage', class, key, 'cpu', n), 0, shape, strides, False, {}) */
static inline void pickle_tensor(Pickle *p, const PlanTensor *t, int key)
{
    static const char *const storages[] = {"torch\nHalfStorage\n", "torch\nBFloat16Storage\n",
                                           "torch\nFloatStorage\n", "torch\nLongStorage\n"};
    char digits[16];
    int64_t strides[4], stride = 1;
    for (int d = t->n_dims - 1; d >= 0; stride *= t->shape[d--])
        strides[d] = stride;
    pickle_text(p, t->name);
    pickle_global(p, "torch._utils\n_rebuild_tensor_v2\n");
    bytes_add_text(&p->out, "((");
    if (!pickle_get(p, "storage"))
        pickle_text(p, "storage");
    pickle_global(p, storages[t->dtype]);
    snprintf(digits, sizeof digits, "%d", key);
    pickle_text(p, digits);
    if (!pickle_get(p, "cpu"))
        pickle_text(p, "cpu");
    pickle_int(p, t->n_values);
    bytes_add_text(&p->out, "t");
    pickle_put(p);
    bytes_add_text(&p->out, "QK");
    bytes_add_int(&p->out, 0, 1);
    pickle_tuple(p, t->shape, t->n_dims);
    pickle_tuple(p, strides, t->n_dims);
    bytes_add_text(&p->out, "\x89");
    pickle_ordered_dict(p);
    bytes_add_text(&p->out, "t");
    pickle_put(p);
    bytes_add_text(&p->out, "R");
    pickle_put(p);
}

/* The state dict: an OrderedDict whose _metadata is another one. */
static inline Bytes pickle_state(const PlanTensor *tensors, int n)
{
    Pickle p = {0};
    bytes_add_text(&p.out, "\x80\x02");
    pickle_ordered_dict(&p);
    bytes_add_text(&p.out, "(");
    for (int i = 0; i < n; i++)
        pickle_tensor(&p, &tensors[i], i);
    bytes_add_text(&p.out, "u}");
    pickle_put(&p);
    pickle_text(&p, "_metadata");
    pickle_ordered_dict(&p);
    bytes_add_text(&p.out, "sb.");
    return p.out;
}

// ---- ZIP ----------------------------------------------------------------------------------------
typedef struct ZipEntry {
    char name[96];
    uint32_t crc;
    uint64_t offset, size;
} ZipEntry;

typedef struct Zip {
    FILE *file;
    uint32_t table[8][256]; /* CRC-32, eight bytes a step */
    ZipEntry *entries;      /* [n] owned */
    int n;
    uint64_t at; /* bytes written */
    bool failed;
} Zip;

static inline void zip_write(Zip *z, const void *data, size_t n)
{
    z->failed |= fwrite(data, 1, n, z->file) != n;
    z->at += n;
}

static inline void zip_open(Zip *z, FILE *file, int n_entries)
{
    *z = (Zip){.file = file, .entries = calloc((size_t)n_entries, sizeof(ZipEntry))};
    if (!z->entries)
        abort();
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        z->table[0][i] = c;
    }
    for (int s = 1; s < 8; s++)
        for (int i = 0; i < 256; i++)
            z->table[s][i] = z->table[s - 1][i] >> 8 ^ z->table[0][z->table[s - 1][i] & 255];
}

static inline void zip_begin_entry(Zip *z, const char *name, uint64_t size)
{
    ZipEntry *e = &z->entries[z->n++];
    snprintf(e->name, sizeof e->name, "%s", name);
    e->offset = z->at;
    e->size = size;
    size_t length = strlen(e->name);
    uint64_t data = z->at + 30 + length + 4, padding = (64 - data % 64) % 64;
    Bytes b = {0};
    bytes_add_int(&b, 0x04034b50, 4);
    bytes_add_int(&b, 0, 2);
    bytes_add_int(&b, 0x0800, 2); /* names are UTF-8 */
    bytes_add_int(&b, 0, 2);      /* stored */
    bytes_add_int(&b, 0, 4);      /* time and date */
    bytes_add_int(&b, 0, 4);      /* CRC: filled in by zip_end_entry */
    bytes_add_int(&b, size, 4);
    bytes_add_int(&b, size, 4);
    bytes_add_int(&b, length, 2);
    bytes_add_int(&b, padding + 4, 2);
    bytes_add_text(&b, e->name);
    bytes_add_text(&b, "FB"); /* torch's name for the padding that aligns data */
    bytes_add_int(&b, padding, 2);
    for (; padding; padding--)
        bytes_add_text(&b, "Z");
    zip_write(z, b.data, b.n);
    free(b.data);
    e->crc = 0xffffffffu;
}

static inline void zip_data(Zip *z, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t c = z->entries[z->n - 1].crc;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8); /* little-endian, as everything in the file */
        word ^= c;
        c = 0;
        for (int s = 0; s < 8; s++)
            c ^= z->table[7 - s][word >> (8 * s) & 255];
    }
    for (; i < n; i++)
        c = z->table[0][(c ^ p[i]) & 255] ^ c >> 8;
    z->entries[z->n - 1].crc = c;
    zip_write(z, data, n);
}

static inline void zip_end_entry(Zip *z)
{
    ZipEntry *e = &z->entries[z->n - 1];
    uint32_t crc = e->crc ^= 0xffffffffu;
    z->failed |= fseeko(z->file, (off_t)e->offset + 14, SEEK_SET) != 0 ||
                 fwrite(&crc, 1, 4, z->file) != 4 || fseeko(z->file, 0, SEEK_END) != 0;
}

static inline void zip_entry(Zip *z, const char *name, const void *data, size_t n)
{
    zip_begin_entry(z, name, n);
    zip_data(z, data, n);
    zip_end_entry(z);
}

static inline void zip_directory_entry(Bytes *b, const ZipEntry *e)
{
    bool far = e->offset >= UINT32_MAX;
    bytes_add_int(b, 0x02014b50, 4);
    bytes_add_int(b, far ? 45 : 0, 2); /* version made by, version needed */
    bytes_add_int(b, far ? 45 : 0, 2);
    bytes_add_int(b, 0x0800, 2);
    bytes_add_int(b, 0, 6); /* stored; time and date */
    bytes_add_int(b, e->crc, 4);
    bytes_add_int(b, e->size, 4);
    bytes_add_int(b, e->size, 4);
    bytes_add_int(b, strlen(e->name), 2);
    bytes_add_int(b, far ? 12 : 0, 2);
    bytes_add_int(b, 0, 8);
    bytes_add_int(b, 0, 2);
    bytes_add_int(b, far ? UINT32_MAX : e->offset, 4);
    bytes_add_text(b, e->name);
    if (far) {
        bytes_add_int(b, 1, 2); /* ZIP64: what did not fit above */
        bytes_add_int(b, 8, 2);
        bytes_add_int(b, e->offset, 8);
    }
}

/* Frees what zip_open took; false when anything could not be written. */
static inline bool zip_close(Zip *z)
{
    Bytes b = {0};
    uint64_t start = z->at;
    for (int i = 0; i < z->n; i++)
        zip_directory_entry(&b, &z->entries[i]);
    uint64_t size = b.n, n = (uint64_t)z->n, end = start + size;
    bytes_add_int(&b, 0x06064b50, 4);
    bytes_add_int(&b, 44, 8);
    bytes_add_int(&b, 45, 2);
    bytes_add_int(&b, 45, 2);
    bytes_add_int(&b, 0, 8); /* this disk, the directory's disk */
    bytes_add_int(&b, n, 8);
    bytes_add_int(&b, n, 8);
    bytes_add_int(&b, size, 8);
    bytes_add_int(&b, start, 8);
    bytes_add_int(&b, 0x07064b50, 4);
    bytes_add_int(&b, 0, 4);
    bytes_add_int(&b, end, 8);
    bytes_add_int(&b, 1, 4);
    bytes_add_int(&b, 0x06054b50, 4);
    bytes_add_int(&b, 0, 4);
    bytes_add_int(&b, n, 2); /* fewer than 65535: a model has under a thousand */
    bytes_add_int(&b, n, 2);
    bytes_add_int(&b, size, 4);
    bytes_add_int(&b, start >= UINT32_MAX ? UINT32_MAX : start, 4);
    bytes_add_int(&b, 0, 2);
    zip_write(z, b.data, b.n);
    free(b.data);
    free(z->entries);
    return !z->failed;
}

#endif
