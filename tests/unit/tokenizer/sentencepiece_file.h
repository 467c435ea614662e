/* sentencepiece_file.h: the published tokenizer model that tests use where it is there. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_SENTENCEPIECE_FILE_H
#define QB_TESTS_SENTENCEPIECE_FILE_H

#include "base/file.h"
#include "base/mem.h"
#include "tokenizer/sentencepiece_model.h"

#include <stdio.h>
#include <stdlib.h>

static inline const char *shared_path(const char *name)
{
    static char path[1024];
    const char *shared = getenv("QB_SHARED");
    snprintf(path, sizeof path, "%s/data/fixtures/%s", shared ? shared : "../shared", name);
    return path;
}

/* llama_tokenizer.model; false when absent. *out_data: owned by the caller, qb_free. */
static inline bool load_llama_model(uint8_t **out_data, size_t *out_size)
{
    return qb_file_read(out_data, out_size, shared_path("llama_tokenizer.model"), 1 << 24) == QB_OK;
}

#endif
