/* embedded_noise_model.c: links the GGUF file of the learned noise model into the library, byte for
 * byte, as embedded_model.c does with the model that scores. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/noise_model.h"

#ifndef QB_EMBEDDED_NOISE_MODEL_FILE
#error "QB_EMBEDDED_NOISE_MODEL_FILE must name the GGUF file to embed"
#endif

__asm__(".section .rodata\n"
        ".balign 64\n"
        ".local qb_embedded_noise_model_begin\n"
        "qb_embedded_noise_model_begin:\n"
        ".incbin \"" QB_EMBEDDED_NOISE_MODEL_FILE "\"\n"
        ".local qb_embedded_noise_model_end\n"
        "qb_embedded_noise_model_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const unsigned char qb_embedded_noise_model_begin[] __attribute__((visibility("hidden")));
extern const unsigned char qb_embedded_noise_model_end[] __attribute__((visibility("hidden")));

const void *qb_embedded_noise_model(size_t *out_size)
{
    *out_size = (size_t)(qb_embedded_noise_model_end - qb_embedded_noise_model_begin);
    return qb_embedded_noise_model_begin;
}
