/* fuzz_torch.c: bytes that begin as a zip archive as one of PyTorch's, others as the pickle of a
 * well made archive with storages 0 and 1; when that opens, both ends of every tensor are read.
 * Seeds: corpus/torch, of either kind. */
// SPDX-License-Identifier: Apache-2.0
#include "fuzz_checkpoint.h"

enum { STORAGE_BYTES = 96 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An entry of the zip directory. */
static void write_entry(FILE *file, const char *name, uint32_t size, uint32_t header)
{
    const uint16_t name_length = (uint16_t)strlen(name);
    uint8_t entry[46] = {'P', 'K', 1, 2};
    memcpy(entry + 20, &size, 4);
    memcpy(entry + 24, &size, 4);
    memcpy(entry + 28, &name_length, 2);
    memcpy(entry + 42, &header, 4);
    fwrite(entry, 1, sizeof entry, file);
    fputs(name, file);
}

static void write_archive(FILE *file, const uint8_t *pickle, uint32_t size)
{
    const uint8_t header[30] = {'P', 'K', 3, 4};
    const uint8_t storage[STORAGE_BYTES] = {1, 2, 3};
    uint8_t end[22] = {'P', 'K', 5, 6, [8] = 3, [10] = 3};
    fwrite(header, 1, sizeof header, file);
    fwrite(storage, 1, sizeof storage, file);
    fwrite(header, 1, sizeof header, file);
    fwrite(pickle, 1, size, file);
    const uint32_t directory = (uint32_t)ftell(file);
    write_entry(file, "p/data/0", STORAGE_BYTES, 0);
    write_entry(file, "p/data/1", STORAGE_BYTES, 0);
    write_entry(file, "p/data.pkl", size, sizeof header + STORAGE_BYTES);
    const uint32_t directory_size = (uint32_t)ftell(file) - directory;
    memcpy(end + 12, &directory_size, 4);
    memcpy(end + 16, &directory, 4);
    fwrite(end, 1, sizeof end, file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *file = fuzz_file();
    if (size >= 2 && memcmp(data, "PK", 2) == 0)
        fwrite(data, 1, size, file);
    else
        write_archive(file, data, (uint32_t)size);
    fuzz_open(file);
    return 0;
}
