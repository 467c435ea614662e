/* fuzz_noise_model.c: opens any bytes as a noise model and, when that works, has it tell the
 * visibility of two zones. Seeds: corpus/noise_model. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "noise/noise_model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(const QbNoiseModel *model)
{
    size_t width = (size_t)qb_noise_zone_feature_count();
    float *values = qb_calloc(2, width * sizeof *values);
    double visibility[2];
    for (size_t i = 0; values && i < width; i++)
        values[width + i] = i % 2 ? 1e30f : -3;
    if (values && !qb_noise_model_predict(visibility, model, values, 2))
        for (int i = 0; i < 2; i++)
            if (!(visibility[i] >= 0) || visibility[i] > 1000)
                abort();
    qb_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = NULL; /* exactly size bytes, so that the sanitizer sees the end */
    if (posix_memalign((void **)&bytes, QB_MEM_ALIGN, size ? size : 1))
        return 0;
    memcpy(bytes, data, size);
    QbGguf *gguf;
    QbNoiseModel *model = NULL;
    if (qb_gguf_open_memory(&gguf, bytes, size, "fuzz") == QB_OK) {
        if (qb_noise_model_read(&model, gguf) == QB_OK)
            tell(model);
        else if (model)
            abort();
    }
    qb_gguf_close(&gguf);
    free(bytes); /* a model keeps nothing of its file */
    if (model)
        tell(model);
    qb_noise_model_close(&model);
    return 0;
}
