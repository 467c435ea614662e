/* fuzz_image.c: any bytes as a picture, in both decode modes, with small limits. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/image.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int mode = QB_DECODE_MANAGED; mode <= QB_DECODE_UPSTREAM; mode++) {
        QbImageOptions options;
        qb_image_options_init(&options);
        options.decode = (QbDecode)mode;
        options.max_pixels = 1000000;
        options.max_bytes = 64 << 20;
        QbImage *image;
        volatile unsigned sum = 0;
        if (!qb_image_open_memory(&image, data, size, "fuzz", &options)) {
            size_t n = (size_t)qb_image_width(image) * (size_t)qb_image_height(image) * 3;
            for (size_t i = 0; i < n; i++)
                sum += qb_image_pixels(image)[i];
        }
        qb_image_free(&image);
    }
    return 0;
}
