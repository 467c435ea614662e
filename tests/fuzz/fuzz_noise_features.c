/* fuzz_noise_features.c: any bytes as a file of noise features, as they are and with the checksum
 * mended, so that what stands behind it is reached; what is accepted judges a picture. Seeds:
 * corpus/noise_features. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/reduced.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SUM_BYTES = 4, MAX_SIDE = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size - SUM_BYTES; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    crc = ~crc;
    memcpy(data + size - SUM_BYTES, &crc, SUM_BYTES);
}

static void judge(const QbNoiseFeatures *features)
{
    int width, height;
    QbNoiseGrid grid;
    QbNoiseReport report;
    QbImage *image;
    qb_noise_features_size(features, &width, &height, &grid);
    if (width > MAX_SIDE || height > MAX_SIDE)
        return;
    uint8_t *rgb = calloc((size_t)width * (size_t)height, 3);
    if (qb_image_new_rgb(&image, rgb, width, height, (size_t)width * 3) ||
        qb_noise_judge_features(&report, image, features, 1))
        abort();
    for (int z = 0; z < grid.columns * grid.rows; z++)
        if (!isfinite(report.zones[z].visibility))
            abort();
    qb_image_free(&image);
    free(rgb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size ? size : 1); /* exactly size, so that the sanitizer sees the end */
    memcpy(bytes, data, size);
    for (int mended = 0; mended < 2; mended++) {
        QbNoiseFeatures *features;
        if (mended && size >= SUM_BYTES)
            mend(bytes, size);
        if (qb_noise_features_read(&features, bytes, size, "fuzz") ? features != NULL : !features)
            abort();
        if (features)
            judge(features);
        qb_noise_features_free(&features);
    }
    free(bytes);
    return 0;
}
