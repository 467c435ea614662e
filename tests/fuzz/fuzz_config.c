/* fuzz_config.c: any bytes as config.json, read as every part that the converter knows. Seeds:
 * corpus/config. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/architecture.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read must be in the ranges that the header promises. */
static void read_parts(const QbConfigNode *node)
{
    QbDecoderConfig decoder;
    QbTowerConfig tower;
    if (!qb_decoder_config_read(&decoder, node, 1e-6) &&
        (decoder.width % decoder.n_heads || decoder.n_layers < 1 || decoder.n_kv_heads < 1))
        abort();
    if (!qb_tower_config_read(&tower, node, 336, 1e-5) &&
        (tower.image_size % tower.patch_size || tower.width % tower.n_heads))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QbConversion c = {.folder = "fuzz"};
    const QbConvertArch *arch;
    char *text = malloc(size + 1); /* exactly size bytes, so that the sanitizer sees the end */
    memcpy(text, data, size);
    text = realloc(text, size ? size : 1);
    if (!qb_config_parse(&c.config, text, size, "config.json")) {
        QbConfigNode root = qb_config_root(&c.config), child;
        static const char *const inner[] = {"text_config", "vision_config", "visual_config"};
        read_parts(&root);
        for (int i = 0; i < 3; i++)
            if (!qb_config_child(&child, &root, inner[i], "inner."))
                read_parts(&child);
        if (!qb_convert_arch_find(&arch, &c.config) && !arch->read_config(&c) &&
            (c.tower_layers < 1 || c.tower_layers > c.tower.n_layers || !arch->name))
            abort();
        if (c.plan.n || c.checkpoint)
            abort();
    } else if (c.config.root || c.config.path) {
        abort();
    }
    qb_config_close(&c.config);
    free(text);
    return 0;
}
