/* fuzz_light.c: any bytes as a picture of linear light, whole and by a layer, with small limits;
 * its pixels must be light, and every tone curve must take them. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/light.h>

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const QbLight *light)
{
    QbLightInfo info;
    qb_light_info(&info, light);
    size_t n = (size_t)info.width * (size_t)info.height * 3;
    for (size_t i = 0; i < n; i++)
        if (!(isfinite(qb_light_pixels(light)[i]) && qb_light_pixels(light)[i] >= 0))
            abort();
    QbToneMapping mapping;
    qb_tone_mapping_init(&mapping);
    for (int i = 0; (mapping.curve = qb_tone_curve_name(i)); i++) {
        QbImage *image;
        if (n < 30000 && !qb_light_tone_map(&image, light, &mapping))
            qb_image_free(&image);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {NULL, "a"};
    for (int i = 0; i < 2; i++) {
        QbLightOptions options;
        qb_light_options_init(&options);
        options.layer = layers[i];
        options.image.max_pixels = 1000000;
        options.image.max_bytes = 64 << 20;
        QbLight *light;
        if (!qb_light_open_memory(&light, data, size, "fuzz", &options))
            look_at(light);
        qb_light_free(&light);
    }
    return 0;
}
