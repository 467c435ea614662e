/* fuzz_convert.c: a whole conversion of a folder whose files are parts of the input: a byte that
 * says what the third part is, a line each for the lengths of config.json and tokenizer.model, then
 * the three files. Whatever comes out must be a file that can be read. Seeds: corpus/convert. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/gguf_read.h"

#include <qboost/convert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/qboost-fuzz-XXXXXX";

static void path_of(char *out, size_t n, const char *name)
{
    snprintf(out, n, "%s/%s", folder, name);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
    char path[64];
    path_of(path, sizeof path, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size)
        abort();
    fclose(file);
}

static void remove_files(void)
{
    static const char *const names[] = {"config.json", "tokenizer.model", "model.safetensors",
                                        "pytorch_model.bin", "out.gguf"};
    char path[64];
    for (int i = 0; i < 5; i++) {
        path_of(path, sizeof path, names[i]);
        unlink(path);
    }
}

static void remove_folder(void)
{
    remove_files();
    if (rmdir(folder))
        abort(); /* something was left behind */
}

/* A decimal number and a line end. */
static size_t take_length(const uint8_t **data, size_t *size)
{
    size_t length = 0;
    while (*size && **data >= '0' && **data <= '9' && length < 1000000) {
        length = length * 10 + (size_t)(**data - '0');
        ++*data, --*size;
    }
    if (*size)
        ++*data, --*size;
    return length;
}

static void take_file(const char *name, size_t length, const uint8_t **data, size_t *size)
{
    if (length > *size)
        length = *size;
    put(name, *data, length);
    *data += length;
    *size -= length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    char out[64];
    if (!ready++) {
        if (!mkdtemp(folder))
            abort();
        atexit(remove_folder);
    }
    if (!size)
        return 0;
    uint8_t kind = *data++;
    size--;
    size_t config = take_length(&data, &size), tokenizer = take_length(&data, &size);
    take_file("config.json", config, &data, &size);
    take_file("tokenizer.model", tokenizer, &data, &size);
    put(kind & 1 ? "pytorch_model.bin" : "model.safetensors", data, size);
    QbConvertOptions options;
    qb_convert_options_init(&options);
    options.threads = 1;
    options.type = kind & 2 ? "q4_k" : kind & 4 ? "q8_0" : "f16";
    options.preset = kind & 8 ? "q-align" : NULL;
    path_of(out, sizeof out, "out.gguf");
    if (!qb_convert(folder, out, &options)) {
        QbGguf *gguf;
        if (qb_gguf_open(&gguf, out))
            abort();
        qb_gguf_close(&gguf);
    } else if (!access(out, F_OK)) {
        abort();
    }
    remove_files();
    return 0;
}
