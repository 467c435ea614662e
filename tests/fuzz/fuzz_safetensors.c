/* fuzz_safetensors.c: any bytes as a safetensors file. Seeds: corpus/safetensors. */
// SPDX-License-Identifier: Apache-2.0
#include "fuzz_checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *file = fuzz_file();
    fwrite(data, 1, size, file);
    fuzz_open(file);
    return 0;
}
