/* fuzz_gguf.c: opens any bytes as a GGUF file and, when that works, walks every accessor. Seeds:
 * corpus/gguf. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "weights/gguf_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_key(const QbGguf *gguf, int index)
{
    char text[100];
    const char *key = qb_gguf_key_at(gguf, index);
    uint32_t number;
    float value;
    bool flag;
    const char *string;
    size_t n = 0, length;
    qb_gguf_value_text(text, 1 + (size_t)index % sizeof text, gguf, index);
    if (!qb_gguf_has_key(gguf, key) || strlen(text) >= sizeof text)
        abort();
    qb_gguf_get_u32(&number, gguf, key);
    qb_gguf_get_f32_or(&value, gguf, key);
    qb_gguf_get_bool(&flag, gguf, key);
    if (qb_gguf_get_string(&string, gguf, key) == QB_OK)
        qb_free(qb_strdup(string));
    if (qb_gguf_get_array_length(&n, gguf, key))
        return;
    float *floats = qb_calloc(n, sizeof *floats);
    int32_t *ints = qb_calloc(n, sizeof *ints);
    qb_gguf_copy_f32_array(floats, n, gguf, key);
    qb_gguf_copy_i32_array(ints, n, gguf, key);
    for (size_t i = 0; i < n && !qb_gguf_get_string_at(&string, &length, gguf, key, i); i++)
        qb_free(qb_strndup(string, length));
    qb_free(floats);
    qb_free(ints);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = NULL; /* exactly size bytes, so that the sanitizer sees the end */
    if (posix_memalign((void **)&bytes, QB_MEM_ALIGN, size ? size : 1))
        return 0;
    memcpy(bytes, data, size);
    QbGguf *gguf;
    if (qb_gguf_open_memory(&gguf, bytes, size, "fuzz") == QB_OK) {
        for (int i = 0; i < qb_gguf_key_count(gguf); i++)
            walk_key(gguf, i);
        for (int i = 0; i < qb_gguf_tensor_count(gguf); i++) {
            const QbGgufTensor *tensor = qb_gguf_tensor_at(gguf, i);
            if (qb_gguf_find_tensor(gguf, tensor->name) != tensor || !tensor->size_bytes)
                abort();
            void *copy = qb_alloc(tensor->size_bytes);
            memcpy(copy, tensor->data, tensor->size_bytes);
            qb_free(copy);
        }
    } else if (gguf)
        abort();
    qb_gguf_close(&gguf);
    free(bytes);
    return 0;
}
